#include "bridge/mcp/server.h"

#include "bridge/mcp/capabilities.h"

#include <assert.h>

/* ---- Hubs ---- */

static struct hub *open_hub(struct server *server, struct slice initialize)
{
    struct hub *hub = hub_open(server, initialize);
    list_append(&server->hubs, &hub->link);
    server->hub_count++;
    return hub;
}

/* Only over a pipe of its own it is certain whom a question of the server's is for. */
static bool wants_own_child(const struct server *server, const struct message *initialize)
{
    switch (server->settings->children) {
    case SERVER_CHILDREN_AUTO:
        return capabilities_has_callbacks(initialize->capabilities);
    case SERVER_CHILDREN_SHARED:
        return false;
    case SERVER_CHILDREN_SESSION:
        return true;
    }
    return false;
}

struct hub *server_choose_hub(struct server *server, const struct message *initialize)
{
    if (!wants_own_child(server, initialize)) {
        return server->shared;
    }
    bool has_room = server->hub_count < server->settings->max_children;
    return has_room ? open_hub(server, initialize->bytes) : NULL;
}

void server_drop_hub(struct server *server, struct hub *hub)
{
    if (hub != server->shared) {
        hub_close(hub);
    }
}

void server_forget_hub(struct server *server, struct hub *hub)
{
    list_remove(&hub->link);
    server->hub_count--;
    if (hub == server->shared) {
        server->shared = NULL;
    }
    if (server->hub_count == 0 && server->on_closed != NULL) {
        session_table_release(&server->sessions);
        replay_store_release(&server->replay_store);
        server->on_closed(server);
    }
}

/* ---- Sessions ---- */

static void on_idle_session(struct session_table *table, struct session *session)
{
    struct server *server = container_of(table, struct server, sessions);
    log_line(server->world->log, LOG_LEVEL_DEBUG, server->name, "a session was idle for too long and ends");
    server_end_session(server, session);
}

/* A child of its own ends with its session, after the last of its calls. */
static void on_free_session(struct session_table *table, struct session *session)
{
    server_drop_hub(container_of(table, struct server, sessions), session->hub);
}

struct session *server_open_session(struct server *server, struct hub *hub, const struct revision *revision)
{
    struct session *session = session_table_open(&server->sessions, revision);
    if (session != NULL) {
        server->counters.sessions++;
        hub_add_session(hub, session);
    }
    return session;
}

void server_end_session(struct server *server, struct session *session)
{
    (void)server;
    hub_remove_session(session->hub, session);
    session_table_hold(session);
    session_table_end(session);
    while (!list_is_empty(&session->orphans)) {
        struct session_orphan *orphan = container_of(session->orphans.next, struct session_orphan, link);
        orphan->on_session_end(orphan);
    }
    session_table_let_go(session);
}

/* ---- Life ---- */

void server_open(struct server *server, struct world *world, const struct child_command *command,
                 const struct server_settings *settings)
{
    *server = (struct server){.world = world, .settings = settings, .command = command, .name = command->name};
    list_init(&server->hubs);
    replay_store_init(&server->replay_store, world->timers, settings->replay_bytes, settings->replay_age_ms);
    session_table_init(&server->sessions, world);
    server->sessions.replay_store = &server->replay_store;
    server->sessions.max_sessions = settings->max_sessions;
    server->sessions.idle_timeout_ms = settings->session_timeout_ms;
    server->sessions.on_idle = on_idle_session;
    server->sessions.on_free = on_free_session;
    server->shared = open_hub(server, slice_of(NULL, 0));
}

void server_close(struct server *server, void (*on_closed)(struct server *server))
{
    server->on_closed = on_closed;
    struct map_node *node;
    while ((node = map_any(&server->sessions.sessions)) != NULL) {
        server_end_session(server, container_of(node, struct session, by_name));
    }
    LIST_FOR_EACH(link, &server->hubs) {
        hub_close(container_of(link, struct hub, link));
    }
}

/* ---- Calls ---- */

bool server_has_room(const struct server *server, size_t count)
{
    return server->call_count + count <= server->settings->max_in_flight;
}

void server_submit(struct server *server, struct call *call, const struct message *message)
{
    server->counters.calls++;
    server->call_count++;
    if (call->session != NULL) {
        session_table_hold(call->session);
        session_add_call(call->session, call);
    }
    hub_submit(call->hub, call, message);
}

void server_finish(struct server *server, struct call *call)
{
    server->call_count--;
    if (call->session != NULL) {
        struct session *session = call->session;
        call->session = NULL;
        session_remove_call(session, call);
        session_table_let_go(session);
    }
}

void server_give_up(struct server *server, struct call *call)
{
    if (call->state == CALL_ENDED) {
        return;
    }
    channel_give_up(&call->hub->channel, call);
    server_finish(server, call);
}
