/*
 *                 a place is free
 *             +---------------------+
 *             v                     |
 *         LISTENING ------------> FULL        the connection that waits stays in the kernel, or in libuv's hands,
 *             |     no place left   |         which then stops polling for more
 *             +----------+----------+
 *                        v
 *                    DRAINING ---> DRAINED    the socket is closed; connections end one by one
 *                        |            |
 *                        +-----+------+
 *                              v              (from every state)
 *                           CLOSING ---> freed
 *
 * Places are limited by max_connections and by file descriptors: accept() that fails with EMFILE cannot be waited for
 * (the socket stays readable), so we stop before, while some are left for everybody else in the process.
 */
#include "src/http/listener.h"

#include "bridge/base/memory.h"
#include "src/http/connection.h"

#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LISTENER_BACKLOG = 1024,
    /* File descriptors that are left to the rest of the process: children's pipes, above all. */
    LISTENER_SPARE_DESCRIPTORS = 32,
    /* How often to look for a place when none of our own connections closes. */
    LISTENER_RETRY_MS = 1000,
    /* At most one warning in this time. */
    LISTENER_WARNING_MS = 60 * 1000,
};

enum listener_state {
    LISTENER_LISTENING, /* connections are accepted */
    LISTENER_FULL,      /* no place for another connection */
    LISTENER_DRAINING,  /* the socket is closed or being closed, connections are left */
    LISTENER_DRAINED,   /* the socket is closed, no connection is left */
    LISTENER_CLOSING,   /* everything is being closed */
};

struct http_listener {
    struct http_server server;
    enum listener_state state;
    uv_tcp_t socket;
    /* Never started. Its end is what on_closed waits for when nothing else is open. */
    uv_prepare_t anchor;
    size_t open_handles; /* of the two above */
    int port;
    size_t descriptor_ceiling; /* connections with this file descriptor or a higher one are the last */
    bool is_near_ceiling;      /* the last connection accepted was such a one */
    bool has_waiting;          /* libuv holds a connection for us to accept */
    struct timer retry;
    uint64_t quiet_until_ms; /* no warning before */
    void *owner;
    void (*on_drained)(void *owner);
    void (*on_closed)(void *owner);
};

#define BIT(state) (1u << LISTENER_##state)

static const struct {
    const char *name;
    unsigned followers;
} states[] = {
    [LISTENER_LISTENING] = {"listening", BIT(FULL) | BIT(DRAINING) | BIT(CLOSING)},
    [LISTENER_FULL] = {"full", BIT(LISTENING) | BIT(DRAINING) | BIT(CLOSING)},
    [LISTENER_DRAINING] = {"draining", BIT(DRAINED) | BIT(CLOSING)},
    [LISTENER_DRAINED] = {"drained", BIT(CLOSING)},
    [LISTENER_CLOSING] = {"closing", 0},
};

static void enter(struct http_listener *listener, enum listener_state state)
{
    assert((states[listener->state].followers & (1u << state)) != 0);
    log_line(listener->server.log, LOG_LEVEL_DEBUG, slice_text("http"), "listener on port %d: %s -> %s", listener->port,
             states[listener->state].name, states[state].name);
    listener->state = state;
}

/* ---- Accepting ---- */

static bool is_full(const struct http_listener *listener)
{
    const struct http_server *server = &listener->server;
    return server->counters.connections >= server->settings.max_connections || listener->is_near_ceiling;
}

static void warn(struct http_listener *listener, const char *text)
{
    uint64_t now_ms = timers_now(listener->server.timers);
    if (now_ms >= listener->quiet_until_ms) {
        listener->quiet_until_ms = now_ms + LISTENER_WARNING_MS;
        log_line(listener->server.log, LOG_LEVEL_WARN, slice_text("http"),
                 "%s with %zu connections open; new ones wait until one closes", text,
                 listener->server.counters.connections);
    }
}

static void on_retry(struct timer *timer);

static void pause_accepting(struct http_listener *listener)
{
    listener->server.counters.pauses++;
    warn(listener, listener->is_near_ceiling ? "file descriptors run out" : "the limit of connections is reached");
    enter(listener, LISTENER_FULL);
    timer_start(listener->server.timers, &listener->retry, LISTENER_RETRY_MS, on_retry);
}

/* The kernel gives the lowest free number, so a high one means that few are left. */
static bool took_high_descriptor(const struct http_listener *listener)
{
    const struct list *last = listener->server.connections.previous;
    const struct http_connection *connection = container_of(last, struct http_connection, link);
    uv_os_fd_t descriptor;
    if (uv_fileno(&connection->socket.handle, &descriptor) < 0) {
        return false;
    }
    return (size_t)descriptor >= listener->descriptor_ceiling;
}

static void accept_waiting(struct http_listener *listener)
{
    listener->has_waiting = false;
    http_connection_open(&listener->server, (uv_stream_t *)&listener->socket);
    listener->is_near_ceiling = took_high_descriptor(listener);
    if (listener->state == LISTENER_LISTENING && is_full(listener)) {
        pause_accepting(listener);
    }
}

static void on_connection(uv_stream_t *socket, int status)
{
    struct http_listener *listener = socket->data;
    if (status < 0) {
        warn(listener, uv_strerror(status));
        return;
    }
    listener->has_waiting = true;
    if (listener->state == LISTENER_LISTENING) {
        accept_waiting(listener);
    }
}

static void resume_accepting(struct http_listener *listener)
{
    if (listener->state != LISTENER_FULL || is_full(listener)) {
        return;
    }
    timer_stop(listener->server.timers, &listener->retry);
    enter(listener, LISTENER_LISTENING);
    if (listener->has_waiting) {
        accept_waiting(listener);
    }
}

/* Whether somebody in the process has closed something meanwhile. */
static bool is_low_descriptor_free(const struct http_listener *listener)
{
    uv_os_fd_t socket;
    if (uv_fileno((const uv_handle_t *)&listener->socket, &socket) < 0) {
        return false;
    }
    int lowest = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (lowest >= 0) {
        close(lowest);
    }
    return lowest >= 0 && (size_t)lowest < listener->descriptor_ceiling;
}

static void on_retry(struct timer *timer)
{
    struct http_listener *listener = container_of(timer, struct http_listener, retry);
    timer_start(listener->server.timers, &listener->retry, LISTENER_RETRY_MS, on_retry);
    listener->is_near_ceiling = listener->is_near_ceiling && !is_low_descriptor_free(listener);
    resume_accepting(listener);
}

/* ---- The end ---- */

static void settle(struct http_listener *listener)
{
    if (!list_is_empty(&listener->server.connections)) {
        return;
    }
    if (listener->state == LISTENER_DRAINING && listener->open_handles == 1) {
        enter(listener, LISTENER_DRAINED);
        if (listener->on_drained != NULL) {
            listener->on_drained(listener->owner);
        }
    } else if (listener->state == LISTENER_CLOSING && listener->open_handles == 0) {
        void (*on_closed)(void *owner) = listener->on_closed;
        void *owner = listener->owner;
        http_server_release(&listener->server);
        free(listener);
        if (on_closed != NULL) {
            on_closed(owner);
        }
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_listener *listener = handle->data;
    listener->open_handles--;
    settle(listener);
}

static void on_connection_closed(struct http_server *server)
{
    struct http_listener *listener = container_of(server, struct http_listener, server);
    listener->is_near_ceiling = false; /* one comes for one that went */
    resume_accepting(listener);
    settle(listener);
}

static void close_socket(struct http_listener *listener)
{
    timer_stop(listener->server.timers, &listener->retry);
    if (!uv_is_closing((uv_handle_t *)&listener->socket)) {
        uv_close((uv_handle_t *)&listener->socket, on_handle_closed);
    }
}

void http_listener_drain(struct http_listener *listener)
{
    if (listener->server.is_draining || listener->state == LISTENER_CLOSING) {
        return;
    }
    listener->server.is_draining = true;
    enter(listener, LISTENER_DRAINING);
    close_socket(listener);
    LIST_FOR_EACH(link, &listener->server.connections) {
        struct http_connection *connection = container_of(link, struct http_connection, link);
        if (connection->state == HTTP_CONNECTION_IDLE && connection->pending.size == 0) {
            http_connection_close(connection);
        }
    }
}

void http_listener_close(struct http_listener *listener)
{
    if (listener->state == LISTENER_CLOSING) {
        return;
    }
    enter(listener, LISTENER_CLOSING);
    close_socket(listener);
    uv_close((uv_handle_t *)&listener->anchor, on_handle_closed);
    LIST_FOR_EACH(link, &listener->server.connections) {
        http_connection_close(container_of(link, struct http_connection, link));
    }
}

/* ---- Opening ---- */

/* Without the brackets of "[::1]". False when it is no address. */
static bool parse_address(const char *text, int port, struct sockaddr_storage *address)
{
    char host[64];
    struct slice slice = slice_is(slice_text(text), "localhost") ? slice_text("127.0.0.1") : slice_text(text);
    if (slice.size > 2 && slice.data[0] == '[' && slice.data[slice.size - 1] == ']') {
        slice = slice_of(slice.data + 1, slice.size - 2);
    }
    if (slice.size >= sizeof(host)) {
        return false;
    }
    memcpy(host, slice.data, slice.size);
    host[slice.size] = '\0';
    return uv_ip4_addr(host, port, (struct sockaddr_in *)address) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *)address) == 0;
}

static size_t find_descriptor_ceiling(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return SIZE_MAX;
    }
    return limit.rlim_cur > LISTENER_SPARE_DESCRIPTORS ? (size_t)limit.rlim_cur - LISTENER_SPARE_DESCRIPTORS : 0;
}

static struct http_listener *new_listener(const struct http_listener_options *options)
{
    struct http_listener *listener = memory_new(sizeof(*listener));
    struct http_server *server = &listener->server;
    server->loop = options->loop;
    server->timers = options->timers;
    server->log = options->log;
    server->router = options->router;
    server->settings = options->settings;
    server->on_connection_closed = on_connection_closed;
    http_server_init(server);
    listener->state = LISTENER_LISTENING;
    listener->descriptor_ceiling = find_descriptor_ceiling();
    listener->owner = options->owner;
    uv_tcp_init(server->loop, &listener->socket);
    uv_prepare_init(server->loop, &listener->anchor);
    listener->open_handles = 2;
    listener->socket.data = listener;
    listener->anchor.data = listener;
    return listener;
}

static int start_listening(struct http_listener *listener, const struct sockaddr_storage *address)
{
    int result = uv_tcp_bind(&listener->socket, (const struct sockaddr *)address, 0);
    if (result == 0) {
        result = uv_listen((uv_stream_t *)&listener->socket, LISTENER_BACKLOG, on_connection);
    }
    struct sockaddr_storage bound;
    int size = sizeof(bound);
    if (result == 0) {
        result = uv_tcp_getsockname(&listener->socket, (struct sockaddr *)&bound, &size);
    }
    if (result == 0) {
        /* The port stands at the same place in both families. */
        listener->port = ntohs(((const struct sockaddr_in *)&bound)->sin_port);
    }
    return result;
}

struct http_listener *http_listener_open(const struct http_listener_options *options, struct error *error)
{
    struct sockaddr_storage address;
    if (options->port < 0 || options->port > 65535 || !parse_address(options->address, options->port, &address)) {
        error_set(error, "cannot listen on %s port %d: not an address in numbers, or not a port", options->address,
                  options->port);
        return NULL;
    }
    struct http_listener *listener = new_listener(options);
    int result = start_listening(listener, &address);
    if (result < 0) {
        error_set(error, "cannot listen on %s port %d: %s", options->address, options->port, uv_strerror(result));
        http_listener_close(listener); /* it has no owner to tell yet */
        return NULL;
    }
    listener->on_drained = options->on_drained;
    listener->on_closed = options->on_closed;
    return listener;
}

int http_listener_port(const struct http_listener *listener)
{
    return listener->port;
}

const struct http_counters *http_listener_counters(const struct http_listener *listener)
{
    return &listener->server.counters;
}
