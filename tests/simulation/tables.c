#include "tests/simulation/tables.h"

#include "tests/unit/bridge/fake_exchange.h"

#include <inttypes.h>

static size_t length(const struct list *list)
{
    size_t count = 0;
    LIST_FOR_EACH(link, list) {
        count++;
    }
    return count;
}

/* Calls that want an answer of the child: what --max-in-flight bounds. */
static size_t count_sends(const struct list *calls)
{
    size_t count = 0;
    LIST_FOR_EACH(link, calls) {
        count += container_of(link, struct call, link)->wish == CALL_SENDS;
    }
    return count;
}

/* Calls of sessions that a drain waits for. */
static size_t count_awaited(const struct list *calls)
{
    size_t count = 0;
    LIST_FOR_EACH(link, calls) {
        const struct call *call = container_of(link, struct call, link);
        count += call->is_awaited;
    }
    return count;
}

static void check_drain(struct simulation *simulation, size_t awaited)
{
    const struct server *server = &simulation->server;
    simulation_require(simulation, server->awaited_calls == awaited || simulation->profile.has_eras,
                       "the server waits for %zu calls of %zu", server->awaited_calls, awaited);
    simulation_require(simulation,
                       server->phase != SERVER_DRAINING || server->on_closed != NULL || server->awaited_calls > 0 ||
                           timer_is_running(&server->settle_timer),
                       "the server drains, and waits for nothing");
    simulation_require(simulation, (server->phase == SERVER_SETTLED) == simulation->is_settled,
                       "the server has settled, and nobody was told");
}

static void check_channel(struct simulation *simulation, const struct channel *channel)
{
    size_t running = length(&channel->running);
    simulation_require(simulation, channel->call_count == running + length(&channel->waiting),
                       "a channel counts %zu calls", channel->call_count);
    simulation_require(simulation, channel->mux.running_count == running, "%zu of %zu running calls have a wire id",
                       channel->mux.running_count, running);
    simulation_require(simulation, channel->mux.entries.count == running + channel->mux.abandoned_count,
                       "%zu wire ids for %zu calls", channel->mux.entries.count, running);
    simulation_require(simulation, channel->mux.abandoned_count <= LIMIT_ABANDONED_CALLS, "too many abandoned calls");
    simulation_require(simulation, channel->state == CHANNEL_READY || running == 0, "calls run on a child that is %s",
                       channel_state_name(channel->state));
}

static void check_session(struct map_node *node, void *context)
{
    struct simulation *simulation = context;
    const struct server_settings *settings = &simulation->profile.settings;
    const struct session *session = container_of(node, struct session, by_name);
    simulation_require(simulation, !session->is_ended, "an ended session is in the table");
    simulation_require(simulation, session->replay.bytes <= settings->replay_bytes, "a session keeps %zu bytes",
                       session->replay.bytes);
    simulation_require(simulation, session->callbacks.count <= LIMIT_SESSION_CALLBACKS, "too many open questions");
    simulation_require(simulation, session->subscription_count <= LIMIT_SESSION_SUBSCRIPTIONS,
                       "too many subscriptions");
    simulation_require(simulation,
                       session->queue_count <= LIMIT_SESSION_QUEUE_MESSAGES &&
                           session->queue_bytes <= LIMIT_SESSION_QUEUE_BYTES,
                       "too much waits for a session");
    simulation_require(simulation, session->callbacks.count == length(&session->callbacks.open),
                       "a session counts %zu questions", session->callbacks.count);
}

/* Nobody waits for a child while one could be had. */
static void check_loans(struct simulation *simulation)
{
    const struct children *children = &simulation->server.children;
    if (list_is_empty(&children->loans)) {
        return;
    }
    simulation_require(simulation, children->count == simulation->profile.settings.max_children,
                       "a loan waits, and there is room for a child");
    LIST_FOR_EACH(link, &children->all) {
        if (hub_is_closing(container_of(link, struct hub, link))) {
            return; /* There will be room. */
        }
    }
    simulation_require(simulation, list_is_empty(&children->free) && list_is_empty(&children->warm),
                       "a loan waits, and a child is free");
    LIST_FOR_EACH(link, &children->all) {
        const struct hub *hub = container_of(link, struct hub, link);
        simulation_require(simulation,
                           !hub->is_shared || hub->users > 0 || hub->environment.size == 0 ||
                               (timer_is_running(&hub->idle) && hub->idle.deadline_ms <= simulation_now(simulation)),
                           "a loan waits, and nobody uses a child that is shared");
    }
}

void tables_check(struct simulation *simulation)
{
    const struct server *server = &simulation->server;
    const struct server_settings *settings = &simulation->profile.settings;
    size_t calls = 0;
    size_t sends = 0;
    size_t awaited = 0;
    if (simulation->is_server_closed) {
        return;
    }
    check_loans(simulation);
    LIST_FOR_EACH(link, &server->children.all) {
        const struct hub *hub = container_of(link, struct hub, link);
        check_channel(simulation, &hub->channel);
        calls += hub->channel.call_count;
        sends += count_sends(&hub->channel.running) + count_sends(&hub->channel.waiting);
        awaited += count_awaited(&hub->channel.running) + count_awaited(&hub->channel.waiting);
    }
    /* Between the eras a client's call and what the child is sent are not one to one. */
    simulation_require(simulation, server->call_count == calls || simulation->profile.has_eras,
                       "the server counts %zu calls of %zu", server->call_count, calls);
    simulation_require(simulation, sends <= settings->max_in_flight || simulation->profile.has_eras,
                       "%zu calls are in flight", sends);
    simulation_require(simulation, server->children.count == length(&server->children.all),
                       "the server counts %zu children", server->children.count);
    simulation_require(simulation, server->children.count <= settings->max_children, "%zu children run",
                       server->children.count);
    simulation_require(simulation, server->sessions.sessions.count <= settings->max_sessions, "%zu sessions are open",
                       server->sessions.sessions.count);
    simulation_require(simulation, server->replay_store.bytes <= settings->max_replay_bytes,
                       "the sessions keep %zu bytes", server->replay_store.bytes);
    check_drain(simulation, awaited);
    map_visit(&server->sessions.sessions, check_session, simulation);
}

/* What a child has that nobody uses: no call, no session, nothing that a session wanted. Returns its timers. */
static size_t check_idle_hub(struct simulation *simulation, const struct hub *hub)
{
    simulation_require(simulation, hub->users == 0 && list_is_empty(&hub->sessions), "a child has %u users left",
                       hub->users);
    simulation_require(simulation, hub->subscriptions.by_uri.count == 0, "%zu subscriptions are left",
                       hub->subscriptions.by_uri.count);
    simulation_require(simulation, !hub->is_own, "a session has left its child behind");
    return (size_t)timer_is_running(&hub->channel.timer) + (size_t)timer_is_running(&hub->idle);
}

void tables_check_empty(struct simulation *simulation)
{
    const struct server *server = &simulation->server;
    size_t timers = 0;
    simulation_require(simulation, server->sessions.sessions.count == 0, "%zu sessions are left",
                       server->sessions.sessions.count);
    simulation_require(simulation, server->call_count == 0, "%zu calls are left", server->call_count);
    simulation_require(simulation, server->replay_store.bytes == 0 && list_is_empty(&server->replay_store.events),
                       "%zu bytes of history are left", server->replay_store.bytes);
    simulation_require(simulation, simulation->streamable.posts.count == 0, "%zu posts are left",
                       simulation->streamable.posts.count);
    simulation_require(simulation, list_is_empty(&simulation->streamable.streams.streams), "streams are left");
    simulation_require(simulation, simulation->sse.clients.count == 0 && list_is_empty(&simulation->sse.open),
                       "%zu clients of HTTP+SSE are left", simulation->sse.clients.count);
    const struct era *era = &simulation->streamable.era;
    simulation_require(simulation, list_is_empty(&era->probes) && list_is_empty(&era->listens),
                       "a probe or listen is left");
    simulation_require(simulation, list_is_empty(&era->calls) && era->parked.count == 0,
                       "%zu parked calls, or others, are left", era->parked.count);
    simulation_require(simulation, list_is_empty(&server->children.loans), "a loan is left");
    LIST_FOR_EACH(link, &server->children.all) {
        timers += check_idle_hub(simulation, container_of(link, struct hub, link));
    }
    LIST_FOR_EACH(link, &simulation->world.exchanges) {
        simulation_require(simulation, fake_exchange_has_ended(container_of(link, struct fake_exchange, link)),
                           "an exchange is left");
    }
    /* Only handshakes may be under way. */
    simulation_require(simulation, simulation->world.timers.count == timers, "%zu timers are left",
                       simulation->world.timers.count - timers);
}
