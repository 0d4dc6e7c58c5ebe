/*
 * The kinds of socket that a listener has: TCP over IPv4 and IPv6, a Unix socket at a path, and one that was opened
 * for us by who started us.
 */
#ifndef SRC_HTTP_SOCKET_H
#define SRC_HTTP_SOCKET_H

#include "bridge/base/error.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

union http_socket {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

/* From where a listening socket can be reached. */
enum http_reach {
    HTTP_REACH_LOOPBACK, /* this machine, its web browsers included */
    HTTP_REACH_UNIX,     /* this machine, by who may open the path; browsers cannot */
    HTTP_REACH_NETWORK,  /* other machines, for all we know */
};

/* In front of the path of a Unix socket, where an address is written as text. */
#define HTTP_UNIX_PREFIX "unix:"

/* Where to listen. */
struct http_address {
    struct sockaddr_storage name;
    unsigned mode;  /* of a Unix socket: its permissions */
    int descriptor; /* a socket that is bound already; 0 for none */
};

/*
 * Reads "unix:PATH", an IPv4 or IPv6 address in numbers, also in brackets, or "localhost", which is 127.0.0.1. Writes
 * the name only. -1 with an error that says what is wrong.
 */
int http_address_read(struct http_address *address, const char *text, int port, struct error *error)
    __attribute__((warn_unused_result));

/* Takes a socket that listens already. -1 when the descriptor is none. */
int http_address_inherit(struct http_address *address, int descriptor, struct error *error)
    __attribute__((warn_unused_result));

/*
 * Removes the socket that a bridge left behind which could not do it itself. -1 when the path is somebody's: a socket
 * on which somebody listens, or no socket at all. Nothing to do for other addresses.
 */
int http_address_clear(const struct http_address *address, struct error *error) __attribute__((warn_unused_result));

/* The handle is initialized and must be closed, also after a negative libuv code. */
int http_socket_bind(uv_loop_t *loop, union http_socket *socket, const struct http_address *address)
    __attribute__((warn_unused_result));

/* Accepts the connection that waits at `listening`. The same as to the handle. */
int http_socket_accept(union http_socket *socket, uv_stream_t *listening) __attribute__((warn_unused_result));

enum http_reach http_address_reach(const struct http_address *address);

/* 0 for a Unix socket. */
int http_address_port(const struct http_address *address);

/* "127.0.0.1:8000", "[::1]:8000", "unix:/run/mcp.sock". */
void http_address_print(const struct http_address *address, char *text, size_t size);

#endif
