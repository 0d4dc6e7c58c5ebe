#include "src/http/exchange.h"

#include "bridge/base/memory.h"
#include "src/http/deadline.h"
#include "src/http/event_stream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* What is logged of a path, of a method, and of a session's id, whoever has all of which has the session. */
enum { LOGGED_PATH_BYTES = 200, LOGGED_TOPIC_BYTES = 64, LOGGED_SESSION_BYTES = 8 };

static struct http_connection *connection_of(const struct exchange *exchange)
{
    return container_of(exchange, struct http_connection, exchange);
}

/* ---- Composing and sending ---- */

static enum http_persistence persistence_of(const struct http_connection *connection)
{
    if (!connection->is_persistent) {
        return HTTP_PERSISTENCE_CLOSE;
    }
    return connection->request->minor_version == 0 ? HTTP_PERSISTENCE_KEEP : HTTP_PERSISTENCE_DEFAULT;
}

/* Into the scratch; valid until it is used again. */
static struct slice compose_head(struct http_connection *connection, struct http_head *head)
{
    struct http_server *server = connection->server;
    struct header common[HTTP_COMMON_HEADERS];
    if (server->settings.common_headers != NULL) {
        head->common_headers = common;
        head->common_header_count =
            server->settings.common_headers(server->settings.context, &connection->exchange, common);
    }
    head->persistence = persistence_of(connection);
    buffer_clear(&server->scratch, SIZE_MAX);
    http_response_compose(&server->scratch, head, http_date_at(&server->date, time(NULL)));
    head->common_headers = NULL;
    head->common_header_count = 0;
    return buffer_slice(&server->scratch);
}

static size_t total_size(const struct slice *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += parts[i].size;
    }
    return size;
}

/* HEAD is answered with GET's head alone (RFC 9110 9.3.2). */
static bool sends_body(const struct http_connection *connection)
{
    return connection->request->method != EXCHANGE_HEAD;
}

static const char *method_name(enum exchange_method method)
{
    static const char *const names[] = {
        [EXCHANGE_GET] = "GET",       [EXCHANGE_HEAD] = "HEAD",       [EXCHANGE_POST] = "POST",
        [EXCHANGE_DELETE] = "DELETE", [EXCHANGE_OPTIONS] = "OPTIONS", [EXCHANGE_OTHER] = "(another method)",
    };
    return names[method];
}

/* The client is refused something, and an operator may look for the reason. */
static void log_refusal(struct http_connection *connection, int status, const char *reason)
{
    struct http_server *server = connection->server;
    if (!log_limit_take(&server->refusal_log)) {
        return;
    }
    if (connection->state == HTTP_CONNECTION_HANDLING) {
        struct slice path = connection->exchange.path;
        path.size = path.size < LOGGED_PATH_BYTES ? path.size : LOGGED_PATH_BYTES;
        log_line(server->log, LOG_LEVEL_INFO, server->refusal_log.scope, "%d %s %.*s: %s", status,
                 method_name(connection->exchange.method), SLICE_PRINT(path), reason);
    } else {
        log_line(server->log, LOG_LEVEL_INFO, server->refusal_log.scope, "%d: %s", status, reason);
    }
}

static bool is_debugging(const struct http_connection *connection)
{
    return connection->server->log->level <= LOG_LEVEL_DEBUG;
}

/* The beginning of what a client has written, up to `size` bytes and as far as it is visible ASCII. */
static struct slice beginning(struct slice text, size_t size)
{
    size_t visible = 0;
    while (visible < text.size && visible < size && text.data[visible] > ' ' && text.data[visible] <= '~') {
        visible++;
    }
    return slice_of(text.data, visible);
}

void http_exchange_log(const struct http_connection *connection, int status)
{
    if (!is_debugging(connection)) {
        return;
    }
    const struct exchange *exchange = &connection->exchange;
    struct http_server *server = connection->server;
    struct slice path = beginning(exchange->path, LOGGED_PATH_BYTES);
    struct slice topic = beginning(exchange->topic, LOGGED_TOPIC_BYTES);
    size_t quarter = exchange->session.size / 4;
    struct slice session =
        beginning(exchange->session, quarter < LOGGED_SESSION_BYTES ? quarter : LOGGED_SESSION_BYTES);
    char result[32] = "the client is gone";
    if (status > 0) {
        snprintf(result, sizeof(result), "%d", status);
    }
    log_line(server->log, LOG_LEVEL_DEBUG, slice_text("http"),
             "%s %.*s%s%.*s: %s%s%.*s%s, %" PRIu64 " ms, %" PRIu64 " bytes", method_name(exchange->method),
             SLICE_PRINT(path), topic.size > 0 ? " " : "", SLICE_PRINT(topic), result,
             session.size > 0 ? ", session " : "", SLICE_PRINT(session), session.size > 0 ? "..." : "",
             timers_now(server->timers) - connection->started_ms,
             connection->output.accepted_bytes - connection->sent_mark);
}

/* Sends a whole answer; the connection is FLUSHING, or further, when it returns. */
static void answer(struct http_connection *connection, const struct response *response)
{
    bool has_body = http_response_has_body(response->status);
    struct http_head head = {
        .status = response->status,
        .framing = has_body ? HTTP_FRAMING_LENGTH : HTTP_FRAMING_NONE,
        .content_length = total_size(response->body, response->body_count),
        .headers = response->headers,
        .header_count = response->header_count,
    };
    if (response->reason != NULL) {
        log_refusal(connection, response->status, response->reason);
    }
    connection->is_persistent = connection->is_persistent && !connection->server->is_draining;
    http_connection_enter(connection, HTTP_CONNECTION_FLUSHING);
    struct http_pieces pieces = {.before = compose_head(connection, &head)};
    if (has_body && sends_body(connection)) {
        pieces.parts = response->body;
        pieces.part_count = response->body_count;
    }
    http_connection_send(connection, &pieces);
    http_exchange_log(connection, response->status);
    http_connection_finish(connection);
}

static void answer_refusal(struct http_connection *connection, enum http_refusal refusal)
{
    static const struct header headers[] = {
        {"Content-Type", SLICE_LITERAL("application/json")},
        {"Retry-After", SLICE_LITERAL("1")},
    };
    struct buffer body;
    buffer_init(&body, 0);
    int status = http_refusal_status(refusal);
    http_server_format_error(connection->server, &body, status, http_refusal_text(refusal));
    struct slice part = buffer_slice(&body);
    const struct response response = {.status = status,
                                      .headers = headers,
                                      .header_count = status == 503 ? 2 : 1,
                                      .body = &part,
                                      .body_count = 1,
                                      .reason = http_refusal_text(refusal)};
    answer(connection, &response);
    buffer_release(&body);
}

/* ---- What a handler can do: bridge/port.h ---- */

static size_t header(const struct exchange *exchange, const char *name, struct slice *value)
{
    return http_request_field(connection_of(exchange)->request, name, value);
}

static void respond(struct exchange *exchange, const struct response *response)
{
    struct http_connection *connection = connection_of(exchange);
    if (connection->state == HTTP_CONNECTION_ABANDONED) {
        http_connection_enter(connection, HTTP_CONNECTION_CLOSING);
        return;
    }
    assert(connection->state == HTTP_CONNECTION_HANDLING);
    answer(connection, response);
    http_deadline_update(connection);
}

static bool is_chunked(const struct http_connection *connection)
{
    return connection->request->minor_version > 0;
}

static void send_stream_head(struct http_connection *connection, const struct header *headers, size_t count)
{
    struct http_head head = {
        .status = 200,
        .framing = is_chunked(connection) ? HTTP_FRAMING_CHUNKED : HTTP_FRAMING_CLOSE,
        .headers = headers,
        .header_count = count,
        .own_headers = http_event_stream_headers,
        .own_header_count = HTTP_EVENT_STREAM_HEADER_COUNT,
    };
    struct http_pieces pieces = {.before = compose_head(connection, &head)};
    http_connection_hold(connection, &pieces);
}

static void open_stream(struct exchange *exchange, const struct header *headers, size_t header_count)
{
    struct http_connection *connection = connection_of(exchange);
    if (connection->state == HTTP_CONNECTION_ABANDONED) {
        return;
    }
    bool can_persist = is_chunked(connection) && !connection->server->is_draining;
    connection->is_persistent = connection->is_persistent && can_persist;
    http_connection_enter(connection, HTTP_CONNECTION_STREAMING);
    send_stream_head(connection, headers, header_count);
    http_deadline_update(connection);
}

/* Nothing is sent to a client that is gone, nor to HEAD. */
static bool can_send(const struct http_connection *connection)
{
    if (connection->state == HTTP_CONNECTION_ABANDONED) {
        return false;
    }
    assert(connection->state == HTTP_CONNECTION_STREAMING);
    return sends_body(connection);
}

static void send_event(struct exchange *exchange, const struct event *event)
{
    struct http_connection *connection = connection_of(exchange);
    if (can_send(connection)) {
        struct http_pieces pieces =
            http_event_stream_event(&connection->server->scratch, event, is_chunked(connection));
        http_connection_hold(connection, &pieces);
        http_deadline_update(connection);
    }
}

static void send_comment(struct exchange *exchange, const char *text)
{
    struct http_connection *connection = connection_of(exchange);
    if (can_send(connection)) {
        struct http_pieces pieces =
            http_event_stream_comment(&connection->server->scratch, text, is_chunked(connection));
        http_connection_hold(connection, &pieces);
        http_deadline_update(connection);
    }
}

static void close_stream(struct exchange *exchange)
{
    struct http_connection *connection = connection_of(exchange);
    if (can_send(connection)) {
        struct http_pieces pieces = http_event_stream_end(is_chunked(connection));
        http_connection_hold(connection, &pieces);
    }
    if (connection->state == HTTP_CONNECTION_ABANDONED) {
        http_connection_enter(connection, HTTP_CONNECTION_CLOSING);
        return;
    }
    http_connection_enter(connection, HTTP_CONNECTION_FLUSHING);
    http_exchange_log(connection, 200);
    http_connection_finish(connection);
    http_deadline_update(connection);
}

static size_t queued(const struct exchange *exchange)
{
    const struct http_connection *connection = connection_of(exchange);
    return connection->state == HTTP_CONNECTION_STREAMING ? http_output_queued(&connection->output) : 0;
}

static const struct exchange_operations operations = {
    .header = header,
    .respond = respond,
    .open_stream = open_stream,
    .send_event = send_event,
    .send_comment = send_comment,
    .close_stream = close_stream,
    .queued = queued,
};

/* ---- What the connection does ---- */

/* The exchange as far as the request is understood: its body may be incomplete. */
static void fill_exchange(struct http_connection *connection)
{
    const struct http_request *request = connection->request;
    connection->exchange = (struct exchange){
        .operations = &operations,
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .body = buffer_slice(&request->body),
    };
    if (is_debugging(connection)) {
        connection->started_ms = timers_now(connection->server->timers);
        connection->sent_mark = connection->output.accepted_bytes;
    }
}

void http_exchange_screen(struct http_connection *connection)
{
    const struct http_server_settings *settings = &connection->server->settings;
    fill_exchange(connection);
    if (settings->takes_body != NULL && !settings->takes_body(settings->context, &connection->exchange)) {
        http_request_drop_body(connection->request);
    }
}

void http_exchange_start(struct http_connection *connection)
{
    const struct http_request *request = connection->request;
    connection->server->counters.requests++;
    connection->is_persistent = request->is_persistent;
    fill_exchange(connection);
    http_connection_enter(connection, HTTP_CONNECTION_HANDLING);
    const struct http_route *route = http_router_find(connection->server->router, request->path);
    if (route == NULL) {
        answer_refusal(connection, HTTP_REFUSAL_NOT_FOUND);
        return;
    }
    route->handler(route->context, &connection->exchange);
    bool is_kept = connection->state == HTTP_CONNECTION_HANDLING || connection->state == HTTP_CONNECTION_STREAMING;
    assert(!is_kept || connection->exchange.on_closed != NULL);
}

void http_exchange_refuse(struct http_connection *connection, enum http_refusal refusal)
{
    connection->server->counters.refusals++;
    connection->is_persistent = false;
    fill_exchange(connection);
    answer_refusal(connection, refusal);
    http_deadline_update(connection);
}
