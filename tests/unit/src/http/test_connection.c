#include "tests/unit/src/http/http_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#define GET "GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n"

static void one_connection_serves_many_requests(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    http_client_expect(&client, fixture, "POST /mcp? hello");
    assert_true(http_client_has(&client, "HTTP/1.1 200 OK\r\nDate: "));
    assert_true(http_client_has(&client, "Content-Length: 16\r\nContent-Type: text/plain\r\n\r\n"));
    http_client_send(&client, fixture, "GET /mcp/?a=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    http_client_expect(&client, fixture, "GET /mcp/?a=1 ");
    http_client_send(&client, fixture, "DELETE /mcp HTTP/1.1\r\nHost: x\r\n\r\n");
    http_client_expect(&client, fixture, "DELETE /mcp? ");
    assert_false(client.has_ended);
    assert_int_equal(http_listener_counters(fixture->listener)->requests, 3);
    http_client_close(&client);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    const char *request = "POST /mcp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    http_client_open(&client, fixture);
    for (const char *at = request; *at != '\0'; at++) {
        http_client_send_bytes(&client, fixture, slice_of(at, 1));
    }
    http_client_expect(&client, fixture, "POST /mcp? abc");
    http_client_close(&client);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture,
                     "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
                     "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n2\r\n"
                     "POST /mcp HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n3" GET);
    http_client_expect_end(&client, fixture);
    assert_int_equal(fixture->handled_count, 3);
    buffer_add(&client.received, slice_of("", 1));
    const char *first = strstr(client.received.data, "POST /mcp? 1");
    const char *second = strstr(client.received.data, "POST /mcp? 2");
    const char *third = strstr(client.received.data, "POST /mcp? 3");
    assert_true(first != NULL && first < second && second < third);
    http_client_close(&client);
}

static void a_pipelined_request_waits_for_the_answer_before_it(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, GET GET);
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_fixture_settle(fixture, &client);
    assert_int_equal(fixture->handled_count, 1);
    http_fixture_respond(fixture, "one");
    /* The next exchange does not begin within respond(). */
    assert_int_equal(fixture->handled_count, 1);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    assert_int_equal(fixture->handled_count, 2);
    http_fixture_respond(fixture, "two");
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_fixture_respond(fixture, "three");
    http_client_expect(&client, fixture, "three");
    http_client_close(&client);
}

static void reading_pauses_when_too_much_is_pipelined(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    struct buffer requests;
    size_t count = 0;
    fixture->plan = HTTP_FIXTURE_KEEP;
    buffer_init(&requests, 0);
    for (; requests.size < 2 * LIMIT_HTTP_PIPELINE_BYTES; count++) {
        buffer_add_text(&requests, GET);
    }
    http_client_open(&client, fixture);
    http_client_send_bytes(&client, fixture, buffer_slice(&requests));
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_fixture_settle(fixture, &client);
    /* All of them are answered in the end, the kept ones and those that stayed in the kernel. */
    fixture->plan = HTTP_FIXTURE_ECHO;
    http_fixture_respond(fixture, "first");
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->handled_count == count);
    HTTP_FIXTURE_UNTIL(fixture, &client, http_client_count(&client, "GET /mcp? ") == count - 1);
    buffer_release(&requests);
    http_client_close(&client);
}

static void refuse(struct http_fixture *fixture, const char *request, const char *status)
{
    struct http_client client;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, request);
    http_client_expect_end(&client, fixture);
    assert_int_equal(client.error, 0);
    assert_true(slice_starts_with(buffer_slice(&client.received), status));
    assert_true(http_client_has(&client, "Connection: close\r\n"));
    assert_true(http_client_has(&client, "Content-Type: application/json\r\n"));
    assert_true(http_client_has(&client, "\r\n\r\n{\"error\":\""));
    http_client_close(&client);
}

static void what_is_not_acceptable_is_refused_and_ends_the_connection(void **state)
{
    struct http_fixture *fixture = *state;
    refuse(fixture, "nonsense\r\n\r\n" GET, "HTTP/1.1 400 Bad Request\r\n");
    refuse(fixture, "GET /mcp HTTP/1.1\r\n\r\n" GET, "HTTP/1.1 400 Bad Request\r\n");
    refuse(fixture, "GET /mcp HTTP/2.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported\r\n");
    refuse(fixture, "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 Not Implemented\r\n");
    refuse(fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nExpect: x\r\nContent-Length: 1\r\n\r\n",
           "HTTP/1.1 417 Expectation Failed\r\n");
    refuse(fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 501 Not Implemented\r\n");
    refuse(fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n",
           "HTTP/1.1 413 Payload Too Large\r\n");
    refuse(fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nF4241\r\n",
           "HTTP/1.1 413 Payload Too Large\r\n");
    assert_int_equal(fixture->handled_count, 0);
    assert_int_equal(http_listener_counters(fixture->listener)->refusals, 8);
}

static void the_refusal_of_a_large_body_is_not_lost_in_its_flood(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    size_t size = 8000000;
    char *body = calloc(1, size);
    assert_non_null(body);
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
    http_client_send_bytes(&client, fixture, slice_of(body, size));
    shutdown(client.socket, SHUT_WR);
    http_client_expect_end(&client, fixture);
    assert_int_equal(client.error, 0);
    assert_true(http_client_has(&client, "HTTP/1.1 413 "));
    free(body);
    http_client_close(&client);
}

static void an_unknown_path_is_404_and_the_connection_goes_on(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, "POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" GET);
    http_client_expect(&client, fixture, "GET /mcp? ");
    assert_true(http_client_has(&client, "HTTP/1.1 404 Not Found\r\n"));
    assert_true(http_client_has(&client, "{\"error\":\"Not Found: "));
    http_client_close(&client);
}

static void a_client_that_expects_100_gets_it_once(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    const char *head = "POST /mcp HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, head);
    http_client_expect(&client, fixture, "HTTP/1.1 100 Continue\r\n\r\n");
    http_client_send(&client, fixture, "a");
    http_client_send(&client, fixture, "b");
    http_client_expect(&client, fixture, "POST /mcp? ab");
    assert_int_equal(http_client_count(&client, "100 Continue"), 1);
    http_client_send(&client, fixture, head);
    HTTP_FIXTURE_UNTIL(fixture, &client, http_client_count(&client, "100 Continue") == 2);
    http_client_close(&client);
}

static void http_1_0_ends_after_the_answer_unless_it_asks_to_go_on(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, "GET /mcp HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    http_client_expect(&client, fixture, "GET /mcp? ");
    assert_true(http_client_has(&client, "Connection: keep-alive\r\n"));
    http_client_send(&client, fixture, "GET /mcp HTTP/1.0\r\n\r\n");
    http_client_expect_end(&client, fixture);
    assert_int_equal(http_client_count(&client, "GET /mcp? "), 2);
    assert_true(http_client_has(&client, "Connection: close\r\n"));
    http_client_close(&client);
}

static void head_is_answered_without_a_body(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, "HEAD /mcp HTTP/1.1\r\nHost: x\r\n\r\n" GET);
    http_client_expect(&client, fixture, "GET /mcp? ");
    assert_true(http_client_has(&client, "Content-Length: 11\r\nContent-Type: text/plain\r\n\r\nHTTP/1.1 200 OK"));
    http_client_close(&client);
}

static void a_client_that_goes_away_ends_its_exchange(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, GET GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_client_close(&client);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->closed_count == 1);
    HTTP_FIXTURE_UNTIL(fixture, NULL, http_listener_counters(fixture->listener)->connections == 0);
    assert_int_equal(fixture->handled_count, 1);
}

static void a_client_that_goes_away_in_a_request_harms_nobody(void **state)
{
    static const char *const requests[] = {"", "GET /m",
                                           "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"};
    struct http_fixture *fixture = *state;
    for (size_t i = 0; i < 3; i++) {
        struct http_client client;
        http_client_open(&client, fixture);
        http_client_send(&client, fixture, requests[i]);
        HTTP_FIXTURE_UNTIL(fixture, NULL, http_listener_counters(fixture->listener)->connections == 1);
        http_fixture_settle(fixture, &client);
        http_client_close(&client);
        HTTP_FIXTURE_UNTIL(fixture, NULL, http_listener_counters(fixture->listener)->connections == 0);
    }
    assert_int_equal(fixture->handled_count, 0);
}

static void an_answer_after_the_clients_end_is_dropped(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    /* Between the close and the news of it, the handler may still answer: then it hears no on_closed. */
    http_listener_close(fixture->listener);
    http_fixture_respond(fixture, "late");
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->is_closed);
    assert_int_equal(fixture->closed_count, 0);
    http_client_close(&client);
}

static void a_slow_reader_gets_the_whole_answer(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    size_t size = 8 << 20;
    char *body = calloc(1, size + 1);
    assert_non_null(body);
    memset(body, 'x', size);
    body[size - 1] = 'y';
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_fixture_respond(fixture, body);
    HTTP_FIXTURE_UNTIL(fixture, &client, client.received.size > size);
    assert_true(http_client_has(&client, "Content-Length: 8388608\r\n"));
    assert_true(http_client_has(&client, "xy"));
    http_client_send(&client, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &client, fixture->exchange != NULL);
    http_fixture_respond(fixture, "next");
    http_client_expect(&client, fixture, "next");
    free(body);
    http_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_connection_serves_many_requests, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_request_may_come_byte_by_byte, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(pipelined_requests_are_answered_in_their_order, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_pipelined_request_waits_for_the_answer_before_it, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(reading_pauses_when_too_much_is_pipelined, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(what_is_not_acceptable_is_refused_and_ends_the_connection, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(the_refusal_of_a_large_body_is_not_lost_in_its_flood, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(an_unknown_path_is_404_and_the_connection_goes_on, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_client_that_expects_100_gets_it_once, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(http_1_0_ends_after_the_answer_unless_it_asks_to_go_on, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(head_is_answered_without_a_body, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(a_client_that_goes_away_ends_its_exchange, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_client_that_goes_away_in_a_request_harms_nobody, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(an_answer_after_the_clients_end_is_dropped, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_slow_reader_gets_the_whole_answer, http_fixture_open, http_fixture_close),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
