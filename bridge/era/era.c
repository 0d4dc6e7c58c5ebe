/*
 * The way of a modern client's request; each step may take it out of the row, and some let it wait:
 *
 *     era_submit   what the era took away is refused
 *         v
 *     era_take     who serves it? As long as that is not known it waits (probe), and is taken anew
 *         v
 *     era_serve    server/discover and subscriptions/listen are answered here (discover, listen)
 *         v
 *     param_check  a tools/call waits until it is known what its tool wants in headers
 *         v
 *     era_carry    to a modern child as it is (bridge/mcp), to a legacy child translated (legacy_child)
 */
#include "bridge/era/era.h"

#include "bridge/base/buffer.h"
#include "bridge/era/discover.h"
#include "bridge/era/legacy_child.h"
#include "bridge/era/listen.h"
#include "bridge/era/modern_child.h"
#include "bridge/era/modern_watch.h"
#include "bridge/era/param_check.h"
#include "bridge/era/probe.h"
#include "bridge/era/request_state.h"

static const char too_many_children[] = "Too many children of the server run";

static void on_modern_ready(struct server *server, struct hub *hub)
{
    /* Where the server speaks both eras, legacy sessions have children of their own era. */
    if (server->era == SERVER_ERA_MODERN) {
        modern_watch_start(hub);
    }
}

static void renew(struct server *server, struct hub *hub)
{
    (void)server;
    modern_watch_renew(hub);
}

static void forget_hub(struct server *server, struct hub *hub)
{
    (void)server;
    modern_watch_forget(hub);
}

static const struct server_translator translator = {
    .submit = modern_child_submit, .on_ready = on_modern_ready, .renew = renew, .forget = forget_hub};

void era_init(struct era *era, struct server *server)
{
    server->translator = &translator;
    *era = (struct era){.server = server};
    list_init(&era->probes);
    list_init(&era->listens);
    list_init(&era->calls);
    map_init(&era->parked);
}

void era_release(struct era *era)
{
    map_release(&era->parked);
}

/* The hub that serves a modern client, as far as that is known. */
static struct hub *hub_for(struct era *era, const struct caller *caller)
{
    bool is_modern = era->server->era == SERVER_ERA_BOTH || era->server->era == SERVER_ERA_MODERN;
    return is_modern ? server_modern_hub(era->server, caller) : server_shared_hub(era->server, caller);
}

static void answer_discover(struct call *call, const struct hub *hub)
{
    struct buffer result;
    buffer_init(&result, 0);
    discover_write(&result, &hub->channel.handshake);
    call_answer_result(call, buffer_slice(&result));
    buffer_release(&result);
}

static void relay(struct call *call, struct hub *hub)
{
    call->hub = hub;
    hub_hold(hub);
    channel_submit(&hub->channel, call);
}

/* Who was asked by a child of the legacy era comes back to that, whatever has been found out since. */
static bool was_parked(const struct era *era, const struct message *message, const struct caller *caller)
{
    struct request_state state;
    const struct request_binding binding = {caller->principal, message};
    return request_state_read(era->server->world, message->request_state, &binding, &state);
}

void era_carry(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
               struct hub *hub)
{
    if (hub->channel.is_modern && !was_parked(era, message, caller)) {
        relay(call, hub);
    } else {
        legacy_child_submit(era, call, message, caller);
    }
}

void era_serve(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
               struct hub *hub)
{
    if (message_is(message, "server/discover")) {
        answer_discover(call, hub);
    } else if (message_is(message, "subscriptions/listen")) {
        listen_submit(era, call, message, caller, hub);
    } else if (param_check_is_needed(call, message)) {
        param_check_submit(era, call, message, caller, hub);
    } else {
        era_carry(era, call, message, caller, hub);
    }
}

/* The child that asked is there: nothing else is needed but, for a tool, one that lists its headers. */
static void take_parked(struct era *era, struct call *call, const struct message *message, const struct caller *caller)
{
    if (!param_check_is_needed(call, message)) {
        legacy_child_submit(era, call, message, caller);
        return;
    }
    struct hub *hub = hub_for(era, caller);
    if (hub == NULL) {
        call_answer_busy(call, too_many_children);
    } else {
        param_check_submit(era, call, message, caller, hub);
    }
}

static void take_first(struct era *era, struct call *call, const struct message *message, const struct caller *caller)
{
    struct hub *hub = hub_for(era, caller);
    bool is_unknown = era->server->era == SERVER_ERA_UNKNOWN;
    bool needs_handshake = message_is(message, "server/discover") || message_is(message, "subscriptions/listen");
    if (hub == NULL) {
        call_answer_busy(call, too_many_children);
    } else if (is_unknown || (needs_handshake && !hub->was_ready)) {
        probe_submit(era, call, caller, hub);
    } else {
        era_serve(era, call, message, caller, hub);
    }
}

void era_take(struct era *era, struct call *call, const struct message *message, const struct caller *caller)
{
    if (was_parked(era, message, caller)) {
        take_parked(era, call, message, caller);
    } else {
        take_first(era, call, message, caller);
    }
}

void era_take_again(struct era *era, struct call *call, const struct caller *caller)
{
    struct message message;
    message_scan_again(&message, call->bytes);
    call->state = CALL_NEW;
    era_take(era, call, &message, caller);
}

/*
 * MCP 2026-07-28 took these away. No child is asked: one that serves both eras could take an initialize for the
 * beginning of the other, and a level for that of all that it serves.
 */
static bool is_removed(const struct message *message)
{
    static const char *const methods[] = {"initialize", "ping", "logging/setLevel", "resources/subscribe",
                                          "resources/unsubscribe"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (message_is(message, methods[i])) {
            return true;
        }
    }
    return false;
}

void era_submit(struct era *era, struct call *call, const struct message *message, const struct caller *caller)
{
    server_admit(era->server, call);
    if (is_removed(message)) {
        call_answer_error(call, REPLY_METHOD_NOT_FOUND, "Method not found");
    } else {
        era_take(era, call, message, caller);
    }
}

void era_drain(struct era *era)
{
    era->is_draining = true;
    listen_end_all(era);
    legacy_child_drain(era);
}
