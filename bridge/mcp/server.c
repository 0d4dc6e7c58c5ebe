#include "bridge/mcp/server.h"

#include "bridge/base/buffer.h"
#include "bridge/mcp/log_levels.h"
#include "bridge/mcp/route.h"

#include <assert.h>

/* ---- What the channel tells ---- */

static struct server *server_of(struct channel *channel)
{
    return container_of(channel, struct server, channel);
}

static void subscribe_again(void *context, struct slice uri_json)
{
    server_tell_child(context, "resources/subscribe", "uri", uri_json);
}

/* A new process knows nothing of what its predecessor was told. */
static void on_channel_ready(struct channel *channel)
{
    struct server *server = server_of(channel);
    if (server->was_ready) {
        server->counters.restarts++;
        server->child_level = SESSION_LOG_UNSET;
        log_levels_update(server);
        subscriptions_visit_uris(&server->subscriptions, subscribe_again, server);
    }
    server->was_ready = true;
    log_line(server->world->log, LOG_LEVEL_INFO, server->name, "the server is ready");
}

static void on_channel_down(struct channel *channel)
{
    struct server *server = server_of(channel);
    log_line(server->world->log, LOG_LEVEL_DEBUG, server->name, "%s", channel->failure);
}

static void on_channel_notification(struct channel *channel, const struct message *message)
{
    route_notification(server_of(channel), message);
}

static void on_channel_request(struct channel *channel, const struct message *message)
{
    route_request(server_of(channel), message);
}

static void on_channel_dropped(struct channel *channel, const char *why)
{
    route_drop(server_of(channel), why);
}

static void on_channel_closed(struct channel *channel)
{
    struct server *server = server_of(channel);
    session_table_release(&server->sessions);
    subscriptions_release(&server->subscriptions);
    server->on_closed(server);
}

static const struct channel_events channel_events = {
    .on_ready = on_channel_ready,
    .on_down = on_channel_down,
    .on_notification = on_channel_notification,
    .on_request = on_channel_request,
    .on_dropped = on_channel_dropped,
    .on_closed = on_channel_closed,
};

/* ---- Life ---- */

static void on_idle_session(struct session_table *table, struct session *session)
{
    struct server *server = container_of(table, struct server, sessions);
    log_line(server->world->log, LOG_LEVEL_DEBUG, server->name, "a session was idle for too long and ends");
    server_end_session(server, session);
}

void server_open(struct server *server, struct world *world, const struct child_command *command,
                 const struct server_settings *settings)
{
    *server = (struct server){
        .world = world,
        .settings = settings,
        .name = command->name,
        .child_level = SESSION_LOG_UNSET,
    };
    session_table_init(&server->sessions, world);
    server->sessions.max_sessions = settings->max_sessions;
    server->sessions.idle_timeout_ms = settings->session_timeout_ms;
    server->sessions.on_idle = on_idle_session;
    subscriptions_init(&server->subscriptions);
    channel_open(&server->channel, world, command, &settings->channel, &channel_events);
}

void server_close(struct server *server, void (*on_closed)(struct server *server))
{
    server->on_closed = on_closed;
    struct map_node *node;
    while ((node = map_any(&server->sessions.sessions)) != NULL) {
        server_end_session(server, container_of(node, struct session, by_name));
    }
    channel_close(&server->channel);
}

struct session *server_open_session(struct server *server, const struct revision *revision)
{
    struct session *session = session_table_open(&server->sessions, revision);
    server->counters.sessions += session != NULL;
    return session;
}

static void unsubscribe_last(void *context, struct slice uri_json)
{
    server_tell_child(context, "resources/unsubscribe", "uri", uri_json);
}

void server_end_session(struct server *server, struct session *session)
{
    subscriptions_remove_all(&server->subscriptions, session, unsubscribe_last, server);
    bool had_level = session->log_level != SESSION_LOG_UNSET;
    session_table_end(session);
    if (had_level) {
        log_levels_update(server);
    }
}

/* ---- Requests ---- */

static void subscribe(struct call *call)
{
    struct server *server = server_of(call->channel);
    /* Beyond its ceiling a session hears of no update, and that was said when it asked. */
    (void)subscriptions_add(&server->subscriptions, call->session, call->argument);
}

static void submit_subscribe(struct server *server, struct call *call, const struct message *message)
{
    if (call->session == NULL) {
        call_answer_error(call, REPLY_METHOD_NOT_FOUND,
                          "resources/subscribe needs a session: updates come on its GET stream");
    } else if (message->uri.size > LIMIT_URI_BYTES ||
               call->session->subscription_count >= LIMIT_SESSION_SUBSCRIPTIONS) {
        call_answer_error(call, REPLY_INVALID_PARAMS, "Too many subscriptions in this session, or the URI is too long");
    } else if (subscriptions_has(&server->subscriptions, message->uri)) {
        subscriptions_add(&server->subscriptions, call->session, message->uri);
        call_answer_result(call, slice_text("{}"));
    } else {
        call->argument = message->uri;
        call->on_result = subscribe;
        channel_submit(&server->channel, call);
    }
}

/* Whoever is still subscribed keeps the child's subscription: only the last unsubscribe goes to the child. */
static void submit_unsubscribe(struct server *server, struct call *call, const struct message *message)
{
    struct session *session = call->session;
    bool was_last = session != NULL && subscriptions_remove(&server->subscriptions, session, message->uri);
    if (was_last || !subscriptions_has(&server->subscriptions, message->uri)) {
        channel_submit(&server->channel, call);
    } else {
        call_answer_result(call, slice_text("{}"));
    }
}

static const struct {
    const char *method;
    void (*submit)(struct server *server, struct call *call, const struct message *message);
} special_requests[] = {
    {"resources/subscribe", submit_subscribe},
    {"resources/unsubscribe", submit_unsubscribe},
    {"logging/setLevel", log_levels_submit},
};

bool server_has_room(const struct server *server)
{
    return server->channel.call_count < server->settings->max_in_flight;
}

void server_submit(struct server *server, struct call *call, const struct message *message)
{
    server->counters.calls++;
    if (call->session != NULL) {
        session_table_hold(call->session);
        session_add_call(call->session, call);
    }
    if (call->wish == CALL_SENDS) {
        for (size_t i = 0; i < sizeof(special_requests) / sizeof(special_requests[0]); i++) {
            if (message_is(message, special_requests[i].method)) {
                special_requests[i].submit(server, call, message);
                return;
            }
        }
    }
    channel_submit(&server->channel, call);
}

void server_finish(struct server *server, struct call *call)
{
    (void)server;
    if (call->session != NULL) {
        session_remove_call(call->session, call);
        session_table_let_go(call->session);
        call->session = NULL;
    }
}

void server_give_up(struct server *server, struct call *call)
{
    channel_give_up(&server->channel, call);
    server_finish(server, call);
}

/* ---- Notifications ---- */

/*
 * MCP, Cancellation: the child hears of it under the wire id. No answer may come after it, so the client's exchange
 * is ended here.
 */
static void cancel_call(struct server *server, struct session *session, const struct message *message)
{
    struct call *call = session != NULL ? session_find_call(session, message->request_id) : NULL;
    if (call != NULL && call->wish == CALL_SENDS) {
        channel_fail(&server->channel, call, REPLY_CANCELLED, "Request cancelled");
    }
}

void server_notify(struct server *server, struct session *session, const struct message *message)
{
    if (message_is(message, "notifications/cancelled")) {
        cancel_call(server, session, message);
    } else if (message_is(message, "notifications/initialized") ||
               message_is(message, "notifications/roots/list_changed") ||
               message_is(message, "notifications/progress")) {
        /* The child was told the first by us, and asked no client of a shared child for the others. */
        return;
    } else if (server->channel.state == CHANNEL_READY) {
        channel_send(&server->channel, &message->bytes, 1);
    }
}

bool server_is_full(const struct server *server)
{
    const struct channel *channel = &server->channel;
    return channel->state == CHANNEL_READY && channel->child->operations->is_full(channel->child);
}

void server_tell_child(struct server *server, const char *method, const char *key, struct slice value)
{
    struct number_text number;
    struct buffer params;
    struct buffer line;
    buffer_init(&params, 0);
    buffer_init(&line, 0);
    buffer_add_format(&params, "{\"%s\":", key);
    buffer_add(&params, value);
    buffer_add_text(&params, "}");
    reply_call(&line, number_write(&number, mux_take_own(&server->channel.mux, timers_now(server->world->timers))),
               method, buffer_slice(&params));
    struct slice part = buffer_slice(&line);
    channel_send(&server->channel, &part, 1);
    buffer_release(&params);
    buffer_release(&line);
}
