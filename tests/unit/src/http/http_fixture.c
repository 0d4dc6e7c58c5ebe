#include "tests/unit/src/http/http_fixture.h"

#include "bridge/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- The handler ---- */

static void on_exchange_closed(struct exchange *exchange)
{
    struct http_fixture *fixture = exchange->handler;
    fixture->closed_count++;
    fixture->exchange = NULL;
}

static void on_exchange_drained(struct exchange *exchange)
{
    struct http_fixture *fixture = exchange->handler;
    fixture->socket_drained_count++;
}

static void echo(struct exchange *exchange)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "OTHER"};
    const struct header type = {"Content-Type", SLICE_LITERAL("text/plain")};
    const struct slice parts[] = {
        slice_text(methods[exchange->method]),
        SLICE_LITERAL(" "),
        exchange->path,
        SLICE_LITERAL("?"),
        exchange->query,
        SLICE_LITERAL(" "),
        exchange->body,
    };
    exchange->operations->respond(
        exchange,
        &(struct response){.status = 200, .headers = &type, .header_count = 1, .body = parts, .body_count = 7});
}

static void handle(void *context, struct exchange *exchange)
{
    struct http_fixture *fixture = context;
    fixture->handled_count++;
    if (fixture->plan == HTTP_FIXTURE_ECHO) {
        echo(exchange);
        return;
    }
    exchange->handler = fixture;
    exchange->on_closed = on_exchange_closed;
    exchange->on_drained = on_exchange_drained;
    fixture->exchange = exchange;
    if (fixture->plan == HTTP_FIXTURE_STREAM) {
        exchange->operations->open_stream(exchange, NULL, 0);
    }
}

void http_fixture_respond(struct http_fixture *fixture, const char *body)
{
    const struct slice part = slice_text(body);
    struct exchange *exchange = fixture->exchange;
    fixture->exchange = NULL;
    exchange->operations->respond(exchange, &(struct response){.status = 200, .body = &part, .body_count = 1});
}

void http_fixture_send_event(struct http_fixture *fixture, const char *text)
{
    const struct slice part = slice_text(text);
    fixture->exchange->operations->send_event(fixture->exchange, &(struct event){.data = &part, .data_count = 1});
}

/* Every answer to a request with X-Tag says it again. */
static size_t add_tag(void *context, const struct exchange *exchange, struct header *headers)
{
    struct slice tag;
    (void)context;
    size_t count = exchange->operations->header(exchange, "x-tag", &tag);
    headers[0] = (struct header){"X-Tag", tag};
    return count > 0 ? 1 : 0;
}

static bool takes_body(void *context, const struct exchange *exchange)
{
    (void)context;
    return exchange->operations->header(exchange, "x-unwanted", &(struct slice){NULL, 0}) == 0;
}

/* ---- The listener ---- */

static void on_log(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
    struct http_fixture *fixture = container_of(log, struct http_fixture, log);
    (void)scope;
    if (level >= LOG_LEVEL_WARN || fixture->keeps_debug) {
        buffer_add(&fixture->log_text, text);
        buffer_add_text(&fixture->log_text, "\n");
    }
}

static void on_listener_drained(void *owner)
{
    struct http_fixture *fixture = owner;
    fixture->is_drained = true;
}

static void on_listener_closed(void *owner)
{
    struct http_fixture *fixture = owner;
    fixture->is_closed = true;
    fixture->listener = NULL;
}

int http_fixture_open(void **state)
{
    struct http_fixture *fixture = memory_new(sizeof(*fixture));
    *state = fixture;
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    timers_init(&fixture->timers, 1000);
    fixture->log = (struct log){.level = LOG_LEVEL_DEBUG, .write = on_log};
    buffer_init(&fixture->log_text, 0);
    http_router_init(&fixture->router);
    http_router_add(&fixture->router, "/mcp", handle, fixture);
    struct http_listener_options options = {
        .loop = &fixture->loop,
        .timers = &fixture->timers,
        .log = &fixture->log,
        .router = &fixture->router,
        .settings = {.max_body_bytes = HTTP_FIXTURE_MAX_BODY_BYTES,
                     .max_connections = HTTP_FIXTURE_MAX_CONNECTIONS,
                     .header_timeout_ms = HTTP_FIXTURE_HEADER_TIMEOUT_MS,
                     .body_timeout_ms = HTTP_FIXTURE_BODY_TIMEOUT_MS,
                     .idle_timeout_ms = HTTP_FIXTURE_IDLE_TIMEOUT_MS,
                     .write_stall_timeout_ms = HTTP_FIXTURE_STALL_TIMEOUT_MS,
                     .common_headers = add_tag,
                     .takes_body = takes_body},
        .address = "127.0.0.1",
        .owner = fixture,
        .on_drained = on_listener_drained,
        .on_closed = on_listener_closed,
    };
    struct error error;
    fixture->listener = http_listener_open(&options, &error);
    assert_non_null(fixture->listener);
    return 0;
}

int http_fixture_close(void **state)
{
    struct http_fixture *fixture = *state;
    if (fixture->listener != NULL) {
        http_listener_close(fixture->listener);
    }
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->is_closed);
    assert_null(fixture->exchange);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    timers_release(&fixture->timers);
    http_router_release(&fixture->router);
    buffer_release(&fixture->log_text);
    free(fixture);
    return 0;
}

/* ---- Time ---- */

static void receive(struct http_client *client)
{
    for (;;) {
        char *room = buffer_reserve(&client->received, 65536);
        ssize_t size = recv(client->socket, room, 65536, 0);
        if (size > 0) {
            buffer_grown(&client->received, (size_t)size);
            continue;
        }
        if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
            client->has_ended = true;
            client->error = size == 0 ? 0 : errno;
        }
        return;
    }
}

void http_fixture_turn(struct http_fixture *fixture, struct http_client *client)
{
    /* Waits a moment for either side, so that waiting in vain does not burn a processor. */
    struct pollfd polled[2] = {{.fd = uv_backend_fd(&fixture->loop), .events = POLLIN},
                               {.fd = client != NULL && !client->has_ended ? client->socket : -1, .events = POLLIN}};
    poll(polled, 2, 1);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    timers_run(&fixture->timers, fixture->timers.now_ms);
    if (client != NULL && !client->has_ended) {
        receive(client);
    }
}

void http_fixture_settle(struct http_fixture *fixture, struct http_client *client)
{
    for (int i = 0; i < 10; i++) {
        http_fixture_turn(fixture, client);
    }
}

void http_fixture_advance(struct http_fixture *fixture, uint64_t delay_ms)
{
    timers_run(&fixture->timers, fixture->timers.now_ms + delay_ms);
}

/* ---- Clients ---- */

void http_client_open(struct http_client *client, const struct http_fixture *fixture)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_listener_port(fixture->listener))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *client = (struct http_client){.socket = socket(AF_INET, SOCK_STREAM, 0)};
    buffer_init(&client->received, 0);
    assert_int_equal(connect(client->socket, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(client->socket, F_SETFL, O_NONBLOCK), 0);
}

void http_client_close(struct http_client *client)
{
    close(client->socket);
    buffer_release(&client->received);
}

void http_client_send_bytes(struct http_client *client, struct http_fixture *fixture, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t size = send(client->socket, bytes.data, bytes.size, 0);
        if (size < 0 && errno != EAGAIN) {
            return; /* the server has refused the rest */
        }
        if (size > 0) {
            bytes = slice_of(bytes.data + size, bytes.size - (size_t)size);
        }
        http_fixture_turn(fixture, client);
    }
}

void http_client_send(struct http_client *client, struct http_fixture *fixture, const char *text)
{
    http_client_send_bytes(client, fixture, slice_text(text));
}

size_t http_client_count(const struct http_client *client, const char *text)
{
    struct slice rest = buffer_slice(&client->received);
    size_t count = 0;
    for (const char *found; (found = memmem(rest.data, rest.size, text, strlen(text))) != NULL; count++) {
        size_t skipped = (size_t)(found - rest.data) + strlen(text);
        rest = slice_of(rest.data + skipped, rest.size - skipped);
    }
    return count;
}

bool http_client_has(const struct http_client *client, const char *text)
{
    return http_client_count(client, text) > 0;
}

void http_client_expect(struct http_client *client, struct http_fixture *fixture, const char *text)
{
    for (uint64_t until_ns = uv_hrtime() + 5000000000u; !http_client_has(client, text);) {
        http_fixture_turn(fixture, client);
        if (uv_hrtime() > until_ns) {
            fail_msg("waited in vain for \"%s\" in \"%.*s\"", text, SLICE_PRINT(buffer_slice(&client->received)));
        }
    }
}

void http_client_expect_end(struct http_client *client, struct http_fixture *fixture)
{
    HTTP_FIXTURE_UNTIL(fixture, client, client->has_ended);
}
