#include "bridge/mcp/route.h"

#include "bridge/base/buffer.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/rewrite.h"
#include "bridge/mcp/callback.h"
#include "bridge/mcp/log_levels.h"
#include "bridge/mcp/server.h"
#include "bridge/mcp/task_list.h"

#include <inttypes.h>

void route_drop(struct server *server, const char *why)
{
    uint64_t count = ++server->counters.dropped;
    if (log_limit_take(&server->drop_log)) {
        log_line(server->world->log, LOG_LEVEL_WARN, server->name,
                 "dropped a message of the server's standard output: %s (%" PRIu64 " dropped so far)", why, count);
    }
}

/*
 * A message of its own child's: on the stream of the request that the child works at, when that is certain and the
 * client takes one, else on the GET stream, now or when it opens.
 */
static void to_session(struct hub *hub, struct session *session, const struct slice *parts, size_t count)
{
    struct call *call = channel_only_call(&hub->channel);
    if (call == NULL || !call->events->on_message(call, parts, count)) {
        (void)session_deliver_or_queue(session, parts, count, 0);
    }
}

/* The session that has the child alone; NULL for a shared child, and when the session has ended. */
static struct session *own_session(const struct hub *hub)
{
    bool has_one = hub->is_own && !list_is_empty(&hub->sessions);
    return has_one ? container_of(hub->sessions.next, struct session, in_hub) : NULL;
}

static void to_own_session(struct hub *hub, const struct message *message)
{
    struct session *session = own_session(hub);
    if (session == NULL || !session_deliver_or_queue(session, &message->bytes, 1, 0)) {
        route_drop(hub->server, "a notification of a kind that names nobody it is for");
    }
}

/* A session whose GET stream is broken gets it when the client comes back; one that never had any is not waited for. */
static void deliver_to_listener(struct session *session, const struct slice *parts, size_t count)
{
    if (session->listen != NULL) {
        (void)session_deliver_or_queue(session, parts, count, 0);
    } else {
        session_deliver(session, parts, count);
    }
}

/* Lists are the server's, the same for everybody: each session hears of a change, once, on its GET stream. */
static void to_every_session(struct hub *hub, const struct message *message)
{
    if (hub->is_own) {
        to_own_session(hub, message);
        return;
    }
    LIST_FOR_EACH(link, &hub->sessions) {
        deliver_to_listener(container_of(link, struct session, in_hub), &message->bytes, 1);
    }
}

static void deliver_update(void *context, struct session *session)
{
    const struct message *message = context;
    deliver_to_listener(session, &message->bytes, 1);
}

static void to_subscribers(struct hub *hub, const struct message *message)
{
    if (hub->is_own) {
        to_own_session(hub, message);
    } else {
        subscriptions_visit_sessions(&hub->subscriptions, message->uri, deliver_update, (void *)(uintptr_t)message);
    }
}

/*
 * MCP 2026-07-28, Logging: only requests that asked get any. A legacy client may want less by now than its session
 * wanted when the request was sent.
 */
static void to_modern_call(struct call *call, const struct message *message)
{
    enum log_severity said = log_severity_read(message->level);
    if (call->session != NULL && !log_levels_pass(call->session, message->level)) {
        return;
    }
    if (call->level != SEVERITY_UNSET && (said == SEVERITY_UNSET || said >= call->level)) {
        (void)call->events->on_message(call, &message->bytes, 1);
    }
}

/*
 * A log message belongs to the one request that the child works at, if it is certain that there is only one, and no
 * task of somebody else's; a child of its own can always say it to its session.
 */
static void to_only_call(struct hub *hub, const struct message *message)
{
    struct call *call = channel_only_call(&hub->channel);
    struct session *own = own_session(hub);
    struct session *session = call != NULL ? call->session : own;
    if (own == NULL && (call == NULL || tasks_has_foreign(&hub->tasks, call->session))) {
        route_drop(hub->server, "a log message that cannot be attributed to one request");
    } else if (call != NULL && call->is_modern) {
        to_modern_call(call, message);
    } else if (session != NULL && !log_levels_pass(session, message->level)) {
        return;
    } else if (own != NULL) {
        to_session(hub, own, &message->bytes, 1);
    } else {
        (void)call->events->on_message(call, &message->bytes, 1);
    }
}

/* Whoever made the task hears of it on the GET stream, as of its state: the request that made it is over. */
static void to_maker_of_task(struct hub *hub, const struct message *message, struct slice task_id)
{
    struct session *session = tasks_owner(&hub->tasks, task_id);
    if (session == NULL) {
        route_drop(hub->server, "a log message about a task that no session made");
    } else if (log_levels_pass(session, message->level)) {
        deliver_to_listener(session, &message->bytes, 1);
    }
}

/* MCP 2025-11-25, Tasks, "Associating Task-Related Messages": what is said about a task names it. */
static void to_log_reader(struct hub *hub, const struct message *message)
{
    struct slice task = members_find(message->meta, "io.modelcontextprotocol/related-task");
    if (slice_exists(task) && !hub->is_own) {
        to_maker_of_task(hub, message, members_find(task, "taskId"));
    } else {
        to_only_call(hub, message);
    }
}

/* MCP 2025-11-25, Tasks: a change of a task's state is for the session that made it. */
static void to_task_owner(struct hub *hub, const struct message *message)
{
    struct session *owner = tasks_owner(&hub->tasks, message->task_id);
    if (hub->is_own) {
        to_own_session(hub, message);
    } else if (owner != NULL) {
        deliver_to_listener(owner, &message->bytes, 1);
    } else {
        route_drop(hub->server, "the state of a task that no session made");
    }
    if (task_is_over(message->params)) {
        tasks_end(&hub->tasks, message->task_id);
    }
}

/* MCP 2025-11-25, Tasks: the token of the request that made a task stays valid until the task ends. */
static void to_task_token(struct hub *hub, const struct message *message)
{
    struct slice token;
    struct session *session = tasks_find_token(&hub->tasks, message->progress_token, &token);
    if (session == NULL) {
        route_drop(hub->server, "progress of a request that is not running or did not ask for it");
        return;
    }
    struct rewrite progress;
    const struct replacement replacement = {message->progress_token, token};
    rewrite_splice(&progress, message->bytes, &replacement, 1);
    if (hub->is_own) {
        to_session(hub, session, progress.parts, progress.count);
    } else {
        deliver_to_listener(session, progress.parts, progress.count);
    }
}

/* The one who has borrowed the child, if it can be asked something. */
static struct call *borrower(struct hub *hub)
{
    struct call *call = hub->is_lent ? channel_first_call(&hub->channel) : NULL;
    return call != NULL && call->events->on_question != NULL ? call : NULL;
}

/* The child gives up a question of its own. On a shared child we answered it at once. */
static void cancel_question(struct hub *hub, const struct message *message)
{
    struct session *session = own_session(hub);
    struct call *call = borrower(hub);
    if (call != NULL) {
        call->events->on_question_cancelled(call, message);
    }
    if (session != NULL) {
        callback_cancel(session, message);
    }
}

static const struct {
    const char *method;
    void (*route)(struct hub *hub, const struct message *message);
} routes[] = {
    {"notifications/message", to_log_reader},
    {"notifications/tools/list_changed", to_every_session},
    {"notifications/prompts/list_changed", to_every_session},
    {"notifications/resources/list_changed", to_every_session},
    {"notifications/resources/updated", to_subscribers},
    {"notifications/tasks/status", to_task_owner},
    {"notifications/progress", to_task_token},
    {"notifications/cancelled", cancel_question},
};

void route_notification(struct hub *hub, const struct message *message)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (message_is(message, routes[i].method)) {
            routes[i].route(hub, message);
            return;
        }
    }
    to_own_session(hub, message);
}

void route_list_change(struct hub *hub, const char *method)
{
    struct buffer text;
    buffer_init(&text, 0);
    reply_call(&text, slice_of(NULL, 0), method, slice_of(NULL, 0));
    struct message message = {.bytes = buffer_slice(&text)};
    to_every_session(hub, &message);
    buffer_release(&text);
}

static void answer_child(struct hub *hub, struct slice id, bool is_ping)
{
    struct buffer answer;
    buffer_init(&answer, 0);
    if (is_ping) {
        reply_result(&answer, id, slice_text("{}"));
    } else {
        reply_error(&answer, id, REPLY_METHOD_NOT_FOUND, "This client declared no such capability", slice_of(NULL, 0));
    }
    struct slice part = buffer_slice(&answer);
    channel_send(&hub->channel, &part, 1);
    buffer_release(&answer);
}

/* A ping asks whether the other side lives: the bridge does, and a client need not have a stream open to say so. */
void route_request(struct hub *hub, const struct message *message)
{
    bool is_ping = message_is(message, "ping");
    if (channel_is_full(&hub->channel)) {
        /* A child that asks and does not read: an answer would only pile up. */
        route_drop(hub->server, "a request, while it does not read its input");
    } else if (hub->channel.is_modern) {
        route_drop(hub->server, "a request, which a server of the modern era must not send");
    } else if (is_ping) {
        answer_child(hub, message->id, true);
    } else if (borrower(hub) != NULL) {
        struct call *call = borrower(hub);
        call->events->on_question(call, message);
    } else if (hub->is_own) {
        callback_ask(hub, message);
    } else {
        route_drop(hub->server, "a question to clients, which a child that several share cannot ask");
        answer_child(hub, message->id, false);
    }
}
