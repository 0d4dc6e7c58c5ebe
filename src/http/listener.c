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
    union http_socket socket;
    size_t open_handles;         /* of the socket, and of the server's turn: on_closed always has one to wait for */
    struct http_address address; /* in use */
    size_t descriptor_ceiling;   /* connections with this file descriptor or a higher one are the last */
    bool is_near_ceiling;        /* the last connection accepted was such a one */
    bool has_waiting;            /* libuv holds a connection for us to accept */
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
    log_line(listener->server.log, LOG_LEVEL_DEBUG, slice_text("http"), "listener on port %d: %s -> %s",
             http_address_port(&listener->address), states[listener->state].name, states[state].name);
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
    http_connection_open(&listener->server, &listener->socket.stream);
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
    if (uv_fileno(&listener->socket.handle, &socket) < 0) {
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
    if (!uv_is_closing(&listener->socket.handle)) {
        uv_close(&listener->socket.handle, on_handle_closed);
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
    uv_close((uv_handle_t *)&listener->server.turn.end, on_handle_closed);
    LIST_FOR_EACH(link, &listener->server.connections) {
        http_connection_close(container_of(link, struct http_connection, link));
    }
}

/* ---- Opening ---- */

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
    http_turn_open(&server->turn, server->loop);
    server->turn.end.data = listener;
    listener->open_handles = 2;
    return listener;
}

/* Where the kernel has put it: port 0 has become a number. */
static int find_address(struct http_listener *listener)
{
    int size = sizeof(listener->address.name);
    bool is_tcp = listener->socket.handle.type == UV_TCP;
    return is_tcp ? uv_tcp_getsockname(&listener->socket.tcp, (struct sockaddr *)&listener->address.name, &size) : 0;
}

static int start_listening(struct http_listener *listener)
{
    int result = http_socket_bind(listener->server.loop, &listener->socket, &listener->address);
    listener->socket.handle.data = listener;
    if (result == 0) {
        result = uv_listen(&listener->socket.stream, LISTENER_BACKLOG, on_connection);
    }
    return result == 0 ? find_address(listener) : result;
}

static int resolve(const struct http_listener_options *options, struct http_address *address, struct error *error)
{
    if (options->descriptor > 0) {
        return http_address_inherit(address, options->descriptor, error);
    }
    address->mode = options->mode;
    return http_address_read(address, options->address, options->port, error) == 0 ? http_address_clear(address, error)
                                                                                   : -1;
}

static void set_error(struct error *error, const struct http_listener_options *options, int result)
{
    if (options->descriptor > 0) {
        error_set(error, "cannot listen on file descriptor %d: %s", options->descriptor, uv_strerror(result));
    } else if (strncmp(options->address, HTTP_UNIX_PREFIX, sizeof(HTTP_UNIX_PREFIX) - 1) == 0) {
        error_set(error, "cannot listen on %s: %s; its directory must be there, and writable", options->address,
                  uv_strerror(result));
    } else {
        error_set(error, "cannot listen on %s port %d: %s; --host and --port name another", options->address,
                  options->port, uv_strerror(result));
    }
}

struct http_listener *http_listener_open(const struct http_listener_options *options, struct error *error)
{
    struct http_address address = {.descriptor = 0};
    if (resolve(options, &address, error) != 0) {
        return NULL;
    }
    struct http_listener *listener = new_listener(options);
    listener->address = address;
    int result = start_listening(listener);
    if (result < 0) {
        set_error(error, options, result);
        http_listener_close(listener); /* it has no owner to tell yet */
        return NULL;
    }
    listener->on_drained = options->on_drained;
    listener->on_closed = options->on_closed;
    return listener;
}

const struct http_address *http_listener_address(const struct http_listener *listener)
{
    return &listener->address;
}

int http_listener_port(const struct http_listener *listener)
{
    return http_address_port(&listener->address);
}

const struct http_counters *http_listener_counters(const struct http_listener *listener)
{
    return &listener->server.counters;
}

size_t http_listener_queued(const struct http_listener *listener)
{
    return listener->server.queued_bytes;
}
