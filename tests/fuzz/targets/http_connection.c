/*
 * Whole connections over real sockets, with a clock that the input moves: whatever comes in whatever parts, every
 * request that the parser takes reaches the handler once and in order, gets one answer that is well-formed, and every
 * exchange ends exactly once, also when the client vanishes or time runs out. In the end nothing is left.
 *
 * Input: how the handler answers (two bits: at once, later, as a stream, as a stream later) and what disturbs (bit 2:
 * the client vanishes, bit 3: it shuts its side down, bit 4: time passes between the parts), the seed of the cuts, then
 * what the client sends.
 */
#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "src/http/listener.h"
#include "src/http/parser.h"
#include "tests/fuzz/event_parser.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_BODY_BYTES = 2000, MAX_REQUESTS = 64, PATIENCE_MS = 5000 };
enum { PLAN_LATER = 1, PLAN_STREAM = 2, PLAN_VANISH = 4, PLAN_SHUTDOWN = 8, PLAN_WAIT = 16 };

/* A request that must be answered, as the parser alone sees it. */
struct expected {
    enum exchange_method method;
    int minor_version;
    int status; /* 0: the handler's answer */
    struct buffer text;
};

static struct {
    uv_loop_t loop;
    struct timers timers;
    struct log log;
    struct http_router router;
    struct http_listener *listener;
    bool is_open;

    /* Of the input at hand. */
    unsigned plan;
    struct expected expected[MAX_REQUESTS];
    size_t expected_count;
    bool ends; /* the server closes after the last answer */
    size_t handled;
    size_t ended;
    struct exchange *exchange; /* the one that is kept */
    struct buffer text;        /* what it is to be answered */

    int client;
    struct buffer received;
    bool has_ended; /* the server has closed */
} world;

/* ---- The handler ---- */

static void describe(struct buffer *text, enum exchange_method method, struct slice path, struct slice body)
{
    buffer_add_format(text, "%d %zu ", (int)method, body.size);
    buffer_add(text, path);
    buffer_add_text(text, " ");
    for (size_t i = 0; i < body.size; i++) {
        buffer_add_format(text, "%02x", (unsigned char)body.data[i]);
    }
}

static void answer_kept(void)
{
    struct exchange *exchange = world.exchange;
    struct slice part = buffer_slice(&world.text);
    world.exchange = NULL;
    world.ended++;
    if ((world.plan & PLAN_STREAM) != 0) {
        exchange->operations->send_event(exchange, &(struct event){.data = &part, .data_count = 1});
        exchange->operations->close_stream(exchange);
    } else {
        exchange->operations->respond(exchange, &(struct response){.status = 200, .body = &part, .body_count = 1});
    }
}

static void on_exchange_closed(struct exchange *exchange)
{
    FUZZ_REQUIRE(world.exchange == exchange);
    world.exchange = NULL;
    world.ended++;
}

static void handle(void *context, struct exchange *exchange)
{
    (void)context;
    FUZZ_REQUIRE(world.exchange == NULL);
    size_t number = world.handled++;
    exchange->on_closed = on_exchange_closed;
    world.exchange = exchange;
    buffer_clear(&world.text, SIZE_MAX);
    describe(&world.text, exchange->method, exchange->path, exchange->body);
    /* The n-th exchange is the n-th request that has a handler. */
    size_t found = 0;
    while (found < world.expected_count && (world.expected[found].status != 0 || number-- > 0)) {
        found++;
    }
    FUZZ_REQUIRE(found < world.expected_count);
    FUZZ_REQUIRE(slice_equals(buffer_slice(&world.text), buffer_slice(&world.expected[found].text)));
    if ((world.plan & PLAN_STREAM) != 0) {
        exchange->operations->open_stream(exchange, NULL, 0);
        exchange->operations->send_comment(exchange, "open");
    }
    if ((world.plan & PLAN_LATER) == 0) {
        answer_kept();
    }
}

/* ---- The server, opened once ---- */

static void on_log(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
    (void)log;
    (void)level;
    (void)scope;
    (void)text;
}

static void open_world(void)
{
    struct error error;
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    FUZZ_REQUIRE(uv_loop_init(&world.loop) == 0);
    timers_init(&world.timers, 1000);
    world.log = (struct log){.level = LOG_LEVEL_ERROR, .write = on_log};
    http_router_init(&world.router);
    http_router_add(&world.router, "/mcp", handle, NULL);
    buffer_init(&world.text, 0);
    buffer_init(&world.received, 0);
    struct http_listener_options options = {
        .loop = &world.loop,
        .timers = &world.timers,
        .log = &world.log,
        .router = &world.router,
        .settings = {.max_body_bytes = MAX_BODY_BYTES,
                     .max_connections = 16,
                     .header_timeout_ms = 100,
                     .body_timeout_ms = 100,
                     .idle_timeout_ms = 100,
                     .write_stall_timeout_ms = 100},
        .address = "127.0.0.1",
    };
    world.listener = http_listener_open(&options, &error);
    FUZZ_REQUIRE(world.listener != NULL);
    world.is_open = true;
}

/* ---- What must come ---- */

static int expected_status(const struct http_parser *parser)
{
    if (parser->stage == HTTP_PARSER_REFUSED) {
        return http_refusal_status(parser->refusal);
    }
    return http_router_find(&world.router, parser->request->path) != NULL ? 0 : 404;
}

static void expect(const struct http_parser *parser)
{
    const struct http_request *request = parser->request;
    struct expected *expected = &world.expected[world.expected_count++];
    *expected = (struct expected){
        .method = request->method,
        .minor_version = request->minor_version,
        .status = expected_status(parser),
    };
    buffer_init(&expected->text, 0);
    describe(&expected->text, request->method, request->path, buffer_slice(&request->body));
    bool is_refused = parser->stage == HTTP_PARSER_REFUSED;
    bool is_streamed = expected->status == 0 && (world.plan & PLAN_STREAM) != 0;
    world.ends = is_refused || !request->is_persistent || (is_streamed && request->minor_version == 0);
}

/* The requests in the bytes, with the parser but without any connection. */
static void expect_all(struct slice bytes)
{
    struct http_parser parser;
    http_parser_init(&parser, MAX_BODY_BYTES);
    world.ends = false;
    while (bytes.size > 0 && !world.ends && world.expected_count < MAX_REQUESTS) {
        struct http_request *request = http_request_new();
        http_parser_begin(&parser, request);
        size_t used = http_parser_feed(&parser, bytes);
        bytes = slice_of(bytes.data + used, bytes.size - used);
        if (parser.stage == HTTP_PARSER_COMPLETE || parser.stage == HTTP_PARSER_REFUSED) {
            expect(&parser);
        }
        http_request_free(request);
    }
}

/* ---- The client ---- */

static void receive(void)
{
    while (world.client >= 0 && !world.has_ended) {
        char *room = buffer_reserve(&world.received, 65536);
        ssize_t size = recv(world.client, room, 65536, 0);
        if (size > 0) {
            buffer_grown(&world.received, (size_t)size);
        } else if (size == 0 || errno != EAGAIN) {
            world.has_ended = true;
        } else {
            return;
        }
    }
}

static void turn(void)
{
    uv_run(&world.loop, UV_RUN_NOWAIT);
    timers_run(&world.timers, world.timers.now_ms);
    receive();
}

static void connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_listener_port(world.listener))};
    const struct linger linger = {.l_onoff = 1};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    world.client = socket(AF_INET, SOCK_STREAM, 0);
    FUZZ_REQUIRE(world.client >= 0);
    /* A reset at the end: else the ports wait a minute each. */
    setsockopt(world.client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    while (connect(world.client, (struct sockaddr *)&address, sizeof(address)) != 0) {
        FUZZ_REQUIRE(errno == EADDRNOTAVAIL || errno == EINTR);
        poll(NULL, 0, 10);
    }
    FUZZ_REQUIRE(fcntl(world.client, F_SETFL, O_NONBLOCK) == 0);
    world.has_ended = false;
    buffer_clear(&world.received, SIZE_MAX);
    for (int turns = 0; http_listener_counters(world.listener)->connections == 0; turns++) {
        turn();
        FUZZ_REQUIRE(turns < PATIENCE_MS);
    }
}

static void leave(void)
{
    if (world.client >= 0) {
        close(world.client);
        world.client = -1;
    }
}

static void disturb(struct fuzz_dice *dice)
{
    if ((world.plan & PLAN_WAIT) != 0) {
        timers_run(&world.timers, world.timers.now_ms + fuzz_roll(dice, 60));
    }
    if ((world.plan & PLAN_VANISH) != 0 && fuzz_roll(dice, 8) == 0) {
        leave();
    }
    if ((world.plan & PLAN_SHUTDOWN) != 0 && fuzz_roll(dice, 8) == 0 && world.client >= 0) {
        shutdown(world.client, SHUT_WR);
    }
    if (world.exchange != NULL && (world.plan & PLAN_LATER) != 0 && fuzz_roll(dice, 4) == 0) {
        answer_kept();
    }
}

static void send_all(struct slice bytes, struct fuzz_dice *dice)
{
    while (bytes.size > 0 && world.client >= 0 && !world.has_ended) {
        struct slice part = fuzz_take_part(dice, &bytes);
        if (send(world.client, part.data, part.size, 0) != (ssize_t)part.size) {
            return; /* the server has closed */
        }
        turn();
        disturb(dice);
    }
}

/* ---- The answers ---- */

struct answer {
    int status;
    struct slice body;
    struct buffer chunks; /* owned: the body when it came in chunks */
};

static size_t header_number(struct slice head, const char *name, bool *is_there)
{
    const char *at = memmem(head.data, head.size, name, strlen(name));
    *is_there = at != NULL;
    return at != NULL ? strtoul(at + strlen(name), NULL, 10) : 0;
}

/* Takes one answer off the front; false when it is not whole. What is wrong with it ends the run. */
static bool take_answer(struct slice *rest, const struct expected *expected, struct answer *answer)
{
    static const char start[] = "HTTP/1.1 ";
    const char *end = rest->size > 0 ? memmem(rest->data, rest->size, "\r\n\r\n", 4) : NULL;
    if (end == NULL) {
        return false;
    }
    struct slice head = slice_of(rest->data, (size_t)(end + 4 - rest->data));
    FUZZ_REQUIRE(slice_starts_with(head, start));
    answer->status = (int)strtol(head.data + sizeof(start) - 1, NULL, 10);
    *rest = slice_of(rest->data + head.size, rest->size - head.size);
    if (answer->status == 100) {
        return take_answer(rest, expected, answer);
    }
    bool has_length;
    bool is_chunked;
    size_t size = header_number(head, "\r\nContent-Length: ", &has_length);
    header_number(head, "\r\nTransfer-Encoding: chunked\r\n", &is_chunked);
    FUZZ_REQUIRE(!has_length || !is_chunked);
    buffer_init(&answer->chunks, 0);
    if (expected->method == EXCHANGE_HEAD) {
        size = 0;
    } else if (is_chunked) {
        if (!event_parser_take_chunks(rest, &answer->chunks)) {
            return false;
        }
        answer->body = buffer_slice(&answer->chunks);
        return true;
    } else if (!has_length) {
        size = rest->size; /* up to the end of the connection */
        if (!world.has_ended) {
            return false;
        }
    }
    if (rest->size < size) {
        return false;
    }
    answer->body = slice_of(rest->data, size);
    *rest = slice_of(rest->data + size, rest->size - size);
    return true;
}

/* 400 and the ceilings of a head, which may come in either order: see targets/http_parser.c. */
static bool is_of_head(int status)
{
    return status == 400 || status == 414 || status == 431;
}

static void require_answer(const struct answer *answer, const struct expected *expected)
{
    int status = expected->status != 0 ? expected->status : 200;
    FUZZ_REQUIRE(answer->status == status || (is_of_head(answer->status) && is_of_head(status)));
    if (expected->status != 0 || expected->method == EXCHANGE_HEAD) {
        return;
    }
    if ((world.plan & PLAN_STREAM) == 0) {
        FUZZ_REQUIRE(slice_equals(answer->body, buffer_slice(&expected->text)));
        return;
    }
    struct event_parser parser;
    event_parser_read(&parser, answer->body);
    FUZZ_REQUIRE(parser.is_whole && parser.count == 1 && parser.comments == 1);
    FUZZ_REQUIRE(slice_equals(parser.events[0].data, buffer_slice(&expected->text)));
    event_parser_release(&parser);
}

/* Whether every answer is there; with `is_final`, each of them is looked at. */
static bool has_all_answers(bool is_final)
{
    struct slice rest = buffer_slice(&world.received);
    for (size_t i = 0; i < world.expected_count; i++) {
        struct answer answer = {.status = 0};
        buffer_init(&answer.chunks, 0);
        bool is_there = take_answer(&rest, &world.expected[i], &answer);
        if (is_there && is_final) {
            require_answer(&answer, &world.expected[i]);
        }
        buffer_release(&answer.chunks);
        if (!is_there) {
            return false;
        }
    }
    /* Behind the last there may be a 100 for a body that never ended. */
    FUZZ_REQUIRE(rest.size == 0 || slice_is(rest, "HTTP/1.1 100 Continue\r\n\r\n"));
    return true;
}

static void wait_for_answers(void)
{
    for (int turns = 0; !has_all_answers(false) || (world.ends && !world.has_ended); turns++) {
        if (world.exchange != NULL) {
            answer_kept();
        }
        turn();
        poll(NULL, 0, turns < 20 ? 0 : 1); /* the sockets are the kernel's; mostly it has no delay at all */
        FUZZ_REQUIRE(turns < PATIENCE_MS);
    }
    FUZZ_REQUIRE(has_all_answers(true));
    size_t own = 0;
    for (size_t i = 0; i < world.expected_count; i++) {
        own += world.expected[i].status == 0;
    }
    FUZZ_REQUIRE(world.handled == own);
}

static void wait_for_end(void)
{
    leave();
    for (int turns = 0; http_listener_counters(world.listener)->connections > 0; turns++) {
        turn();
        poll(NULL, 0, turns < 20 ? 0 : 1);
        FUZZ_REQUIRE(turns < PATIENCE_MS);
    }
    FUZZ_REQUIRE(world.exchange == NULL && world.handled == world.ended);
    FUZZ_REQUIRE(http_listener_counters(world.listener)->connections == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    if (!world.is_open) {
        open_world();
    }
    world.plan = fuzz_take_byte(&bytes);
    struct fuzz_dice dice = fuzz_dice_of(fuzz_take_byte(&bytes));
    expect_all(bytes);
    if (world.expected_count < MAX_REQUESTS) {
        connect_client();
        send_all(bytes, &dice);
        if ((world.plan & (PLAN_VANISH | PLAN_SHUTDOWN | PLAN_WAIT)) == 0) {
            wait_for_answers();
        }
        wait_for_end();
    }
    for (size_t i = 0; i < world.expected_count; i++) {
        buffer_release(&world.expected[i].text);
    }
    world.expected_count = 0;
    world.handled = 0;
    world.ended = 0;
    return 0;
}
