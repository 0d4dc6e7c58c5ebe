#include "tests/bench/load_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 18, EVENTS = 256 };
enum { FIELD_OTHER, FIELD_TYPE, FIELD_SESSION };

static int epoll_fd = -1;
static struct sockaddr_in address;
static const struct wire_events *wire_events;
static unsigned reconnects;
static char read_buffer[READ_BYTES];

/* ---- The answer ---- */

static struct wire *wire_of(llhttp_t *parser)
{
    return parser->data;
}

static void add(char *into, size_t *size, size_t room, struct view bytes)
{
    for (size_t i = 0; i < bytes.size && *size + 1 < room; i++) {
        into[(*size)++] = bytes.data[i];
    }
    into[*size] = '\0';
}

static int on_field(llhttp_t *parser, const char *at, size_t size)
{
    struct wire *wire = wire_of(parser);
    add(wire->name, &wire->name_size, sizeof(wire->name), (struct view){at, size});
    return 0;
}

static int on_field_complete(llhttp_t *parser)
{
    struct wire *wire = wire_of(parser);
    wire->header = FIELD_OTHER;
    if (wire->name_size == 12 && strcasecmp(wire->name, "Content-Type") == 0) {
        wire->header = FIELD_TYPE;
    } else if (wire->name_size == 14 && strcasecmp(wire->name, "Mcp-Session-Id") == 0) {
        wire->header = FIELD_SESSION;
    }
    wire->name_size = 0;
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    struct wire *wire = wire_of(parser);
    if (wire->header == FIELD_TYPE) {
        add(wire->type, &wire->type_size, sizeof(wire->type), (struct view){at, size});
    } else if (wire->header == FIELD_SESSION) {
        add(wire->session, &wire->session_size, sizeof(wire->session), (struct view){at, size});
    }
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct wire *wire = wire_of(parser);
    wire->status = parser->status_code;
    wire->is_stream = strncasecmp(wire->type, "text/event-stream", 17) == 0;
    if (wire->keeps_stream && wire->status == 200 && wire->is_stream) {
        wire->is_busy = false;
        wire->events->on_listening(wire);
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    struct wire *wire = wire_of(parser);
    if (!wire->keeps_stream) {
        text_add(&wire->body, at, size);
    }
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    wire_of(parser)->is_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_field,
    .on_header_field_complete = on_field_complete,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- The connection ---- */

void wire_setup(int port, const struct wire_events *events)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    wire_events = events;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

void wire_init(struct wire *wire)
{
    *wire = (struct wire){.fd = -1, .events = wire_events};
}

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0) {
        close(wire->fd);
    }
    wire->fd = -1;
    wire->is_busy = false;
}

static void fail(struct wire *wire, const char *text)
{
    wire_close(wire);
    wire->events->on_failed(wire, text);
}

static bool connect_wire(struct wire *wire)
{
    int one = 1;
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (wire->fd < 0 || connect(wire->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        return false;
    }
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = wire};
    wire->is_writable_awaited = false;
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wire->fd, &event) == 0;
}

static void await_writable(struct wire *wire, bool is_awaited)
{
    if (wire->is_writable_awaited != is_awaited) {
        struct epoll_event event = {.events = EPOLLIN | (is_awaited ? EPOLLOUT : 0u), .data.ptr = wire};
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, wire->fd, &event);
        wire->is_writable_awaited = is_awaited;
    }
}

static void write_rest(struct wire *wire)
{
    size_t left = wire->request->size - wire->sent;
    ssize_t written = send(wire->fd, wire->request->data + wire->sent, left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN && errno != EINTR && errno != EPIPE && errno != ECONNRESET) {
        fail(wire, strerror(errno));
        return;
    }
    /* A peer that refuses may close before it has read everything: its answer is still there to be read. */
    bool is_refused = written < 0 && (errno == EPIPE || errno == ECONNRESET);
    wire->sent += written > 0 ? (size_t)written : is_refused ? left : 0;
    await_writable(wire, wire->sent < wire->request->size);
}

void wire_send(struct wire *wire, const struct text *request, bool keeps_stream)
{
    wire->request = request;
    wire->sent = 0;
    wire->keeps_stream = keeps_stream;
    wire->is_complete = false;
    wire->is_busy = true;
    wire->status = 0;
    wire->type_size = 0;
    wire->type[0] = '\0';
    wire->session_size = 0;
    wire->session[0] = '\0';
    wire->name_size = 0;
    wire->body.size = 0;
    llhttp_init(&wire->parser, HTTP_RESPONSE, &settings);
    wire->parser.data = wire;
    if (wire->fd < 0 && !connect_wire(wire)) {
        fail(wire, strerror(errno));
        return;
    }
    write_rest(wire);
}

static void finish(struct wire *wire, bool keeps_alive)
{
    wire->is_busy = false;
    if (!keeps_alive) {
        wire_close(wire);
    }
    wire->events->on_answer(wire);
}

static void on_end(struct wire *wire)
{
    if (wire->is_busy && llhttp_finish(&wire->parser) == HPE_OK && wire->is_complete) {
        finish(wire, false);
    } else if (wire->is_busy || wire->keeps_stream) {
        fail(wire, "the connection was closed before the answer's end");
    } else {
        reconnects++;
        wire_close(wire);
    }
}

static void on_readable(struct wire *wire)
{
    ssize_t size = recv(wire->fd, read_buffer, sizeof(read_buffer), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size <= 0) {
        on_end(wire);
        return;
    }
    if (!wire->is_busy && !wire->keeps_stream) {
        fail(wire, "bytes that nobody asked for");
        return;
    }
    llhttp_errno_t result = llhttp_execute(&wire->parser, read_buffer, (size_t)size);
    if (wire->is_complete) {
        finish(wire, llhttp_should_keep_alive(&wire->parser) != 0);
    } else if (result != HPE_OK) {
        fail(wire, llhttp_get_error_reason(&wire->parser));
    }
}

void wire_turn(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct wire *wire = events[i].data.ptr;
        if (wire->fd >= 0 && (events[i].events & EPOLLOUT) != 0 && wire->is_busy) {
            write_rest(wire);
        }
        if (wire->fd >= 0 && (events[i].events & ~(uint32_t)EPOLLOUT) != 0) {
            on_readable(wire);
        }
    }
}

unsigned wire_reconnects(void)
{
    return reconnects;
}
