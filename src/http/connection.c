/*
 * A connection's life. Refusals and 404s go from the left to FLUSHING without a handler; every state can go to the
 * right-hand side when the client is gone, time is up or the listener closes.
 *
 *      +-----------------------------------------------------------+
 *      v                                                            |
 *    IDLE --> HEAD --> BODY --> HANDLING --> STREAMING              |
 *      |       |        |          |  |          |  |               |
 *      +-------+--------+----------+--|----------+--|--> FLUSHING --+--> LINGERING --> CLOSING --> freed
 *                (refused)            |             |                                     ^
 *                                     +-------------+--> ABANDONED -----------------------+
 *                                            (the handler hears on_closed)
 *
 * The first states may be skipped: a request that arrives in one read goes from IDLE to HANDLING.
 *
 * Reading goes on while an exchange runs, because it is how we hear that the client is gone; what it brings then is
 * kept in `pending` up to its ceiling, and at the ceiling reading pauses. While IDLE, HEAD or BODY nothing is pending,
 * except in IDLE until the timer resumes the parse loop.
 *
 * The socket is closed in one place, http_connection_close(). The answer before that is followed by a lingering
 * shutdown: closing a socket with unread bytes makes the kernel send RST, which can destroy the answer on its way.
 */
#include "src/http/connection.h"

#include "bridge/base/memory.h"
#include "src/http/deadline.h"
#include "src/http/exchange.h"

#include <assert.h>
#include <stdlib.h>

/* What a client may still send after its last answer: enough for the rest of a body that was too large. */
enum { LINGER_BYTES = 16 << 20 };

#define BIT(state) (1u << HTTP_CONNECTION_##state)

static const struct {
    const char *name;
    unsigned followers;
} states[] = {
    [HTTP_CONNECTION_IDLE] = {"idle", BIT(HEAD) | BIT(BODY) | BIT(HANDLING) | BIT(FLUSHING) | BIT(CLOSING)},
    [HTTP_CONNECTION_HEAD] = {"head", BIT(BODY) | BIT(HANDLING) | BIT(FLUSHING) | BIT(CLOSING)},
    [HTTP_CONNECTION_BODY] = {"body", BIT(HANDLING) | BIT(FLUSHING) | BIT(CLOSING)},
    [HTTP_CONNECTION_HANDLING] = {"handling", BIT(STREAMING) | BIT(FLUSHING) | BIT(ABANDONED)},
    [HTTP_CONNECTION_STREAMING] = {"streaming", BIT(FLUSHING) | BIT(ABANDONED)},
    [HTTP_CONNECTION_FLUSHING] = {"flushing", BIT(IDLE) | BIT(LINGERING) | BIT(CLOSING)},
    [HTTP_CONNECTION_LINGERING] = {"lingering", BIT(CLOSING)},
    [HTTP_CONNECTION_ABANDONED] = {"abandoned", BIT(CLOSING)},
    [HTTP_CONNECTION_CLOSING] = {"closing", 0},
};

void http_connection_enter(struct http_connection *connection, enum http_connection_state state)
{
    assert((states[connection->state].followers & (1u << state)) != 0);
    struct log *log = connection->server->log;
    if (log->level <= LOG_LEVEL_DEBUG) {
        log_line(log, LOG_LEVEL_DEBUG, slice_text("http"), "connection %p: %s -> %s", (void *)connection,
                 states[connection->state].name, states[state].name);
    }
    connection->state = state;
    connection->is_deadline_set = false;
}

static bool is_parsing(const struct http_connection *connection)
{
    return connection->state <= HTTP_CONNECTION_BODY;
}

static bool has_exchange(const struct http_connection *connection)
{
    return connection->state == HTTP_CONNECTION_HANDLING || connection->state == HTTP_CONNECTION_STREAMING;
}

/* ---- Closing ---- */

static void give_back_request(struct http_connection *connection)
{
    if (connection->request != NULL) {
        connection->server->body_bytes -= connection->body_bytes;
        connection->body_bytes = 0;
        http_server_give_back(connection->server, connection->request);
        connection->request = NULL;
    }
}

static void count_queue(struct http_connection *connection, size_t queued_bytes)
{
    struct http_server *server = connection->server;
    server->queued_bytes = server->queued_bytes - connection->queued_bytes + queued_bytes;
    connection->queued_bytes = queued_bytes;
}

static void on_closed(uv_handle_t *handle)
{
    struct http_connection *connection = handle->data;
    struct http_server *server = connection->server;
    if (connection->state == HTTP_CONNECTION_ABANDONED) {
        connection->exchange.on_closed(&connection->exchange);
    }
    give_back_request(connection);
    http_output_release(&connection->output);
    buffer_release(&connection->pending);
    list_remove(&connection->link);
    server->counters.connections--;
    free(connection);
    server->on_connection_closed(server);
}

void http_connection_close(struct http_connection *connection)
{
    if (connection->state == HTTP_CONNECTION_ABANDONED || connection->state == HTTP_CONNECTION_CLOSING) {
        return;
    }
    bool is_handled = has_exchange(connection);
    if (is_handled) {
        http_exchange_log(connection, 0);
    }
    http_connection_enter(connection, is_handled ? HTTP_CONNECTION_ABANDONED : HTTP_CONNECTION_CLOSING);
    timer_stop(connection->server->timers, &connection->timer);
    count_queue(connection, 0);
    http_output_stop(&connection->output);
    uv_close(&connection->socket.handle, on_closed);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    struct http_connection *connection = container_of(shutdown, struct http_connection, shutdown);
    if (status < 0 && status != UV_ECANCELED) {
        http_connection_close(connection);
    }
}

/* ---- Reading ---- */

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes);

/* While an exchange runs, no more is read than `pending` can take. A long body is read to where it stays. */
static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *bytes)
{
    struct http_connection *connection = handle->data;
    (void)suggested;
    if (connection->state == HTTP_CONNECTION_BODY) {
        size_t size;
        char *body = http_parser_room(&connection->parser, &size);
        if (body != NULL) {
            *bytes = uv_buf_init(body, (unsigned)size);
            return;
        }
    }
    size_t room = sizeof(connection->server->read_buffer) - connection->pending.size;
    *bytes = uv_buf_init(connection->server->read_buffer, (unsigned)room);
}

static void start_reading(struct http_connection *connection)
{
    if (!connection->is_reading && !connection->has_ended) {
        connection->is_reading = uv_read_start(&connection->socket.stream, on_allocate, on_read) == 0;
    }
}

static void stop_reading(struct http_connection *connection)
{
    uv_read_stop(&connection->socket.stream);
    connection->is_reading = false;
}

/* Whether a further request can come; bytes behind the last one are dropped. */
static bool has_future(const struct http_connection *connection)
{
    return connection->is_persistent && connection->state < HTTP_CONNECTION_LINGERING;
}

static void keep(struct http_connection *connection, struct slice bytes)
{
    if (bytes.size == 0 || !has_future(connection)) {
        return;
    }
    bool fitted = buffer_append(&connection->pending, bytes);
    assert(fitted);
    (void)fitted;
    if (connection->pending.size == connection->pending.ceiling) {
        stop_reading(connection);
    }
}

/* ---- Parsing ---- */

/* RFC 9110 10.1.1. Not when the body is already coming. */
static void send_continue(struct http_connection *connection)
{
    const struct http_request *request = connection->request;
    if (request->expects_continue && !connection->has_continued && request->body.size == 0) {
        struct http_pieces pieces = {.before = slice_text("HTTP/1.1 100 Continue\r\n\r\n")};
        connection->has_continued = true;
        http_connection_send(connection, &pieces);
    }
}

/* False when it is too much for all of us. One that is alone may be as large as a body may be. */
static bool count_body(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    size_t others = server->body_bytes - connection->body_bytes;
    size_t size = connection->request->body.size;
    server->body_bytes = others + size;
    connection->body_bytes = size;
    return others == 0 || server->body_bytes <= LIMIT_HTTP_BODIES_BYTES;
}

static void follow_parser(struct http_connection *connection)
{
    enum http_parser_stage stage = connection->parser.stage;
    bool has_body = stage == HTTP_PARSER_BODY || stage == HTTP_PARSER_COMPLETE;
    if (has_body && !count_body(connection)) {
        http_exchange_refuse(connection, HTTP_REFUSAL_BODIES);
        return;
    }
    switch (stage) {
    case HTTP_PARSER_START:
        break;
    case HTTP_PARSER_HEAD:
        if (connection->state == HTTP_CONNECTION_IDLE) {
            http_connection_enter(connection, HTTP_CONNECTION_HEAD);
        }
        break;
    case HTTP_PARSER_BODY:
        if (connection->state != HTTP_CONNECTION_BODY) {
            http_connection_enter(connection, HTTP_CONNECTION_BODY);
            http_exchange_screen(connection);
        }
        send_continue(connection);
        break;
    case HTTP_PARSER_COMPLETE:
        http_exchange_start(connection);
        break;
    case HTTP_PARSER_REFUSED:
        http_exchange_refuse(connection, connection->parser.refusal);
        break;
    }
}

static void begin_request(struct http_connection *connection)
{
    connection->request = http_server_take_request(connection->server);
    connection->has_continued = false;
    http_parser_begin(&connection->parser, connection->request);
}

/* The parse loop: handlers that answer at once are called one after the other. Returns the bytes that must wait. */
static struct slice process(struct http_connection *connection, struct slice bytes)
{
    while (bytes.size > 0 && is_parsing(connection)) {
        if (connection->request == NULL) {
            begin_request(connection);
        }
        size_t used = http_parser_feed(&connection->parser, bytes);
        bytes = slice_of(bytes.data + used, bytes.size - used);
        follow_parser(connection);
    }
    if (connection->state == HTTP_CONNECTION_IDLE) {
        give_back_request(connection); /* it holds nothing but empty lines */
    }
    return bytes;
}

void http_connection_resume(struct http_connection *connection)
{
    struct buffer taken = connection->pending;
    buffer_init(&connection->pending, LIMIT_HTTP_PIPELINE_BYTES);
    struct slice rest = process(connection, buffer_slice(&taken));
    if (rest.size > 0 && has_future(connection)) {
        buffer_consume(&taken, taken.size - rest.size);
        connection->pending = taken;
    } else {
        buffer_release(&taken);
    }
    if (connection->pending.size < connection->pending.ceiling && connection->state < HTTP_CONNECTION_ABANDONED) {
        start_reading(connection);
    }
    http_deadline_update(connection);
}

/* The client sends no more, which we take for its being gone; but an answer that is complete is still delivered. */
static void on_end(struct http_connection *connection, ssize_t reason)
{
    connection->has_ended = true;
    connection->is_persistent = false;
    if (reason == UV_EOF && connection->state == HTTP_CONNECTION_FLUSHING) {
        stop_reading(connection);
        return;
    }
    http_connection_close(connection);
}

static void on_lingering_bytes(struct http_connection *connection, size_t size)
{
    connection->lingered_bytes += size;
    if (connection->lingered_bytes > LINGER_BYTES) {
        http_connection_close(connection);
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct http_connection *connection = stream->data;
    connection->server->counters.received_bytes += size > 0 ? (uint64_t)size : 0;
    if (size < 0) {
        on_end(connection, size);
    } else if (connection->state == HTTP_CONNECTION_LINGERING) {
        on_lingering_bytes(connection, (size_t)size);
    } else if (size > 0) {
        struct slice rest = slice_of(bytes->base, (size_t)size);
        if (connection->pending.size == 0) {
            rest = process(connection, rest);
        }
        keep(connection, rest);
        http_deadline_update(connection);
    }
}

/* ---- Writing ---- */

static void linger(struct http_connection *connection)
{
    int result = uv_shutdown(&connection->shutdown, &connection->socket.stream, on_shutdown);
    if (result < 0 || connection->has_ended) {
        http_connection_close(connection);
        return;
    }
    http_connection_enter(connection, HTTP_CONNECTION_LINGERING);
    buffer_release(&connection->pending);
    start_reading(connection);
}

void http_connection_finish(struct http_connection *connection)
{
    if (connection->state != HTTP_CONNECTION_FLUSHING || http_output_queued(&connection->output) > 0) {
        return;
    }
    give_back_request(connection);
    connection->has_had_request = true;
    if (connection->is_persistent && !connection->server->is_draining) {
        http_connection_enter(connection, HTTP_CONNECTION_IDLE);
    } else {
        linger(connection);
    }
}

/* What a client took since we counted is heard of only when it has taken all. */
static void count_all_queues(struct http_server *server)
{
    LIST_FOR_EACH(link, &server->connections) {
        struct http_connection *connection = container_of(link, struct http_connection, link);
        if (connection->queued_bytes > 0) {
            count_queue(connection, http_output_queued(&connection->output));
        }
    }
}

static struct http_connection *find_longest_queue(struct http_server *server)
{
    struct http_connection *longest = NULL;
    LIST_FOR_EACH(link, &server->connections) {
        struct http_connection *connection = container_of(link, struct http_connection, link);
        if (longest == NULL || connection->queued_bytes > longest->queued_bytes) {
            longest = connection;
        }
    }
    return longest;
}

/* Memory for those who read is taken from the one who reads least. */
static void cut_longest_queues(struct http_server *server)
{
    if (server->queued_bytes > LIMIT_HTTP_QUEUED_BYTES) {
        count_all_queues(server);
    }
    while (server->queued_bytes > LIMIT_HTTP_QUEUED_BYTES) {
        struct http_connection *longest = find_longest_queue(server);
        assert(longest != NULL);
        if (longest->queued_bytes == server->queued_bytes) {
            return;
        }
        server->counters.cuts++;
        if (log_limit_take(&server->refusal_log)) {
            log_line(server->log, LOG_LEVEL_WARN, server->refusal_log.scope,
                     "cut a client that had not read %zu bytes: all together have too many", longest->queued_bytes);
        }
        http_connection_close(longest);
    }
}

static void on_written(struct http_output *output, int status)
{
    struct http_connection *connection = container_of(output, struct http_connection, output);
    count_queue(connection, http_output_queued(output));
    if (status < 0) {
        http_connection_close(connection);
        return;
    }
    if (connection->state == HTTP_CONNECTION_STREAMING && connection->exchange.on_drained != NULL) {
        connection->exchange.on_drained(&connection->exchange);
    }
    http_connection_finish(connection);
    http_deadline_update(connection);
}

static void count_sent(struct http_connection *connection, const struct http_pieces *pieces, int status)
{
    if (status < 0) {
        http_connection_close(connection);
        return;
    }
    connection->server->counters.sent_bytes += http_pieces_size(pieces);
    count_queue(connection, http_output_queued(&connection->output));
    cut_longest_queues(connection->server);
}

void http_connection_send(struct http_connection *connection, const struct http_pieces *pieces)
{
    count_sent(connection, pieces, http_output_send(&connection->output, pieces));
}

void http_connection_hold(struct http_connection *connection, const struct http_pieces *pieces)
{
    count_sent(connection, pieces, http_output_hold(&connection->output, pieces));
}

/* ---- Opening ---- */

static struct http_connection *new_connection(struct http_server *server)
{
    struct http_connection *connection = memory_new(sizeof(*connection));
    connection->server = server;
    connection->state = HTTP_CONNECTION_IDLE;
    buffer_init(&connection->pending, LIMIT_HTTP_PIPELINE_BYTES);
    http_parser_init(&connection->parser, server->settings.max_body_bytes);
    http_output_init(&connection->output, &connection->socket.stream, &server->turn, on_written);
    list_append(&server->connections, &connection->link);
    server->counters.connections++;
    server->counters.accepted_connections++;
    return connection;
}

void http_connection_open(struct http_server *server, uv_stream_t *listening)
{
    struct http_connection *connection = new_connection(server);
    int result = http_socket_accept(&connection->socket, listening);
    connection->socket.handle.data = connection;
    if (result < 0) {
        http_connection_close(connection);
        return;
    }
    start_reading(connection);
    http_deadline_update(connection);
}
