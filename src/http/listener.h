/*
 * A listening socket and all connections that came through it. The way into src/http: whoever builds the program needs
 * this header and router.h.
 */
#ifndef SRC_HTTP_LISTENER_H
#define SRC_HTTP_LISTENER_H

#include "bridge/base/error.h"
#include "bridge/base/log.h"
#include "bridge/base/timer.h"
#include "src/http/router.h"
#include "src/http/server.h"
#include "src/http/socket.h"

#include <uv.h>

struct http_listener;

/* What to open. Everything pointed at is borrowed: address during the call, the rest until on_closed. */
struct http_listener_options {
    uv_loop_t *loop;
    struct timers *timers; /* their clock must be moved before the loop's callbacks run */
    struct log *log;
    const struct http_router *router;
    struct http_server_settings settings;
    const char *address;             /* see http_address_read() */
    int port;                        /* 0 lets the system choose: http_listener_port() */
    unsigned mode;                   /* permissions of a Unix socket */
    int descriptor;                  /* a socket that listens already, in place of address and port; 0 for none */
    void *owner;                     /* goes to the callbacks, which come from the loop, never from within a call */
    void (*on_drained)(void *owner); /* after drain: no connection is left. May be NULL */
    void (*on_closed)(void *owner);  /* after close: every handle is closed and the listener is freed */
};

/* Binds and listens. NULL with *error set when that fails; the loop must then run once to drop the socket. */
struct http_listener *http_listener_open(const struct http_listener_options *options, struct error *error)
    __attribute__((warn_unused_result));

/* Where it listens, once it does. */
const struct http_address *http_listener_address(const struct http_listener *listener);

/* The port in use; 0 for a Unix socket. */
int http_listener_port(const struct http_listener *listener);

/* Bytes that clients have not taken yet, of all connections. */
size_t http_listener_queued(const struct http_listener *listener);

/* Its numbers, which change as it runs. */
const struct http_counters *http_listener_counters(const struct http_listener *listener);

/*
 * Stops accepting and closes idle connections; each answer from now on ends its connection, so on_drained comes when
 * the last exchange has ended. Streams are the handlers' to end. Idempotent.
 */
void http_listener_drain(struct http_listener *listener);

/* Closes everything, at once; exchanges hear on_closed before the owner does. Idempotent. */
void http_listener_close(struct http_listener *listener);

#endif
