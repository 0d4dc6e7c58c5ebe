/*
 * What the stack can do at all: HTTP/1.1 on libuv and llhttp in front of one child, without a look at JSON. A body
 * becomes a line, and the child's lines answer the requests in their order: our server keeps it. There are no limits,
 * no timeouts, no ids, no sessions, and one write for each message. The measure for mcp-bridge, nothing to use.
 *
 *     relay PORT sockets|pipes SERVER
 */
#include <assert.h>
#include <llhttp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

struct bytes {
    char *data;
    size_t size;
    size_t capacity;
};

struct client {
    uv_tcp_t socket;
    llhttp_t parser;
    struct bytes body;
    struct client *next; /* in the queue of those that wait for an answer */
    bool is_waiting;
    bool is_streaming;
    bool is_gone;
};

struct rest {
    uv_write_t write;
    char bytes[];
};

static uv_loop_t *loop;
static uv_pipe_t to_child;
static uv_pipe_t from_child;
static struct client *first;
static struct client **last = &first;
static struct bytes line;
static char read_buffer[1 << 16];

static void append(struct bytes *bytes, const char *data, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        bytes->capacity = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        assert(bytes->data != NULL);
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static uv_buf_t buffer_of(const char *bytes, size_t size)
{
    return uv_buf_init((char *)(uintptr_t)bytes, (unsigned)size);
}

static void on_rest_written(uv_write_t *write, int status)
{
    (void)status;
    free(write->data);
}

/* Writes at once what the stream takes, and a copy of the rest when it can. */
static void send_all(uv_stream_t *stream, uv_buf_t *parts, unsigned count)
{
    int result = uv_stream_get_write_queue_size(stream) == 0 ? uv_try_write(stream, parts, count) : 0;
    size_t taken = result > 0 ? (size_t)result : 0;
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        size += parts[i].len;
    }
    if (taken == size || (result < 0 && result != UV_EAGAIN)) {
        return;
    }
    struct rest *rest = malloc(sizeof(*rest) + size - taken);
    assert(rest != NULL);
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t skipped = taken < parts[i].len ? taken : parts[i].len;
        memcpy(rest->bytes + at, parts[i].base + skipped, parts[i].len - skipped);
        at += parts[i].len - skipped;
        taken -= skipped;
    }
    rest->write.data = rest;
    uv_buf_t buffer = buffer_of(rest->bytes, at);
    uv_write(&rest->write, stream, &buffer, 1, on_rest_written);
}

static void send_text(struct client *client, const char *text)
{
    uv_buf_t part = buffer_of(text, strlen(text));
    send_all((uv_stream_t *)&client->socket, &part, 1);
}

static void on_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    client->is_gone = true;
    if (!client->is_waiting) {
        free(client->body.data);
        free(client);
    }
}

static void answer(struct client *client, const char *bytes, size_t size)
{
    char head[160];
    int head_size = snprintf(head, sizeof(head),
                             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\n\r\n",
                             size);
    uv_buf_t parts[] = {buffer_of(head, (size_t)head_size), buffer_of(bytes, size)};
    send_all((uv_stream_t *)&client->socket, parts, 2);
}

/* A progress notification of the call at the head of the queue. */
static void send_event(struct client *client, const char *bytes, size_t size)
{
    char head[256];
    const char *start = client->is_streaming ? ""
                                             : "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                               "Transfer-Encoding: chunked\r\n\r\n";
    int head_size = snprintf(head, sizeof(head), "%s%zx\r\nevent: message\ndata: ", start, size + 23);
    uv_buf_t parts[] = {buffer_of(head, (size_t)head_size), buffer_of(bytes, size), buffer_of("\n\n\r\n", 4)};
    client->is_streaming = true;
    send_all((uv_stream_t *)&client->socket, parts, 3);
}

static bool is_answer(const char *bytes, size_t size)
{
    static const char start[] = "{\"jsonrpc\":\"2.0\",\"id\"";
    return size >= sizeof(start) - 1 && memcmp(bytes, start, sizeof(start) - 1) == 0;
}

static void on_line(const char *bytes, size_t size)
{
    struct client *client = first;
    assert(client != NULL);
    bool is_last = is_answer(bytes, size);
    if (is_last) {
        first = client->next;
        last = first == NULL ? &first : last;
        client->is_waiting = false;
    }
    if (client->is_gone) {
        if (is_last) {
            on_closed((uv_handle_t *)&client->socket);
        }
    } else if (!is_last || client->is_streaming) {
        send_event(client, bytes, size);
        if (is_last) {
            client->is_streaming = false;
            send_text(client, "0\r\n\r\n");
        }
    } else {
        answer(client, bytes, size);
    }
}

static void on_child_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    (void)stream;
    assert(size >= 0);
    const char *at = buffer->base;
    const char *end = at + size;
    const char *line_end;
    while (at < end && (line_end = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (line.size > 0) {
            append(&line, at, (size_t)(line_end - at));
            on_line(line.data, line.size);
            line.size = 0;
        } else {
            on_line(at, (size_t)(line_end - at));
        }
        at = line_end + 1;
    }
    append(&line, at, (size_t)(end - at));
}

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    struct client *client = parser->data;
    append(&client->body, at, size);
    return 0;
}

/* Whether the body is a notification: the load client writes the id second. */
static int on_message_complete(llhttp_t *parser)
{
    struct client *client = parser->data;
    if (parser->method == HTTP_GET) {
        send_text(client, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        return 0;
    }
    bool is_waiting = parser->method == HTTP_POST && is_answer(client->body.data, client->body.size);
    if (is_waiting) {
        client->is_waiting = true;
        client->next = NULL;
        *last = client;
        last = &client->next;
    }
    if (parser->method == HTTP_POST) {
        uv_buf_t parts[] = {buffer_of(client->body.data, client->body.size), buffer_of("\n", 1)};
        send_all((uv_stream_t *)&to_child, parts, 2);
    }
    client->body.size = 0;
    if (!is_waiting) {
        send_text(client, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    }
    return 0;
}

static const llhttp_settings_t settings = {.on_body = on_body, .on_message_complete = on_message_complete};

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(read_buffer, sizeof(read_buffer));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct client *client = stream->data;
    if (size < 0 || llhttp_execute(&client->parser, buffer->base, (size_t)size) != HPE_OK) {
        uv_close((uv_handle_t *)stream, on_closed);
    }
}

static void on_connection(uv_stream_t *listening, int status)
{
    (void)status;
    struct client *client = calloc(1, sizeof(*client));
    assert(client != NULL);
    uv_tcp_init(loop, &client->socket);
    client->socket.data = client;
    llhttp_init(&client->parser, HTTP_REQUEST, &settings);
    client->parser.data = client;
    int result = uv_accept(listening, (uv_stream_t *)&client->socket);
    assert(result == 0);
    uv_tcp_nodelay(&client->socket, 1);
    uv_read_start((uv_stream_t *)&client->socket, on_allocate, on_read);
}

/* Both ends of what joins us to the child, as libuv makes it: two sockets, or a pipe. [0] is read from. */
static void join(bool has_pipes, uv_file ends[2], bool we_read)
{
    int ours = UV_NONBLOCK_PIPE;
    int result = has_pipes ? uv_pipe(ends, we_read ? ours : 0, we_read ? 0 : ours)
                           : uv_socketpair(SOCK_STREAM, 0, ends, we_read ? ours : 0, we_read ? 0 : ours);
    assert(result == 0);
    (void)result;
}

static void start_child(bool has_pipes, char **command)
{
    static uv_process_t process;
    uv_file in[2];
    uv_file out[2];
    join(has_pipes, in, false);
    join(has_pipes, out, true);
    uv_stdio_container_t stdio[] = {
        {.flags = UV_INHERIT_FD, .data.fd = in[0]},
        {.flags = UV_INHERIT_FD, .data.fd = out[1]},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    const uv_process_options_t options = {.file = command[0], .args = command, .stdio = stdio, .stdio_count = 3};
    int result = uv_spawn(loop, &process, &options);
    assert(result == 0);
    close(in[0]);
    close(out[1]);
    uv_pipe_init(loop, &to_child, 0);
    uv_pipe_init(loop, &from_child, 0);
    uv_pipe_open(&to_child, in[1]);
    uv_pipe_open(&from_child, out[0]);
    uv_read_start((uv_stream_t *)&from_child, on_allocate, on_child_output);
}

int main(int argc, char **argv)
{
    static uv_tcp_t listening;
    struct sockaddr_in address;
    assert(argc > 3);
    loop = uv_default_loop();
    signal(SIGPIPE, SIG_IGN);
    uv_ip4_addr("127.0.0.1", (int)strtol(argv[1], NULL, 10), &address);
    uv_tcp_init(loop, &listening);
    int result = uv_tcp_bind(&listening, (const struct sockaddr *)&address, 0);
    assert(result == 0);
    start_child(strcmp(argv[2], "pipes") == 0, argv + 3);
    result = uv_listen((uv_stream_t *)&listening, 511, on_connection);
    assert(result == 0);
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
