/*
 * One client's connection: reads its requests, one exchange at a time, and writes the answers. It frees itself.
 */
#ifndef SRC_HTTP_CONNECTION_H
#define SRC_HTTP_CONNECTION_H

#include "bridge/base/buffer.h"
#include "bridge/base/list.h"
#include "bridge/base/timer.h"
#include "bridge/port.h"
#include "src/http/output.h"
#include "src/http/parser.h"
#include "src/http/server.h"
#include "src/http/socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum http_connection_state {
    HTTP_CONNECTION_IDLE,      /* no byte of a request has come */
    HTTP_CONNECTION_HEAD,      /* a request's head is incomplete */
    HTTP_CONNECTION_BODY,      /* a request's body is incomplete */
    HTTP_CONNECTION_HANDLING,  /* a handler has the exchange and has not begun to answer */
    HTTP_CONNECTION_STREAMING, /* a handler has the exchange and sends events */
    HTTP_CONNECTION_FLUSHING,  /* the exchange has ended; the socket has not taken all of the answer */
    HTTP_CONNECTION_LINGERING, /* our side is shut down; what the client still sends is read and dropped */
    HTTP_CONNECTION_ABANDONED, /* the socket is being closed; the handler that has the exchange does not know it yet */
    HTTP_CONNECTION_CLOSING,   /* the socket is being closed */
};

struct http_connection {
    struct list link;           /* on server->connections */
    struct http_server *server; /* borrowed */
    enum http_connection_state state;
    union http_socket socket;
    struct http_parser parser;
    /* Taken from the server from a request's first byte to its answer's last; else NULL. */
    struct http_request *request;
    struct exchange exchange; /* alive in HANDLING, STREAMING and ABANDONED */
    size_t body_bytes;        /* of the request: what server->body_bytes counts of it */
    size_t queued_bytes;      /* of the output: what server->queued_bytes counts of it */
    struct http_output output;
    struct buffer pending; /* bytes of requests that must wait for the answer to the one before */
    uv_shutdown_t shutdown;
    size_t lingered_bytes;

    uint64_t started_ms;    /* of the exchange: when its handler was called, kept for a log of level debug only */
    uint64_t sent_mark;     /* what had been sent before it, likewise */
    struct timer timer;     /* its meaning is the state's: src/http/deadline.c */
    uint64_t progress_mark; /* what had arrived, or gone out, when the timer was started */
    bool is_deadline_set;   /* the state's deadline has been decided since it was entered */

    bool is_persistent; /* the connection goes on after this answer */
    bool is_reading;
    bool has_ended;     /* the client has shut its side down */
    bool has_continued; /* 100 was sent for this request */
    bool has_had_request;
};

/* Takes the connection that waits at `listening`. It counts in server->counters.connections until it is freed. */
void http_connection_open(struct http_server *server, uv_stream_t *listening);

/* Idempotent. A handler that has the exchange hears on_closed later, from the loop. */
void http_connection_close(struct http_connection *connection);

/* For the modules beside this one. */

void http_connection_enter(struct http_connection *connection, enum http_connection_state state);

/* Sends; closes the connection when the client cannot be reached. */
void http_connection_send(struct http_connection *connection, const struct http_pieces *pieces);

/* The same, together with what else is held in this turn of the loop. */
void http_connection_hold(struct http_connection *connection, const struct http_pieces *pieces);

/* In FLUSHING: goes on to the next request or to the end, if all has been sent. */
void http_connection_finish(struct http_connection *connection);

/* Parses what is pending, as far as the state allows. From the loop only, for it calls handlers. */
void http_connection_resume(struct http_connection *connection);

#endif
