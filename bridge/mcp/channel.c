/*
 *                 on_up              answer to initialize
 *     STARTING ----------> SHAKING ----------------------> READY
 *        |                  |   ^                            |
 *        | on_down          |   | on_up                      | on_down
 *        |                  v   |                            |
 *        +----------------> DOWN <---------------------------+
 *
 *     any of them -- channel_close() --> CLOSING -- on_closed --> CLOSED
 *
 * A call is on one of two lists. Waiting: no child is ready, or its stdin is full. Running: its line was handed over.
 * Only the head of waiting is ever looked at, so calls reach the child in the order in which they came.
 */
#include "bridge/mcp/channel.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/rewrite.h"
#include "bridge/mcp/introduction.h"
#include "bridge/mcp/legacy_relay.h"
#include "bridge/mcp/modern_relay.h"

#include <assert.h>
#include <stdio.h>

/* From this many failed starts in a row, requests are answered with an error instead of waiting for the next start. */
enum { CHANNEL_FAILING_STARTS = 3 };

#define MAY(state) (1u << (state))

static const struct {
    const char *name;
    unsigned next; /* the states that may follow */
} states[] = {
    [CHANNEL_STARTING] = {"starting", MAY(CHANNEL_SHAKING) | MAY(CHANNEL_DOWN) | MAY(CHANNEL_CLOSING)},
    [CHANNEL_SHAKING] = {"shaking hands", MAY(CHANNEL_READY) | MAY(CHANNEL_DOWN) | MAY(CHANNEL_CLOSING)},
    [CHANNEL_READY] = {"ready", MAY(CHANNEL_DOWN) | MAY(CHANNEL_CLOSING)},
    [CHANNEL_DOWN] = {"down", MAY(CHANNEL_SHAKING) | MAY(CHANNEL_DOWN) | MAY(CHANNEL_CLOSING)},
    [CHANNEL_CLOSING] = {"closing", MAY(CHANNEL_CLOSED)},
    [CHANNEL_CLOSED] = {"closed", 0},
};

const char *channel_state_name(enum channel_state state)
{
    return states[state].name;
}

static void channel_enter(struct channel *channel, enum channel_state state)
{
    assert(states[channel->state].next & MAY(state));
    log_line(channel->world->log, LOG_LEVEL_DEBUG, channel->name, "channel: %s -> %s", states[channel->state].name,
             states[state].name);
    channel->state = state;
}

static struct call *first_call(struct list *list)
{
    return list_is_empty(list) ? NULL : container_of(list->next, struct call, link);
}

/* ---- The end of a call ---- */

static void forget_call(struct channel *channel, struct call *call)
{
    channel->listen_count -= call->state == CALL_RUNNING && call->has_no_timeout;
    timer_stop(channel->world->timers, &call->timer);
    list_remove(&call->link);
    channel->call_count--;
    call->state = CALL_ENDED;
}

void channel_forget(struct channel *channel, struct call *call)
{
    forget_call(channel, call);
    call->state = CALL_NEW;
}

static void tell_cancelled(struct channel *channel, uint64_t wire_id)
{
    struct number_text number;
    const struct slice parts[] = {
        slice_text("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":"),
        number_write(&number, wire_id), slice_text("}}")};
    channel_send(channel, parts, sizeof(parts) / sizeof(parts[0]));
}

void channel_give_up(struct channel *channel, struct call *call)
{
    if (call->state == CALL_RUNNING) {
        uint64_t wire_id = call->entry.wire_id;
        if (call->has_no_timeout) {
            mux_leave(&channel->mux, &call->entry);
        } else {
            mux_abandon(&channel->mux, &call->entry, timers_now(channel->world->timers));
        }
        tell_cancelled(channel, wire_id);
    }
    if (call->state == CALL_RUNNING || call->state == CALL_WAITING) {
        forget_call(channel, call);
    }
}

void channel_fail(struct channel *channel, struct call *call, enum reply_code code, const char *text)
{
    channel_give_up(channel, call);
    call_answer_error(call, code, text);
}

static void on_call_timeout(struct timer *timer)
{
    struct call *call = container_of(timer, struct call, timer);
    struct channel *channel = call->channel;
    char text[sizeof(channel->failure) + 64];
    if (call->state == CALL_RUNNING) {
        snprintf(text, sizeof(text), "Request timed out after %llu ms",
                 (unsigned long long)channel->settings->request_timeout_ms);
    } else {
        snprintf(text, sizeof(text), "The server is not ready after %llu ms%s%s",
                 (unsigned long long)channel->settings->start_timeout_ms, channel->failure[0] != '\0' ? ": " : "",
                 channel->failure);
    }
    channel->counters->timeouts++;
    channel_fail(channel, call, REPLY_TIMEOUT, text);
}

static void start_timeout(struct channel *channel, struct call *call, uint64_t timeout_ms)
{
    if (timeout_ms > 0) {
        timer_start(channel->world->timers, &call->timer, timeout_ms, on_call_timeout);
    } else {
        timer_stop(channel->world->timers, &call->timer);
    }
}

void channel_extend(struct channel *channel, struct call *call)
{
    if (call->state == CALL_RUNNING && !call->has_no_timeout) {
        start_timeout(channel, call, channel->settings->request_timeout_ms);
    }
}

/* ---- The way to the child ---- */

static void run_call(struct channel *channel, struct call *call)
{
    struct number_text number;
    struct rewrite line;
    mux_enter(&channel->mux, &call->entry, call);
    struct slice wire_id = number_write(&number, call->entry.wire_id);
    const struct replacement replacements[] = {{call->id, wire_id}, {call->token, wire_id}};
    rewrite_splice(&line, call->bytes, replacements, 2);
    list_append(&channel->running, &call->link);
    call->state = CALL_RUNNING;
    channel->listen_count += call->has_no_timeout;
    call->written_end = channel->child->operations->write(channel->child, line.parts, line.count);
    start_timeout(channel, call, call->has_no_timeout ? 0 : channel->settings->request_timeout_ms);
    if (call->on_sent != NULL) {
        call->on_sent(call);
    }
}

/* Whether there is a process, which may be sent something. */
static bool has_process(const struct channel *channel)
{
    return channel->state == CHANNEL_READY || channel->state == CHANNEL_SHAKING;
}

bool channel_is_full(const struct channel *channel)
{
    return has_process(channel) && channel->child->operations->is_full(channel->child);
}

static bool can_run(const struct channel *channel)
{
    return channel->state == CHANNEL_READY && !channel_is_full(channel);
}

/* Lets those go on that wait, in their order, as far as the child takes them. */
static void run_waiting(struct channel *channel)
{
    struct call *call;
    while (channel->state == CHANNEL_READY && (call = first_call(&channel->waiting)) != NULL) {
        if (call->wish != CALL_WAITS_FOR_CHILD && !can_run(channel)) {
            return;
        }
        if (call->wish == CALL_SENDS) {
            list_remove(&call->link);
            run_call(channel, call);
        } else {
            forget_call(channel, call);
            call->events->on_ready(call);
        }
    }
}

static void describe_not_ready(const struct channel *channel, char *text, size_t size)
{
    snprintf(text, size, "The server is not available%s%s", channel->failure[0] != '\0' ? ": " : "", channel->failure);
}

void channel_submit(struct channel *channel, struct call *call)
{
    assert(call->state == CALL_NEW);
    call->channel = channel;
    list_init(&call->link);
    bool is_ending = channel->state == CHANNEL_CLOSING || channel->state == CHANNEL_CLOSED;
    if (is_ending || channel->is_failing) {
        char text[sizeof(channel->failure) + 64];
        describe_not_ready(channel, text, sizeof(text));
        call->state = CALL_ENDED;
        channel->counters->failures++;
        call_answer_error(call, REPLY_INTERNAL_ERROR, is_ending ? "The bridge is shutting down" : text);
        return;
    }
    channel->call_count++;
    if (list_is_empty(&channel->waiting) && can_run(channel) && call->wish == CALL_SENDS) {
        run_call(channel, call);
        return;
    }
    call->state = CALL_WAITING;
    list_append(&channel->waiting, &call->link);
    start_timeout(channel, call, channel->settings->start_timeout_ms);
    run_waiting(channel);
}

void channel_send(struct channel *channel, const struct slice *parts, size_t count)
{
    if (has_process(channel)) {
        channel->child->operations->write(channel->child, parts, count);
    }
}

/* ---- The way back ---- */

static void relay_answer(struct channel *channel, struct call *call, const struct message *message)
{
    mux_leave(&channel->mux, &call->entry);
    forget_call(channel, call);
    channel->counters->answers += message->kind == MESSAGE_RESULT;
    channel->counters->errors += message->kind == MESSAGE_ERROR;
    if (call->events->on_response != NULL) {
        call->events->on_response(call, message);
    } else if (call->is_modern) {
        modern_relay_answer(channel, call, message);
    } else {
        legacy_relay_answer(call, message);
    }
}

static void take_answer(struct channel *channel, const struct message *message)
{
    struct call *call = NULL;
    switch (mux_find(&channel->mux, message->id, &call)) {
    case MUX_CALL:
        relay_answer(channel, call, message);
        break;
    case MUX_LATE:
        log_line(channel->world->log, LOG_LEVEL_DEBUG, channel->name, "dropped a late answer");
        break;
    case MUX_UNKNOWN:
        channel->events->on_dropped(channel, "an answer to an id that was not asked or was answered before");
        break;
    }
}

/* MCP, Progress: the token is the request's own; a request that is being worked at does not time out. */
static void relay_progress(struct channel *channel, const struct message *message)
{
    struct call *call = mux_find_token(&channel->mux, message->progress_token);
    if (call == NULL || !slice_exists(call->token)) {
        channel->events->on_notification(channel, message); /* a task's, maybe */
        return;
    }
    channel_extend(channel, call);
    legacy_relay_progress(call, message);
}

static void take_notification(struct channel *channel, const struct message *message)
{
    if (message_is(message, "notifications/progress")) {
        relay_progress(channel, message);
    } else if (channel->is_modern && slice_exists(message->meta_subscription)) {
        modern_relay_notification(channel, message);
    } else if (channel->is_modern && message_is(message, "notifications/cancelled")) {
        modern_relay_cancelled(channel, message);
    } else {
        channel->events->on_notification(channel, message);
    }
}

/* This process is of no use, for the reason in `failure`: the next one may be, unless the owner wants none. */
static void refuse_process(struct channel *channel, const struct message *answer)
{
    timer_stop(channel->world->timers, &channel->timer);
    channel->is_refused = true;
    channel->events->on_refused(channel, answer);
    if (channel->state != CHANNEL_CLOSING) {
        channel->child->operations->restart(channel->child, channel->failure);
    }
}

/* Whether this is the first handshake of a client's own child. */
static bool is_first_of_own(const struct channel *channel)
{
    return slice_exists(channel->initialize) && !slice_exists(channel->handshake.result);
}

/* The client sent this initialize itself: the child's refusal is the answer to it. */
static void pass_refusal_on(struct channel *channel, const struct message *message)
{
    struct call *call;
    while ((call = first_call(&channel->waiting)) != NULL) {
        forget_call(channel, call);
        legacy_relay_refusal(call, message);
    }
}

static void take_handshake(struct channel *channel, const struct message *message)
{
    if (channel->is_refused || channel->is_held || !mux_is_id(message->id, channel->initialize_id)) {
        channel->events->on_dropped(channel, "an answer that is not the handshake's, or comes too late for it");
        return;
    }
    timer_stop(channel->world->timers, &channel->timer);
    bool (*accept)(struct handshake *, const struct message *, char *, size_t) =
        channel->is_modern ? handshake_accept_discover : handshake_accept;
    if (!accept(&channel->handshake, message, channel->failure, sizeof(channel->failure))) {
        bool was_modern = channel->is_modern;
        refuse_process(channel, message);
        /* In another era the next process may take it. */
        if (slice_starts_with(message->error, "{") && is_first_of_own(channel) && channel->is_modern == was_modern) {
            pass_refusal_on(channel, message);
        }
        return;
    }
    channel->failure[0] = '\0';
    channel->is_failing = false;
    channel->shaking_ms = timers_now(channel->world->timers) - channel->up_ms;
    channel_enter(channel, CHANNEL_READY);
    channel->child->operations->settled(channel->child);
    if (!channel->is_modern) {
        introduction_confirm(channel);
    }
    channel->events->on_ready(channel);
    run_waiting(channel);
}

static void take_message(struct channel *channel, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        if (channel->state == CHANNEL_SHAKING) {
            take_handshake(channel, message);
        } else {
            take_answer(channel, message);
        }
        break;
    case MESSAGE_NOTIFICATION:
        take_notification(channel, message);
        break;
    case MESSAGE_REQUEST:
        channel->events->on_request(channel, message);
        break;
    }
}

static void on_line(void *owner, char *line, size_t size)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct channel *channel = owner;
    struct message message;
    if (slice_starts_with(slice_of(line, size), byte_order_mark)) {
        line += sizeof(byte_order_mark) - 1;
        size -= sizeof(byte_order_mark) - 1;
    }
    enum message_fault fault = message_scan_whole(&message, slice_of(line, size));
    if (fault != MESSAGE_FAULT_NONE) {
        channel->events->on_dropped(channel, message_fault_text(fault));
        return;
    }
    if (message.has_line_breaks) {
        message_flatten(line, size);
    }
    take_message(channel, &message);
}

/* ---- The child's life ---- */

static void on_shaking_timeout(struct timer *timer)
{
    struct channel *channel = container_of(timer, struct channel, timer);
    snprintf(
        channel->failure, sizeof(channel->failure), "the server did not answer %s within %llu ms (--start-timeout)",
        channel->is_modern ? "server/discover" : "initialize", (unsigned long long)channel->settings->start_timeout_ms);
    refuse_process(channel, NULL);
}

static void shake_hands(struct channel *channel)
{
    channel->initialize_id = mux_take_id(&channel->mux);
    struct number_text number;
    struct slice wire_id = number_write(&number, channel->initialize_id);
    introduction_send(channel, wire_id);
    if (channel->settings->start_timeout_ms > 0) {
        timer_start(channel->world->timers, &channel->timer, channel->settings->start_timeout_ms, on_shaking_timeout);
    }
}

static void on_up(void *owner)
{
    struct channel *channel = owner;
    if (channel->state == CHANNEL_CLOSING) {
        return;
    }
    channel->counters->child_starts++;
    channel_enter(channel, CHANNEL_SHAKING);
    channel->up_ms = timers_now(channel->world->timers);
    if (!channel->is_held) {
        shake_hands(channel);
    }
}

/*
 * A line that never left the bridge cannot have done anything: its call goes to the next process, before those that
 * came later.
 */
static void wait_again(struct channel *channel, uint64_t written_bytes)
{
    struct list undelivered;
    list_init(&undelivered);
    LIST_FOR_EACH(link, &channel->running) {
        struct call *call = container_of(link, struct call, link);
        if (call->written_end > written_bytes) {
            mux_leave(&channel->mux, &call->entry);
            channel->listen_count -= call->has_no_timeout;
            list_remove(&call->link);
            list_append(&undelivered, &call->link);
            call->state = CALL_WAITING;
            start_timeout(channel, call, channel->settings->start_timeout_ms);
        }
    }
    list_take_all(&undelivered, &channel->waiting);
    list_take_all(&channel->waiting, &undelivered);
}

static void fail_running(struct channel *channel, const struct child_end *end)
{
    char text[256];
    snprintf(text, sizeof(text), "The server %.180s before it answered", end->text);
    struct call *call;
    while ((call = first_call(&channel->running)) != NULL) {
        mux_leave(&channel->mux, &call->entry);
        forget_call(channel, call);
        channel->counters->failures++;
        call_answer_error(call, REPLY_INTERNAL_ERROR, text);
    }
}

static void fail_waiting(struct channel *channel, const char *text)
{
    struct call *call;
    while ((call = first_call(&channel->waiting)) != NULL) {
        channel->counters->failures++;
        channel_fail(channel, call, REPLY_INTERNAL_ERROR, text);
    }
}

/* The client of a child of its own is told of the first failure: it asked for this child, and can ask again. */
static unsigned failing_starts(const struct channel *channel)
{
    return is_first_of_own(channel) ? 1 : CHANNEL_FAILING_STARTS;
}

static void on_down(void *owner, const struct child_end *end)
{
    struct channel *channel = owner;
    timer_stop(channel->world->timers, &channel->timer);
    if (!channel->is_refused) {
        channel->counters->child_crashes += channel->state != CHANNEL_CLOSING;
        snprintf(channel->failure, sizeof(channel->failure), "the server %.200s", end->text);
    }
    channel->is_refused = false;
    if (channel->state != CHANNEL_CLOSING) {
        channel_enter(channel, CHANNEL_DOWN);
    }
    wait_again(channel, end->written_bytes);
    fail_running(channel, end);
    mux_forget(&channel->mux);
    channel->is_failing = end->failures_in_a_row >= failing_starts(channel);
    if (channel->is_failing) {
        char text[sizeof(channel->failure) + 64];
        describe_not_ready(channel, text, sizeof(text));
        fail_waiting(channel, text);
    }
    channel->events->on_down(channel);
}

static void on_drained(void *owner)
{
    struct channel *channel = owner;
    channel->events->on_drained(channel);
    run_waiting(channel);
}

static void on_closed(void *owner)
{
    struct channel *channel = owner;
    channel->child = NULL;
    assert(list_is_empty(&channel->running) && list_is_empty(&channel->waiting));
    channel_enter(channel, CHANNEL_CLOSED);
    handshake_release(&channel->handshake);
    memory_free_slice(&channel->initialize);
    mux_release(&channel->mux);
    channel->events->on_closed(channel);
}

static const struct child_events child_events = {
    .on_up = on_up,
    .on_line = on_line,
    .on_drained = on_drained,
    .on_down = on_down,
    .on_closed = on_closed,
};

void channel_open(struct channel *channel, const struct channel_options *options)
{
    *channel = (struct channel){
        .world = options->world,
        .settings = options->settings,
        .events = options->events,
        .counters = options->counters,
        .name = options->command->name,
        .state = CHANNEL_STARTING,
        .is_modern = options->is_modern,
        .is_held = options->is_held,
    };
    if (slice_exists(options->initialize)) {
        channel->initialize = memory_copy(options->initialize);
    }
    mux_init(&channel->mux);
    list_init(&channel->waiting);
    list_init(&channel->running);
    channel->child = options->world->child_open(options->world, options->command, &child_events, channel);
}

void channel_begin(struct channel *channel, struct slice initialize)
{
    assert(channel->is_held);
    channel->is_held = false;
    if (slice_exists(initialize)) {
        channel->initialize = memory_copy(initialize);
    }
    if (channel->state == CHANNEL_SHAKING) {
        shake_hands(channel);
    }
}

void channel_become_modern(struct channel *channel)
{
    assert(channel->state != CHANNEL_READY);
    channel->is_modern = true;
    memory_free_slice(&channel->initialize);
    if (channel->state == CHANNEL_SHAKING && !channel->is_held && !channel->is_refused) {
        snprintf(channel->failure, sizeof(channel->failure), "the server speaks the modern era only");
        refuse_process(channel, NULL);
    }
}

void channel_close(struct channel *channel)
{
    if (channel->state == CHANNEL_CLOSING || channel->state == CHANNEL_CLOSED) {
        return;
    }
    channel_enter(channel, CHANNEL_CLOSING);
    timer_stop(channel->world->timers, &channel->timer);
    static const char text[] = "The bridge is shutting down";
    struct call *call;
    while ((call = first_call(&channel->running)) != NULL) {
        channel_fail(channel, call, REPLY_INTERNAL_ERROR, text);
    }
    fail_waiting(channel, text);
    channel->child->operations->close(channel->child);
}

struct call *channel_only_call(struct channel *channel)
{
    if (!mux_is_certain(&channel->mux, channel->listen_count, timers_now(channel->world->timers))) {
        return NULL;
    }
    struct call *only = NULL;
    LIST_FOR_EACH(link, &channel->running) {
        struct call *call = container_of(link, struct call, link);
        if (!call->has_no_timeout) {
            only = call;
        }
    }
    assert(only != NULL);
    return only;
}
