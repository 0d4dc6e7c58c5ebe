#include "src/http/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX_BODY_BYTES = 100 };

struct parse {
    struct http_parser parser;
    struct http_request *request;
    size_t used;
};

static void parse_open(struct parse *parse)
{
    http_parser_init(&parse->parser, MAX_BODY_BYTES);
    parse->request = http_request_new();
    http_parser_begin(&parse->parser, parse->request);
    parse->used = 0;
}

static bool is_done(const struct parse *parse)
{
    return parse->parser.stage == HTTP_PARSER_COMPLETE || parse->parser.stage == HTTP_PARSER_REFUSED;
}

/* Feeds `step` bytes at a time, each from memory of its own, so that a look outside is noticed. */
static void parse_feed(struct parse *parse, struct slice bytes, size_t step)
{
    while (bytes.size > 0 && !is_done(parse)) {
        size_t size = bytes.size < step ? bytes.size : step;
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, bytes.data, size);
        size_t used = http_parser_feed(&parse->parser, slice_of(copy, size));
        free(copy);
        parse->used += used;
        bytes = slice_of(bytes.data + used, bytes.size - used);
    }
}

static void assert_refused_in_steps(struct slice bytes, enum http_refusal refusal, size_t step)
{
    struct parse parse;
    parse_open(&parse);
    parse_feed(&parse, bytes, step);
    if (parse.parser.stage != HTTP_PARSER_REFUSED || parse.parser.refusal != refusal) {
        fail_msg("stage %d, refusal %d instead of %d, in steps of %zu: %.*s", (int)parse.parser.stage,
                 (int)parse.parser.refusal, (int)refusal, step, SLICE_PRINT(bytes));
    }
    http_request_free(parse.request);
}

static void assert_refused_bytes(struct slice bytes, enum http_refusal refusal)
{
    assert_refused_in_steps(bytes, refusal, bytes.size);
    assert_refused_in_steps(bytes, refusal, 1);
    assert_refused_in_steps(bytes, refusal, 3);
}

#define ASSERT_REFUSED(text, refusal) assert_refused_bytes(slice_of("" text, sizeof(text) - 1), HTTP_REFUSAL_##refusal)

/* Complete, in whole and in steps, up to the last byte, with this path and body. */
static void assert_accepted_in_steps(struct slice bytes, const char *path, const char *body, size_t step)
{
    struct parse parse;
    parse_open(&parse);
    parse_feed(&parse, bytes, step);
    if (parse.parser.stage != HTTP_PARSER_COMPLETE) {
        fail_msg("stage %d, refusal %d: %.*s", (int)parse.parser.stage, (int)parse.parser.refusal, SLICE_PRINT(bytes));
    }
    assert_int_equal(parse.used, bytes.size);
    assert_true(slice_is(parse.request->path, path));
    assert_true(slice_is(buffer_slice(&parse.request->body), body));
    http_request_free(parse.request);
}

static void assert_accepted(const char *text, const char *path, const char *body)
{
    struct slice bytes = slice_text(text);
    assert_accepted_in_steps(bytes, path, body, bytes.size);
    assert_accepted_in_steps(bytes, path, body, 1);
    assert_accepted_in_steps(bytes, path, body, 7);
}

#define GET "GET /a HTTP/1.1\r\nHost: x\r\n"
#define POST "POST /a HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static void a_request_keeps_its_fields(void **state)
{
    struct parse parse;
    struct slice value;
    (void)state;
    for (size_t step = 1; step < 100; step += 6) {
        parse_open(&parse);
        parse_feed(&parse, slice_text(GET "X-One:  a b \t\r\nEMPTY:\r\nx-one: second\r\nLast: \xff\r\n\r\nrest"), step);
        assert_int_equal(parse.parser.stage, HTTP_PARSER_COMPLETE);
        assert_int_equal(http_request_field(parse.request, "x-one", &value), 2);
        assert_true(slice_is(value, "a b"));
        assert_int_equal(http_request_field(parse.request, "empty", &value), 1);
        assert_true(slice_exists(value) && value.size == 0);
        assert_int_equal(http_request_field(parse.request, "last", &value), 1);
        assert_true(slice_is(value, "\xff"));
        assert_int_equal(http_request_field(parse.request, "x-two", &value), 0);
        assert_false(slice_exists(value));
        assert_int_equal(parse.request->method, EXCHANGE_GET);
        assert_true(parse.request->is_persistent);
        http_request_free(parse.request);
    }
}

static void a_target_is_cut_into_path_and_query(void **state)
{
    struct parse parse;
    (void)state;
    parse_open(&parse);
    parse_feed(&parse, slice_text("GET /mcp/?a=b?c HTTP/1.1\r\nHost: x\r\n\r\n"), 1000);
    assert_true(slice_is(parse.request->path, "/mcp/"));
    assert_true(slice_is(parse.request->query, "a=b?c"));
    http_request_free(parse.request);
    parse_open(&parse);
    parse_feed(&parse, slice_text(GET "\r\n"), 1000);
    assert_false(slice_exists(parse.request->query));
    http_request_free(parse.request);
}

static void well_formed_requests_are_accepted(void **state)
{
    (void)state;
    assert_accepted(GET "\r\n", "/a", "");
    assert_accepted("\r\n\r\n" GET "\r\n", "/a", "");
    assert_accepted(POST "Content-Length: 5\r\n\r\nhello", "/a", "hello");
    assert_accepted(POST "Content-Length: 0\r\n\r\n", "/a", "");
    assert_accepted(CHUNKED "5;x=\"y\"\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: 1\r\n\r\n", "/a", "hello!");
    assert_accepted(POST "transfer-encoding: Chunked\r\n\r\n0\r\n\r\n", "/a", "");
    assert_accepted("GET /a HTTP/1.0\r\n\r\n", "/a", "");
    assert_accepted("GET /a HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", "/a", "");
}

static void an_absolute_target_that_agrees_with_host_is_accepted(void **state)
{
    (void)state;
    assert_accepted("GET http://X:80/a?b HTTP/1.1\r\nHost: x:80\r\n\r\n", "/a", "");
    assert_accepted("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", "/", "");
    assert_accepted("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "*", "");
    ASSERT_REFUSED("GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n", HOST);
    ASSERT_REFUSED("GET http://u@x/a HTTP/1.1\r\nHost: x\r\n\r\n", HOST);
    ASSERT_REFUSED("GET http://x/a HTTP/1.0\r\n\r\n", HOST);
}

static void an_upgrade_is_passed_over(void **state)
{
    (void)state;
    assert_accepted(GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", "/a", "");
    assert_accepted(POST "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nab", "/a", "ab");
}

static void targets_in_other_forms_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED("GET * HTTP/1.1\r\nHost: x\r\n\r\n", TARGET);
    ASSERT_REFUSED("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", TARGET);
    ASSERT_REFUSED("GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n", TARGET);
    ASSERT_REFUSED("GET a HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET /a\x01 HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
}

static void host_must_be_there_once_and_valid(void **state)
{
    (void)state;
    ASSERT_REFUSED("GET /a HTTP/1.1\r\n\r\n", HOST);
    ASSERT_REFUSED("GET /a HTTP/1.1\r\nHost:\r\n\r\n", HOST);
    ASSERT_REFUSED(GET "Host: x\r\n\r\n", HOST);
    ASSERT_REFUSED("GET /a HTTP/1.1\r\nHost: x y\r\n\r\n", HOST);
    ASSERT_REFUSED("GET /a HTTP/1.1\r\nHost: x,y\r\n\r\n", HOST);
    ASSERT_REFUSED("GET /a HTTP/1.1\r\nHost: u@x\r\n\r\n", HOST);
    ASSERT_REFUSED("GET /a HTTP/1.1\r\nHost: x/\r\n\r\n", HOST);
    ASSERT_REFUSED("GET /a HTTP/1.1\r\nHost: \xff\r\n\r\n", HOST);
    ASSERT_REFUSED("GET /a HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", HOST);
}

static void ambiguous_lengths_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(POST "Transfer-Encoding:\r\n\r\n", FRAMING);
    ASSERT_REFUSED(POST "Transfer-Encoding:\r\nContent-Length: 4\r\n\r\nabcd", FRAMING);
    ASSERT_REFUSED("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", FRAMING);
    ASSERT_REFUSED(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length: 3, 3\r\n\r\nabc", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length: +3\r\n\r\nabc", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length: -3\r\n\r\nabc", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length:\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length: 99999999999999999999999\r\n\r\n", MALFORMED);
}

static void transfer_codings_other_than_chunked_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(POST "Transfer-Encoding: gzip\r\n\r\n", CODING);
    ASSERT_REFUSED(POST "Transfer-Encoding: identity\r\n\r\n", CODING);
    ASSERT_REFUSED(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", CODING);
    ASSERT_REFUSED(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", CODING);
    ASSERT_REFUSED(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", CODING);
    ASSERT_REFUSED(POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(POST "Transfer-Encoding: \x0b"
                        "chunked\r\n\r\n0\r\n\r\n",
                   MALFORMED);
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED("GET / HTTP/2.0\r\nHost: x\r\n\r\n", VERSION);
    ASSERT_REFUSED("GET / HTTP/1.2\r\nHost: x\r\n\r\n", VERSION);
    ASSERT_REFUSED("GET / HTTP/0.9\r\nHost: x\r\n\r\n", VERSION);
    ASSERT_REFUSED("GET / RTSP/1.0\r\nHost: x\r\n\r\n", VERSION);
    ASSERT_REFUSED("SOURCE / ICE/1.0\r\nHost: x\r\n\r\n", VERSION);
    ASSERT_REFUSED("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION);
}

static void what_is_no_http_is_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED("\x16\x03\x01\x02\x00\x01", MALFORMED);
    ASSERT_REFUSED("HELO there\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("get / HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET / http/1.1\r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET / HTTP/1.1\nHost: x\n\n", MALFORMED);
    ASSERT_REFUSED("GET / HTTP/1.1\rHost: x\r\r", MALFORMED);
    ASSERT_REFUSED("GET / HTTP/1.1 \r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", METHOD);
}

static void the_parts_of_a_request_line_stand_one_space_apart(void **state)
{
    (void)state;
    ASSERT_REFUSED("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET /  HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET /\tHTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
}

static void odd_header_lines_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(GET "A: b\r\n c\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A: b\r\n\tc\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A:\r\n b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A:\r\n \r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A: b\r\n\t\r\nC: d\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "0\r\nA:\r\n \r\n\r\n", MALFORMED);
    ASSERT_REFUSED(POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length:\r\n 2\r\n\r\nab", MALFORMED);
    ASSERT_REFUSED("GET / HTTP/1.1\r\n Host: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A : b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A(: b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET ": b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "no colon\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A: b\0c\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A\0: b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A: b\x01\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A: b\rc\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A: b\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "\rX", MALFORMED);
}

/* In the name of a field that llhttp knows, in a part of it, and in any other; at its start, inside and at its end. */
static void a_name_has_no_byte_that_is_none_of_a_tokens(void **state)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char *const names[] = {"?",
                                        "x?",
                                        "?x",
                                        "x?y",
                                        "a-name-of-more-than-sixteen-byte?s",
                                        "content?length",
                                        "content-length?",
                                        "connection?",
                                        "transfer-e?ncoding",
                                        "upgrade?"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (int byte = 1; byte < 256; byte++) {
            char head[128];
            char trailer[128];
            snprintf(head, sizeof(head), GET "%s: 0\r\n\r\n", names[i]);
            snprintf(trailer, sizeof(trailer), CHUNKED "0\r\n%s: 0\r\n\r\n", names[i]);
            *strchr(head, '?') = (char)byte;
            *strchr(trailer, '?') = (char)byte;
            if (strchr(token, byte) != NULL) {
                assert_accepted(head, "/a", "");
                assert_accepted(trailer, "/a", "");
            } else if (byte != ':' && byte != '\r') {
                assert_refused_bytes(slice_text(head), HTTP_REFUSAL_MALFORMED);
                assert_refused_bytes(slice_text(trailer), HTTP_REFUSAL_MALFORMED);
            }
        }
    }
}

/* Who takes it for the end of a line, and who does not, sees two requests where the other sees one. */
static void a_line_feed_alone_ends_no_line(void **state)
{
    (void)state;
    ASSERT_REFUSED("GET / HTTP/1.1\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET / HTTP/1.0\n\r\n", MALFORMED);
    ASSERT_REFUSED("GET / HTTP/1.0\r\n\n", MALFORMED);
    ASSERT_REFUSED(GET "\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A: b\n\r\n", MALFORMED);
    ASSERT_REFUSED(GET "A: b\nC: d\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(POST "Content-Length: 2\r\n\nab", MALFORMED);
    ASSERT_REFUSED(CHUNKED "2\r\nab\r\n0\r\n\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "2\r\nab\r\n0\r\nA: b\r\n\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "2\r\nab\r\n0\nA: b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\n2\r\nab\r\n0\r\n\r\n", MALFORMED);
}

static void odd_trailers_are_refused(void **state)
{
    (void)state;
    assert_accepted(CHUNKED "2\r\nab\r\n0\r\nA: b\r\nC:\r\n\r\n", "/a", "ab");
    ASSERT_REFUSED(CHUNKED "0\r\n: b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "0\r\nA: b\r\n: c\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "0\r\nA : b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "0\r\nA(: b\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "0\r\nA: b\r\n c\r\n\r\n", MALFORMED);
}

static void odd_chunks_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(CHUNKED "0x2\r\nab\r\n0\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "+2\r\nab\r\n0\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "2\nab\n0\n\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "2;a\nab\r\n0\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "2\r\nabX\r\n0\r\n\r\n", MALFORMED);
    ASSERT_REFUSED(CHUNKED "fffffffffffffffff\r\n", MALFORMED);
}

static void an_expectation_other_than_100_continue_is_refused(void **state)
{
    (void)state;
    assert_accepted(POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na", "/a", "a");
    ASSERT_REFUSED(POST "Expect: miracles\r\nContent-Length: 1\r\n\r\n", EXPECTATION);
    ASSERT_REFUSED(POST "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n", EXPECTATION);
    assert_accepted("POST /a HTTP/1.0\r\nExpect: miracles\r\n\r\n", "/a", "");
}

static void a_body_above_the_limit_is_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(POST "Content-Length: 101\r\n\r\n", BODY_TOO_LARGE);
    ASSERT_REFUSED(POST "Content-Length: 18446744073709551615\r\n\r\n", BODY_TOO_LARGE);
    ASSERT_REFUSED(CHUNKED "65\r\n", BODY_TOO_LARGE);
    ASSERT_REFUSED(CHUNKED "1\r\na\r\n64\r\n", BODY_TOO_LARGE);
    ASSERT_REFUSED(CHUNKED "ffffffffffffffff\r\n", BODY_TOO_LARGE);
}

/* A request of `count` times `text` between `before` and `after`. */
static struct buffer repeat(const char *before, const char *text, size_t count, const char *after)
{
    struct buffer buffer;
    buffer_init(&buffer, 0);
    buffer_add_text(&buffer, before);
    for (size_t i = 0; i < count; i++) {
        buffer_add_text(&buffer, text);
    }
    buffer_add_text(&buffer, after);
    return buffer;
}

static void assert_repeated_refused(struct buffer request, enum http_refusal refusal)
{
    assert_refused_in_steps(buffer_slice(&request), refusal, request.size);
    assert_refused_in_steps(buffer_slice(&request), refusal, 1);
    assert_refused_in_steps(buffer_slice(&request), refusal, 1000);
    buffer_release(&request);
}

static void large_heads_are_refused(void **state)
{
    (void)state;
    assert_repeated_refused(repeat("GET /", "x", LIMIT_HTTP_TARGET_BYTES, ""), HTTP_REFUSAL_TARGET_TOO_LONG);
    assert_repeated_refused(repeat(GET "A: ", "x", LIMIT_HTTP_HEADER_BYTES, ""), HTTP_REFUSAL_HEADERS_TOO_LARGE);
    assert_repeated_refused(repeat(GET, "x", LIMIT_HTTP_HEADER_BYTES, ""), HTTP_REFUSAL_HEADERS_TOO_LARGE);
    assert_repeated_refused(repeat(GET, "A:\r\n", LIMIT_HTTP_HEADER_COUNT, ""), HTTP_REFUSAL_HEADERS_TOO_LARGE);
    assert_repeated_refused(repeat(GET "A:", " ", 100000, ""), HTTP_REFUSAL_HEADERS_TOO_LARGE);
}

static void large_trailers_and_chunk_extensions_are_refused(void **state)
{
    (void)state;
    assert_repeated_refused(repeat(CHUNKED "0\r\nA: ", "x", LIMIT_HTTP_HEADER_BYTES, ""),
                            HTTP_REFUSAL_HEADERS_TOO_LARGE);
    assert_repeated_refused(repeat(CHUNKED "0\r\n", "A: b\r\n", LIMIT_HTTP_HEADER_COUNT, ""),
                            HTTP_REFUSAL_HEADERS_TOO_LARGE);
    assert_repeated_refused(repeat(CHUNKED "1;", "x", LIMIT_HTTP_HEADER_BYTES, ""), HTTP_REFUSAL_HEADERS_TOO_LARGE);
}

static void heads_at_the_limits_are_accepted(void **state)
{
    struct buffer request = repeat("GET /", "x", LIMIT_HTTP_TARGET_BYTES - 1, " HTTP/1.1\r\nHost: x\r\n\r\n");
    struct parse parse;
    (void)state;
    parse_open(&parse);
    parse_feed(&parse, buffer_slice(&request), 1000);
    assert_int_equal(parse.parser.stage, HTTP_PARSER_COMPLETE);
    http_request_free(parse.request);
    buffer_release(&request);
    request = repeat(GET, "A: b\r\n", LIMIT_HTTP_HEADER_COUNT - 1, "\r\n");
    parse_open(&parse);
    parse_feed(&parse, buffer_slice(&request), 1000);
    assert_int_equal(parse.parser.stage, HTTP_PARSER_COMPLETE);
    http_request_free(parse.request);
    buffer_release(&request);
}

static void persistence_follows_version_and_connection(void **state)
{
    static const struct {
        const char *text;
        bool is_persistent;
    } cases[] = {
        {GET "\r\n", true},
        {GET "Connection: close\r\n\r\n", false},
        {GET "Connection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parse parse;
        parse_open(&parse);
        parse_feed(&parse, slice_text(cases[i].text), 1000);
        assert_int_equal(parse.parser.stage, HTTP_PARSER_COMPLETE);
        assert_int_equal(parse.request->is_persistent, cases[i].is_persistent);
        http_request_free(parse.request);
    }
}

static void bytes_behind_a_request_are_left_alone(void **state)
{
    static const char two[] = CHUNKED "1\r\na\r\n0\r\n\r\n" GET "\r\n";
    struct parse parse;
    (void)state;
    parse_open(&parse);
    size_t used = http_parser_feed(&parse.parser, slice_text(two));
    assert_int_equal(parse.parser.stage, HTTP_PARSER_COMPLETE);
    assert_string_equal(two + used, GET "\r\n");
    http_request_clear(parse.request);
    http_parser_begin(&parse.parser, parse.request);
    assert_int_equal(http_parser_feed(&parse.parser, slice_text(two + used)), strlen(two) - used);
    assert_int_equal(parse.parser.stage, HTTP_PARSER_COMPLETE);
    assert_int_equal(parse.request->method, EXCHANGE_GET);
    assert_int_equal(parse.request->body.size, 0);
    http_request_free(parse.request);
}

/* Feeds as a connection does: into the room that the parser gives, where it gives any. Returns how often it did. */
static unsigned feed_into_room(struct parse *parse, struct slice bytes, size_t step)
{
    unsigned times = 0;
    while (bytes.size > 0 && !is_done(parse)) {
        size_t room_size;
        char *room = http_parser_room(&parse->parser, &room_size);
        size_t size = bytes.size < step ? bytes.size : step;
        if (room == NULL) {
            parse_feed(parse, slice_of(bytes.data, size), size);
        } else {
            times++;
            assert_true(room_size > 0);
            size = size < room_size ? size : room_size;
            memcpy(room, bytes.data, size);
            assert_int_equal(http_parser_feed(&parse->parser, slice_of(room, size)), size);
        }
        bytes = slice_of(bytes.data + size, bytes.size - size);
    }
    return times;
}

static void expect_body_of(size_t size, size_t step, bool is_in_place)
{
    struct buffer text;
    struct parse parse;
    buffer_init(&text, 0);
    buffer_add_format(&text, POST "Content-Length: %zu\r\n\r\n", size);
    size_t head_size = text.size;
    char *body = buffer_reserve(&text, size);
    for (size_t i = 0; i < size; i++) {
        body[i] = (char)('a' + i % 23);
    }
    buffer_grown(&text, size);
    parse_open(&parse);
    parse.parser.max_body_bytes = 4 << 20;
    unsigned times = feed_into_room(&parse, buffer_slice(&text), step);
    assert_int_equal(parse.parser.stage, HTTP_PARSER_COMPLETE);
    assert_int_equal(times > 0, is_in_place);
    struct slice expected = slice_of(buffer_slice(&text).data + head_size, size);
    assert_true(slice_equals(buffer_slice(&parse.request->body), expected));
    http_request_free(parse.request);
    buffer_release(&text);
}

static void a_long_body_is_read_to_where_it_stays(void **state)
{
    (void)state;
    expect_body_of(100, 10, false);
    expect_body_of(64 << 10, 1 << 20, false); /* it comes with its head */
    expect_body_of(65 << 10, 40, true);
    expect_body_of(3 << 20, 1000, true);
    expect_body_of(3 << 20, 4 << 20, false);
    expect_body_of((3 << 20) + 1, 65536, true);
}

/* A client that only announces a large body makes us allocate little. */
static void the_room_for_a_body_grows_with_what_has_come(void **state)
{
    struct parse parse;
    size_t size;
    (void)state;
    parse_open(&parse);
    parse.parser.max_body_bytes = 16 << 20;
    parse_feed(&parse, slice_text(POST "Content-Length: 16777216\r\n\r\n"), 1000);
    assert_non_null(http_parser_room(&parse.parser, &size));
    assert_int_equal(size, 64 << 10);
    memset(http_parser_room(&parse.parser, &size), 'x', size);
    http_parser_feed(&parse.parser, slice_of(http_parser_room(&parse.parser, &size), 10000));
    assert_non_null(http_parser_room(&parse.parser, &size));
    assert_int_equal(size, (64 << 10) + 160000);
    http_request_free(parse.request);
}

/* What stands behind a chunk is not the body's. */
static void a_chunked_body_has_no_room_of_its_own(void **state)
{
    struct parse parse;
    size_t size;
    (void)state;
    parse_open(&parse);
    assert_null(http_parser_room(&parse.parser, &size));
    parse.parser.max_body_bytes = 16 << 20;
    parse_feed(&parse, slice_text(CHUNKED "100000\r\nabc"), 1000);
    assert_int_equal(parse.parser.stage, HTTP_PARSER_BODY);
    assert_null(http_parser_room(&parse.parser, &size));
    http_request_free(parse.request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_keeps_its_fields),
        cmocka_unit_test(a_target_is_cut_into_path_and_query),
        cmocka_unit_test(well_formed_requests_are_accepted),
        cmocka_unit_test(an_absolute_target_that_agrees_with_host_is_accepted),
        cmocka_unit_test(an_upgrade_is_passed_over),
        cmocka_unit_test(targets_in_other_forms_are_refused),
        cmocka_unit_test(host_must_be_there_once_and_valid),
        cmocka_unit_test(ambiguous_lengths_are_refused),
        cmocka_unit_test(transfer_codings_other_than_chunked_are_refused),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(what_is_no_http_is_refused),
        cmocka_unit_test(the_parts_of_a_request_line_stand_one_space_apart),
        cmocka_unit_test(odd_header_lines_are_refused),
        cmocka_unit_test(a_name_has_no_byte_that_is_none_of_a_tokens),
        cmocka_unit_test(a_line_feed_alone_ends_no_line),
        cmocka_unit_test(odd_trailers_are_refused),
        cmocka_unit_test(odd_chunks_are_refused),
        cmocka_unit_test(an_expectation_other_than_100_continue_is_refused),
        cmocka_unit_test(a_body_above_the_limit_is_refused),
        cmocka_unit_test(large_heads_are_refused),
        cmocka_unit_test(large_trailers_and_chunk_extensions_are_refused),
        cmocka_unit_test(heads_at_the_limits_are_accepted),
        cmocka_unit_test(persistence_follows_version_and_connection),
        cmocka_unit_test(bytes_behind_a_request_are_left_alone),
        cmocka_unit_test(a_long_body_is_read_to_where_it_stays),
        cmocka_unit_test(the_room_for_a_body_grows_with_what_has_come),
        cmocka_unit_test(a_chunked_body_has_no_room_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
