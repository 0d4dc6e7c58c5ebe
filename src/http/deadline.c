/*
 * state                 the timer runs for             and then
 * IDLE                  idle_timeout (the first time:  closed in silence
 *                       header_timeout)
 * IDLE, bytes pending   no time                        they are parsed: not from within respond(), whose caller does
 *                                                      not expect the next exchange
 * HEAD                  header_timeout in all          408; one byte now and then does not help
 * BODY                  body_timeout                   408, unless it brought enough: then once more
 * HANDLING              for ever                       the handler has its own patience
 * STREAMING, FLUSHING   write_stall_timeout, while     closed, unless the client took something: then once more
 *                       bytes are queued
 * LINGERING             LINGER_TIMEOUT_MS              closed
 */
#include "src/http/deadline.h"

#include "bridge/base/memory.h"
#include "src/http/exchange.h"

/* Time to read our last answer before the socket is closed. */
enum { LINGER_TIMEOUT_MS = 2000 };

static const uint64_t FOR_EVER = UINT64_MAX;

static uint64_t delay_of(const struct http_connection *connection)
{
    const struct http_server_settings *settings = &connection->server->settings;
    switch (connection->state) {
    case HTTP_CONNECTION_IDLE:
        if (connection->pending.size > 0) {
            return 0;
        }
        return connection->has_had_request ? settings->idle_timeout_ms : settings->header_timeout_ms;
    case HTTP_CONNECTION_HEAD:
        return settings->header_timeout_ms;
    case HTTP_CONNECTION_BODY:
        return settings->body_timeout_ms;
    case HTTP_CONNECTION_STREAMING:
    case HTTP_CONNECTION_FLUSHING:
        return http_output_queued(&connection->output) > 0 ? settings->write_stall_timeout_ms : FOR_EVER;
    case HTTP_CONNECTION_LINGERING:
        return LINGER_TIMEOUT_MS;
    case HTTP_CONNECTION_HANDLING:
    case HTTP_CONNECTION_ABANDONED:
    case HTTP_CONNECTION_CLOSING:
        break;
    }
    return FOR_EVER;
}

/* What the client has brought us, or taken from us. */
static uint64_t progress_of(const struct http_connection *connection)
{
    if (connection->state == HTTP_CONNECTION_BODY) {
        return connection->request->body.size + connection->request->dropped_bytes;
    }
    return http_output_taken_bytes(&connection->output);
}

static bool is_slow(const struct http_connection *connection)
{
    uint64_t progress = progress_of(connection) - connection->progress_mark;
    if (connection->state == HTTP_CONNECTION_BODY) {
        return progress < connection->server->settings.body_timeout_ms * HTTP_BODY_BYTES_PER_SECOND / 1000;
    }
    return progress == 0;
}

static void on_timeout(struct timer *timer);

static void start(struct http_connection *connection, uint64_t delay_ms)
{
    connection->progress_mark = progress_of(connection);
    timer_start(connection->server->timers, &connection->timer, delay_ms, on_timeout);
}

static void expire(struct http_connection *connection)
{
    switch (connection->state) {
    case HTTP_CONNECTION_HEAD:
        http_exchange_refuse(connection, HTTP_REFUSAL_HEAD_TIMEOUT);
        break;
    case HTTP_CONNECTION_BODY:
        http_exchange_refuse(connection, HTTP_REFUSAL_BODY_TIMEOUT);
        break;
    case HTTP_CONNECTION_IDLE:
    case HTTP_CONNECTION_HANDLING:
    case HTTP_CONNECTION_STREAMING:
    case HTTP_CONNECTION_FLUSHING:
    case HTTP_CONNECTION_LINGERING:
    case HTTP_CONNECTION_ABANDONED:
    case HTTP_CONNECTION_CLOSING:
        http_connection_close(connection);
        break;
    }
}

static bool is_measured(enum http_connection_state state)
{
    return state == HTTP_CONNECTION_BODY || state == HTTP_CONNECTION_STREAMING || state == HTTP_CONNECTION_FLUSHING;
}

static void on_timeout(struct timer *timer)
{
    struct http_connection *connection = container_of(timer, struct http_connection, timer);
    if (connection->state == HTTP_CONNECTION_IDLE && connection->pending.size > 0) {
        http_connection_resume(connection);
    } else if (is_measured(connection->state) && !is_slow(connection)) {
        start(connection, delay_of(connection));
    } else {
        expire(connection);
    }
}

void http_deadline_update(struct http_connection *connection)
{
    uint64_t delay_ms = delay_of(connection);
    if (delay_ms == FOR_EVER) {
        timer_stop(connection->server->timers, &connection->timer);
    } else if (!connection->is_deadline_set || !timer_is_running(&connection->timer)) {
        start(connection, delay_ms);
    }
    connection->is_deadline_set = true;
}
