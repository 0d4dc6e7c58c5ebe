/*
 *                   a message before the answer, or silence for long
 *     SILENT -------------------------------------------------------> STREAMING
 *       |  |                                                              |  |
 *       |  | client gone, in a session         client gone, in a session  |  |
 *       |  +--------------------------> ORPHANED <-----------------------+  |
 *       | last answer                      | last answer                     | last answer
 *       v                                  v                                 v
 *      JSON body                        nothing                      event, end of stream
 *
 * The post is freed with its last call. A client that goes without a session takes its calls with it, but for
 * notifications that wait for room: nobody has to be there to hear of them.
 */
#include "bridge/transport/post.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/message.h"
#include "bridge/limits.h"
#include "bridge/transport/modern.h"
#include "bridge/transport/refusal.h"

#include <assert.h>
#include <stdlib.h>

static const struct {
    const char *name;
    bool may_follow[POST_ORPHANED + 1];
} states[] = {
    [POST_SILENT] = {"silent", {[POST_STREAMING] = true, [POST_ORPHANED] = true}},
    [POST_STREAMING] = {"streaming", {[POST_ORPHANED] = true}},
    [POST_ORPHANED] = {"orphaned", {[POST_STREAMING] = true}},
};

static void post_enter(struct post *post, enum post_state state)
{
    assert(states[post->state].may_follow[state]);
    log_line(post->owner->server->world->log, LOG_LEVEL_DEBUG, post->owner->server->name, "post: %s -> %s",
             states[post->state].name, states[state].name);
    if (state == POST_STREAMING) {
        server_stream_opened(post->owner->server, post->session);
    } else if (post->state == POST_STREAMING) {
        server_stream_closed(post->owner->server, post->session);
    }
    post->state = state;
}

static void on_client_gone(struct exchange *exchange);
static void keep_body(struct post *post);

static struct post *post_of(struct call *call)
{
    return container_of(call, struct post_call, call)->post;
}

static struct timers *timers_of(const struct post *post)
{
    return post->owner->server->world->timers;
}

void post_free(struct post *post)
{
    timer_stop(timers_of(post), &post->timer);
    if (post->state == POST_STREAMING) {
        server_stream_closed(post->owner->server, post->session);
    }
    if (post->stream != NULL) {
        replay_end(post->stream);
    }
    if (post->session != NULL) {
        list_remove(&post->orphan.link);
        session_table_let_go(post->session);
    }
    buffer_release(&post->answers);
    memory_free_slice(&post->body);
    memory_free_slice(&post->principal);
    post->owner->count--;
    free(post);
}

/* ---- The stream ---- */

static void on_heartbeat(struct timer *timer)
{
    struct post *post = container_of(timer, struct post, timer);
    post->exchange->operations->send_comment(post->exchange, "heartbeat");
    timer_start(timers_of(post), timer, post->owner->settings.heartbeat_ms, on_heartbeat);
}

static void start_heartbeat(struct post *post)
{
    if (post->owner->settings.heartbeat_ms > 0) {
        timer_start(timers_of(post), &post->timer, post->owner->settings.heartbeat_ms, on_heartbeat);
    } else {
        timer_stop(timers_of(post), &post->timer);
    }
}

/* The client came back to the stream, maybe before its old connection was seen to be broken: the newer one wins. */
static void resume(void *live, struct exchange *exchange)
{
    struct post *post = live;
    if (post->state == POST_STREAMING) {
        keep_body(post);
        post->exchange->operations->close_stream(post->exchange);
    } else {
        post_enter(post, POST_STREAMING);
        list_remove(&post->orphan.link);
    }
    post->exchange = exchange;
    exchange->handler = post;
    exchange->on_closed = on_client_gone;
    start_heartbeat(post);
}

/*
 * MCP 2025-11-25, Transports, "Sending Messages" 6: an event with an id and no data, so that there is an id to come
 * back with.
 */
static void open_history(struct post *post)
{
    struct event_id id;
    post->stream = replay_open(&post->session->replay, false);
    post->stream->live = post;
    post->stream->resume = resume;
    const struct event event = {.id = replay_first_id(post->stream, &id), .retry_ms = LIMIT_RETRY_MS};
    post->exchange->operations->send_event(post->exchange, &event);
}

static void open_stream(struct post *post)
{
    post_enter(post, POST_STREAMING);
    post->exchange->operations->open_stream(post->exchange, NULL, 0);
    if (post->session != NULL && session_has_resumption(post->session)) {
        open_history(post);
    }
    start_heartbeat(post);
}

static bool may_stream(const struct post *post)
{
    bool is_json_only = post->owner->settings.json_only && post->accept.json && !post->must_stream;
    return post->accept.stream && !is_json_only;
}

/* A stream is opened where it is allowed one. At the ceiling the answer is one JSON body, which every client takes. */
static bool has_stream_room(struct post *post)
{
    bool has_room = post->state != POST_SILENT || server_has_stream_room(post->owner->server, post->session);
    post->owner->server->counters.streams_held_back += !has_room;
    return has_room;
}

static void on_long_silence(struct timer *timer)
{
    struct post *post = container_of(timer, struct post, timer);
    if (has_stream_room(post)) {
        open_stream(post);
    } else {
        timer_start(timers_of(post), timer, post->owner->settings.stream_after_ms, on_long_silence);
    }
}

static void send_event(struct post *post, const struct slice *parts, size_t count)
{
    struct event_id id;
    struct slice id_text = post->stream != NULL ? replay_add(post->stream, &id, parts, count) : slice_of(NULL, 0);
    if (post->exchange != NULL) {
        const struct event event = {.id = id_text, .data = parts, .data_count = count};
        post->exchange->operations->send_event(post->exchange, &event);
    }
}

/* The wait for a child of the client's own has failed, or the client has gone: no session will use it. */
static void drop_unused_hub(struct post *post)
{
    if (post->calls[0].call.wish == CALL_WAITS_FOR_CHILD) {
        server_drop_hub(post->owner->server, post->calls[0].call.hub);
    }
}

/* ---- What its calls tell ---- */

static bool on_message(struct call *call, const struct slice *parts, size_t count)
{
    struct post *post = post_of(call);
    if (!may_stream(post) || (post->state == POST_ORPHANED && post->stream == NULL) || !has_stream_room(post)) {
        return false;
    }
    if (post->state == POST_SILENT) {
        open_stream(post);
    }
    if (post->state == POST_ORPHANED) {
        send_event(post, parts, count);
        return true;
    }
    /* A reader that is slow loses what can be lost, from a quarter of the ceiling on; the answer always comes. */
    struct server *server = post->owner->server;
    bool has_room = !server_is_slow_reader(server, 4 * post->exchange->operations->queued(post->exchange));
    if (has_room) {
        send_event(post, parts, count);
    } else {
        server->counters.messages_withheld++;
    }
    return has_room;
}

static void collect(struct post *post, const struct slice *parts, size_t count)
{
    buffer_add_text(&post->answers, post->answers.size == 0 ? "[" : ",");
    for (size_t i = 0; i < count; i++) {
        buffer_add(&post->answers, parts[i]);
    }
}

/* Whether the answer is told by a status of its own, which a stream cannot have. */
static bool has_status(const struct post *post)
{
    const struct call *call = &post->calls[0].call;
    return call->is_busy || (call->is_modern && modern_status(call) != 200);
}

static void respond_collected(struct post *post)
{
    buffer_add_text(&post->answers, "]");
    struct slice body = buffer_slice(&post->answers);
    respond_json(post->exchange, 200, &body, 1);
}

static void answer_as_json(struct post *post, const struct slice *parts, size_t count)
{
    if (!post->is_batch) {
        const struct call *call = &post->calls[0].call;
        if (call->is_busy) {
            respond_busy(post->exchange, parts, count);
            return;
        }
        respond_json(post->exchange, call->is_modern ? modern_status(call) : 200, parts, count);
        return;
    }
    collect(post, parts, count);
    if (post->open_calls == 0) {
        respond_collected(post);
    }
}

/* A batch whose stream opened in the middle: what was collected goes first. */
static void send_collected(struct post *post)
{
    if (post->answers.size > 0) {
        buffer_add_text(&post->answers, "]");
        struct slice body = buffer_slice(&post->answers);
        send_event(post, &body, 1);
        buffer_clear(&post->answers, 0);
    }
}

static void answer_as_event(struct post *post, const struct slice *parts, size_t count)
{
    if (post->state == POST_SILENT) {
        open_stream(post);
    }
    send_collected(post);
    send_event(post, parts, count);
    if (post->open_calls == 0) {
        post->exchange->operations->close_stream(post->exchange);
    }
}

/* What has been collected, or 202 where nobody asked anything. */
static void close_exchange(struct post *post)
{
    switch (post->state) {
    case POST_SILENT:
        if (post->answers.size > 0) {
            respond_collected(post);
        } else {
            respond_empty(post->exchange, 202, NULL, 0);
        }
        break;
    case POST_STREAMING:
        send_collected(post);
        post->exchange->operations->close_stream(post->exchange);
        break;
    case POST_ORPHANED:
        if (post->stream != NULL) {
            send_collected(post);
        }
        break;
    }
}

/*
 * A notification that waited for room: it is accepted whether it could be delivered or not, as clients cannot bear
 * anything else. Its client may have gone meanwhile: what it said counts all the same.
 */
static void end_notification(struct call *call)
{
    struct post *post = post_of(call);
    struct message message;
    if (message_scan_whole(&message, call->bytes) == MESSAGE_FAULT_NONE) {
        hub_notify(call->hub, NULL, &message);
    }
    server_finish(post->owner->server, call);
    post->open_notifications--;
    if (--post->open_calls == 0) {
        close_exchange(post);
        post_free(post);
    }
}

static void on_ready(struct call *call)
{
    struct post *post = post_of(call);
    if (call->wish == CALL_WAITS_FOR_ROOM) {
        end_notification(call);
        return;
    }
    server_finish(post->owner->server, call);
    post->open_calls--;
    post->on_ready(post);
}

static void on_answer(struct call *call, const struct slice *parts, size_t count)
{
    struct post *post = post_of(call);
    if (call->wish == CALL_WAITS_FOR_ROOM) {
        end_notification(call);
        return;
    }
    server_finish(post->owner->server, call);
    post->open_calls--;
    switch (post->state) {
    case POST_SILENT:
        if (post->accept.json || has_status(post)) {
            answer_as_json(post, parts, count);
        } else {
            answer_as_event(post, parts, count);
        }
        break;
    case POST_STREAMING:
        answer_as_event(post, parts, count);
        break;
    case POST_ORPHANED:
        if (post->stream != NULL) {
            send_collected(post);
            send_event(post, parts, count);
        }
        break;
    }
    if (post->open_calls == 0) {
        drop_unused_hub(post);
        post_free(post);
    }
}

static const struct call_events call_events = {
    .on_answer = on_answer, .on_message = on_message, .on_ready = on_ready, .check = modern_check};

/* ---- The client goes ---- */

static struct slice moved(struct slice slice, struct slice from, const char *to)
{
    return slice_exists(slice) ? slice_of(to + (slice.data - from.data), slice.size) : slice;
}

/* The exchange's body ends with the exchange, and the calls may still need their bytes: for another process. */
static void keep_body(struct post *post)
{
    if (slice_exists(post->body)) {
        return;
    }
    struct slice old = post->exchange->body;
    post->body = memory_copy(old);
    for (size_t i = 0; i < post->call_count; i++) {
        struct call *call = &post->calls[i].call;
        if (call->state != CALL_ENDED) {
            call->bytes = moved(call->bytes, old, post->body.data);
            call->id = moved(call->id, old, post->body.data);
            call->token = moved(call->token, old, post->body.data);
            call->argument = moved(call->argument, old, post->body.data);
        }
    }
}

/*
 * MCP 2025-03-26, Transports, "Sending Messages" 5: disconnection is not cancellation. Without a session, though,
 * nobody can ever ask for the answer.
 */
static void give_up(struct post *post)
{
    for (size_t i = 0; i < post->call_count; i++) {
        server_give_up(post->owner->server, &post->calls[i].call);
    }
    drop_unused_hub(post);
    post_free(post);
}

static void orphan(struct post *post)
{
    post_enter(post, POST_ORPHANED);
    post->exchange = NULL;
    for (size_t i = 0; i < post->call_count; i++) {
        server_stop_awaiting(post->owner->server, &post->calls[i].call);
    }
}

static void give_up_requests(struct post *post)
{
    for (size_t i = 0; i < post->call_count; i++) {
        struct call *call = &post->calls[i].call;
        if (call->wish != CALL_WAITS_FOR_ROOM && call->state != CALL_ENDED) {
            server_give_up(post->owner->server, call);
            post->open_calls--;
        }
    }
}

/* Whether some wait to be delivered without an answer, and may: a ceiling bounds what is kept for nobody. */
static bool has_kept_notifications(const struct post *post)
{
    return post->open_notifications > 0 && server_has_room(post->owner->server, 0);
}

/* The session has ended: nobody can come back for the answers. */
static void on_session_end(struct session_orphan *orphan)
{
    struct post *post = container_of(orphan, struct post, orphan);
    if (has_kept_notifications(post)) {
        list_remove(&orphan->link);
        give_up_requests(post);
    } else {
        give_up(post);
    }
}

static void on_client_gone(struct exchange *exchange)
{
    struct post *post = exchange->handler;
    timer_stop(timers_of(post), &post->timer);
    bool goes_on = post->session != NULL && !post->session->is_ended;
    if (!goes_on && !has_kept_notifications(post)) {
        give_up(post);
        return;
    }
    keep_body(post);
    orphan(post);
    if (goes_on) {
        list_append(&post->session->orphans, &post->orphan.link);
    } else {
        give_up_requests(post);
    }
}

/* ---- Its start ---- */

struct post *post_new(struct post_owner *owner, struct exchange *exchange, struct accept accept, size_t call_count)
{
    struct post *post = memory_new(sizeof(*post) + call_count * sizeof(struct post_call));
    post->owner = owner;
    post->exchange = exchange;
    post->accept = accept;
    post->open_calls = call_count;
    post->call_count = call_count;
    buffer_init(&post->answers, 0);
    list_init(&post->orphan.link);
    post->orphan.on_session_end = on_session_end;
    for (size_t i = 0; i < call_count; i++) {
        post->calls[i].post = post;
        post->calls[i].call.events = &call_events;
    }
    owner->count++;
    exchange->handler = post;
    exchange->on_closed = on_client_gone;
    if (may_stream(post) && owner->settings.stream_after_ms > 0) {
        timer_start(timers_of(post), &post->timer, owner->settings.stream_after_ms, on_long_silence);
    }
    return post;
}

void post_set_call(struct post *post, size_t index, struct hub *hub, struct session *session,
                   const struct message *message)
{
    struct call *call = &post->calls[index].call;
    call->bytes = message->bytes;
    call->id = message->id;
    call->token = message->meta_token;
    call->session = session;
    call->principal = post->principal;
    if (session != NULL && post->session == NULL) {
        session_table_hold(session);
        post->session = session;
    }
    call->hub = hub;
}

void post_submit(struct post *post, size_t index, const struct message *message)
{
    server_submit(post->owner->server, &post->calls[index].call, message);
}

void post_submit_notification(struct post *post, size_t index)
{
    struct call *call = &post->calls[index].call;
    post->open_notifications++;
    call->wish = CALL_WAITS_FOR_ROOM;
    if (!post->is_batch) {
        timer_stop(timers_of(post), &post->timer); /* 202 is no stream */
    }
    server_submit(post->owner->server, call, NULL);
}

void post_wait_for_child(struct post *post, void (*on_ready_fn)(struct post *post))
{
    assert(post->call_count == 1);
    post->on_ready = on_ready_fn;
    post->calls[0].call.wish = CALL_WAITS_FOR_CHILD;
    /* What on_ready answers may need headers that only it knows, so no stream opens before. */
    timer_stop(timers_of(post), &post->timer);
    server_submit(post->owner->server, &post->calls[0].call, NULL);
}
