#include "bridge/mcp/route.h"

#include "bridge/base/buffer.h"
#include "bridge/mcp/log_levels.h"

#include <inttypes.h>

void route_drop(struct server *server, const char *why)
{
    uint64_t count = ++server->counters.dropped;
    /* A child that floods us with them must not flood the log: the first ten, then each power of two. */
    if (count <= 10 || (count & (count - 1)) == 0) {
        log_line(server->world->log, LOG_LEVEL_WARN, server->name,
                 "dropped a message of the server's: %s (%" PRIu64 " dropped so far)", why, count);
    }
}

static void deliver(void *context, struct session *session)
{
    const struct message *message = context;
    session_deliver(session, &message->bytes, 1);
}

static void deliver_to_node(struct map_node *node, void *context)
{
    deliver(context, container_of(node, struct session, by_name));
}

/* Lists are the server's, the same for everybody: each session hears of a change, once, on its GET stream. */
static void to_every_session(struct server *server, const struct message *message)
{
    map_visit(&server->sessions.sessions, deliver_to_node, (void *)(uintptr_t)message);
}

static void to_subscribers(struct server *server, const struct message *message)
{
    subscriptions_visit_sessions(&server->subscriptions, message->uri, deliver, (void *)(uintptr_t)message);
}

/* A log message belongs to the one request that the child works at, if it is certain that there is only one. */
static void to_only_call(struct server *server, const struct message *message)
{
    struct call *call = channel_only_call(&server->channel);
    if (call == NULL) {
        route_drop(server, "a log message that cannot be attributed to one request");
    } else if (call->session == NULL || log_levels_pass(call->session, message->level)) {
        call->events->on_message(call, &message->bytes, 1);
    }
}

/* The child gives up a question of its own: on a shared child we answered it at once. */
static void to_nobody(struct server *server, const struct message *message)
{
    (void)server;
    (void)message;
}

static const struct {
    const char *method;
    void (*route)(struct server *server, const struct message *message);
} routes[] = {
    {"notifications/message", to_only_call},
    {"notifications/tools/list_changed", to_every_session},
    {"notifications/prompts/list_changed", to_every_session},
    {"notifications/resources/list_changed", to_every_session},
    {"notifications/resources/updated", to_subscribers},
    {"notifications/cancelled", to_nobody},
};

void route_notification(struct server *server, const struct message *message)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (message_is(message, routes[i].method)) {
            routes[i].route(server, message);
            return;
        }
    }
    route_drop(server, "a notification of a kind that names nobody it is for");
}

void route_request(struct server *server, const struct message *message)
{
    if (server_is_full(server)) {
        /* A child that asks and does not read: an answer would only pile up. */
        route_drop(server, "a request, while it does not read its input");
        return;
    }
    struct buffer answer;
    buffer_init(&answer, 0);
    if (message_is(message, "ping")) {
        reply_result(&answer, message->id, slice_text("{}"));
    } else {
        route_drop(server, "a question to clients, which a child that several share cannot ask");
        reply_error(&answer, message->id, REPLY_METHOD_NOT_FOUND, "This client declared no such capability",
                    slice_of(NULL, 0));
    }
    struct slice part = buffer_slice(&answer);
    channel_send(&server->channel, &part, 1);
    buffer_release(&answer);
}
