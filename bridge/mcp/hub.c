#include "bridge/mcp/hub.h"

#include "bridge/base/buffer.h"
#include "bridge/mcp/callback.h"
#include "bridge/mcp/log_levels.h"
#include "bridge/mcp/route.h"
#include "bridge/mcp/server.h"
#include "bridge/mcp/subscribing.h"
#include "bridge/mcp/task_list.h"

#include <assert.h>
#include <stdlib.h>

static struct hub *hub_of(struct channel *channel)
{
    return container_of(channel, struct hub, channel);
}

/* ---- What the channel tells ---- */

/* A new process knows nothing of what its predecessor was told, and may have other lists. */
static void restore(struct hub *hub)
{
    static const char *const list_changes[] = {
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
    };
    hub->server->counters.restarts++;
    hub->child_level = SEVERITY_UNSET;
    if (!hub->channel.is_modern) {
        log_levels_update(hub);
        subscribing_restore(hub);
    }
    for (size_t i = 0; i < sizeof(list_changes) / sizeof(list_changes[0]); i++) {
        if (hub->channel.handshake.has_list_changes & (1u << i)) {
            route_list_change(hub, list_changes[i]);
        }
    }
}

static void on_channel_ready(struct channel *channel)
{
    struct hub *hub = hub_of(channel);
    log_line(hub->server->world->log, LOG_LEVEL_INFO, hub->server->name, "the server is ready");
    bool was_ready = hub->was_ready;
    hub->was_ready = true;
    if (channel->is_modern && hub->server->translator != NULL) {
        hub->server->translator->on_ready(hub->server, hub);
    }
    if (was_ready) {
        restore(hub);
    }
}

static void on_channel_drained(struct channel *channel)
{
    log_levels_update(hub_of(channel));
}

/*
 * Whether the hub is there to find out if the server speaks the modern era: what fails once is answer enough. It may be
 * known by now, from another.
 */
static bool is_probe(const struct hub *hub)
{
    return hub->is_shared_modern && (hub->server->era == SERVER_ERA_UNKNOWN || hub->server->era == SERVER_ERA_LEGACY);
}

/* A child that never served its session is not started again: the client was told why, and may try anew. */
static void on_channel_down(struct channel *channel)
{
    struct hub *hub = hub_of(channel);
    log_line(hub->server->world->log, LOG_LEVEL_DEBUG, hub->server->name, "%s", channel->failure);
    LIST_FOR_EACH(link, &hub->sessions) {
        callbacks_forget(&container_of(link, struct session, in_hub)->callbacks, hub->server->world->timers);
    }
    tasks_clear(&hub->tasks);
    tool_index_outdate(&hub->tool_index);
    bool is_useless = hub->is_own || hub->is_lent ? !hub->channel.is_modern : is_probe(hub);
    if (is_useless && !hub->was_ready) {
        hub_close(hub);
    }
}

/* Those who wait for a child of the legacy era, as they thought, need their requests translated. */
static void submit_again(struct hub *hub)
{
    struct list calls;
    struct message message;
    list_init(&calls);
    list_take_all(&calls, &hub->channel.waiting);
    struct list *link;
    while ((link = list_take_first(&calls)) != NULL) {
        struct call *call = container_of(link, struct call, link);
        channel_forget(&hub->channel, call);
        if (call->wish == CALL_SENDS) {
            message_scan_again(&message, call->bytes);
            hub_submit(hub, call, &message);
        } else {
            hub_submit(hub, call, NULL);
        }
    }
}

static void become_modern(struct hub *hub)
{
    channel_become_modern(&hub->channel);
    children_become_modern(&hub->server->children, hub);
    tool_index_ask_again(&hub->tool_index);
    submit_again(hub);
}

/*
 * A server without the handshake is spoken to in the other era: its next process is asked anew, and so are all others
 * that have not taken the handshake yet. What a probe is refused is what it was there to find out: there is no next.
 */
static void on_channel_refused(struct channel *channel, const struct message *answer)
{
    struct hub *hub = hub_of(channel);
    if (is_probe(hub) && !hub->was_ready) {
        log_line(hub->server->world->log, LOG_LEVEL_DEBUG, hub->server->name, "%s", channel->failure);
        hub_close(hub);
        return;
    }
    if (channel->is_modern || answer == NULL || !handshake_is_for_modern_only(answer) ||
        !server_learn_modern_only(hub->server)) {
        return;
    }
    become_modern(hub);
    LIST_FOR_EACH(link, &hub->server->children.all) {
        struct hub *other = container_of(link, struct hub, link);
        if (!other->channel.is_modern && !other->was_ready && !hub_is_closing(other)) {
            become_modern(other);
        }
    }
}

static void on_channel_notification(struct channel *channel, const struct message *message)
{
    struct hub *hub = hub_of(channel);
    if (message_is(message, "notifications/tools/list_changed")) {
        tool_index_outdate(&hub->tool_index);
    }
    route_notification(hub, message);
}

static void on_channel_request(struct channel *channel, const struct message *message)
{
    route_request(hub_of(channel), message);
}

static void on_channel_dropped(struct channel *channel, const char *why)
{
    route_drop(hub_of(channel)->server, why);
}

static void on_channel_closed(struct channel *channel)
{
    struct hub *hub = hub_of(channel);
    subscriptions_release(&hub->subscriptions);
    tasks_clear(&hub->tasks);
    tool_index_release(&hub->tool_index);
    if (hub->server->translator != NULL) {
        hub->server->translator->forget(hub->server, hub);
    }
    server_forget_hub(hub->server, hub);
    memory_free_slice(&hub->environment);
    memory_free_slice(&hub->key);
    free(hub->variables);
    free(hub);
}

static const struct channel_events channel_events = {
    .on_ready = on_channel_ready,
    .on_drained = on_channel_drained,
    .on_down = on_channel_down,
    .on_notification = on_channel_notification,
    .on_request = on_channel_request,
    .on_refused = on_channel_refused,
    .on_dropped = on_channel_dropped,
    .on_closed = on_channel_closed,
};

/* ---- Life ---- */

/* The server's command, with the credentials behind the environment that it has anyway. */
static void make_command(struct hub *hub)
{
    hub->command = *hub->server->command;
    size_t count = 1;
    for (const char *const *at = hub->command.environment; at != NULL && *at != NULL; at++) {
        count++;
    }
    for (size_t i = 0; i < hub->environment.size; i++) {
        count += hub->environment.data[i] == '\0';
    }
    hub->variables = memory_new(count * sizeof(*hub->variables));
    size_t used = 0;
    for (const char *const *at = hub->command.environment; at != NULL && *at != NULL; at++) {
        hub->variables[used++] = *at;
    }
    const char *end = hub->environment.data + hub->environment.size;
    for (const char *at = hub->environment.data; at != end; at += strlen(at) + 1) {
        hub->variables[used++] = at;
    }
    hub->command.environment = hub->variables;
}

static void take_purpose(struct hub *hub, const struct hub_options *options)
{
    hub->is_own = options->is_own;
    hub->is_lent = options->is_lent;
    if (slice_exists(options->key)) {
        hub->key = memory_copy(options->key);
    }
}

struct hub *hub_open(struct server *server, const struct hub_options *options)
{
    struct hub *hub = memory_new(sizeof(*hub));
    hub->server = server;
    hub->child_level = SEVERITY_UNSET;
    hub->is_shared_modern = options->is_modern;
    hub->environment = memory_copy(slice_exists(options->environment) ? options->environment : slice_of("", 0));
    make_command(hub);
    take_purpose(hub, options);
    list_init(&hub->link);
    list_init(&hub->in_children);
    list_init(&hub->sessions);
    subscriptions_init(&hub->subscriptions);
    tasks_init(&hub->tasks);
    tool_index_init(&hub->tool_index, hub);
    const struct channel_options channel_options = {
        .world = server->world,
        .command = &hub->command,
        .settings = &server->settings->channel,
        .events = &channel_events,
        .counters = &server->counters,
        .initialize = options->initialize,
        .is_modern = options->is_modern,
        .is_held = options->is_held,
    };
    channel_open(&hub->channel, &channel_options);
    return hub;
}

void hub_begin(struct hub *hub, const struct hub_options *options)
{
    take_purpose(hub, options);
    if (options->is_modern) {
        channel_become_modern(&hub->channel);
    }
    channel_begin(&hub->channel, options->initialize);
}

void hub_close(struct hub *hub)
{
    timer_stop(hub->server->world->timers, &hub->idle);
    server_leave_hub(hub->server, hub);
    channel_close(&hub->channel);
}

bool hub_is_closing(const struct hub *hub)
{
    return hub->channel.state == CHANNEL_CLOSING || hub->channel.state == CHANNEL_CLOSED;
}

static void on_idle(struct timer *timer)
{
    struct hub *hub = container_of(timer, struct hub, idle);
    log_line(hub->server->world->log, LOG_LEVEL_DEBUG, hub->server->name, "a child was idle for too long and ends");
    hub_close(hub);
}

void hub_hold(struct hub *hub)
{
    hub->users++;
    timer_stop(hub->server->world->timers, &hub->idle);
}

/* A child of its own ends with its session; the one that all share stays, unless it was said that it need not. */
static uint64_t idle_timeout(const struct hub *hub)
{
    const struct server_settings *settings = hub->server->settings;
    bool is_base = hub->is_shared && hub->environment.size == 0;
    return hub->is_own ? 0 : is_base ? settings->shared_idle_timeout_ms : settings->child_idle_timeout_ms;
}

void hub_end_when_idle(struct hub *hub)
{
    uint64_t timeout_ms = idle_timeout(hub);
    bool is_wanted = children_can_use_room(&hub->server->children, hub);
    if (hub->users == 0 && (timeout_ms > 0 || is_wanted) && !hub_is_closing(hub)) {
        /* Not at once: whoever lets go of it may be about to hold it again. */
        timer_start(hub->server->world->timers, &hub->idle, is_wanted ? 0 : timeout_ms, on_idle);
    }
}

void hub_let_go(struct hub *hub)
{
    assert(hub->users > 0);
    hub->users--;
    hub_end_when_idle(hub);
}

void hub_add_session(struct hub *hub, struct session *session)
{
    session->hub = hub;
    hub_hold(hub);
    list_append(&hub->sessions, &session->in_hub);
}

void hub_remove_session(struct hub *hub, struct session *session)
{
    list_remove(&session->in_hub);
    size_t subscribed = session->subscription_count;
    subscribing_leave(hub, session);
    if (subscribed > 0 && hub->channel.is_modern && hub->server->translator != NULL) {
        hub->server->translator->renew(hub->server, hub);
    }
    tasks_forget_session(&hub->tasks, session);
    callbacks_refuse(&session->callbacks);
    if (session->log_level != SEVERITY_UNSET) {
        log_levels_update(hub);
    }
}

/* ---- Requests ---- */

static void remember_task(struct call *call, const struct message *answer)
{
    bool has_ended = call->session != NULL && call->session->is_ended;
    if (slice_exists(answer->result_task_id) && !has_ended) {
        const struct task_start start = {.id = answer->result_task_id,
                                         .session = call->session,
                                         .principal = call->principal,
                                         .token = call->token,
                                         .wire_token = call->entry.wire_id};
        tasks_add(&call->hub->tasks, &start);
    }
}

static void note_task_state(struct call *call, const struct message *answer)
{
    if (task_is_over(answer->result)) {
        tasks_end(&call->hub->tasks, call->argument);
    }
}

/* tasks/result is answered when the task is over, and not before. */
static void note_task_end(struct call *call, const struct message *answer)
{
    (void)answer;
    tasks_end(&call->hub->tasks, call->argument);
}

static void submit_for_task(struct hub *hub, struct call *call, const struct message *message)
{
    if (hub->is_own || tasks_has(&hub->tasks, call->session, call->principal, message->task_id)) {
        call->argument = message->task_id;
        call->on_result = message_is(message, "tasks/result") ? note_task_end : note_task_state;
        channel_submit(&hub->channel, call);
    } else {
        call_answer_error(call, REPLY_INVALID_PARAMS, "Task not found");
    }
}

static void write_own_tasks(struct call *call, struct slice result, struct buffer *out)
{
    task_list_write(out, &call->hub->tasks, call->session, result);
}

/*
 * The child's list holds everybody's tasks: each session gets its own of it. Who has no session could be anybody, and
 * then knowing a task's id is all that lets him ask for it: so there is no list (MCP 2025-11-25, Tasks, "Task Isolation
 * and Access Control").
 */
static void submit_task_list(struct hub *hub, struct call *call, const struct message *message)
{
    (void)message;
    if (!hub->is_own && call->session == NULL) {
        call_answer_error(call, REPLY_METHOD_NOT_FOUND, "tasks/list needs a session");
        return;
    }
    call->write_result = hub->is_own ? NULL : write_own_tasks;
    channel_submit(&hub->channel, call);
}

static const struct {
    const char *method;
    void (*submit)(struct hub *hub, struct call *call, const struct message *message);
} special_requests[] = {
    {"resources/subscribe", subscribing_begin}, {"resources/unsubscribe", subscribing_end},
    {"logging/setLevel", log_levels_submit},    {"tasks/get", submit_for_task},
    {"tasks/result", submit_for_task},          {"tasks/cancel", submit_for_task},
    {"tasks/list", submit_task_list},
};

static void submit_to_modern(struct hub *hub, struct call *call, const struct message *message)
{
    if (call->is_modern || hub->server->translator == NULL) {
        channel_submit(&hub->channel, call);
    } else {
        hub->server->translator->submit(hub->server, call, message);
    }
}

void hub_submit(struct hub *hub, struct call *call, const struct message *message)
{
    if (message == NULL) {
        channel_submit(&hub->channel, call);
        return;
    }
    if (hub->channel.is_modern) {
        submit_to_modern(hub, call, message);
        return;
    }
    for (size_t i = 0; i < sizeof(special_requests) / sizeof(special_requests[0]); i++) {
        if (message_is(message, special_requests[i].method)) {
            special_requests[i].submit(hub, call, message);
            return;
        }
    }
    call->on_result = remember_task;
    channel_submit(&hub->channel, call);
}

/* ---- Notifications ---- */

/*
 * MCP, Cancellation: the child hears of it under the wire id. No answer may come after it, so the client's exchange
 * is ended here.
 */
static void cancel_call(struct hub *hub, struct session *session, const struct message *message)
{
    struct call *call = session != NULL ? session_find_call(session, message->request_id) : NULL;
    if (call != NULL && call->shim != NULL) {
        hub->server->counters.cancelled++;
        call->shim->give_up(call->shim);
        call_answer_error(call, REPLY_CANCELLED, "Request cancelled");
    } else if (call != NULL && call->wish == CALL_SENDS) {
        hub->server->counters.cancelled++;
        channel_fail(&hub->channel, call, REPLY_CANCELLED, "Request cancelled");
    }
}

/* Whether the child is told at all: a shared one heard initialized from us, and asked no client for the others. */
static bool is_for_child(const struct hub *hub, const struct message *message)
{
    if (message_is(message, "notifications/initialized") || hub->channel.is_modern) {
        return false;
    }
    return hub->is_own ||
           !(message_is(message, "notifications/roots/list_changed") || message_is(message, "notifications/progress"));
}

void hub_notify(struct hub *hub, struct session *session, const struct message *message)
{
    if (message_is(message, "notifications/cancelled")) {
        cancel_call(hub, session, message);
    } else if (hub_is_full(hub)) {
        hub->server->counters.notifications_lost++;
        log_line(hub->server->world->log, LOG_LEVEL_DEBUG, hub->server->name,
                 "dropped a client's notification: the server does not read its input");
    } else if (hub->channel.state == CHANNEL_READY && is_for_child(hub, message)) {
        channel_send(&hub->channel, &message->bytes, 1);
    }
}

bool hub_is_full(const struct hub *hub)
{
    return hub->channel.state == CHANNEL_READY && channel_is_full(&hub->channel);
}

void hub_tell_child(struct hub *hub, const char *method, const char *key, struct slice value)
{
    if (hub->channel.state != CHANNEL_READY || hub->channel.is_modern) {
        return; /* the next process is told in restore(); a modern one in each request */
    }
    struct number_text number;
    struct buffer params;
    struct buffer line;
    buffer_init(&params, 0);
    buffer_init(&line, 0);
    buffer_add_format(&params, "{\"%s\":", key);
    buffer_add(&params, value);
    buffer_add_text(&params, "}");
    uint64_t wire_id = mux_take_own(&hub->channel.mux, timers_now(hub->server->world->timers));
    reply_call(&line, number_write(&number, wire_id), method, buffer_slice(&params));
    struct slice part = buffer_slice(&line);
    channel_send(&hub->channel, &part, 1);
    buffer_release(&params);
    buffer_release(&line);
}
