#include "bridge/era/param_check.h"

#include "bridge/base/memory.h"

#include <stdlib.h>

/* A call that waits for the child's list of tools. */
struct param_check {
    struct call_shim shim;
    struct call *client;
    struct era *era;
    struct hub *hub; /* held */
    struct tool_wait wait;
    struct caller caller; /* owned */
};

bool param_check_is_needed(const struct call *call, const struct message *message)
{
    return call->events->check != NULL && message_is(message, "tools/call") && slice_exists(message->name);
}

static void check(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
                  struct hub *hub)
{
    char why[256];
    if (call->events->check(call, message, &hub->tool_index.headers, why, sizeof(why))) {
        era_carry(era, call, message, caller, hub);
    } else {
        tool_index_doubt(&hub->tool_index);
        call_answer_error(call, REPLY_HEADER_MISMATCH, why);
    }
}

static void on_known(struct tool_wait *wait)
{
    struct param_check *pending = container_of(wait, struct param_check, wait);
    struct call *call = pending->client;
    struct message message;
    message_scan_again(&message, call->bytes);
    call->shim = NULL;
    call->state = CALL_NEW;
    check(pending->era, call, &message, &pending->caller, pending->hub);
    hub_let_go(pending->hub);
    caller_release(&pending->caller);
    free(pending);
}

static void on_give_up(struct call_shim *shim)
{
    struct param_check *pending = container_of(shim, struct param_check, shim);
    tool_index_give_up(&pending->wait);
    hub_let_go(pending->hub);
    pending->client->shim = NULL;
    caller_release(&pending->caller);
    free(pending);
}

void param_check_submit(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
                        struct hub *hub)
{
    struct param_check *pending = memory_new(sizeof(*pending));
    pending->wait.on_known = on_known;
    if (tool_index_look(&hub->tool_index, message->name, &pending->wait)) {
        free(pending);
        check(era, call, message, caller, hub);
        return;
    }
    pending->shim.give_up = on_give_up;
    pending->client = call;
    pending->era = era;
    pending->hub = hub;
    pending->caller = caller_copy(caller);
    hub_hold(hub);
    call->shim = &pending->shim;
    call->state = CALL_RUNNING;
}
