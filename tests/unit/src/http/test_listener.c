#include "tests/unit/src/http/http_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define GET "GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n"

static size_t connections_of(const struct http_fixture *fixture)
{
    return http_listener_counters(fixture->listener)->connections;
}

static void a_port_in_use_is_an_error_with_its_name(void **state)
{
    struct http_fixture *fixture = *state;
    struct error error;
    struct http_listener_options options = {.loop = &fixture->loop,
                                            .timers = &fixture->timers,
                                            .log = &fixture->log,
                                            .router = &fixture->router,
                                            .address = "localhost",
                                            .port = http_listener_port(fixture->listener)};
    assert_null(http_listener_open(&options, &error));
    assert_non_null(strstr(error.text, "cannot listen on localhost port "));
    assert_non_null(strstr(error.text, "in use"));
}

static void an_address_that_is_none_is_an_error(void **state)
{
    struct http_fixture *fixture = *state;
    struct error error;
    struct http_listener_options options = {.loop = &fixture->loop, .address = "example.com"};
    assert_null(http_listener_open(&options, &error));
    options.address = "127.0.0.1";
    options.port = 65536;
    assert_null(http_listener_open(&options, &error));
}

static void on_second_closed(void *owner)
{
    *(bool *)owner = true;
}

static void ipv6_and_brackets_are_understood(void **state)
{
    static const char *const addresses[] = {"::1", "[::1]", "0.0.0.0"};
    struct http_fixture *fixture = *state;
    for (size_t i = 0; i < 3; i++) {
        bool is_closed = false;
        struct error error;
        struct http_listener_options options = {.loop = &fixture->loop,
                                                .timers = &fixture->timers,
                                                .log = &fixture->log,
                                                .router = &fixture->router,
                                                .address = addresses[i],
                                                .owner = &is_closed,
                                                .on_closed = on_second_closed};
        struct http_listener *listener = http_listener_open(&options, &error);
        if (listener == NULL && i < 2) {
            skip(); /* a machine without IPv6 */
        }
        assert_non_null(listener);
        assert_true(http_listener_port(listener) > 0);
        http_listener_close(listener);
        http_listener_close(listener);
        HTTP_FIXTURE_UNTIL(fixture, NULL, is_closed);
    }
}

static void at_the_ceiling_new_connections_wait_for_a_place(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client clients[HTTP_FIXTURE_MAX_CONNECTIONS + 2];
    for (size_t i = 0; i < HTTP_FIXTURE_MAX_CONNECTIONS + 2; i++) {
        http_client_open(&clients[i], fixture);
        http_fixture_settle(fixture, NULL);
    }
    assert_int_equal(connections_of(fixture), HTTP_FIXTURE_MAX_CONNECTIONS);
    http_client_send(&clients[HTTP_FIXTURE_MAX_CONNECTIONS], fixture, GET);
    http_fixture_settle(fixture, NULL);
    assert_int_equal(fixture->handled_count, 0);
    http_client_close(&clients[0]);
    http_client_expect(&clients[HTTP_FIXTURE_MAX_CONNECTIONS], fixture, "GET /mcp? ");
    assert_int_equal(connections_of(fixture), HTTP_FIXTURE_MAX_CONNECTIONS);
    assert_non_null(strstr(fixture->log_text.data, "the limit of connections is reached"));
    for (size_t i = 1; i < HTTP_FIXTURE_MAX_CONNECTIONS + 2; i++) {
        http_client_close(&clients[i]);
    }
    HTTP_FIXTURE_UNTIL(fixture, NULL, connections_of(fixture) == 0);
    /* The second pause, a moment later, was not worth a line. */
    size_t lines = 0;
    for (size_t i = 0; i < fixture->log_text.size; i++) {
        lines += fixture->log_text.data[i] == '\n';
    }
    assert_int_equal(lines, 1);
}

static void accepting_stops_before_file_descriptors_run_out(void **state)
{
    struct http_fixture *fixture = *state;
    struct rlimit before;
    struct error error;
    bool is_closed = false;
    struct http_client clients[4];
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int other = dup(0);
    /* Room for this one, the listener's socket, the clients', and one connection, below the reserve of 32. */
    struct rlimit low = {.rlim_cur = (rlim_t)other + 7 + 32, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct http_listener_options options = {.loop = &fixture->loop,
                                            .timers = &fixture->timers,
                                            .log = &fixture->log,
                                            .router = &fixture->router,
                                            .settings = {.max_connections = 100, .header_timeout_ms = 10000},
                                            .address = "127.0.0.1",
                                            .owner = &is_closed,
                                            .on_closed = on_second_closed};
    struct http_listener *listener = http_listener_open(&options, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    struct http_listener *first = fixture->listener;
    fixture->listener = listener;
    for (size_t i = 0; i < 4; i++) {
        http_client_open(&clients[i], fixture);
    }
    http_fixture_settle(fixture, NULL);
    fixture->listener = first;
    assert_int_equal(http_listener_counters(listener)->connections, 2);
    assert_int_equal(http_listener_counters(listener)->pauses, 1);
    http_fixture_advance(fixture, 1000);
    http_fixture_settle(fixture, NULL);
    assert_int_equal(http_listener_counters(listener)->connections, 2);
    /* Somebody else closes something, and the listener finds it. */
    close(other);
    http_fixture_advance(fixture, 1000);
    http_fixture_settle(fixture, NULL);
    assert_int_equal(http_listener_counters(listener)->connections, 3);
    assert_int_equal(http_listener_counters(listener)->pauses, 2);
    for (size_t i = 0; i < 4; i++) {
        http_client_close(&clients[i]);
    }
    HTTP_FIXTURE_UNTIL(fixture, NULL, http_listener_counters(listener)->accepted_connections == 4);
    http_listener_close(listener);
    HTTP_FIXTURE_UNTIL(fixture, NULL, is_closed);
}

static void drain_closes_what_is_idle_and_waits_for_what_runs(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client idle;
    struct http_client busy;
    http_client_open(&idle, fixture);
    http_client_send(&idle, fixture, GET);
    http_client_expect(&idle, fixture, "GET /mcp? ");
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&busy, fixture);
    http_client_send(&busy, fixture, GET GET);
    HTTP_FIXTURE_UNTIL(fixture, &busy, fixture->exchange != NULL);
    http_listener_drain(fixture->listener);
    http_listener_drain(fixture->listener);
    http_client_expect_end(&idle, fixture);
    http_fixture_settle(fixture, &busy);
    assert_false(busy.has_ended);
    assert_false(fixture->is_drained);
    http_fixture_respond(fixture, "done");
    http_client_expect_end(&busy, fixture);
    assert_true(http_client_has(&busy, "Connection: close\r\n"));
    assert_int_equal(http_client_count(&busy, "HTTP/1.1"), 1);
    http_client_close(&busy);
    http_client_close(&idle);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->is_drained);
}

static void drain_of_a_listener_without_connections_is_told_too(void **state)
{
    struct http_fixture *fixture = *state;
    http_listener_drain(fixture->listener);
    assert_false(fixture->is_drained);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->is_drained);
}

static void a_stream_that_ends_during_a_drain_ends_its_connection(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client client;
    fixture->plan = HTTP_FIXTURE_STREAM;
    http_client_open(&client, fixture);
    http_client_send(&client, fixture, GET);
    http_client_expect(&client, fixture, "\r\n\r\n");
    http_listener_drain(fixture->listener);
    http_fixture_settle(fixture, &client);
    assert_false(client.has_ended);
    struct exchange *exchange = fixture->exchange;
    fixture->exchange = NULL;
    exchange->operations->close_stream(exchange);
    http_client_expect_end(&client, fixture);
    assert_true(http_client_has(&client, "0\r\n\r\n"));
    http_client_close(&client);
}

static void close_ends_every_connection_and_tells_its_exchange(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_client kept;
    struct http_client half;
    fixture->plan = HTTP_FIXTURE_KEEP;
    http_client_open(&half, fixture);
    http_client_send(&half, fixture, "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    http_client_open(&kept, fixture);
    http_client_send(&kept, fixture, GET);
    HTTP_FIXTURE_UNTIL(fixture, &kept, fixture->exchange != NULL);
    http_listener_close(fixture->listener);
    assert_int_equal(fixture->closed_count, 0);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->is_closed);
    assert_int_equal(fixture->closed_count, 1);
    http_client_expect_end(&kept, fixture);
    http_client_expect_end(&half, fixture);
    http_client_close(&kept);
    http_client_close(&half);
}

static void close_after_drain_is_told(void **state)
{
    struct http_fixture *fixture = *state;
    http_listener_drain(fixture->listener);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->is_drained);
    http_listener_close(fixture->listener);
    assert_false(fixture->is_closed);
    HTTP_FIXTURE_UNTIL(fixture, NULL, fixture->is_closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_port_in_use_is_an_error_with_its_name, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(an_address_that_is_none_is_an_error, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(ipv6_and_brackets_are_understood, http_fixture_open, http_fixture_close),
        cmocka_unit_test_setup_teardown(at_the_ceiling_new_connections_wait_for_a_place, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(accepting_stops_before_file_descriptors_run_out, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(drain_closes_what_is_idle_and_waits_for_what_runs, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(drain_of_a_listener_without_connections_is_told_too, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(a_stream_that_ends_during_a_drain_ends_its_connection, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(close_ends_every_connection_and_tells_its_exchange, http_fixture_open,
                                        http_fixture_close),
        cmocka_unit_test_setup_teardown(close_after_drain_is_told, http_fixture_open, http_fixture_close),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
