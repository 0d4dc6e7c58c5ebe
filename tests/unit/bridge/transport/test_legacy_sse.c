#include "bridge/transport/legacy_sse.h"

#include "bridge/limits.h"
#include "tests/unit/bridge/era_fixture.h"
#include "tests/unit/bridge/transport/sse_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct credential key = {.variable = "KEY", .header = "x-key"};

/* ---- The stream ---- */

static void a_stream_opens_with_where_to_post(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client one = sse_connect(fixture);
    struct sse_client other = sse_connect(fixture);
    assert_int_equal(one.stream->status, 200);
    assert_string_not_equal(one.query, other.query);
    fake_exchange_expect_open(one.stream);
    fake_exchange_expect_open(other.stream);
    fake_exchange_vanish(one.stream);
    fake_exchange_vanish(other.stream);
}

static void a_client_that_names_no_form_gets_a_stream(void **state)
{
    struct sse_client client = {.stream = sse_get(*state, NULL)};
    sse_read_endpoint(&client);
    fake_exchange_vanish(client.stream);
}

static void a_client_that_takes_no_stream_is_refused(void **state)
{
    fake_exchange_expect(
        sse_get(*state, "application/json"), 406,
        ERA_ERROR(
            "null", "-32000",
            "Not Acceptable: Client must accept text/event-stream (an endpoint for MCP clients, not for browsers)"));
}

static void a_stream_is_asked_for_with_get(void **state)
{
    struct sse_fixture *fixture = *state;
    struct fake_exchange *exchange = sse_new_stream(fixture, EXCHANGE_POST, "text/event-stream");
    legacy_sse_handle_stream(&fixture->sse, &exchange->exchange);
    era_expect_in_answer(exchange, 405, "Method not allowed.");
    assert_string_equal(fake_exchange_answer_field(exchange, "allow"), "GET");
}

static void heartbeats_keep_a_stream_open(void **state)
{
    struct sse_client client = sse_connect(*state);
    struct sse_fixture *fixture = *state;
    fake_world_advance(&fixture->bridge.world, 14999);
    assert_int_equal(client.stream->comments, 0);
    fake_world_advance(&fixture->bridge.world, 1);
    assert_int_equal(client.stream->comments, 1);
    fake_world_advance(&fixture->bridge.world, 30000);
    assert_int_equal(client.stream->comments, 3);
    fake_exchange_vanish(client.stream);
}

static void without_heartbeats_nothing_is_said(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->settings.heartbeat_ms = 0;
    sse_start(fixture);
    struct sse_client client = sse_connect(fixture);
    fake_world_advance(&fixture->bridge.world, 600000);
    assert_int_equal(client.stream->comments, 0);
    fake_exchange_vanish(client.stream);
}

/* ---- What a POST must be ---- */

static void a_post_names_a_stream_that_is_open(void **state)
{
    static const char *const queries[] = {NULL, "", "sessionId", "sessionId=", "sessionId=x", "other=x"};
    struct sse_client client = sse_connect(*state);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        era_expect_in_answer(sse_post_to(*state, queries[i], SSE_LIST), 404, "Session not found");
    }
    fake_exchange_expect_open(client.stream);
    fake_exchange_vanish(client.stream);
    era_expect_in_answer(sse_post(*state, &client, SSE_LIST), 404, "Session not found");
}

static void other_fields_of_the_query_are_passed_over(void **state)
{
    char query[128];
    struct sse_client client = sse_connect(*state);
    snprintf(query, sizeof(query), "a=b&session&%s&c", client.query);
    fake_exchange_expect(sse_post_to(*state, query, SSE_INITIALIZE), 202, "");
    sse_expect_part(client.stream, "\"id\":0,\"result\"");
}

static void a_message_is_posted_as_json(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client client = sse_connect(fixture);
    struct fake_exchange *read = fake_exchange_new(&fixture->bridge.world, EXCHANGE_GET);
    read->exchange.query = slice_text(client.query);
    legacy_sse_handle_message(&fixture->sse, &read->exchange);
    era_expect_in_answer(read, 405, "Method not allowed.");
    assert_string_equal(fake_exchange_answer_field(read, "allow"), "POST");

    struct fake_exchange *plain = fake_exchange_new(&fixture->bridge.world, EXCHANGE_POST);
    fake_exchange_add_field(plain, "Content-Type", "text/plain");
    fake_exchange_set_body(plain, slice_text(SSE_LIST));
    plain->exchange.query = slice_text(client.query);
    legacy_sse_handle_message(&fixture->sse, &plain->exchange);
    era_expect_in_answer(plain, 415, "Content-Type must be application/json");

    era_expect_in_answer(sse_post(fixture, &client, "{\"jsonrpc\""), 400, "\"code\":-32700");
    fake_exchange_expect_open(client.stream);
    fake_exchange_vanish(client.stream);
}

static void a_message_over_several_lines_is_one_line_to_the_child(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client client = sse_connect_initialized(fixture);
    sse_send(fixture, &client, "{\"jsonrpc\":\"2.0\",\r\n\"id\":1,\n\"method\":\"tools/list\"}\n");
    era_expect_request(fixture->bridge.child, "tools/list", "");
    bridge_fixture_answer(&fixture->bridge);
    sse_expect_part(client.stream, "\"id\":1,\"result\"");
}

/* ---- Others ---- */

static void a_stream_is_of_those_credentials_that_opened_it(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->settings.credentials = (struct credentials){.list = &key, .count = 1};
    sse_start(fixture);
    struct fake_exchange *stream = sse_new_stream(fixture, EXCHANGE_GET, "text/event-stream");
    fake_exchange_add_field(stream, "X-Key", "mine");
    legacy_sse_handle_stream(&fixture->sse, &stream->exchange);
    struct sse_client client = {.stream = stream};
    sse_read_endpoint(&client);

    era_expect_in_answer(sse_post(fixture, &client, SSE_INITIALIZE), 404, "Session not found");
    struct fake_exchange *other = sse_new_post(fixture, client.query, SSE_INITIALIZE);
    fake_exchange_add_field(other, "X-Key", "yours");
    legacy_sse_handle_message(&fixture->sse, &other->exchange);
    era_expect_in_answer(other, 404, "Session not found");

    struct fake_exchange *twice = sse_new_post(fixture, client.query, SSE_INITIALIZE);
    fake_exchange_add_field(twice, "X-Key", "mine");
    fake_exchange_add_field(twice, "X-Key", "mine");
    legacy_sse_handle_message(&fixture->sse, &twice->exchange);
    era_expect_in_answer(twice, 400, "a header with credentials appears more than once");

    fake_exchange_expect_open(stream);
    fake_exchange_vanish(stream);
}

static void a_stream_with_doubtful_credentials_is_not_opened(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->settings.credentials = (struct credentials){.list = &key, .count = 1};
    sse_start(fixture);
    struct fake_exchange *stream = sse_new_stream(fixture, EXCHANGE_GET, "text/event-stream");
    fake_exchange_add_field(stream, "X-Key", "a");
    fake_exchange_add_field(stream, "X-Key", "b");
    legacy_sse_handle_stream(&fixture->sse, &stream->exchange);
    era_expect_in_answer(stream, 400, "a header with credentials appears more than once");
}

/* ---- The end ---- */

static void the_end_of_the_stream_ends_the_session_and_what_runs(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client client = sse_connect_initialized(fixture);
    sse_send(fixture, &client, SSE_LIST);
    era_expect_request(fixture->bridge.child, "tools/list", "");
    fake_exchange_vanish(client.stream);
    assert_int_equal(fixture->bridge.server.sessions.sessions.count, 0);
    assert_int_equal(fixture->bridge.server.stream_count, 0);
    const char *cancelled = fake_child_take(fixture->bridge.child);
    assert_non_null(cancelled);
    assert_non_null(strstr(cancelled, "notifications/cancelled"));
    bridge_fixture_answer(&fixture->bridge);
    fake_child_expect_silence(fixture->bridge.child);
}

static void a_client_that_goes_during_initialize_leaves_no_child(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->bridge.settings.children = SERVER_CHILDREN_SESSION;
    sse_start(fixture);
    struct sse_client client = sse_connect(fixture);
    sse_send(fixture, &client, SSE_INITIALIZE);
    fake_exchange_vanish(client.stream);
    assert_true(era_child(&fixture->bridge, 1)->is_closing);
    fake_child_finish(era_child(&fixture->bridge, 1));
}

static void a_reader_that_does_not_read_loses_its_stream_and_only_that(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client slow = sse_connect_initialized(fixture);
    struct sse_client other = sse_connect_initialized(fixture);
    slow.stream->queued = fixture->bridge.settings.max_stream_queue_bytes + 1;
    fake_child_say(fixture->bridge.child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
    fake_child_say(fixture->bridge.child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
    fake_world_advance(&fixture->bridge.world, 0);
    fake_exchange_expect_closed(slow.stream);
    assert_int_equal(fixture->bridge.server.sessions.sessions.count, 1);
    assert_int_equal(fixture->bridge.server.counters.slow_streams, 1);
    sse_expect_part(other.stream, "list_changed");
    sse_expect_part(other.stream, "list_changed");
    fake_exchange_expect_open(other.stream);
}

static void note_settled(struct server *server)
{
    struct bridge_fixture *bridge = container_of(server, struct bridge_fixture, server);
    legacy_sse_settle(&container_of(bridge, struct sse_fixture, bridge)->sse);
}

static void draining_serves_the_streams_until_their_calls_have_been_answered(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client fresh = sse_connect(fixture);
    struct sse_client busy = sse_connect_initialized(fixture);
    sse_send(fixture, &busy, SSE_LIST);
    server_drain(&fixture->bridge.server, note_settled);
    fake_exchange_expect_open(fresh.stream);
    era_expect_in_answer(sse_get(fixture, "text/event-stream"), 503, "The bridge is shutting down");
    era_expect_in_answer(sse_post(fixture, &fresh, SSE_INITIALIZE), 503, "The bridge is shutting down");
    bridge_fixture_answer(&fixture->bridge);
    sse_expect_part(busy.stream, "\"id\":\"a\",\"result\"");
    sse_send(fixture, &busy, SSE_LIST);
    bridge_fixture_answer(&fixture->bridge);
    sse_expect_part(busy.stream, "\"id\":\"a\",\"result\"");
    sse_send(fixture, &busy, SSE_LIST);
    fake_world_advance(&fixture->bridge.world, LIMIT_DRAIN_GRACE_MS);
    fake_world_advance(&fixture->bridge.world, 0);
    fake_exchange_expect_closed(fresh.stream);
    fake_exchange_expect_open(busy.stream);
    era_expect_in_answer(sse_post(fixture, &busy, SSE_LIST), 503, "The bridge is shutting down");
    bridge_fixture_answer(&fixture->bridge);
    sse_expect_part(busy.stream, "\"id\":\"a\",\"result\"");
    fake_world_advance(&fixture->bridge.world, 0);
    fake_exchange_expect_closed(busy.stream);
}

/*
 * A modern child hears of a subscription's end with a request, which goes behind those that wait; and there is room for
 * them again.
 */
static void draining_ends_a_client_whose_wait_another_ones_end_is_the_end_of(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->bridge.settings.era = SERVER_ERA_MODERN;
    bridge_fixture_open(&fixture->bridge);
    struct fake_child *child = fixture->bridge.child;
    era_shake_modern(child);
    legacy_sse_init(&fixture->sse, &fixture->bridge.server, &fixture->settings);
    struct sse_client subscriber = sse_connect_initialized(fixture);
    sse_send(fixture, &subscriber,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"x:1\"}}");
    sse_expect_part(subscriber.stream, "\"id\":1,\"result\"");
    child->is_full = true;
    struct fake_exchange *call = bridge_fixture_post(&fixture->bridge, NULL, SSE_LIST);
    struct sse_client other = sse_connect(fixture);
    sse_send(fixture, &other, SSE_INITIALIZE);
    child->is_full = false;
    server_drain(&fixture->bridge.server, note_settled);
    fake_world_advance(&fixture->bridge.world, 0);
    sse_expect_part(other.stream, "\"id\":0,\"result\"");
    fake_exchange_expect_closed(subscriber.stream);
    fake_exchange_expect_closed(other.stream);
    fake_exchange_vanish(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream_opens_with_where_to_post, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_names_no_form_gets_a_stream, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_takes_no_stream_is_refused, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_asked_for_with_get, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(heartbeats_keep_a_stream_open, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(without_heartbeats_nothing_is_said, sse_set_up, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_post_names_a_stream_that_is_open, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(other_fields_of_the_query_are_passed_over, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_message_is_posted_as_json, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_message_over_several_lines_is_one_line_to_the_child, sse_set_up_ready,
                                        sse_tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_of_those_credentials_that_opened_it, sse_set_up, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_stream_with_doubtful_credentials_is_not_opened, sse_set_up, sse_tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_the_stream_ends_the_session_and_what_runs, sse_set_up_ready,
                                        sse_tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_goes_during_initialize_leaves_no_child, sse_set_up,
                                        sse_tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_does_not_read_loses_its_stream_and_only_that, sse_set_up_ready,
                                        sse_tear_down),
        cmocka_unit_test_setup_teardown(draining_serves_the_streams_until_their_calls_have_been_answered,
                                        sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(draining_ends_a_client_whose_wait_another_ones_end_is_the_end_of, sse_set_up,
                                        sse_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
