/*
 * What the connections of one listener have in common: settings, routes, counters, and memory that only one of them
 * needs at a time or that few need at once.
 */
#ifndef SRC_HTTP_SERVER_H
#define SRC_HTTP_SERVER_H

#include "bridge/base/buffer.h"
#include "bridge/base/list.h"
#include "bridge/base/log_limit.h"
#include "bridge/base/timer.h"
#include "bridge/limits.h"
#include "src/http/output.h"
#include "src/http/request.h"
#include "src/http/response.h"
#include "src/http/router.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct http_server_settings {
    size_t max_body_bytes;
    size_t max_connections;
    uint64_t header_timeout_ms;      /* for the whole head, from its first byte; on a new connection from the start */
    uint64_t body_timeout_ms;        /* in each such period a body must bring HTTP_BODY_BYTES_PER_SECOND, or its end */
    uint64_t idle_timeout_ms;        /* between two requests */
    uint64_t write_stall_timeout_ms; /* a client that takes no byte for once to twice this time is closed */
    /*
     * Writes the body of an answer that HTTP itself gives, as JSON. The text needs no escaping, and names the status:
     * "Payload Too Large: the body is ...". NULL for {"error":"<text>"}.
     */
    void (*format_error)(struct buffer *body, int status, const char *text);
    /*
     * Fields that every answer has, whoever gives it: handlers, streams, and HTTP itself, which may have understood
     * only a part of the request. Writes up to HTTP_COMMON_HEADERS, returns how many. NULL for none.
     */
    size_t (*common_headers)(void *context, const struct exchange *exchange, struct header *headers);
    /*
     * Whether a body that does not come at once with its head is worth keeping; asked when the head is there. If not,
     * the handler is called with an empty one, to refuse the request as it would have. NULL: every body is.
     */
    bool (*takes_body)(void *context, const struct exchange *exchange);
    void *context; /* of these two; borrowed */
};

enum { HTTP_COMMON_HEADERS = 4 };

/* A body slower than this is refused: it is what a client does to hold our memory (Apache's default, too). */
enum { HTTP_BODY_BYTES_PER_SECOND = 500 };

struct http_counters {
    size_t connections;            /* open now */
    uint64_t accepted_connections; /* since the start, as are the rest */
    uint64_t requests;             /* handed to a handler or answered with 404 */
    uint64_t refusals;             /* answered by HTTP itself, other than with 404 */
    uint64_t cuts;                 /* connections closed because all together had too much queued */
    uint64_t received_bytes;
    uint64_t sent_bytes; /* handed to sockets, or waiting for them */
    uint64_t pauses;     /* of accepting, for want of a place or a file descriptor */
};

struct http_server {
    uv_loop_t *loop; /* borrowed, as are the next three */
    struct timers *timers;
    struct log *log;
    const struct http_router *router;
    struct http_server_settings settings;
    struct http_counters counters;
    bool is_draining; /* every answer from now on is its connection's last */
    void (*on_connection_closed)(struct http_server *server);

    struct list connections;
    struct http_turn turn; /* the listener opens and closes it */
    struct list spare_requests;
    size_t spare_request_count;
    size_t body_bytes;            /* of the bodies of all requests */
    size_t queued_bytes;          /* that all clients have not taken yet */
    struct log_limit refusal_log; /* clients cause refusals at will */
    struct buffer scratch;        /* heads of answers and events; used within one call */
    struct http_date date;
    char read_buffer[LIMIT_HTTP_PIPELINE_BYTES]; /* used within one call of on_read */
};

/* The fields above the empty line of the struct are set by the caller. */
void http_server_init(struct http_server *server);

/* No connection may be open. */
void http_server_release(struct http_server *server);

/* A cleared request, to be given back. So an idle connection holds none, and a busy server allocates none. */
struct http_request *http_server_take_request(struct http_server *server);
void http_server_give_back(struct http_server *server, struct http_request *request);

/* The body for an answer that HTTP itself gives. */
void http_server_format_error(const struct http_server *server, struct buffer *body, int status, const char *text);

#endif
