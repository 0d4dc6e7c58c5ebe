#include "bridge/transport/incoming.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/batch.h"
#include "bridge/mcp/revision.h"
#include "bridge/transport/initialize.h"
#include "bridge/transport/modern.h"
#include "bridge/transport/refusal.h"
#include "bridge/transport/streamable.h"

static const struct slice no_id = {NULL, 0};

/* ---- initialize ---- */

static void answer_initialize(struct post *post, const struct initialize_answer *answer, const struct session *session)
{
    const struct exchange_operations *operations = post->exchange->operations;
    const struct header headers[] = {
        {"Content-Type", SLICE_LITERAL("application/json")},
        {"Mcp-Session-Id", slice_text(session != NULL ? session->name : "")},
    };
    post->exchange->session = slice_text(session != NULL ? session->name : "");
    if (!post->accept.json) {
        const struct event event = {.data = answer->parts, .data_count = answer->count};
        operations->open_stream(post->exchange, &headers[1], session != NULL ? 1 : 0);
        operations->send_event(post->exchange, &event);
        operations->close_stream(post->exchange);
        return;
    }
    const struct response response = {.status = 200,
                                      .headers = headers,
                                      .header_count = session != NULL ? 2 : 1,
                                      .body = answer->parts,
                                      .body_count = answer->count};
    operations->respond(post->exchange, &response);
}

static void on_child_ready(struct post *post)
{
    struct streamable *streamable = container_of(post->owner, struct streamable, posts);
    struct call *call = &post->calls[0].call;
    struct initialize_answer answer;
    initialize_answer_write(&answer, call);
    struct session *session = NULL;
    if (streamable->settings->mode != STREAMABLE_STATELESS) {
        session = initialize_open_session(streamable->server, &answer, call, post->principal);
        if (session == NULL) {
            server_drop_hub(streamable->server, call->hub);
            refuse(post->exchange, REFUSAL_SESSION_CEILING, call->id, NULL);
            post_free(post);
            return;
        }
    }
    answer_initialize(post, &answer, session);
    post_free(post);
}

/* It keeps the body, if that was copied, and who sent it, if no session says that. */
static struct post *new_post(const struct incoming *incoming, size_t call_count)
{
    struct post *post = post_new(&incoming->streamable->posts, incoming->exchange, incoming->accept, call_count);
    post->body = incoming->copy;
    if (incoming->session == NULL && incoming->caller->principal.size > 0) {
        post->principal = memory_copy(incoming->caller->principal);
    }
    return post;
}

/* The child that serves the client; NULL, with the reason, when it is refused. No child is started in vain. */
static struct hub *choose_hub(const struct incoming *incoming, const struct message *message, enum refusal *refusal)
{
    const struct streamable *streamable = incoming->streamable;
    bool is_stateless = streamable->settings->mode == STREAMABLE_STATELESS;
    if (message->bytes.size > LIMIT_INITIALIZE_BYTES) {
        *refusal = REFUSAL_INITIALIZE_SIZE;
        return NULL;
    }
    if (!is_stateless && !server_has_session_room(streamable->server)) {
        *refusal = REFUSAL_SESSION_CEILING;
        return NULL;
    }
    *refusal = REFUSAL_CHILD_CEILING;
    return is_stateless ? server_shared_hub(streamable->server, incoming->caller)
                        : server_choose_hub(streamable->server, incoming->caller, message);
}

/* Any number of initialize is fine: each opens a session of its own, whatever session the client names. */
static void take_initialize(struct incoming *incoming, const struct message *message)
{
    enum refusal refusal;
    struct hub *hub = choose_hub(incoming, message, &refusal);
    if (hub == NULL) {
        refuse(incoming->exchange, refusal, message->id, NULL);
        memory_free_slice(&incoming->copy);
        return;
    }
    struct post *post = new_post(incoming, 1);
    post_set_call(post, 0, hub, NULL, message);
    post->calls[0].call.argument = message->protocol_version;
    post_wait_for_child(post, on_child_ready);
}

/* ---- The messages of a POST ---- */

/* Whose child the messages are for; NULL when there is none and none can be started. */
static struct hub *hub_of(const struct incoming *incoming)
{
    return incoming->session != NULL ? incoming->session->hub
                                     : server_shared_hub(incoming->streamable->server, incoming->caller);
}

/* The ceiling that so many more requests would pass; REFUSAL_COUNT when there is room. */
static enum refusal find_ceiling(const struct incoming *incoming, size_t count)
{
    const struct server *server = incoming->streamable->server;
    const struct session *session = incoming->session;
    if (session != NULL && !server_has_session_call_room(server, session, count)) {
        return REFUSAL_SESSION_CALL_CEILING;
    }
    if (!incoming->accept.json && !server_has_stream_room(server, session)) {
        return REFUSAL_SESSION_STREAM_CEILING;
    }
    if (!server_has_room(server, count)) {
        return session != NULL ? REFUSAL_CALL_CEILING_IN_SESSION : REFUSAL_CALL_CEILING;
    }
    return hub_of(incoming) != NULL ? REFUSAL_COUNT : REFUSAL_CHILD_CEILING;
}

static bool check_room(struct incoming *incoming, struct slice id, size_t count)
{
    enum refusal refusal = find_ceiling(incoming, count);
    if (refusal == REFUSAL_COUNT) {
        return true;
    }
    refuse(incoming->exchange, refusal, id, NULL);
    return false;
}

/* Frees the copied body, for a POST that needs it no longer. */
static void accept_and_forget(struct incoming *incoming)
{
    memory_free_slice(&incoming->copy);
    respond_empty(incoming->exchange, 202, NULL, 0);
}

static void take_request(struct incoming *incoming, const struct message *message)
{
    if (!check_room(incoming, message->id, 1)) {
        memory_free_slice(&incoming->copy);
        return;
    }
    struct post *post = new_post(incoming, 1);
    post_set_call(post, 0, hub_of(incoming), incoming->session, message);
    post_submit(post, 0, message);
}

/* Whether it is a notification that waits where there is no room. A cancellation goes ahead: it makes room. */
static bool can_wait(const struct message *message)
{
    return message->kind == MESSAGE_NOTIFICATION && !message_is(message, "notifications/cancelled");
}

static void take_notification(struct incoming *incoming, const struct message *message)
{
    struct hub *hub = hub_of(incoming);
    if (hub == NULL) {
        accept_and_forget(incoming);
        return;
    }
    if (!hub_is_full(hub) || !can_wait(message)) {
        hub_notify(hub, incoming->session, message);
        accept_and_forget(incoming);
        return;
    }
    struct post *post = new_post(incoming, 1);
    post_set_call(post, 0, hub, NULL, message);
    post_submit_notification(post, 0);
}

/* An answer to a question of the child's. One that is late, double or foreign is taken as well, and dropped. */
static void take_response(const struct incoming *incoming, const struct message *message)
{
    if (incoming->session == NULL || !callback_answer(incoming->session, message)) {
        struct server *server = incoming->streamable->server;
        log_line(server->world->log, LOG_LEVEL_DEBUG, server->name, "dropped a client's answer that nobody waits for");
    }
}

static void dispatch(struct incoming *incoming, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_REQUEST:
        if (incoming->is_modern) {
            modern_take(incoming, message);
        } else if (message_is(message, "initialize")) {
            take_initialize(incoming, message);
        } else {
            take_request(incoming, message);
        }
        break;
    case MESSAGE_NOTIFICATION:
        take_notification(incoming, message);
        break;
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        take_response(incoming, message);
        accept_and_forget(incoming);
        break;
    }
}

/* A body with line breaks between its tokens becomes one without, since a message is a line on a pipe. */
static void flatten(struct incoming *incoming, struct slice body)
{
    incoming->copy = memory_copy(body);
    message_flatten((char *)(uintptr_t)incoming->copy.data, incoming->copy.size);
}

void incoming_take(struct incoming *incoming, const struct message *message)
{
    if (!message->has_line_breaks) {
        dispatch(incoming, message);
        return;
    }
    struct message flat;
    flatten(incoming, message->bytes);
    message_scan_again(&flat, incoming->copy);
    dispatch(incoming, &flat);
}

/* ---- Batches ---- */

struct batch_census {
    size_t requests;
    size_t notifications; /* that can wait */
    bool has_initialize;
    bool has_modern;
};

static struct batch_census count_batch(struct slice body)
{
    struct batch_census census = {0};
    struct message message;
    while (batch_next(&body, &message)) {
        census.requests += message.kind == MESSAGE_REQUEST;
        census.notifications += can_wait(&message);
        census.has_initialize |= message.kind == MESSAGE_REQUEST && message_is(&message, "initialize");
        census.has_modern |= slice_exists(message.meta_version);
    }
    return census;
}

/* The session's revision, else the header's, decides; a client that names none may be an old one. */
static bool has_batches(const struct incoming *incoming)
{
    const struct revision *revision = incoming->session != NULL ? incoming->session->revision : NULL;
    struct slice version;
    if (revision == NULL &&
        incoming->exchange->operations->header(incoming->exchange, "mcp-protocol-version", &version) > 0) {
        revision = revision_find(version);
    }
    return revision == NULL || revision->has_batches;
}

/* False when the batch has been refused. */
static bool check_batch(struct incoming *incoming, const struct batch_census *census)
{
    if (census->has_modern || !has_batches(incoming)) {
        refuse(incoming->exchange, REFUSAL_BATCH, no_id, NULL);
    } else if (census->has_initialize) {
        refuse(incoming->exchange, REFUSAL_BATCH_INITIALIZE, no_id, NULL);
    } else {
        return census->requests == 0 || check_room(incoming, no_id, census->requests);
    }
    return false;
}

/*
 * Notifications go first, in their order; the requests' answers are collected. A pipe takes no batch (MCP 2025-06-18,
 * stdio). Returns how many notifications, the last ones, have to wait for room.
 */
static size_t notify_batch(struct incoming *incoming, struct slice body)
{
    struct hub *hub = hub_of(incoming);
    struct message message;
    size_t waiting = 0;
    while (batch_next(&body, &message)) {
        if (hub != NULL && can_wait(&message) && (waiting > 0 || hub_is_full(hub))) {
            waiting++;
        } else if (message.kind == MESSAGE_NOTIFICATION && hub != NULL) {
            hub_notify(hub, incoming->session, &message);
        } else if (message.kind == MESSAGE_RESULT || message.kind == MESSAGE_ERROR) {
            take_response(incoming, &message);
        }
    }
    return waiting;
}

/* The notifications that wait come first among the calls, and then the requests. */
static struct post *new_batch_post(struct incoming *incoming, struct slice body, const struct batch_census *census,
                                   size_t waiting)
{
    struct post *post = new_post(incoming, waiting + census->requests);
    post->is_batch = census->requests > 0;
    struct hub *hub = hub_of(incoming);
    struct message message;
    size_t delivered = census->notifications - waiting;
    size_t notification = 0;
    size_t request = waiting;
    while (batch_next(&body, &message)) {
        if (message.kind == MESSAGE_REQUEST) {
            post_set_call(post, request++, hub, incoming->session, &message);
        } else if (can_wait(&message) && delivered > 0) {
            delivered--;
        } else if (can_wait(&message)) {
            post_set_call(post, notification++, hub, NULL, &message);
        }
    }
    return post;
}

static void submit_batch(struct incoming *incoming, struct slice body, const struct batch_census *census,
                         size_t waiting)
{
    struct post *post = new_batch_post(incoming, body, census, waiting);
    size_t count = waiting + census->requests;
    size_t index = 0;
    struct message message;
    /* The last submit may end the post, and with it the body: then nothing is read any more. */
    while (index < waiting) {
        post_submit_notification(post, index++);
    }
    while (index < count && batch_next(&body, &message)) {
        if (message.kind == MESSAGE_REQUEST) {
            post_submit(post, index++, &message);
        }
    }
}

static bool has_line_breaks(struct slice body)
{
    return memchr(body.data, '\n', body.size) != NULL || memchr(body.data, '\r', body.size) != NULL;
}

void incoming_take_batch(struct incoming *incoming)
{
    struct slice body = incoming->exchange->body;
    if (has_line_breaks(body)) {
        flatten(incoming, body);
        body = incoming->copy;
    }
    struct batch_census census = count_batch(body);
    if (!check_batch(incoming, &census)) {
        memory_free_slice(&incoming->copy);
        return;
    }
    size_t waiting = notify_batch(incoming, body);
    if (census.requests + waiting == 0) {
        accept_and_forget(incoming);
    } else {
        submit_batch(incoming, body, &census, waiting);
    }
}
