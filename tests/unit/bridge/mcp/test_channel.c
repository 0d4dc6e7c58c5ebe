#include "bridge/mcp/channel.h"

#include "tests/unit/bridge/mcp/channel_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{}}"
#define ERROR(id, code, text) \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"error\":{\"code\":" #code ",\"message\":\"" text "\"}}"
#define WITH_TOKEN(id, token) \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\",\"params\":{\"_meta\":{\"progressToken\":" token "}}}"
#define PROGRESS(token)                                                                               \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":" token \
    ",\"progress\":1}}"

/* ---- The handshake ---- */

static void the_handshake_comes_first_and_initialized_after_its_answer(void **state)
{
    struct channel_fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_child_expect(fixture->child,
                      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                      "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"mcp-bridge\","
                      "\"version\":\"1.2.3\"}}}");
    assert_int_equal(fixture->channel.state, CHANNEL_SHAKING);
    assert_int_equal(fixture->child->settles, 0);
    channel_fixture_say_handshake(fixture);
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->channel.state, CHANNEL_READY);
    assert_int_equal(fixture->child->settles, 1);
    assert_int_equal(fixture->readies, 1);
}

static void a_call_waits_for_the_handshake_and_goes_after_it(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *first = channel_fixture_submit(fixture, REQUEST(0));
    fake_child_up(fixture->child);
    struct fake_call *second = channel_fixture_submit(fixture, REQUEST("a"));
    assert_int_equal(fixture->child->line_count, 1);
    assert_int_equal(first->call.state, CALL_WAITING);
    channel_fixture_say_handshake(fixture);
    assert_int_equal(fixture->child->line_count, 4);
    assert_string_equal(fixture->child->lines[2].text, REQUEST(2));
    assert_string_equal(fixture->child->lines[3].text, REQUEST(3));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(first, RESULT(0));
    fake_call_expect_answer(second, RESULT("a"));
}

static void a_handshake_that_is_answered_under_a_string_is_as_good(void **state)
{
    struct channel_fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_child_say(fixture->child,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"protocolVersion\":\"2025-11-25\"}}");
    assert_int_equal(fixture->channel.state, CHANNEL_READY);
}

static void another_answer_is_not_the_handshakes(void **state)
{
    struct channel_fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{\"protocolVersion\":\"2025-11-25\"}}");
    assert_int_equal(fixture->channel.state, CHANNEL_SHAKING);
    assert_int_equal(fixture->drops, 1);
    channel_fixture_say_handshake(fixture);
    assert_int_equal(fixture->channel.state, CHANNEL_READY);
}

static void a_process_that_refuses_the_handshake_is_restarted_and_its_reason_kept(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(5));
    fake_child_up(fixture->child);
    fake_child_say(fixture->child, ERROR(1, -32602, "no key"));
    assert_int_equal(fixture->child->restarts, 1);
    assert_string_equal(fixture->child->why, "the server refused initialize: no key");
    fake_child_down(fixture->child, "was killed by signal 15 (SIGTERM)", 0, 3);
    fake_call_expect_answer(call,
                            ERROR(5, -32603, "The server is not available: the server refused initialize: no key"));
}

static void a_reason_that_is_cut_is_still_utf8(void **state)
{
    struct channel_fixture *fixture = *state;
    struct buffer line;
    struct message message;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(5));
    buffer_init(&line, 0);
    buffer_add_text(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"x");
    for (int i = 0; i < 200; i++) {
        buffer_add_text(&line, "\xe2\x82\xac");
    }
    buffer_add_text(&line, "\"}}");
    fake_child_up(fixture->child);
    fake_child_say_bytes(fixture->child, buffer_slice(&line));
    buffer_release(&line);
    fake_child_down(fixture->child, "exited with status 1", 0, 3);
    assert_non_null(call->answer);
    enum message_fault fault = message_scan_whole(&message, slice_text(call->answer));
    fake_call_free(call);
    assert_int_equal(fault, MESSAGE_FAULT_NONE);
}

static void a_process_that_does_not_answer_the_handshake_is_restarted(void **state)
{
    struct channel_fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_world_advance(&fixture->world, 59999);
    assert_int_equal(fixture->child->restarts, 0);
    fake_world_advance(&fixture->world, 1);
    assert_int_equal(fixture->child->restarts, 1);
    assert_string_equal(fixture->child->why, "the server did not answer initialize within 60000 ms (--start-timeout)");
    fake_child_down(fixture->child, "was killed by signal 9 (SIGKILL)", 0, 1);
    channel_fixture_shake(fixture);
    assert_int_equal(fixture->channel.state, CHANNEL_READY);
    assert_int_equal(fixture->world.timers.count, 0);
}

static void a_process_that_dies_during_the_handshake_is_not_waited_for(void **state)
{
    struct channel_fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_child_down(fixture->child, "exited with status 1", 0, 1);
    assert_int_equal(fixture->world.timers.count, 0);
    fake_world_advance(&fixture->world, 60000);
    assert_int_equal(fixture->child->restarts, 0);
}

static void each_process_is_shaken_hands_with_under_a_new_id(void **state)
{
    struct channel_fixture *fixture = *state;
    uint64_t first = fixture->child->last_id;
    fake_child_die(fixture->child);
    assert_int_equal(fixture->channel.state, CHANNEL_DOWN);
    assert_int_equal(fixture->downs, 1);
    channel_fixture_shake(fixture);
    assert_true(fixture->child->last_id > first);
    assert_int_equal(fixture->readies, 2);
    assert_int_equal(fixture->child->settles, 2);
}

/* ---- Calls ---- */

static void a_call_goes_out_under_a_wire_id_and_its_answer_comes_under_its_own(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(
        fixture,
        "{ \"id\" : \"\\u0061\", \"params\":{\"x\":[1e400,-0,\"a\\/b\"]} ,\"jsonrpc\":\"2.0\",\"method\":\"m\"}");
    fake_child_expect(fixture->child,
                      "{ \"id\" : 2, \"params\":{\"x\":[1e400,-0,\"a\\/b\"]} ,\"jsonrpc\":\"2.0\",\"method\":\"m\"}");
    fake_child_say(fixture->child, "{\"result\": {\"id\":2,\"y\":9007199254740993} ,\"id\" : 2,\"jsonrpc\":\"2.0\" }");
    fake_call_expect_answer(
        call, "{\"result\": {\"id\":2,\"y\":9007199254740993} ,\"id\" : \"\\u0061\",\"jsonrpc\":\"2.0\" }");
}

static void answers_may_come_in_any_order_and_as_errors(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *calls[3];
    for (size_t i = 0; i < 3; i++) {
        calls[i] = channel_fixture_submit(fixture, REQUEST(1));
    }
    assert_int_equal(fixture->channel.call_count, 3);
    fake_child_say(fixture->child, ERROR(4, 7, "x"));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_silence(calls[1]);
    fake_child_say(fixture->child, RESULT("3"));
    fake_call_expect_answer(calls[0], RESULT(1));
    fake_call_expect_answer(calls[1], RESULT(1));
    fake_call_expect_answer(calls[2], ERROR(1, 7, "x"));
    assert_int_equal(fixture->drops, 0);
}

static void an_answer_to_nobody_is_dropped_and_counted(void **state)
{
    static const char *const foreign[] = {RESULT(2),
                                          RESULT(99),
                                          RESULT(0),
                                          RESULT(-2),
                                          RESULT("x"),
                                          ERROR(null, -32700, "Parse error"),
                                          "{\"jsonrpc\":\"2.0\",\"error\":{}}"};
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(7));
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        fake_child_say(fixture->child, foreign[i]);
        assert_int_equal(fixture->drops, i + 1);
    }
}

static void a_late_answer_is_dropped_and_does_not_count(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    channel_fail(&fixture->channel, &call->call, REPLY_CANCELLED, "Request cancelled");
    fake_call_expect_answer(call, ERROR(7, -32800, "Request cancelled"));
    fake_child_say(fixture->child, RESULT(2));
    assert_int_equal(fixture->drops, 0);
    fake_child_say(fixture->child, RESULT(2));
    assert_int_equal(fixture->drops, 1);
}

static void what_is_no_message_is_dropped_and_the_next_line_is_read(void **state)
{
    static const char *const lines[] = {"",
                                        "hello",
                                        "{}",
                                        "[" RESULT(2) "]",
                                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":",
                                        RESULT(2) RESULT(2),
                                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"id\":2,\"result\":1}"};
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        fake_child_say(fixture->child, lines[i]);
        assert_int_equal(fixture->drops, i + 1);
    }
    fake_call_expect_silence(call);
    fake_child_say(fixture->child, "\xef\xbb\xbf" RESULT(2));
    fake_call_expect_answer(call, RESULT(7));
}

static void a_line_of_the_childs_may_hold_cr_between_tokens(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\r\"id\":2,\"result\":{}\r}\r");
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\", \"id\":7,\"result\":{} }");
}

static void notifications_and_requests_go_to_the_owner(void **state)
{
    struct channel_fixture *fixture = *state;
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}");
    fake_child_say(fixture->child, REQUEST(5));
    assert_int_equal(fixture->notifications, 1);
    assert_int_equal(fixture->requests, 1);
    assert_int_equal(fixture->drops, 0);
}

static void a_request_of_the_childs_with_the_id_of_a_call_answers_nothing(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    fake_child_say(fixture->child, REQUEST(2));
    fake_call_expect_silence(call);
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(7));
}

/* ---- Progress ---- */

static void progress_comes_with_the_clients_own_token_and_its_type(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *number = channel_fixture_submit(fixture, WITH_TOKEN(1, "0"));
    struct fake_call *text = channel_fixture_submit(fixture, WITH_TOKEN(1, "\"0\""));
    fake_child_expect(fixture->child, WITH_TOKEN(2, "2"));
    fake_child_expect(fixture->child, WITH_TOKEN(3, "3"));
    fake_child_say(fixture->child, PROGRESS("3"));
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_child_say(fixture->child, PROGRESS("\"2\""));
    fake_call_expect_message(number, PROGRESS("0"));
    fake_call_expect_message(number, PROGRESS("0"));
    fake_call_expect_message(text, PROGRESS("\"0\""));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(number, RESULT(1));
    fake_call_expect_answer(text, RESULT(1));
}

static void progress_of_no_running_call_is_a_notification_like_any_other(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *silent = channel_fixture_submit(fixture, REQUEST(1));
    struct fake_call *asking = channel_fixture_submit(fixture, WITH_TOKEN(1, "\"t\""));
    fake_child_say(fixture->child, PROGRESS("2"));
    fake_child_say(fixture->child, PROGRESS("\"t\""));
    fake_child_say(fixture->child, PROGRESS("77"));
    fake_child_say(fixture->child, PROGRESS("null"));
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}");
    assert_int_equal(fixture->notifications, 5);
    fake_call_expect_silence(silent);
    fake_call_expect_silence(asking);
    fake_child_say(fixture->child, RESULT(3));
    fake_child_say(fixture->child, PROGRESS("3"));
    assert_int_equal(fixture->notifications, 6);
    fake_call_expect_answer(asking, RESULT(1));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(silent, RESULT(1));
}

/* ---- A full pipe ---- */

static void calls_wait_in_order_while_the_childs_input_is_full(void **state)
{
    struct channel_fixture *fixture = *state;
    fixture->child->is_full = true;
    struct fake_call *first = channel_fixture_submit(fixture, REQUEST(1));
    struct fake_call *second = channel_fixture_submit(fixture, REQUEST(2));
    fake_child_expect_silence(fixture->child);
    fixture->child->is_full = false;
    struct fake_call *third = channel_fixture_submit(fixture, REQUEST(3));
    fake_child_drain(fixture->child);
    assert_int_equal(fixture->drains, 1);
    fake_child_expect(fixture->child, REQUEST(2));
    fake_child_expect(fixture->child, REQUEST(3));
    fake_child_expect(fixture->child, REQUEST(4));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(first, RESULT(1));
    fake_call_expect_answer(second, RESULT(2));
    fake_call_expect_answer(third, RESULT(3));
}

static struct fake_call *wait_for(struct channel_fixture *fixture, enum call_wish wish)
{
    struct fake_call *call = fake_call_new(REQUEST(9));
    call->call.wish = wish;
    channel_submit(&fixture->channel, &call->call);
    return call;
}

static void who_waits_for_the_child_hears_when_it_is_ready(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *early = wait_for(fixture, CALL_WAITS_FOR_CHILD);
    assert_int_equal(early->readies, 0);
    channel_fixture_shake(fixture);
    assert_int_equal(early->readies, 1);
    struct fake_call *late = wait_for(fixture, CALL_WAITS_FOR_CHILD);
    assert_int_equal(late->readies, 1);
    fake_child_expect_silence(fixture->child);
    fake_call_free(early);
    fake_call_free(late);
}

static void who_waits_for_room_hears_when_there_is_some(void **state)
{
    struct channel_fixture *fixture = *state;
    fixture->child->is_full = true;
    struct fake_call *call = wait_for(fixture, CALL_WAITS_FOR_ROOM);
    struct fake_call *child = wait_for(fixture, CALL_WAITS_FOR_CHILD);
    assert_int_equal(call->readies, 0);
    fake_child_drain(fixture->child);
    assert_int_equal(call->readies, 1);
    assert_int_equal(child->readies, 1);
    fake_call_free(call);
    fake_call_free(child);
}

/* ---- Attribution ---- */

static void only_one_call_that_runs_alone_is_certain(void **state)
{
    struct channel_fixture *fixture = *state;
    assert_null(channel_only_call(&fixture->channel));
    struct fake_call *first = channel_fixture_submit(fixture, REQUEST(1));
    assert_ptr_equal(channel_only_call(&fixture->channel), &first->call);
    struct fake_call *second = channel_fixture_submit(fixture, REQUEST(2));
    assert_null(channel_only_call(&fixture->channel));
    channel_fail(&fixture->channel, &first->call, REPLY_CANCELLED, "x");
    fake_call_expect_answer(first, ERROR(1, -32800, "x"));
    assert_null(channel_only_call(&fixture->channel));
    fake_child_say(fixture->child, RESULT(2));
    assert_ptr_equal(channel_only_call(&fixture->channel), &second->call);
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(second, RESULT(2));
    assert_null(channel_only_call(&fixture->channel));
}

static void an_abandoned_call_that_is_never_answered_is_forgotten_after_a_minute(void **state)
{
    struct channel_fixture *fixture = *state;
    fixture->settings.request_timeout_ms = 0;
    struct fake_call *given_up = channel_fixture_submit(fixture, REQUEST(1));
    channel_fail(&fixture->channel, &given_up->call, REPLY_CANCELLED, "x");
    fake_call_expect_answer(given_up, ERROR(1, -32800, "x"));
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(2));
    fake_world_advance(&fixture->world, 59999);
    assert_null(channel_only_call(&fixture->channel));
    fake_world_advance(&fixture->world, 1);
    assert_ptr_equal(channel_only_call(&fixture->channel), &call->call);
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(call, RESULT(2));
}

#define STARTING(name) cmocka_unit_test_setup_teardown(name, channel_fixture_set_up, channel_fixture_tear_down)
#define READY(name) cmocka_unit_test_setup_teardown(name, channel_fixture_set_up_ready, channel_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTING(the_handshake_comes_first_and_initialized_after_its_answer),
        STARTING(a_call_waits_for_the_handshake_and_goes_after_it),
        STARTING(a_handshake_that_is_answered_under_a_string_is_as_good),
        STARTING(another_answer_is_not_the_handshakes),
        STARTING(a_process_that_refuses_the_handshake_is_restarted_and_its_reason_kept),
        STARTING(a_reason_that_is_cut_is_still_utf8),
        STARTING(a_process_that_does_not_answer_the_handshake_is_restarted),
        STARTING(a_process_that_dies_during_the_handshake_is_not_waited_for),
        READY(each_process_is_shaken_hands_with_under_a_new_id),
        READY(a_call_goes_out_under_a_wire_id_and_its_answer_comes_under_its_own),
        READY(answers_may_come_in_any_order_and_as_errors),
        READY(an_answer_to_nobody_is_dropped_and_counted),
        READY(a_late_answer_is_dropped_and_does_not_count),
        READY(what_is_no_message_is_dropped_and_the_next_line_is_read),
        READY(a_line_of_the_childs_may_hold_cr_between_tokens),
        READY(notifications_and_requests_go_to_the_owner),
        READY(a_request_of_the_childs_with_the_id_of_a_call_answers_nothing),
        READY(progress_comes_with_the_clients_own_token_and_its_type),
        READY(progress_of_no_running_call_is_a_notification_like_any_other),
        READY(calls_wait_in_order_while_the_childs_input_is_full),
        STARTING(who_waits_for_the_child_hears_when_it_is_ready),
        READY(who_waits_for_room_hears_when_there_is_some),
        READY(only_one_call_that_runs_alone_is_certain),
        READY(an_abandoned_call_that_is_never_answered_is_forgotten_after_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
