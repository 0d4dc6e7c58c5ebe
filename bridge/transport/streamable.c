#include "bridge/transport/streamable.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/batch.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/mcp/revision.h"
#include "bridge/transport/refusal.h"

#include <assert.h>
#include <stdio.h>

static const struct slice no_id = {NULL, 0};

/* One POST on its way through the checks. */
struct incoming {
    struct streamable *streamable;
    struct exchange *exchange;
    struct accept accept;
    struct session *session; /* NULL for a stateless request */
    struct slice copy;       /* owned: the body without line breaks, when it had any; else absent */
};

void streamable_init(struct streamable *streamable, struct server *server, const struct streamable_settings *settings)
{
    *streamable = (struct streamable){
        .server = server,
        .settings = settings,
        .posts = {.server = server, .settings = settings->post},
        .streams = {.world = server->world, .heartbeat_ms = settings->post.heartbeat_ms},
    };
    list_init(&streamable->streams.streams);
}

/* ---- Sessions ---- */

/* A header that is there but empty is what clients send that lost their id. */
static struct slice session_name(const struct exchange *exchange)
{
    struct slice name;
    size_t count = exchange->operations->header(exchange, "mcp-session-id", &name);
    return count > 0 && name.size > 0 ? name : slice_of(NULL, 0);
}

/*
 * Finds the session that the exchange names; *session is NULL when it names none and need not. False when the
 * exchange has been refused (MCP 2025-03-26, Transports, "Session Management" 2 and 3).
 */
static bool find_session(struct streamable *streamable, struct exchange *exchange, struct slice id,
                         struct session **session)
{
    struct slice name = session_name(exchange);
    *session = NULL;
    if (streamable->settings->mode == STREAMABLE_STATELESS) {
        return true;
    }
    if (!slice_exists(name)) {
        bool is_needed = streamable->settings->mode == STREAMABLE_STATEFUL || exchange->method != EXCHANGE_POST;
        if (is_needed) {
            refuse(exchange, REFUSAL_SESSION_MISSING, id, NULL);
        }
        return !is_needed;
    }
    *session = session_table_find(&streamable->server->sessions, name);
    if (*session == NULL) {
        refuse(exchange, REFUSAL_SESSION_UNKNOWN, id, NULL);
        return false;
    }
    session_table_touch(*session);
    return true;
}

/* MCP 2025-06-18, Transports, "Protocol Version Header": a revision that we do not know is 400. False when refused. */
static bool check_version(struct exchange *exchange, struct slice id)
{
    struct slice version;
    size_t count = exchange->operations->header(exchange, "mcp-protocol-version", &version);
    if (count == 0 || (count == 1 && revision_find(version) != NULL)) {
        return true;
    }
    char detail[160];
    snprintf(detail, sizeof(detail), "%.*s (supported versions: 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05)",
             version.size < 64 ? (int)version.size : 64, slice_exists(version) ? version.data : "");
    refuse(exchange, REFUSAL_VERSION, id, detail);
    return false;
}

/* ---- initialize ---- */

static void answer_initialize(struct post *post, struct slice version, const struct rewrite *result,
                              const struct session *session)
{
    const struct call *call = &post->calls[0].call;
    struct slice parts[REWRITE_MAX_PARTS + 4] = {
        SLICE_LITERAL("{\"jsonrpc\":\"2.0\",\"id\":"), call->id, SLICE_LITERAL(",\"result\":")};
    size_t count = 3;
    for (size_t i = 0; i < result->count; i++) {
        parts[count++] = result->parts[i];
    }
    parts[count++] = slice_text("}");
    const struct header headers[] = {
        {"Content-Type", SLICE_LITERAL("application/json")},
        {"Mcp-Session-Id", slice_text(session != NULL ? session->name : "")},
    };
    const struct response response = {.status = 200,
                                      .headers = headers,
                                      .header_count = session != NULL ? 2 : 1,
                                      .body = parts,
                                      .body_count = count};
    log_line(post->owner->server->world->log, LOG_LEVEL_DEBUG, post->owner->server->name, "initialize: revision %.*s%s",
             SLICE_PRINT(version), session != NULL ? ", a session opens" : "");
    post->exchange->operations->respond(post->exchange, &response);
}

/* The child is ready: its handshake answers for it (MCP, Lifecycle, "Initialization"). */
static void on_child_ready(struct post *post)
{
    struct streamable *streamable = container_of(post->owner, struct streamable, posts);
    struct server *server = streamable->server;
    struct call *call = &post->calls[0].call;
    struct rewrite result;
    char version_text[16];
    struct slice version = handshake_answer(&server->channel.handshake, json_string_inside(call->argument), &result,
                                            version_text);
    struct session *session = NULL;
    if (streamable->settings->mode != STREAMABLE_STATELESS) {
        session = server_open_session(server, revision_find(version));
        if (session == NULL) {
            refuse(post->exchange, REFUSAL_SESSION_CEILING, call->id, NULL);
            post_free(post);
            return;
        }
    }
    answer_initialize(post, version, &result, session);
    post_free(post);
}

/* Any number of initialize is fine: each opens a session of its own, whatever session the client names. */
static void take_initialize(struct incoming *incoming, const struct message *message)
{
    struct post *post = post_new(&incoming->streamable->posts, incoming->exchange, incoming->accept, 1);
    post->body = incoming->copy;
    post_set_call(post, 0, NULL, message);
    post->calls[0].call.argument = message->protocol_version;
    post_wait(post, CALL_WAITS_FOR_CHILD, on_child_ready);
}

/* ---- The messages of a POST ---- */

static bool check_room(struct incoming *incoming, struct slice id)
{
    if (server_has_room(incoming->streamable->server)) {
        return true;
    }
    bool in_session = incoming->session != NULL;
    refuse(incoming->exchange, in_session ? REFUSAL_CALL_CEILING_IN_SESSION : REFUSAL_CALL_CEILING, id, NULL);
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
    if (!check_room(incoming, message->id)) {
        memory_free_slice(&incoming->copy);
        return;
    }
    struct post *post = post_new(&incoming->streamable->posts, incoming->exchange, incoming->accept, 1);
    post->body = incoming->copy;
    post_set_call(post, 0, incoming->session, message);
    post_submit(post, 0, message);
}

/* Notifications that waited for room: 202 whether they could be delivered or not, as clients cannot bear anything else. */
static void on_room(struct post *post)
{
    struct message message;
    if (message_scan_whole(&message, post->calls[0].call.bytes) == MESSAGE_FAULT_NONE) {
        server_notify(post->owner->server, NULL, &message);
    }
    respond_empty(post->exchange, 202, NULL, 0);
    post_free(post);
}

static void take_notification(struct incoming *incoming, const struct message *message)
{
    struct server *server = incoming->streamable->server;
    /* A cancellation goes ahead: it makes room. */
    if (!server_is_full(server) || message_is(message, "notifications/cancelled")) {
        server_notify(server, incoming->session, message);
        accept_and_forget(incoming);
        return;
    }
    struct post *post = post_new(&incoming->streamable->posts, incoming->exchange, incoming->accept, 1);
    post->body = incoming->copy;
    post_set_call(post, 0, NULL, message);
    post_wait(post, CALL_WAITS_FOR_ROOM, on_room);
}

static void take_message(struct incoming *incoming, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_REQUEST:
        if (message_is(message, "initialize")) {
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
        /* A child that sessions share asks nothing, so this answers nothing: late, double or foreign. */
        accept_and_forget(incoming);
        break;
    }
}

/* ---- Batches ---- */

struct batch_census {
    size_t requests;
    bool has_initialize;
    bool has_modern;
};

static struct batch_census count_batch(struct slice body)
{
    struct batch_census census = {0};
    struct message message;
    while (batch_next(&body, &message)) {
        census.requests += message.kind == MESSAGE_REQUEST;
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
    if (incoming->exchange->operations->header(incoming->exchange, "mcp-protocol-version", &version) > 0) {
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
        return census->requests == 0 || check_room(incoming, no_id);
    }
    return false;
}

/* Notifications go first, in their order; the requests' answers are collected. A pipe takes no batch (MCP 2025-06-18, stdio). */
static void notify_batch(struct incoming *incoming, struct slice body)
{
    struct message message;
    while (batch_next(&body, &message)) {
        if (message.kind == MESSAGE_NOTIFICATION) {
            server_notify(incoming->streamable->server, incoming->session, &message);
        }
    }
}

static void submit_batch(struct incoming *incoming, struct slice body, size_t request_count)
{
    struct post *post = post_new(&incoming->streamable->posts, incoming->exchange, incoming->accept, request_count);
    post->body = incoming->copy;
    post->is_batch = true;
    struct slice rest = body;
    struct message message;
    size_t index = 0;
    while (batch_next(&rest, &message)) {
        if (message.kind == MESSAGE_REQUEST) {
            post_set_call(post, index++, incoming->session, &message);
        }
    }
    /* The last submit may end the post, and with it the body: then nothing is read any more. */
    index = 0;
    while (index < request_count && batch_next(&body, &message)) {
        if (message.kind == MESSAGE_REQUEST) {
            post_submit(post, index++, &message);
        }
    }
}

static void take_batch(struct incoming *incoming, struct slice body)
{
    struct batch_census census = count_batch(body);
    if (!check_batch(incoming, &census)) {
        memory_free_slice(&incoming->copy);
        return;
    }
    notify_batch(incoming, body);
    if (census.requests == 0) {
        accept_and_forget(incoming);
    } else {
        submit_batch(incoming, body, census.requests);
    }
}

/* ---- POST ---- */

/* What belongs to the modern era is refused so that a client of both eras falls back to initialize. True when refused. */
static bool refuse_if_modern(struct exchange *exchange, const struct message *message)
{
    if (message->kind == MESSAGE_REQUEST && message_is(message, "server/discover")) {
        refuse(exchange, REFUSAL_MODERN_DISCOVER, message->id, NULL);
        return true;
    }
    if (!slice_exists(message->meta_version)) {
        return false;
    }
    if (message->kind == MESSAGE_REQUEST) {
        refuse_modern(exchange, message->id, message->meta_version);
    } else {
        respond_empty(exchange, 202, NULL, 0);
    }
    return true;
}

static bool is_initialize(const struct message *message)
{
    return message->kind == MESSAGE_REQUEST && message_is(message, "initialize");
}

/* A body with line breaks between its tokens becomes one without, since a message is a line on a pipe. */
static void flatten(struct incoming *incoming, struct slice body)
{
    incoming->copy = memory_copy(body);
    message_flatten((char *)(uintptr_t)incoming->copy.data, incoming->copy.size);
}

static void post_single(struct incoming *incoming)
{
    struct exchange *exchange = incoming->exchange;
    struct message message;
    enum message_fault fault = message_scan_whole(&message, exchange->body);
    if (fault != MESSAGE_FAULT_NONE) {
        refuse_fault(exchange, message_fault_code(fault), message_fault_text(fault));
        return;
    }
    if (refuse_if_modern(exchange, &message) ||
        (!is_initialize(&message) && !find_session(incoming->streamable, exchange, message.id, &incoming->session)) ||
        !check_version(exchange, message.id)) {
        return;
    }
    if (message.has_line_breaks) {
        flatten(incoming, message.bytes);
        fault = message_scan_whole(&message, incoming->copy);
        assert(fault == MESSAGE_FAULT_NONE);
    }
    take_message(incoming, &message);
}

static void post_batch(struct incoming *incoming)
{
    struct exchange *exchange = incoming->exchange;
    size_t count;
    enum message_fault fault = batch_check(exchange->body, &count);
    if (fault == MESSAGE_FAULT_SHAPE && (count == 0 || count > LIMIT_BATCH_MESSAGES)) {
        refuse(exchange, REFUSAL_BATCH_SIZE, no_id, NULL);
        return;
    }
    if (fault != MESSAGE_FAULT_NONE) {
        refuse_fault(exchange, message_fault_code(fault), message_fault_text(fault));
        return;
    }
    if (!find_session(incoming->streamable, exchange, no_id, &incoming->session) || !check_version(exchange, no_id)) {
        return;
    }
    if (memchr(exchange->body.data, '\n', exchange->body.size) != NULL ||
        memchr(exchange->body.data, '\r', exchange->body.size) != NULL) {
        flatten(incoming, exchange->body);
    }
    take_batch(incoming, slice_exists(incoming->copy) ? incoming->copy : exchange->body);
}

static void handle_post(struct streamable *streamable, struct exchange *exchange)
{
    struct incoming incoming = {.streamable = streamable, .exchange = exchange, .accept = accept_read(exchange)};
    if (!incoming.accept.json && !incoming.accept.stream) {
        refuse(exchange, REFUSAL_ACCEPT, no_id, NULL);
    } else if (!accept_has_json_body(exchange)) {
        refuse(exchange, REFUSAL_CONTENT_TYPE, no_id, NULL);
    } else if (batch_is_array(exchange->body)) {
        post_batch(&incoming);
    } else {
        post_single(&incoming);
    }
}

/* ---- GET, DELETE and the rest ---- */

static void handle_get(struct streamable *streamable, struct exchange *exchange)
{
    struct session *session;
    if (streamable->settings->mode == STREAMABLE_STATELESS) {
        refuse(exchange, REFUSAL_METHOD_STATELESS, no_id, NULL);
    } else if (!accept_read(exchange).stream) {
        refuse(exchange, REFUSAL_ACCEPT_STREAM, no_id, NULL);
    } else if (find_session(streamable, exchange, no_id, &session) && check_version(exchange, no_id)) {
        listen_stream_open(&streamable->streams, exchange, session);
    }
}

/* The session ends; its running calls are other exchanges', and go on to their answers. */
static void handle_delete(struct streamable *streamable, struct exchange *exchange)
{
    struct session *session;
    if (streamable->settings->mode == STREAMABLE_STATELESS) {
        refuse(exchange, REFUSAL_METHOD_STATELESS, no_id, NULL);
    } else if (find_session(streamable, exchange, no_id, &session) && check_version(exchange, no_id)) {
        server_end_session(streamable->server, session);
        respond_empty(exchange, 200, NULL, 0);
    }
}

static void handle_other(struct streamable *streamable, struct exchange *exchange)
{
    bool is_stateless = streamable->settings->mode == STREAMABLE_STATELESS;
    if (exchange->method == EXCHANGE_OPTIONS) {
        const struct header allow = {"Allow", slice_text(is_stateless ? "POST, OPTIONS" : "GET, POST, DELETE, OPTIONS")};
        respond_empty(exchange, 204, &allow, 1);
    } else {
        refuse(exchange, is_stateless ? REFUSAL_METHOD_STATELESS : REFUSAL_METHOD, no_id, NULL);
    }
}

void streamable_handle(struct streamable *streamable, struct exchange *exchange)
{
    if (!gate_admit(&streamable->settings->gate, exchange)) {
        return;
    }
    if (streamable->is_draining) {
        refuse(exchange, REFUSAL_DRAINING, no_id, NULL);
        return;
    }
    switch (exchange->method) {
    case EXCHANGE_POST:
        handle_post(streamable, exchange);
        break;
    case EXCHANGE_GET:
        handle_get(streamable, exchange);
        break;
    case EXCHANGE_DELETE:
        handle_delete(streamable, exchange);
        break;
    case EXCHANGE_HEAD:
    case EXCHANGE_OPTIONS:
    case EXCHANGE_OTHER:
        handle_other(streamable, exchange);
        break;
    }
}

void streamable_drain(struct streamable *streamable)
{
    streamable->is_draining = true;
    listen_stream_close_all(&streamable->streams);
}

bool streamable_is_busy(const struct streamable *streamable)
{
    return streamable->posts.count > 0;
}
