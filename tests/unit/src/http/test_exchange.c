#include "tests/unit/src/http/http_fixture.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#define GET "GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n"

/* A client with an open stream. */
static void open_stream(struct http_fixture *fixture, struct http_client *client, const char *request)
{
    fixture->plan = HTTP_FIXTURE_STREAM;
    http_client_open(client, fixture);
    http_client_send(client, fixture, request);
    http_client_expect(client, fixture, "\r\n\r\n");
    assert_non_null(fixture->exchange);
}

static void close_stream(struct http_fixture *fixture)
{
    struct exchange *exchange = fixture->exchange;
    fixture->exchange = NULL;
    exchange->operations->close_stream(exchange);
}

static void headers_are_found_by_name_and_counted(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    struct slice value;
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, "GET /mcp HTTP/1.1\r\nHost: x\r\nX-LIST:  a, b \r\nX-List: c\r\n\r\n");
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    const struct exchange_operations *operations = fixture->exchange->operations;
    assert_int_equal(operations->header(fixture->exchange, "x-list", &value), 2);
    assert_true(slice_is(value, "a, b"));
    assert_int_equal(operations->header(fixture->exchange, "origin", &value), 0);
    assert_false(slice_exists(value));
    http_fixture_respond(fixture, "");
    http_client_expect(&client, fixture, "Content-Length: 0\r\n");
    http_client_close(&client);
}

static void the_log_says_of_each_request_how_it_ended(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_KEEP;
    fixture->keeps_debug = true;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, "GET /mcp?a=secret HTTP/1.1\r\nHost: x\r\nX-Token: secret\r\n\r\n");
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_fixture_advance(fixture, 12);
    fixture->exchange->topic = slice_text("tools/call with more");
    fixture->exchange->session = slice_text("0123456789abcdef0123456789abcdef");
    http_fixture_respond(fixture, "0123456789");
    http_client_expect(&client, fixture, "0123456789");
    char line[160];
    snprintf(line, sizeof(line), "GET /mcp tools/call: 200, session 01234567..., 12 ms, %zu bytes\n",
             client.received.size);
    http_client_send(&client, fixture, "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
    http_client_expect(&client, fixture, "HTTP/1.1 404");
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_client_close(&client);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->closed_count == 1);
    buffer_add(&fixture->log_text, slice_of("", 1));
    assert_non_null(strstr(buffer_slice(&fixture->log_text).data, line));
    assert_non_null(strstr(buffer_slice(&fixture->log_text).data, "GET /nowhere: 404, 0 ms, "));
    assert_non_null(strstr(buffer_slice(&fixture->log_text).data, "GET /mcp: the client is gone, 0 ms, 0 bytes\n"));
    assert_null(strstr(buffer_slice(&fixture->log_text).data, "secret"));
}

static void an_answer_without_content_has_no_body(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    fixture->exchange->operations->respond(fixture->exchange, &(struct response){.status = 204});
    fixture->exchange = NULL;
    http_client_expect(&client, fixture, "HTTP/1.1 204 No Content\r\n");
    http_client_expect(&client, fixture, "\r\n\r\n");
    assert_false(http_client_has(&client, "Content-Length"));
    http_client_close(&client);
}

static void what_every_answer_has_is_in_those_of_http_itself_too(void **state)
{
    static const struct {
        enum http_fixture_plan plan;
        const char *request;
        const char *answer;
    } requests[] = {
        {HTTP_FIXTURE_ECHO, "GET /mcp HTTP/1.1\r\nHost: x\r\nX-Tag: t1\r\n\r\n", "HTTP/1.1 200"},
        {HTTP_FIXTURE_STREAM, "GET /mcp HTTP/1.1\r\nHost: x\r\nX-Tag: t1\r\n\r\n", "text/event-stream"},
        {HTTP_FIXTURE_ECHO, "GET /nope HTTP/1.1\r\nHost: x\r\nX-Tag: t1\r\n\r\n", "HTTP/1.1 404"},
        {HTTP_FIXTURE_ECHO, "POST /mcp HTTP/1.1\r\nHost: x\r\nX-Tag: t1\r\nContent-Length: 1000001\r\n\r\n",
         "HTTP/1.1 413"},
        {HTTP_FIXTURE_ECHO, "GET /mcp HTTP/1.1\r\nX-Tag: t1\r\n\r\n", "HTTP/1.1 400"},
    };
    struct http_fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct http_client client;
        fixture->plan = requests[i].plan;
        http_client_open(&client, fixture);
        http_client_send(&client, fixture, requests[i].request);
        http_client_expect(&client, fixture, "\r\n\r\n");
        assert_true(http_client_has(&client, requests[i].answer));
        assert_int_equal(http_client_count(&client, "\r\nX-Tag: t1\r\n"), 1);
        http_client_close(&client);
        http_fixture_settle(fixture, NULL);
    }
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_ECHO;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "\r\n\r\n");
    assert_false(http_client_has(&client, "X-Tag"));
    http_client_close(&client);
}

static void a_body_that_nobody_wants_is_read_and_not_kept(void **state)
{
    static const char *const heads[] = {"Content-Length: 12", "Transfer-Encoding: chunked"};
    static const char *const bodies[][2] = {{"123456", "789012"}, {"6\r\n123456\r\n", "6\r\n789012\r\n0\r\n\r\n"}};
    struct http_fixture *fixture = *state;
    struct http_client client;
    http_client_open(&client, fixture);
    for (size_t i = 0; i < 2; i++) {
        char head[128];
        snprintf(head, sizeof(head), "POST /mcp HTTP/1.1\r\nHost: x\r\nX-Unwanted: 1\r\n%s\r\n\r\n", heads[i]);
        http_client_send(&client, fixture, head);
        http_client_send(&client, fixture, bodies[i][0]);
        http_fixture_settle(fixture, &client);
        http_client_send(&client, fixture, bodies[i][1]);
        HTTP_FIXTURE_UNTIL(fixture, &client, fixture->handled_count == i + 1);
    }
    /* And the next request on the connection is whole again. */
    http_client_send(&client, fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nna");
    http_fixture_settle(fixture, &client);
    http_client_send(&client, fixture, "me");
    http_client_expect(&client, fixture, "POST /mcp? name");
    assert_int_equal(http_client_count(&client, "POST /mcp? HTTP/1.1 200"), 2); /* each answer with an empty body */
    http_client_close(&client);
}

static void a_body_that_nobody_wants_has_the_same_ceiling(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    char chunk[1001];
    memset(chunk, 'x', sizeof(chunk) - 1);
    chunk[sizeof(chunk) - 1] = '\0';
    http_client_open(&client, fixture);
    http_client_send(&client, fixture,
                     "POST /mcp HTTP/1.1\r\nHost: x\r\nX-Unwanted: 1\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i <= HTTP_FIXTURE_MAX_BODY_BYTES / 1000; i++) {
        http_client_send(&client, fixture, "3e8\r\n");
        http_client_send(&client, fixture, chunk);
        http_client_send(&client, fixture, "\r\n");
    }
    http_client_expect(&client, fixture, "HTTP/1.1 413 ");
    assert_int_equal(fixture->handled_count, 0);
    http_client_close(&client);
}

static void a_body_of_many_parts_is_sent_whole(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    struct slice parts[100];
    for (size_t i = 0; i < 100; i++) {
        parts[i] = slice_text(i % 3 == 0 ? "" : i % 3 == 1 ? "a" : "bc");
    }
    parts[99] = slice_text("end");
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    const struct response response = {.status = 200, .body = parts, .body_count = 100};
    fixture->exchange->operations->respond(fixture->exchange, &response);
    fixture->exchange = NULL;
    http_client_expect(&client, fixture, "abcabcend");
    assert_true(http_client_has(&client, "Content-Length: 102\r\n\r\nabcabc"));
    http_client_close(&client);
}

static void a_stream_sends_its_head_at_once_and_each_event_as_a_chunk(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    open_stream(fixture, &client, GET);
    assert_true(http_client_has(&client, "HTTP/1.1 200 OK\r\n"));
    assert_true(http_client_has(&client, "Content-Type: text/event-stream\r\n"));
    assert_true(http_client_has(&client, "Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n"));
    assert_true(http_client_has(&client, "Transfer-Encoding: chunked\r\n"));
    fixture->exchange->operations->send_comment(fixture->exchange, "hi");
    http_client_expect(&client, fixture, "\r\n\r\n6\r\n: hi\n\n\r\n");
    http_fixture_send_event(fixture, "{}");
    http_client_expect(&client, fixture, "19\r\nevent: message\ndata: {}\n\n\r\n");
    close_stream(fixture);
    http_client_expect(&client, fixture, "0\r\n\r\n");
    fixture->plan = HTTP_FIXTURE_ECHO;
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "GET /mcp? ");
    http_client_close(&client);
}

static void a_stream_to_http_1_0_is_not_chunked_and_ends_with_the_connection(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    open_stream(fixture, &client, "GET /mcp HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_false(http_client_has(&client, "Transfer-Encoding"));
    assert_true(http_client_has(&client, "Connection: close\r\n"));
    http_fixture_send_event(fixture, "{}");
    close_stream(fixture);
    http_client_expect_end(&client, fixture);
    assert_true(http_client_has(&client, "\r\n\r\nevent: message\ndata: {}\n\n"));
    http_client_close(&client);
}

static void a_stream_in_answer_to_head_has_no_body(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    open_stream(fixture, &client, "HEAD /mcp HTTP/1.1\r\nHost: x\r\n\r\n");
    http_fixture_send_event(fixture, "{}");
    close_stream(fixture);
    fixture->plan = HTTP_FIXTURE_ECHO;
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "GET /mcp? ");
    assert_false(http_client_has(&client, "event:"));
    assert_true(http_client_has(&client, "X-Accel-Buffering: no\r\n\r\nHTTP/1.1 200"));
    http_client_close(&client);
}

static void a_request_pipelined_behind_a_stream_is_answered_after_its_end(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    open_stream(fixture, &client, GET GET);
    fixture->plan = HTTP_FIXTURE_ECHO;
    http_fixture_settle(fixture, &client);
    assert_int_equal(fixture->handled_count, 1);
    close_stream(fixture);
    http_client_expect(&client, fixture, "0\r\n\r\nHTTP/1.1 200 OK");
    http_client_expect(&client, fixture, "GET /mcp? ");
    http_client_close(&client);
}

static void what_a_slow_reader_does_not_take_is_queued_and_drained_is_heard(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    size_t size = 100000;
    size_t count = 0;
    char *text = calloc(1, size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    open_stream(fixture, &client, GET);
    const struct exchange_operations *operations = fixture->exchange->operations;
    assert_int_equal(operations->queued(fixture->exchange), 0);
    fixture->socket_drained_count = 0;
    for (; operations->queued(fixture->exchange) < 1000000; count++) {
        http_fixture_send_event(fixture, text);
    }
    assert_int_equal(fixture->socket_drained_count, 0);
    HTTP_FIXTURE_UNTIL(fixture, &client, operations->queued(fixture->exchange) == 0);
    assert_int_equal(fixture->socket_drained_count, 1);
    http_fixture_send_event(fixture, "last");
    http_client_expect(&client, fixture, "data: last\n\n\r\n");
    assert_int_equal(http_client_count(&client, "event: message\n"), count + 1);
    close_stream(fixture);
    http_client_expect(&client, fixture, "0\r\n\r\n");
    free(text);
    http_client_close(&client);
}

/* What is there to be read, without a turn of the loop. */
static ssize_t look(const struct http_client *client)
{
    char bytes[1 << 16];
    return recv(client->socket, bytes, sizeof(bytes), MSG_PEEK);
}

static void what_is_sent_in_one_turn_goes_out_at_its_end(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    open_stream(fixture, &client, GET);
    http_fixture_send_event(fixture, "1");
    http_fixture_send_event(fixture, "2");
    assert_true(look(&client) < 0);
    assert_true(fixture->exchange->operations->queued(fixture->exchange) > 0);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(fixture->exchange->operations->queued(fixture->exchange), 0);
    assert_int_equal(look(&client), 2 * strlen("18\r\nevent: message\ndata: 1\n\n\r\n"));
    close_stream(fixture);
    http_client_expect(&client, fixture, "data: 1\n\n\r\n18\r\nevent: message\ndata: 2\n\n\r\n0\r\n\r\n");
    http_client_close(&client);
}

static void a_large_event_does_not_wait_and_stays_behind_what_does(void **state)
{
    enum { SIZE = 20000 };
    struct http_fixture *fixture = *state;
    struct http_client client;
    char text[SIZE + 1];
    memset(text, 'x', SIZE);
    text[SIZE] = '\0';
    open_stream(fixture, &client, GET);
    http_fixture_send_event(fixture, "small");
    http_fixture_send_event(fixture, text);
    assert_true(look(&client) > SIZE);
    close_stream(fixture);
    http_client_expect(&client, fixture, "x\n\n\r\n0\r\n\r\n");
    assert_true(http_client_has(&client, "data: small\n\n\r\n4e37\r\nevent: message\ndata: xxx"));
    http_client_close(&client);
}

static void a_connection_may_be_closed_while_an_event_waits(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    open_stream(fixture, &client, GET);
    http_fixture_send_event(fixture, "lost");
    http_fixture_advance(fixture, HTTP_FIXTURE_STALL_TIMEOUT_MS);
    http_client_expect_end(&client, fixture);
    assert_false(http_client_has(&client, "lost"));
    assert_int_equal(fixture->closed_count, 1);
    http_client_close(&client);
}

static void a_stream_that_ends_while_bytes_are_queued_is_delivered_whole(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    size_t size = 100000;
    char *text = calloc(1, size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    open_stream(fixture, &client, GET);
    while (fixture->exchange->operations->queued(fixture->exchange) < 1000000) {
        http_fixture_send_event(fixture, text);
    }
    close_stream(fixture);
    HTTP_FIXTURE_UNTIL(fixture, &client, http_client_has(&client, "\n\n\r\n0\r\n\r\n"));
    free(text);
    http_client_close(&client);
}

static void a_client_that_cuts_a_stream_is_noticed(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    open_stream(fixture, &client, GET);
    http_client_close(&client);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->closed_count == 1);
}

static void on_closed_never_comes_from_within_a_call(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    open_stream(fixture, &client, GET);
    struct exchange *exchange = fixture->exchange;
    http_client_close(&client);
    /* The loop is not turned, so only the writes meet the reset; they must leave the exchange alive. */
    char text[20001]; /* too large to wait for the turn's end */
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        http_fixture_send_event(fixture, text);
        poll(NULL, 0, 0);
    }
    assert_ptr_equal(fixture->exchange, exchange);
    assert_int_equal(fixture->closed_count, 0);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->closed_count == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(headers_are_found_by_name_and_counted, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(the_log_says_of_each_request_how_it_ended, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(an_answer_without_content_has_no_body, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(what_every_answer_has_is_in_those_of_http_itself_too, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_body_that_nobody_wants_is_read_and_not_kept, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_body_that_nobody_wants_has_the_same_ceiling, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_body_of_many_parts_is_sent_whole, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_stream_sends_its_head_at_once_and_each_event_as_a_chunk, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_stream_to_http_1_0_is_not_chunked_and_ends_with_the_connection,
                                        http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_stream_in_answer_to_head_has_no_body, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_request_pipelined_behind_a_stream_is_answered_after_its_end,
                                        http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(what_a_slow_reader_does_not_take_is_queued_and_drained_is_heard,
                                        http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(what_is_sent_in_one_turn_goes_out_at_its_end, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_large_event_does_not_wait_and_stays_behind_what_does, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_connection_may_be_closed_while_an_event_waits, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_stream_that_ends_while_bytes_are_queued_is_delivered_whole, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_client_that_cuts_a_stream_is_noticed, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(on_closed_never_comes_from_within_a_call, http_fixture_open,
                                        http_fixture_close),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
