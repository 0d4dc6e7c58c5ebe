#include "bridge/era/probe.h"

#include "bridge/base/memory.h"

#include <stdlib.h>

/* A legacy server may be silent about what it does not know. Whatever a start takes is waited for on top of that. */
static const uint64_t probe_timeout_ms = 5 * 1000;

enum probe_step {
    PROBE_KNOWN,  /* waits for the child that it knows: if that is the legacy one, its packages are there then */
    PROBE_MODERN, /* waits for the other process to answer server/discover */
};

/* One call that waits. They all wait for the same two children. */
struct probe {
    struct call_shim shim;
    struct call *client;
    struct call call; /* waits for a child */
    struct era *era;
    struct list link;
    enum probe_step step;
    struct hub *hub;      /* held */
    struct caller caller; /* owned */
    struct timer timer;
};

static void leave_hub(struct probe *probe)
{
    timer_stop(probe->era->server->world->timers, &probe->timer);
    if (probe->hub != NULL) {
        channel_give_up(&probe->hub->channel, &probe->call);
        hub_let_go(probe->hub);
        probe->hub = NULL;
    }
}

static struct call *free_probe(struct probe *probe)
{
    struct call *client = probe->client;
    leave_hub(probe);
    client->shim = NULL;
    list_remove(&probe->link);
    caller_release(&probe->caller);
    free(probe);
    return client;
}

static void on_give_up(struct call_shim *shim)
{
    free_probe(container_of(shim, struct probe, shim));
}

/* The call goes its way: to this hub, or with NULL to the one that serves it as far as is known now. */
static void go_on(struct probe *probe, struct hub *hub)
{
    struct era *era = probe->era;
    struct message message;
    struct caller caller = probe->caller;
    probe->caller = (struct caller){0};
    struct call *client = free_probe(probe);
    message_scan_again(&message, client->bytes);
    client->state = CALL_NEW;
    if (hub != NULL) {
        era_serve(era, client, &message, &caller, hub);
    } else {
        era_take(era, client, &message, &caller);
    }
    caller_release(&caller);
}

static void fail(struct probe *probe, const struct slice *parts, size_t count, int error_code)
{
    struct call *client = free_probe(probe);
    client->error_code = error_code;
    call_answer(client, parts, count);
}

static void wait_for(struct probe *probe, struct hub *hub);

static void settle(struct era *era, enum server_era found)
{
    struct server *server = era->server;
    if (server->era == SERVER_ERA_UNKNOWN) {
        server->era = found;
        log_line(server->world->log, LOG_LEVEL_INFO, server->name, "the server speaks %s",
                 found == SERVER_ERA_BOTH ? "both eras" : "the legacy era only: modern clients are translated for");
    }
}

/* The call goes on, and a process that was asked in the modern era is of no use to a server of the other. */
static void leave_modern(struct probe *probe)
{
    struct era *era = probe->era;
    struct hub *hub = probe->hub;
    go_on(probe, NULL);
    if (era->server->era == SERVER_ERA_LEGACY) {
        hub_close(hub);
    }
}

/* No answer, or a wrong one: what cannot be spoken to in the modern era is spoken to in the other. */
static void give_up_modern(struct probe *probe)
{
    settle(probe->era, SERVER_ERA_LEGACY);
    leave_modern(probe);
}

static void on_timeout(struct timer *timer)
{
    give_up_modern(container_of(timer, struct probe, timer));
}

static void ask_modern(struct probe *probe)
{
    struct server *server = probe->era->server;
    uint64_t shaking_ms = probe->hub->channel.shaking_ms;
    struct hub *known = probe->hub;
    struct hub *hub = server_modern_hub(server, &probe->caller);
    if (hub == NULL) {
        /* No room to find out more: the child that is there serves the call, and the next one tries again. */
        go_on(probe, known);
        return;
    }
    leave_hub(probe);
    probe->step = PROBE_MODERN;
    timer_start(server->world->timers, &probe->timer, probe_timeout_ms + 2 * shaking_ms, on_timeout);
    wait_for(probe, hub);
}

static void on_ready(struct call *call)
{
    struct probe *probe = container_of(call, struct probe, call);
    if (probe->step == PROBE_MODERN) {
        settle(probe->era, SERVER_ERA_BOTH);
        leave_modern(probe);
    } else if (probe->era->server->era == SERVER_ERA_UNKNOWN) {
        ask_modern(probe);
    } else {
        go_on(probe, NULL);
    }
}

static void on_answer(struct call *call, const struct slice *parts, size_t count)
{
    struct probe *probe = container_of(call, struct probe, call);
    if (probe->step == PROBE_MODERN && !probe->era->server->children.is_closing) {
        give_up_modern(probe);
    } else {
        fail(probe, parts, count, call->error_code);
    }
}

static const struct call_events events = {.on_answer = on_answer, .on_ready = on_ready};

static void wait_for(struct probe *probe, struct hub *hub)
{
    probe->hub = hub;
    hub_hold(hub);
    probe->call = (struct call){.events = &events,
                                .wish = CALL_WAITS_FOR_CHILD,
                                .id = probe->client->id,
                                .is_modern = true,
                                .level = SEVERITY_UNSET};
    channel_submit(&hub->channel, &probe->call);
}

void probe_submit(struct era *era, struct call *call, const struct caller *caller, struct hub *hub)
{
    struct probe *probe = memory_new(sizeof(*probe));
    probe->shim.give_up = on_give_up;
    probe->client = call;
    probe->era = era;
    probe->caller = caller_copy(caller);
    list_append(&era->probes, &probe->link);
    call->shim = &probe->shim;
    call->state = CALL_RUNNING;
    wait_for(probe, hub);
}
