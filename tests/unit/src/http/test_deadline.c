#include "tests/unit/src/http/http_fixture.h"

#include <signal.h>
#include <stdlib.h>

#define GET "GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n"

static void expect_connected(struct http_fixture *fixture, struct http_client *client)
{
    http_client_open(client, fixture);
    HTTP_FIXTURE_UNTIL(fixture, client, http_listener_counters(fixture->listener)->connections == 1);
}

static void a_new_connection_that_sends_nothing_is_closed_in_silence(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    expect_connected(fixture, &client);
    http_fixture_advance(fixture, HTTP_FIXTURE_HEADER_TIMEOUT_MS - 1);
    http_fixture_settle(fixture, &client);
    assert_false(client.has_ended);
    http_fixture_advance(fixture, 1);
    http_client_expect_end(&client, fixture);
    assert_int_equal(client.received.size, 0);
    http_client_close(&client);
}

static void a_head_that_drips_gets_no_more_time_for_each_byte(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    expect_connected(fixture, &client);
    for (int i = 0; i < 10; i++) {
        http_client_send_bytes(&client, fixture, slice_of(&"GET /mcp HTTP"[i], 1));
        http_fixture_settle(fixture, &client);
        assert_false(client.has_ended);
        http_fixture_advance(fixture, HTTP_FIXTURE_HEADER_TIMEOUT_MS / 10);
    }
    http_client_expect_end(&client, fixture);
    assert_true(http_client_has(&client, "HTTP/1.1 408 "));
    http_client_close(&client);
}

static void a_head_that_does_not_end_is_408(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, "GET /mcp HTTP/1.1\r\nHost: x\r\n");
    http_fixture_settle(fixture, &client);
    http_fixture_advance(fixture, HTTP_FIXTURE_HEADER_TIMEOUT_MS / 2);
    http_client_send(&client, fixture, "X-Slow: y\r\n");
    http_fixture_settle(fixture, &client);
    assert_false(client.has_ended);
    http_fixture_advance(fixture, HTTP_FIXTURE_HEADER_TIMEOUT_MS / 2);
    http_client_expect_end(&client, fixture);
    assert_true(http_client_has(&client, "HTTP/1.1 408 Request Timeout\r\n"));
    assert_true(http_client_has(&client, "Connection: close\r\n"));
    http_client_close(&client);
}

static void a_body_that_drips_is_408(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nab");
    http_fixture_settle(fixture, &client);
    http_fixture_advance(fixture, HTTP_FIXTURE_BODY_TIMEOUT_MS - 1);
    http_client_send(&client, fixture, "c");
    http_fixture_settle(fixture, &client);
    assert_false(client.has_ended);
    http_fixture_advance(fixture, 1);
    http_client_expect_end(&client, fixture);
    assert_true(http_client_has(&client, "HTTP/1.1 408 Request Timeout\r\n"));
    http_client_close(&client);
}

static void a_large_body_has_time_as_long_as_it_moves(void **state)
{
    static char part[HTTP_BODY_BYTES_PER_SECOND * HTTP_FIXTURE_BODY_TIMEOUT_MS / 1000];
    struct http_fixture *fixture = *state;
    struct http_client client;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    for (int i = 0; i < 4; i++) {
        http_fixture_settle(fixture, &client);
        http_fixture_advance(fixture, HTTP_FIXTURE_BODY_TIMEOUT_MS - 1);
        http_client_send_bytes(&client, fixture, slice_of(part, sizeof(part)));
        http_fixture_settle(fixture, &client);
        http_fixture_advance(fixture, 1);
    }
    http_client_expect(&client, fixture, "POST /mcp? ");
    http_client_close(&client);
}

static void an_idle_connection_is_closed_in_silence(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "GET /mcp? ");
    http_fixture_advance(fixture, HTTP_FIXTURE_IDLE_TIMEOUT_MS - 1);
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, http_client_count(&client, "GET /mcp? ") == 2);
    http_fixture_advance(fixture, HTTP_FIXTURE_IDLE_TIMEOUT_MS - 1);
    http_fixture_settle(fixture, &client);
    assert_false(client.has_ended);
    http_fixture_advance(fixture, 1);
    http_client_expect_end(&client, fixture);
    assert_int_equal(http_client_count(&client, "HTTP/1.1"), 2);
    http_client_close(&client);
}

static void empty_lines_do_not_keep_an_idle_connection(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "GET /mcp? ");
    http_fixture_advance(fixture, HTTP_FIXTURE_IDLE_TIMEOUT_MS - 1);
    http_client_send(&client, fixture, "\r\n");
    http_fixture_settle(fixture, &client);
    http_fixture_advance(fixture, 1);
    http_client_expect_end(&client, fixture);
    http_client_close(&client);
}

static void an_exchange_may_take_any_time(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_KEEP;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_fixture_advance(fixture, 3600 * 1000);
    http_fixture_settle(fixture, &client);
    http_fixture_respond(fixture, "at last");
    http_client_expect(&client, fixture, "at last");
    http_client_close(&client);
}

static void a_quiet_stream_may_stay_open_for_any_time(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_STREAM;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "\r\n\r\n");
    http_fixture_advance(fixture, 3600 * 1000);
    http_fixture_settle(fixture, &client);
    http_fixture_send_event(fixture, "still here");
    http_client_expect(&client, fixture, "still here");
    http_client_close(&client);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->closed_count == 1);
}

/* Fills a stream's socket until something is queued. */
static void fill(struct http_fixture *fixture)
{
    char *text = calloc(1, 100001);
    assert_non_null(text);
    memset(text, 'x', 100000);
    while (fixture->exchange->operations->queued(fixture->exchange) < 2000000) {
        http_fixture_send_event(fixture, text);
    }
    free(text);
}

static void a_client_that_reads_nothing_of_a_stream_is_closed(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_STREAM;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "\r\n\r\n");
    fill(fixture);
    http_fixture_settle(fixture, NULL);
    http_fixture_advance(fixture, HTTP_FIXTURE_STALL_TIMEOUT_MS - 1);
    http_fixture_settle(fixture, NULL);
    assert_int_equal(fixture->closed_count, 0);
    http_fixture_advance(fixture, HTTP_FIXTURE_STALL_TIMEOUT_MS);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->closed_count == 1);
    http_client_close(&client);
}

static void a_client_that_reads_slowly_is_kept(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_STREAM;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "\r\n\r\n");
    fill(fixture);
    for (int i = 0; i < 5; i++) {
        size_t queued = fixture->exchange->operations->queued(fixture->exchange);
        HTTP_FIXTURE_UNTIL(fixture, &client,
                           fixture->exchange->operations->queued(fixture->exchange) < queued || queued == 0);
        http_fixture_advance(fixture, HTTP_FIXTURE_STALL_TIMEOUT_MS);
        fill(fixture);
    }
    assert_int_equal(fixture->closed_count, 0);
    http_client_close(&client);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->closed_count == 1);
}

static void a_client_that_does_not_read_its_last_answer_is_closed(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    expect_connected(fixture, &client);
    http_client_send(&client, fixture, "GET /mcp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    http_client_expect_end(&client, fixture);
    /* It does not close its side. */
    http_fixture_settle(fixture, NULL);
    assert_int_equal(http_listener_counters(fixture->listener)->connections, 1);
    http_fixture_advance(fixture, 2000);
    HTTP_FIXTURE_UNTIL(fixture, NULL, http_listener_counters(fixture->listener)->connections == 0);
    http_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_connection_that_sends_nothing_is_closed_in_silence, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_head_that_drips_gets_no_more_time_for_each_byte, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_head_that_does_not_end_is_408, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_body_that_drips_is_408, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_large_body_has_time_as_long_as_it_moves, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(an_idle_connection_is_closed_in_silence, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(empty_lines_do_not_keep_an_idle_connection, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(an_exchange_may_take_any_time, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_quiet_stream_may_stay_open_for_any_time, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_client_that_reads_nothing_of_a_stream_is_closed, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_client_that_reads_slowly_is_kept, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_client_that_does_not_read_its_last_answer_is_closed, http_fixture_open,
                                        http_fixture_close),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
