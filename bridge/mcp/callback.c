#include "bridge/mcp/callback.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/reply.h"
#include "bridge/jsonrpc/rewrite.h"
#include "bridge/mcp/hub.h"
#include "bridge/mcp/server.h"

#include <inttypes.h>
#include <stdlib.h>

static const char too_many[] = "Too many questions are open";

struct callback {
    struct list link;
    struct hub *hub; /* borrowed: it outlives the question */
    struct session *session;
    uint64_t id;           /* as the client knows it */
    uint64_t wire_id;      /* of the call on whose stream it was asked; 0 when on the GET stream */
    struct slice child_id; /* owned: as the child wrote it; absent for an asker's */
    struct asker *asker;   /* NULL when the child waits for the answer */
    struct timer timer;
};

void callbacks_init(struct callbacks *callbacks)
{
    *callbacks = (struct callbacks){.count = 0};
    list_init(&callbacks->open);
}

static void forget(struct callbacks *callbacks, struct callback *callback, struct timers *timers)
{
    timer_stop(timers, &callback->timer);
    list_remove(&callback->link);
    callbacks->count--;
    if (callback->asker != NULL) {
        callback->asker->callback = NULL;
    }
    memory_free_slice(&callback->child_id);
    free(callback);
}

static void refuse(struct hub *hub, struct slice child_id, enum reply_code code, const char *text)
{
    hub->server->counters.callbacks_failed++;
    struct buffer answer;
    buffer_init(&answer, 0);
    reply_error(&answer, child_id, code, text, slice_of(NULL, 0));
    struct slice part = buffer_slice(&answer);
    channel_send(&hub->channel, &part, 1);
    buffer_release(&answer);
}

/* Tells whoever waits that there is no answer, and forgets the question. */
static void fail(struct callback *callback, enum reply_code code, const char *text)
{
    struct hub *hub = callback->hub;
    struct asker *asker = callback->asker;
    if (asker == NULL) {
        refuse(hub, callback->child_id, code, text);
    } else {
        hub->server->counters.callbacks_failed++;
    }
    forget(&callback->session->callbacks, callback, hub->server->world->timers);
    if (asker != NULL) {
        asker->on_failure(asker, text);
    }
}

/* The call on whose stream the question went out, if it still runs. */
static struct call *call_of(const struct callback *callback)
{
    struct number_text number;
    if (callback->asker != NULL) {
        return callback->asker->call;
    }
    return mux_find_token(&callback->hub->channel.mux, number_write(&number, callback->wire_id));
}

/* Tells it the way that the question went. */
static bool tell_on_stream(const struct callback *callback, const struct slice *parts, size_t count)
{
    struct call *call = call_of(callback);
    return call != NULL && call->events->on_message(call, parts, count);
}

static void tell_taken_back(const struct callback *callback, const struct slice *parts, size_t count)
{
    if (!tell_on_stream(callback, parts, count)) {
        (void)session_deliver_or_queue(callback->session, parts, count, 0);
    }
}

/* MCP, Cancellation: who gives up waiting for an answer says so. */
static struct slice write_notice(struct buffer *notice, const struct callback *callback, const char *why)
{
    buffer_init(notice, 0);
    buffer_add_format(notice,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%" PRIu64
                      ",\"reason\":\"%s\"}}",
                      callback->id, why);
    return buffer_slice(notice);
}

/*
 * On its stream the client is told before the call that has it fails; what makes room in the queue may end who asked.
 */
static void on_timeout(struct timer *timer)
{
    struct callback *callback = container_of(timer, struct callback, timer);
    struct session *session = callback->session;
    struct buffer notice;
    struct slice part = write_notice(&notice, callback, "The answer did not come in time");
    session_table_hold(session);
    bool is_told = session_unqueue(session, callback->id) || tell_on_stream(callback, &part, 1);
    fail(callback, REPLY_TIMEOUT, "The client did not answer in time");
    if (!is_told) {
        (void)session_deliver_or_queue(session, &part, 1, 0);
    }
    session_table_let_go(session);
    buffer_release(&notice);
}

static struct callback *open_callback(struct hub *hub, struct session *session, struct slice child_id)
{
    struct callback *callback = memory_new(sizeof(*callback));
    callback->hub = hub;
    callback->session = session;
    callback->id = ++session->callbacks.last_id;
    if (slice_exists(child_id)) {
        callback->child_id = memory_copy(child_id);
    }
    list_append(&session->callbacks.open, &callback->link);
    session->callbacks.count++;
    uint64_t timeout_ms = hub->server->settings->callback_timeout_ms;
    if (timeout_ms > 0) {
        timer_start(hub->server->world->timers, &callback->timer, timeout_ms, on_timeout);
    }
    return callback;
}

static struct session *only_session(const struct hub *hub)
{
    return list_is_empty(&hub->sessions) ? NULL : container_of(hub->sessions.next, struct session, in_hub);
}

/* On the stream of the request that caused it, where that is certain; else on the GET stream, now or when it opens. */
static bool send_question(struct callback *callback, const struct rewrite *question)
{
    struct call *call = channel_only_call(&callback->hub->channel);
    if (call != NULL && call->events->on_message(call, question->parts, question->count)) {
        callback->wire_id = call->entry.wire_id;
        return true;
    }
    return session_deliver_or_queue(callback->session, question->parts, question->count, callback->id);
}

void callback_ask(struct hub *hub, const struct message *message)
{
    struct session *session = only_session(hub);
    hub->server->counters.callbacks++;
    if (session == NULL || session->callbacks.count >= LIMIT_SESSION_CALLBACKS) {
        refuse(hub, message->id, REPLY_INTERNAL_ERROR,
               session == NULL ? "There is no client that could answer" : too_many);
        return;
    }
    struct callback *callback = open_callback(hub, session, message->id);
    struct number_text number;
    struct rewrite question;
    const struct replacement replacement = {message->id, number_write(&number, callback->id)};
    rewrite_splice(&question, message->bytes, &replacement, 1);
    if (!send_question(callback, &question)) {
        refuse(hub, message->id, REPLY_INTERNAL_ERROR, "The client has no stream open on which it could be asked");
        forget(&session->callbacks, callback, hub->server->world->timers);
    }
}

void callback_ask_session(struct session *session, struct call *call, struct asker *asker, struct slice method,
                          struct slice params)
{
    struct server_counters *counters = &session->hub->server->counters;
    counters->callbacks++;
    if (session->callbacks.count >= LIMIT_SESSION_CALLBACKS) {
        counters->callbacks_failed++;
        asker->on_failure(asker, too_many);
        return;
    }
    struct callback *callback = open_callback(session->hub, session, slice_of(NULL, 0));
    struct number_text number;
    struct buffer question;
    callback->asker = asker;
    asker->callback = callback;
    asker->call = NULL;
    buffer_init(&question, 0);
    buffer_add_text(&question, "{\"jsonrpc\":\"2.0\",\"id\":");
    buffer_add(&question, number_write(&number, callback->id));
    buffer_add_text(&question, ",\"method\":");
    reply_add_string(&question, method);
    if (slice_exists(params)) {
        buffer_add_text(&question, ",\"params\":");
        buffer_add(&question, params);
    }
    buffer_add_text(&question, "}");
    struct slice part = buffer_slice(&question);
    if (call->events->on_message(call, &part, 1)) {
        asker->call = call;
    } else if (!session_deliver_or_queue(session, &part, 1, callback->id)) {
        fail(callback, REPLY_INTERNAL_ERROR, "The client has no stream open on which it could be asked");
    }
    buffer_release(&question);
}

void callback_take_back(struct asker *asker)
{
    struct callback *callback = asker->callback;
    if (callback != NULL) {
        (void)session_unqueue(callback->session, callback->id);
        forget(&callback->session->callbacks, callback, callback->hub->server->world->timers);
    }
}

void callback_withdraw(struct asker *asker)
{
    const struct callback *callback = asker->callback;
    if (callback == NULL) {
        return;
    }
    struct session *session = callback->session;
    struct buffer notice;
    struct slice part = write_notice(&notice, callback, "The request that asked has failed");
    if (!session_unqueue(session, callback->id) && !tell_on_stream(callback, &part, 1)) {
        (void)session_deliver(session, &part, 1);
    }
    callback_take_back(asker);
    buffer_release(&notice);
}

/* Questions are few: a session has LIMIT_SESSION_CALLBACKS at most. */
static struct callback *find_by_id(const struct callbacks *callbacks, struct slice id)
{
    uint64_t number;
    if (!json_parse_id(id, &number)) {
        return NULL;
    }
    LIST_FOR_EACH(link, &callbacks->open) {
        struct callback *callback = container_of(link, struct callback, link);
        if (callback->id == number) {
            return callback;
        }
    }
    return NULL;
}

bool callback_answer(struct session *session, const struct message *message)
{
    struct callback *callback = find_by_id(&session->callbacks, message->id);
    if (callback == NULL) {
        return false;
    }
    struct hub *hub = callback->hub;
    hub->server->counters.callbacks_answered++;
    struct asker *asker = callback->asker;
    if (asker != NULL) {
        forget(&session->callbacks, callback, hub->server->world->timers);
        asker->on_answer(asker, message);
        return true;
    }
    struct rewrite answer;
    const struct replacement replacement = {message->id, callback->child_id};
    rewrite_splice(&answer, message->bytes, &replacement, 1);
    channel_send(&hub->channel, answer.parts, answer.count);
    forget(&session->callbacks, callback, hub->server->world->timers);
    return true;
}

static struct callback *find_by_child_id(const struct callbacks *callbacks, struct slice child_id)
{
    LIST_FOR_EACH(link, &callbacks->open) {
        struct callback *callback = container_of(link, struct callback, link);
        if (slice_exists(callback->child_id) && slice_equals(callback->child_id, child_id)) {
            return callback;
        }
    }
    return NULL;
}

void callback_cancel(struct session *session, const struct message *message)
{
    struct callback *callback = find_by_child_id(&session->callbacks, message->request_id);
    if (callback == NULL) {
        return;
    }
    struct number_text number;
    struct rewrite cancel;
    const struct replacement replacement = {message->request_id, number_write(&number, callback->id)};
    rewrite_splice(&cancel, message->bytes, &replacement, 1);
    if (!session_unqueue(session, callback->id)) {
        tell_taken_back(callback, cancel.parts, cancel.count);
    }
    forget(&session->callbacks, callback, callback->hub->server->world->timers);
}

void callback_lost(struct session *session, uint64_t id)
{
    LIST_FOR_EACH(link, &session->callbacks.open) {
        struct callback *callback = container_of(link, struct callback, link);
        if (callback->id == id) {
            fail(callback, REPLY_INTERNAL_ERROR, "Too much waits for the client");
            return;
        }
    }
}

void callbacks_forget(struct callbacks *callbacks, struct timers *timers)
{
    LIST_FOR_EACH(link, &callbacks->open) {
        struct callback *callback = container_of(link, struct callback, link);
        if (callback->asker == NULL) {
            (void)session_unqueue(callback->session, callback->id);
            forget(callbacks, callback, timers);
        }
    }
}

void callbacks_refuse(struct callbacks *callbacks)
{
    while (!list_is_empty(&callbacks->open)) {
        struct callback *callback = container_of(callbacks->open.next, struct callback, link);
        (void)session_unqueue(callback->session, callback->id);
        fail(callback, REPLY_INTERNAL_ERROR, "The client is gone");
    }
}
