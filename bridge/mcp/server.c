#include "bridge/mcp/server.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "bridge/mcp/capabilities.h"

#include <assert.h>
#include <stdlib.h>

static void finish_closing(struct server *server)
{
    children_release(&server->children);
    session_table_release(&server->sessions);
    replay_store_release(&server->replay_store);
    log_limit_release(&server->drop_log);
    server->on_closed(server);
}

/* ---- Hubs ---- */

/* Only over a pipe of its own it is certain whom a question of the server's is for. */
static bool wants_own_child(const struct server *server, const struct message *initialize)
{
    switch (server->settings->children) {
    case SERVER_CHILDREN_AUTO:
        return capabilities_has_callbacks(initialize->capabilities);
    case SERVER_CHILDREN_SHARED:
        break;
    case SERVER_CHILDREN_SESSION:
        return true;
    }
    return false;
}

struct hub *server_shared_hub(struct server *server, const struct caller *caller)
{
    if (caller->environment.size == 0 && server->shared != NULL) {
        return server->shared;
    }
    struct hub *hub = children_share(&server->children, caller->environment, server->era == SERVER_ERA_MODERN);
    if (caller->environment.size == 0) {
        server->shared = hub;
    }
    return hub;
}

struct hub *server_modern_hub(struct server *server, const struct caller *caller)
{
    if (server->era == SERVER_ERA_MODERN) {
        return server_shared_hub(server, caller);
    }
    return children_share(&server->children, caller->environment, true);
}

/* A server of the modern era says to which request a question of its belongs: nobody needs a child of his own. */
struct hub *server_choose_hub(struct server *server, const struct caller *caller, const struct message *initialize)
{
    bool is_modern = server->era == SERVER_ERA_MODERN;
    bool is_for_questions = server->settings->children == SERVER_CHILDREN_AUTO;
    if (!wants_own_child(server, initialize) || (is_modern && is_for_questions)) {
        return server_shared_hub(server, caller);
    }
    return children_own(&server->children, caller->environment, initialize->bytes);
}

bool server_has_session_room(const struct server *server)
{
    return server->sessions.sessions.count < server->settings->max_sessions;
}

void server_drop_hub(struct server *server, struct hub *hub)
{
    (void)server;
    if (hub->is_own) {
        hub_close(hub);
    }
}

bool server_learn_modern_only(struct server *server)
{
    if (server->settings->era != SERVER_ERA_UNKNOWN) {
        return false;
    }
    if (server->era != SERVER_ERA_MODERN) {
        log_line(server->world->log, LOG_LEVEL_INFO, server->name, "the server speaks the modern era only");
        server->era = SERVER_ERA_MODERN;
    }
    return true;
}

void server_leave_hub(struct server *server, struct hub *hub)
{
    if (hub == server->shared) {
        server->shared = NULL;
    }
    children_leave(&server->children, hub);
}

void server_forget_hub(struct server *server, struct hub *hub)
{
    children_forget(&server->children, hub);
    if (server->children.count == 0 && server->on_closed != NULL) {
        finish_closing(server);
    }
}

/* ---- Sessions ---- */

static void on_idle_session(struct session_table *table, struct session *session)
{
    struct server *server = container_of(table, struct server, sessions);
    log_line(server->world->log, LOG_LEVEL_DEBUG, server->name, "a session was idle for too long and ends");
    server->counters.sessions_expired++;
    server_end_session(server, session);
}

/* A child of its own ends with its session, after the last of its calls. */
static void on_free_session(struct session_table *table, struct session *session)
{
    struct hub *hub = session->hub;
    hub_let_go(hub);
    server_drop_hub(container_of(table, struct server, sessions), hub);
}

struct session *server_open_session(struct server *server, struct hub *hub, const struct revision *revision,
                                    struct slice principal)
{
    struct session *session = session_table_open(&server->sessions, revision, principal);
    if (session != NULL) {
        server->counters.sessions++;
        if (principal.size > 0) {
            log_line(server->world->log, LOG_LEVEL_DEBUG, server->name, "a session opens for %.*s",
                     SLICE_PRINT(principal));
        }
        hub_add_session(hub, session);
    }
    return session;
}

struct session *server_find_session(const struct server *server, struct slice name, struct slice principal)
{
    struct session *session = session_table_find(&server->sessions, name);
    return session != NULL && slice_equals(session->principal, principal) ? session : NULL;
}

void server_end_session(struct server *server, struct session *session)
{
    session_table_hold(session);
    hub_remove_session(session->hub, session);
    /* A question that nobody answers may fail its call, and the answer may end the stream, and so the session. */
    if (!session->is_ended) {
        server->counters.sessions_ended++;
        session_table_end(session);
    }
    while (!list_is_empty(&session->orphans)) {
        struct session_orphan *orphan = container_of(session->orphans.next, struct session_orphan, link);
        orphan->on_session_end(orphan);
    }
    session_table_let_go(session);
}

struct strangers {
    caller_is_known_fn is_known;
    const void *context;
    struct session **sessions; /* owned; each held */
    size_t count;
};

static void collect_stranger(struct map_node *node, void *context)
{
    struct strangers *strangers = context;
    struct session *session = container_of(node, struct session, by_name);
    if (session->principal.size > 0 && !strangers->is_known(strangers->context, session->principal)) {
        session_table_hold(session);
        strangers->sessions[strangers->count++] = session;
    }
}

void server_end_strangers(struct server *server, caller_is_known_fn is_known, const void *context)
{
    struct strangers strangers = {.is_known = is_known, .context = context};
    strangers.sessions = memory_new((server->sessions.sessions.count + 1) * sizeof(struct session *));
    map_visit(&server->sessions.sessions, collect_stranger, &strangers);
    for (size_t i = 0; i < strangers.count; i++) {
        /* The end of one may be that of another. */
        if (!strangers.sessions[i]->is_ended) {
            server_end_session(server, strangers.sessions[i]);
        }
        session_table_let_go(strangers.sessions[i]);
    }
    free(strangers.sessions);
}

/* ---- Life ---- */

void server_open(struct server *server, struct world *world, const struct child_command *command,
                 const struct server_settings *settings)
{
    *server = (struct server){.world = world, .settings = settings, .command = command, .name = command->name};
    log_limit_init(&server->drop_log, world->log, world->timers, server->name, "about dropped messages");
    server->era = settings->era;
    children_init(&server->children, server);
    replay_store_init(&server->replay_store, world->timers, settings->replay_bytes, settings->replay_age_ms);
    server->replay_store.max_bytes = settings->max_replay_bytes;
    session_table_init(&server->sessions, world);
    server->sessions.replay_store = &server->replay_store;
    server->sessions.max_sessions = settings->max_sessions;
    server->sessions.idle_timeout_ms = settings->session_timeout_ms;
    server->sessions.on_idle = on_idle_session;
    server->sessions.on_free = on_free_session;
    if (!settings->has_credentials) {
        const struct caller nobody = {0};
        server_shared_hub(server, &nobody);
    }
    children_warm_up(&server->children);
}

static void settle(struct server *server)
{
    server->phase = SERVER_SETTLED;
    server->on_settled(server);
}

static void on_grace_over(struct timer *timer)
{
    settle(container_of(timer, struct server, settle_timer));
}

void server_drain(struct server *server, void (*on_settled)(struct server *server))
{
    server->phase = SERVER_DRAINING;
    server->on_settled = on_settled;
    if (server->awaited_calls == 0) {
        settle(server);
    }
}

void server_stop_awaiting(struct server *server, struct call *call)
{
    if (!call->is_awaited) {
        return;
    }
    call->is_awaited = false;
    server->awaited_calls--;
    if (server->phase == SERVER_DRAINING && server->on_closed == NULL && server->awaited_calls == 0) {
        timer_start(server->world->timers, &server->settle_timer, LIMIT_DRAIN_GRACE_MS, on_grace_over);
    }
}

static void on_nothing_to_close(struct timer *timer)
{
    finish_closing(container_of(timer, struct server, close_timer));
}

void server_close(struct server *server, void (*on_closed)(struct server *server))
{
    server->on_closed = on_closed;
    timer_stop(server->world->timers, &server->settle_timer);
    struct map_node *node;
    while ((node = map_any(&server->sessions.sessions)) != NULL) {
        server_end_session(server, container_of(node, struct session, by_name));
    }
    children_close(&server->children);
    if (server->children.count == 0) {
        timer_start(server->world->timers, &server->close_timer, 0, on_nothing_to_close);
    }
}

/* ---- Calls ---- */

bool server_has_room(const struct server *server, size_t count)
{
    return server->call_count + count <= server->settings->max_in_flight;
}

bool server_has_session_call_room(const struct server *server, const struct session *session, size_t count)
{
    size_t most = server->settings->max_session_calls;
    return most == 0 || session->calls.count + count <= most;
}

/* ---- Streams ---- */

bool server_has_stream_room(const struct server *server, const struct session *session)
{
    size_t most = server->settings->max_session_streams;
    return most == 0 || session == NULL || session->stream_count < most;
}

bool server_is_slow_reader(const struct server *server, size_t queued)
{
    size_t most = server->settings->max_stream_queue_bytes;
    return most > 0 && queued > most;
}

void server_stream_opened(struct server *server, struct session *session)
{
    server->stream_count++;
    if (session != NULL) {
        session->stream_count++;
    }
}

void server_stream_closed(struct server *server, struct session *session)
{
    server->stream_count--;
    if (session != NULL) {
        session->stream_count--;
    }
}

/* ---- The way of a call ---- */

void server_admit(struct server *server, struct call *call)
{
    server->counters.calls += call->wish == CALL_SENDS;
    server->call_count++;
    if (call->hub != NULL) {
        hub_hold(call->hub);
    }
    if (call->session != NULL) {
        call->is_awaited = server->phase == SERVER_SERVING;
        server->awaited_calls += call->is_awaited;
        session_table_hold(call->session);
        session_add_call(call->session, call);
    }
}

void server_submit(struct server *server, struct call *call, const struct message *message)
{
    server_admit(server, call);
    hub_submit(call->hub, call, message);
}

void server_finish(struct server *server, struct call *call)
{
    server->call_count--;
    if (call->hub != NULL) {
        hub_let_go(call->hub);
    }
    if (call->session != NULL) {
        struct session *session = call->session;
        call->session = NULL;
        session_remove_call(session, call);
        session_table_let_go(session);
        server_stop_awaiting(server, call);
    }
}

void server_give_up(struct server *server, struct call *call)
{
    if (call->state == CALL_ENDED) {
        return;
    }
    server->counters.given_up++;
    if (call->shim != NULL) {
        call->shim->give_up(call->shim);
        call->state = CALL_ENDED;
    } else {
        channel_give_up(&call->hub->channel, call);
    }
    server_finish(server, call);
}
