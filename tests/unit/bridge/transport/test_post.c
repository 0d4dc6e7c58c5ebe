#include "bridge/transport/post.h"

#include "tests/unit/bridge/bridge_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define ANSWER(id, wire) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{\"wire\":" #wire "}}"
#define WITH_TOKEN "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"_meta\":{\"progressToken\":\"t\"}}}"
#define PROGRESS(token)                                                                               \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":" token \
    ",\"progress\":1}}"
#define CANCELLED(id) "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":" #id "}}"
#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/custom\"}"

static struct fake_exchange *post(struct bridge_fixture *fixture, const char *body)
{
    return bridge_fixture_post(fixture, NULL, body);
}

/* ---- JSON or a stream ---- */

static void an_answer_that_is_the_first_thing_to_say_is_json(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, REQUEST("a"));
    fake_exchange_expect_silence(exchange);
    assert_true(fixture->streamable.posts.count > 0);
    bridge_fixture_answer(fixture);
    fake_exchange_expect(exchange, 200, ANSWER("a", 2));
    assert_int_equal(fixture->streamable.posts.count, 0);
}

static void what_comes_before_the_answer_opens_a_stream(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, WITH_TOKEN);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_exchange_expect_event(exchange, PROGRESS("\"t\""));
    fake_exchange_expect_open(exchange);
    assert_int_equal(exchange->status, 200);
    fake_child_say(fixture->child, PROGRESS("2"));
    bridge_fixture_answer(fixture);
    fake_exchange_expect_event(exchange, PROGRESS("\"t\""));
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
    fake_exchange_expect_closed(exchange);
}

static void long_silence_opens_a_stream_and_heartbeats_keep_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, REQUEST(1));
    fake_world_advance(&fixture->world, 4999);
    fake_exchange_expect_silence(exchange);
    fake_world_advance(&fixture->world, 1);
    fake_exchange_expect_open(exchange);
    assert_int_equal(exchange->comments, 0);
    fake_world_advance(&fixture->world, 15000);
    assert_int_equal(exchange->comments, 1);
    fake_world_advance(&fixture->world, 30000);
    assert_int_equal(exchange->comments, 3);
    bridge_fixture_answer(fixture);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
    fake_exchange_expect_closed(exchange);
    fake_world_advance(&fixture->world, 30000);
}

static void a_stream_that_a_message_opened_has_heartbeats_too(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, WITH_TOKEN);
    fake_world_advance(&fixture->world, 1000);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_exchange_expect_event(exchange, PROGRESS("\"t\""));
    fake_world_advance(&fixture->world, 14999);
    assert_int_equal(exchange->comments, 0);
    fake_world_advance(&fixture->world, 1);
    assert_int_equal(exchange->comments, 1);
    bridge_fixture_answer(fixture);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
}

static void without_these_settings_silence_stays_silence(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->endpoint.post = (struct post_settings){.stream_after_ms = 0, .heartbeat_ms = 0};
    bridge_fixture_start(fixture);
    struct fake_exchange *exchange = post(fixture, WITH_TOKEN);
    fake_world_advance(&fixture->world, 60000);
    fake_exchange_expect_silence(exchange);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_exchange_expect_event(exchange, PROGRESS("\"t\""));
    fake_world_advance(&fixture->world, 60000);
    assert_int_equal(exchange->comments, 0);
    bridge_fixture_answer(fixture);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
}

static void a_stream_that_a_message_opened_is_not_opened_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->endpoint.post.heartbeat_ms = 0;
    bridge_fixture_start(fixture);
    struct fake_exchange *exchange = post(fixture, WITH_TOKEN);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_exchange_expect_event(exchange, PROGRESS("\"t\""));
    fake_world_advance(&fixture->world, 60000);
    fake_exchange_expect_open(exchange);
    bridge_fixture_answer(fixture);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
}

static void a_client_that_takes_only_json_gets_json_however_long_it_takes(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = bridge_fixture_post_accepting(fixture, "application/json", WITH_TOKEN);
    fake_world_advance(&fixture->world, 60000);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_exchange_expect_silence(exchange);
    bridge_fixture_answer(fixture);
    fake_exchange_expect(exchange, 200, ANSWER(1, 2));
}

static void a_client_that_takes_only_a_stream_gets_one(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = bridge_fixture_post_accepting(fixture, "text/event-stream", REQUEST(1));
    fake_exchange_expect_silence(exchange);
    bridge_fixture_answer(fixture);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
    fake_exchange_expect_closed(exchange);
}

static void json_can_be_forced_but_not_on_a_client_that_cannot_take_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->endpoint.post.json_only = true;
    bridge_fixture_start(fixture);
    struct fake_exchange *both = post(fixture, WITH_TOKEN);
    struct fake_exchange *stream = bridge_fixture_post_accepting(fixture, "text/event-stream", WITH_TOKEN);
    fake_world_advance(&fixture->world, 60000);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_child_say(fixture->child, PROGRESS("3"));
    fake_exchange_expect_silence(both);
    fake_exchange_expect_event(stream, PROGRESS("\"t\""));
    bridge_fixture_answer_to(fixture, 2);
    bridge_fixture_answer_to(fixture, 3);
    fake_exchange_expect(both, 200, ANSWER(1, 2));
    fake_exchange_expect_event(stream, ANSWER(1, 3));
    fake_exchange_expect_closed(stream);
}

static void a_slow_reader_loses_progress_and_never_the_answer(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, WITH_TOKEN);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_exchange_expect_event(exchange, PROGRESS("\"t\""));
    exchange->queued = fixture->settings.max_stream_queue_bytes / 4 + 1;
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_exchange_expect_open(exchange);
    bridge_fixture_answer(fixture);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
    fake_exchange_expect_closed(exchange);
}

static void at_the_ceiling_for_streams_an_answer_is_json(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.max_session_streams = 1;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *get = bridge_fixture_get(fixture, session);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, WITH_TOKEN);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_world_advance(&fixture->world, 7000);
    fake_exchange_expect_silence(exchange);
    assert_int_equal(fixture->server.counters.streams_held_back, 2);
    struct fake_exchange *elsewhere = post(fixture, WITH_TOKEN);
    fake_child_say(fixture->child, PROGRESS("3"));
    fake_exchange_expect_event(elsewhere, PROGRESS("\"t\""));
    fake_exchange_vanish(get);
    fake_world_advance(&fixture->world, 3000);
    fake_exchange_expect_open(exchange);
    struct fake_exchange *second = bridge_fixture_get(fixture, session);
    fake_exchange_expect_open(second);
    assert_int_equal(fixture->server.stream_count, 3);
    bridge_fixture_answer_to(fixture, 3);
    bridge_fixture_answer_to(fixture, 2);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
    fake_exchange_expect_event(elsewhere, ANSWER(1, 3));
    fake_exchange_vanish(second);
    assert_int_equal(fixture->server.stream_count, 0);
    assert_int_equal(bridge_fixture_session(fixture, session)->stream_count, 0);
}

static void at_the_ceiling_for_streams_a_client_that_takes_nothing_else_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.max_session_streams = 1;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *get = bridge_fixture_get(fixture, session);
    struct fake_exchange *exchange = fake_exchange_new(&fixture->world, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Accept", "text/event-stream");
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_add_field(exchange, "Mcp-Session-Id", session);
    fake_exchange_set_body(exchange, slice_text(REQUEST(1)));
    bridge_fixture_handle(fixture, exchange);
    fake_exchange_expect(
        exchange, 200,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
        "\"message\":\"Too many event streams are open in this session (--max-streams-per-session)\"}}");
    fake_exchange_expect_open(get);
}

static void a_posts_stream_carries_its_own_messages_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *first = bridge_fixture_post(fixture, session, WITH_TOKEN);
    struct fake_exchange *second = bridge_fixture_post(fixture, session, WITH_TOKEN);
    fake_child_say(fixture->child, PROGRESS("3"));
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}");
    fake_exchange_expect_silence(first);
    fake_exchange_expect_event(second, PROGRESS("\"t\""));
    fake_exchange_expect_open(second);
    bridge_fixture_answer_to(fixture, 3);
    bridge_fixture_answer_to(fixture, 2);
    fake_exchange_expect(first, 200, ANSWER(1, 2));
    fake_exchange_expect_event(second, ANSWER(1, 3));
    fake_exchange_expect_closed(second);
}

/* ---- The client goes ---- */

static void without_a_session_a_client_that_goes_takes_its_call_with_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, REQUEST(1));
    fake_child_expect(fixture->child, REQUEST(2));
    fake_exchange_vanish(exchange);
    fake_child_expect(fixture->child, CANCELLED(2));
    assert_int_equal(fixture->streamable.posts.count, 0);
    bridge_fixture_answer(fixture);
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void without_a_session_a_stream_that_breaks_cancels_too(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, REQUEST(1));
    fake_world_advance(&fixture->world, 6000);
    fake_exchange_expect_open(exchange);
    fake_child_expect(fixture->child, REQUEST(2));
    fake_exchange_vanish(exchange);
    fake_child_expect(fixture->child, CANCELLED(2));
    fake_world_advance(&fixture->world, 60000);
}

static void in_a_session_the_call_goes_on_without_its_client(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *silent = bridge_fixture_post(fixture, session, WITH_TOKEN);
    struct fake_exchange *streaming = bridge_fixture_post(fixture, session, WITH_TOKEN);
    fake_child_say(fixture->child, PROGRESS("3"));
    size_t lines = fixture->child->line_count;
    fake_exchange_vanish(silent);
    fake_exchange_vanish(streaming);
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_child_say(fixture->child, PROGRESS("3"));
    fake_world_advance(&fixture->world, 60000);
    assert_int_equal(fixture->child->line_count, lines);
    /* The two calls, and their posts. */
    assert_int_equal(bridge_fixture_session(fixture, session)->holds, 4);
    bridge_fixture_answer_to(fixture, 2);
    bridge_fixture_answer_to(fixture, 3);
    assert_int_equal(bridge_fixture_session(fixture, session)->holds, 0);
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void a_call_without_its_client_can_still_be_cancelled(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    fake_exchange_vanish(bridge_fixture_post(fixture, session, REQUEST("a")));
    assert_non_null(fake_child_take(fixture->child));
    fake_exchange_expect(bridge_fixture_post(fixture, session, CANCELLED("a")), 202, "");
    fake_child_expect(fixture->child, CANCELLED(2));
}

static void a_call_without_its_client_goes_to_the_next_process_if_it_was_never_written(void **state)
{
    static const char *const bodies[] = {WITH_TOKEN, "{\"jsonrpc\":\"2.0\",\n\"id\":1,\"method\":\"m\",\"params\":"
                                                     "{\"_meta\":{\"progressToken\":\"t\"}}}"};
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    for (size_t i = 0; i < 2; i++) {
        uint64_t taken = fixture->child->written;
        struct fake_exchange *exchange = bridge_fixture_post(fixture, session, bodies[i]);
        fake_exchange_vanish(exchange);
        fake_child_down(fixture->child, "exited with status 3", taken, 0);
        bridge_fixture_shake(fixture);
        fake_child_expect_format(fixture->child,
                                 "{\"jsonrpc\":\"2.0\",%s\"id\":%" PRIu64 ",\"method\":\"m\",\"params\":"
                                 "{\"_meta\":{\"progressToken\":%" PRIu64 "}}}",
                                 i == 0 ? "" : " ", fixture->child->last_id, fixture->child->last_id);
        fake_child_say_format(fixture->child, PROGRESS("%" PRIu64), fixture->child->last_id);
        bridge_fixture_answer(fixture);
        assert_int_equal(bridge_fixture_session(fixture, session)->holds, 0);
    }
}

static void a_subscribe_without_its_client_still_counts(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    fake_exchange_vanish(bridge_fixture_post(fixture, session,
                                             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/subscribe\","
                                             "\"params\":{\"uri\":\"x:1\"}}"));
    bridge_fixture_answer(fixture);
    assert_true(subscriptions_has(&fixture->server.shared->subscriptions, slice_text("\"x:1\"")));
}

/* ---- The child goes ---- */

static void a_child_that_dies_makes_the_answer_an_error_with_status_200(void **state)
{
    static const char error[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
                                "\"message\":\"The server exited with status 3 before it answered\"}}";
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *silent = post(fixture, WITH_TOKEN);
    struct fake_exchange *streaming = post(fixture, WITH_TOKEN);
    fake_child_say(fixture->child, PROGRESS("3"));
    fake_child_die(fixture->child);
    fake_exchange_expect(silent, 200, error);
    fake_exchange_expect_event(streaming, PROGRESS("\"t\""));
    fake_exchange_expect_event(streaming, error);
    fake_exchange_expect_closed(streaming);
}

static void a_request_that_came_while_the_child_starts_is_answered_by_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_open(fixture);
    struct fake_exchange *exchange = post(fixture, REQUEST(1));
    fake_world_advance(&fixture->world, 30000);
    fake_exchange_expect_open(exchange);
    fake_child_up(fixture->child);
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", bridge_fixture_handshake);
    bridge_fixture_answer(fixture);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
    fake_exchange_expect_closed(exchange);
}

/* ---- Batches ---- */

static void a_batch_is_answered_with_one_array(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, "[" REQUEST(1) "," NOTE "," REQUEST("b") "]");
    fake_child_expect(fixture->child, NOTE);
    fake_child_expect(fixture->child, REQUEST(2));
    fake_child_expect(fixture->child, REQUEST(3));
    bridge_fixture_answer_to(fixture, 3);
    fake_exchange_expect_silence(exchange);
    bridge_fixture_answer_to(fixture, 2);
    fake_exchange_expect(exchange, 200, "[" ANSWER("b", 3) "," ANSWER(1, 2) "]");
}

static void a_batch_of_one_is_answered_with_an_array_of_one(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, "[" REQUEST(1) "]");
    bridge_fixture_answer(fixture);
    fake_exchange_expect(exchange, 200, "[" ANSWER(1, 2) "]");
}

static void a_batch_whose_stream_opens_in_the_middle_loses_no_answer(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, "[" REQUEST(1) "," REQUEST(2) "," REQUEST(3) "," WITH_TOKEN "]");
    bridge_fixture_answer_to(fixture, 2);
    bridge_fixture_answer_to(fixture, 3);
    fake_child_say(fixture->child, PROGRESS("5"));
    fake_exchange_expect_event(exchange, PROGRESS("\"t\""));
    bridge_fixture_answer_to(fixture, 5);
    fake_exchange_expect_event(exchange, "[" ANSWER(1, 2) "," ANSWER(2, 3) "]");
    fake_exchange_expect_event(exchange, ANSWER(1, 5));
    fake_exchange_expect_open(exchange);
    bridge_fixture_answer_to(fixture, 4);
    fake_exchange_expect_event(exchange, ANSWER(3, 4));
    fake_exchange_expect_closed(exchange);
}

static void a_batch_goes_as_events_to_who_takes_only_a_stream(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        bridge_fixture_post_accepting(fixture, "text/event-stream", "[" REQUEST(1) "," REQUEST(2) "]");
    bridge_fixture_answer_to(fixture, 3);
    fake_exchange_expect_event(exchange, ANSWER(2, 3));
    fake_exchange_expect_open(exchange);
    bridge_fixture_answer_to(fixture, 2);
    fake_exchange_expect_event(exchange, ANSWER(1, 2));
    fake_exchange_expect_closed(exchange);
}

static void a_client_that_goes_takes_what_is_left_of_its_batch(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, "[" REQUEST(1) "," REQUEST(2) "," REQUEST(3) "]");
    bridge_fixture_answer_to(fixture, 3);
    while (fake_child_take(fixture->child) != NULL) {
    }
    fake_exchange_vanish(exchange);
    fake_child_expect(fixture->child, CANCELLED(2));
    fake_child_expect(fixture->child, CANCELLED(4));
    fake_child_expect_silence(fixture->child);
}

static void in_a_session_a_batch_goes_on_without_its_client(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    bridge_fixture_session(fixture, session)->revision = revision_find(slice_text("2025-03-26"));
    uint64_t taken = fixture->child->written;
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, "[" REQUEST(1) "," REQUEST(2) "]");
    bridge_fixture_answer_to(fixture, 2);
    fake_exchange_vanish(exchange);
    assert_int_equal(bridge_fixture_session(fixture, session)->holds, 2);
    fake_child_down(fixture->child, "exited with status 3", taken, 0);
    bridge_fixture_shake(fixture);
    fake_child_expect(fixture->child, REQUEST(5));
    bridge_fixture_answer(fixture);
    assert_int_equal(bridge_fixture_session(fixture, session)->holds, 0);
}

static void a_batch_that_fails_at_once_is_answered_once(void **state)
{
    static const char expected[] = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":"
                                   "\"The server is not available: the server exited with status 1\"}},"
                                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32603,\"message\":"
                                   "\"The server is not available: the server exited with status 1\"}}]";
    struct bridge_fixture *fixture = *state;
    fake_child_down(fixture->child, "exited with status 1", 0, 3);
    fake_exchange_expect(post(fixture, "[" REQUEST(1) "," REQUEST(2) "]"), 200, expected);
    fake_exchange_expect(post(fixture, "[" REQUEST(1) ",\n" REQUEST(2) "\n]"), 200, expected);
}

#define READY(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)
#define UNOPENED(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READY(an_answer_that_is_the_first_thing_to_say_is_json),
        READY(what_comes_before_the_answer_opens_a_stream),
        READY(long_silence_opens_a_stream_and_heartbeats_keep_it),
        READY(a_stream_that_a_message_opened_has_heartbeats_too),
        UNOPENED(without_these_settings_silence_stays_silence),
        UNOPENED(a_stream_that_a_message_opened_is_not_opened_again),
        READY(a_client_that_takes_only_json_gets_json_however_long_it_takes),
        READY(a_client_that_takes_only_a_stream_gets_one),
        UNOPENED(json_can_be_forced_but_not_on_a_client_that_cannot_take_it),
        READY(a_slow_reader_loses_progress_and_never_the_answer),
        READY(at_the_ceiling_for_streams_an_answer_is_json),
        READY(at_the_ceiling_for_streams_a_client_that_takes_nothing_else_is_refused),
        READY(a_posts_stream_carries_its_own_messages_only),
        READY(without_a_session_a_client_that_goes_takes_its_call_with_it),
        READY(without_a_session_a_stream_that_breaks_cancels_too),
        READY(in_a_session_the_call_goes_on_without_its_client),
        READY(a_call_without_its_client_can_still_be_cancelled),
        READY(a_call_without_its_client_goes_to_the_next_process_if_it_was_never_written),
        READY(a_subscribe_without_its_client_still_counts),
        READY(a_child_that_dies_makes_the_answer_an_error_with_status_200),
        UNOPENED(a_request_that_came_while_the_child_starts_is_answered_by_it),
        READY(a_batch_is_answered_with_one_array),
        READY(a_batch_of_one_is_answered_with_an_array_of_one),
        READY(a_batch_whose_stream_opens_in_the_middle_loses_no_answer),
        READY(a_batch_goes_as_events_to_who_takes_only_a_stream),
        READY(a_client_that_goes_takes_what_is_left_of_its_batch),
        READY(in_a_session_a_batch_goes_on_without_its_client),
        READY(a_batch_that_fails_at_once_is_answered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
