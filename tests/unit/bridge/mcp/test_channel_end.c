#include "bridge/mcp/channel.h"

#include "tests/unit/bridge/mcp/channel_fixture.h"

#include <inttypes.h>
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
#define CANCELLED "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%" PRIu64 "}}"

/* ---- Time ---- */

static void a_request_that_is_not_answered_times_out_and_the_child_hears_of_it(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    fake_child_expect(fixture->child, REQUEST(2));
    fake_world_advance(&fixture->world, 9999);
    fake_call_expect_silence(call);
    fake_world_advance(&fixture->world, 1);
    fake_call_expect_answer(call, ERROR(7, -32001, "Request timed out after 10000 ms"));
    fake_child_expect_format(fixture->child, CANCELLED, UINT64_C(2));
    fake_child_say(fixture->child, RESULT(2));
    assert_int_equal(fixture->drops, 0);
}

static void progress_begins_the_time_anew(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, WITH_TOKEN(7, "1"));
    for (int i = 0; i < 5; i++) {
        fake_world_advance(&fixture->world, 9000);
        fake_child_say(fixture->child, PROGRESS("2"));
        fake_call_expect_message(call, PROGRESS("1"));
    }
    fake_world_advance(&fixture->world, 9999);
    fake_call_expect_silence(call);
    fake_world_advance(&fixture->world, 1);
    fake_call_expect_answer(call, ERROR(7, -32001, "Request timed out after 10000 ms"));
}

static void without_a_timeout_a_request_waits_for_ever(void **state)
{
    struct channel_fixture *fixture = *state;
    fixture->settings.request_timeout_ms = 0;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    assert_int_equal(fixture->world.timers.count, 0);
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(7));
}

static void a_call_does_not_wait_for_the_child_for_ever(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    fake_child_down(fixture->child, "exited with status 1", 0, 1);
    fake_world_advance(&fixture->world, 60000);
    fake_call_expect_answer(
        call, ERROR(7, -32001, "The server is not ready after 60000 ms: the server exited with status 1"));
    assert_int_equal(fixture->channel.call_count, 0);
}

/* ---- Giving up ---- */

static void a_running_call_that_is_given_up_is_cancelled_at_the_child(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    fake_child_expect(fixture->child, REQUEST(2));
    channel_give_up(&fixture->channel, &call->call);
    assert_int_equal(call->call.state, CALL_ENDED);
    channel_give_up(&fixture->channel, &call->call);
    fake_child_expect_format(fixture->child, CANCELLED, UINT64_C(2));
    fake_child_expect_silence(fixture->child);
    fake_call_expect_silence(call);
    fake_child_say(fixture->child, RESULT(2));
    assert_null(call->answer);
    fake_free(call->request, call->request_size);
    call->request = NULL;
    fake_call_free(call);
}

static void a_waiting_call_that_is_given_up_is_never_sent(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(7));
    channel_fail(&fixture->channel, &call->call, REPLY_CANCELLED, "Request cancelled");
    fake_call_expect_answer(call, ERROR(7, -32800, "Request cancelled"));
    channel_fixture_shake(fixture);
    fake_child_expect_silence(fixture->child);
}

/* ---- The child's end ---- */

static void running_calls_fail_at_once_with_the_childs_end(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *first = channel_fixture_submit(fixture, REQUEST(1));
    struct fake_call *second = channel_fixture_submit(fixture, REQUEST("x"));
    fake_child_die(fixture->child);
    fake_call_expect_answer(first, ERROR(1, -32603, "The server exited with status 3 before it answered"));
    fake_call_expect_answer(second, ERROR("x", -32603, "The server exited with status 3 before it answered"));
    assert_int_equal(fixture->channel.call_count, 0);
    assert_int_equal(fixture->channel.mux.entries.count, 0);
}

static void a_request_that_was_never_written_goes_to_the_next_process(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *written = channel_fixture_submit(fixture, REQUEST(1));
    uint64_t taken = channel_fixture_last_end(fixture);
    struct fake_call *cut = channel_fixture_submit(fixture, REQUEST(2));
    struct fake_call *unwritten = channel_fixture_submit(fixture, WITH_TOKEN("u", "\"t\""));
    fake_child_down(fixture->child, "exited with status 3", taken + 5, 0);
    fake_call_expect_answer(written, ERROR(1, -32603, "The server exited with status 3 before it answered"));
    struct fake_call *later = channel_fixture_submit(fixture, REQUEST(3));
    channel_fixture_shake(fixture);
    fake_child_expect(fixture->child, REQUEST(6));
    fake_child_expect(fixture->child, WITH_TOKEN(7, "7"));
    fake_child_expect(fixture->child, REQUEST(8));
    fake_child_say(fixture->child, RESULT(6));
    fake_child_say(fixture->child, RESULT(7));
    fake_child_say(fixture->child, RESULT(8));
    fake_call_expect_answer(cut, RESULT(2));
    fake_call_expect_answer(unwritten, RESULT("u"));
    fake_call_expect_answer(later, RESULT(3));
}

static void undelivered_requests_go_before_those_that_already_waited(void **state)
{
    struct channel_fixture *fixture = *state;
    uint64_t taken = channel_fixture_last_end(fixture);
    struct fake_call *undelivered = channel_fixture_submit(fixture, REQUEST(1));
    fixture->child->is_full = true;
    struct fake_call *waiting = channel_fixture_submit(fixture, REQUEST(2));
    assert_int_equal(waiting->call.state, CALL_WAITING);
    fake_child_down(fixture->child, "exited with status 3", taken, 0);
    channel_fixture_shake(fixture);
    fake_child_expect(fixture->child, REQUEST(4));
    fake_child_expect(fixture->child, REQUEST(5));
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(undelivered, RESULT(1));
    fake_child_say(fixture->child, RESULT(5));
    fake_call_expect_answer(waiting, RESULT(2));
}

static void a_line_that_was_taken_to_its_last_byte_was_delivered(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(1));
    fake_child_down(fixture->child, "exited with status 3", channel_fixture_last_end(fixture), 0);
    fake_call_expect_answer(call, ERROR(1, -32603, "The server exited with status 3 before it answered"));
}

static void an_answer_to_the_last_process_is_nobodys_in_the_next(void **state)
{
    struct channel_fixture *fixture = *state;
    uint64_t taken = channel_fixture_last_end(fixture);
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(1));
    fake_child_down(fixture->child, "exited with status 3", taken, 0);
    channel_fixture_shake(fixture);
    fake_child_say(fixture->child, RESULT(2));
    assert_int_equal(fixture->drops, 1);
    fake_call_expect_silence(call);
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(call, RESULT(1));
}

static void three_failures_in_a_row_fail_the_waiting_and_the_coming_at_once(void **state)
{
    static const char answer[] = ERROR(1, -32603, "The server is not available: the server exited with status 1");
    struct channel_fixture *fixture = *state;
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(1));
    fake_child_down(fixture->child, "exited with status 1", 0, 1);
    fake_child_down(fixture->child, "exited with status 1", 0, 2);
    fake_call_expect_silence(call);
    fake_child_down(fixture->child, "exited with status 1", 0, 3);
    fake_call_expect_answer(call, answer);
    fake_call_expect_answer(channel_fixture_submit(fixture, REQUEST(1)), answer);
    fake_child_up(fixture->child);
    fake_call_expect_answer(channel_fixture_submit(fixture, REQUEST(1)), answer);
    channel_fixture_say_handshake(fixture);
    call = channel_fixture_submit(fixture, REQUEST(1));
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{}}",
                          fixture->child->last_id);
    fake_call_expect_answer(call, RESULT(1));
}

static void an_undelivered_request_does_not_wait_for_a_child_that_keeps_failing(void **state)
{
    struct channel_fixture *fixture = *state;
    uint64_t taken = channel_fixture_last_end(fixture);
    struct fake_call *call = channel_fixture_submit(fixture, REQUEST(1));
    fake_child_down(fixture->child, "exited with status 1", taken, 3);
    fake_call_expect_answer(call, ERROR(1, -32603, "The server is not available: the server exited with status 1"));
}

static void a_command_that_cannot_be_started_is_named(void **state)
{
    struct channel_fixture *fixture = *state;
    fake_child_down(fixture->child, "could not be started: no such file or directory", 0, 3);
    fake_call_expect_answer(channel_fixture_submit(fixture, REQUEST(1)),
                            ERROR(1, -32603,
                                  "The server is not available: the server could not be started: "
                                  "no such file or directory"));
}

/* Whose child it was is gone with the first answer; a call that was never delivered must not be left behind. */
static void on_answer_close(struct call *call, const struct slice *parts, size_t count)
{
    (void)parts;
    (void)count;
    channel_close(call->channel);
}

static void an_owner_that_closes_the_channel_when_its_call_fails_leaves_no_call_behind(void **state)
{
    struct channel_fixture *fixture = *state;
    static const struct call_events closing = {.on_answer = on_answer_close};
    struct fake_call *delivered = channel_fixture_submit(fixture, REQUEST(1));
    uint64_t delivered_end = fixture->child->written;
    struct fake_call *second = channel_fixture_submit(fixture, REQUEST(2));
    delivered->call.events = &closing;
    fake_child_down(fixture->child, "exited with status 0", delivered_end, 1);
    fake_call_expect_answer(second, ERROR(2, -32603, "The bridge is shutting down"));
    fake_free(delivered->request, delivered->request_size);
    delivered->request = NULL;
    fake_call_free(delivered);
}

/* ---- The end ---- */

static void closing_fails_every_call_and_sends_nothing_more(void **state)
{
    struct channel_fixture *fixture = *state;
    struct fake_call *running = channel_fixture_submit(fixture, REQUEST(1));
    fixture->child->is_full = true;
    struct fake_call *waiting = channel_fixture_submit(fixture, REQUEST(2));
    size_t lines = fixture->child->line_count;
    channel_close(&fixture->channel);
    fake_call_expect_answer(running, ERROR(1, -32603, "The bridge is shutting down"));
    fake_call_expect_answer(waiting, ERROR(2, -32603, "The bridge is shutting down"));
    fake_call_expect_answer(channel_fixture_submit(fixture, REQUEST(3)),
                            ERROR(3, -32603, "The bridge is shutting down"));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, REQUEST(2));
    assert_int_equal(fixture->child->line_count, lines);
    assert_true(fixture->child->is_closing);
}

static void a_child_that_comes_up_while_it_is_closed_is_not_spoken_to(void **state)
{
    struct channel_fixture *fixture = *state;
    channel_close(&fixture->channel);
    fake_child_up(fixture->child);
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->channel.state, CHANNEL_CLOSING);
}

static void every_state_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(channel_state_name(CHANNEL_STARTING), "starting");
    assert_string_equal(channel_state_name(CHANNEL_CLOSED), "closed");
}

#define STARTING(name) cmocka_unit_test_setup_teardown(name, channel_fixture_set_up, channel_fixture_tear_down)
#define READY(name) cmocka_unit_test_setup_teardown(name, channel_fixture_set_up_ready, channel_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READY(a_request_that_is_not_answered_times_out_and_the_child_hears_of_it),
        READY(progress_begins_the_time_anew),
        READY(without_a_timeout_a_request_waits_for_ever),
        STARTING(a_call_does_not_wait_for_the_child_for_ever),
        READY(a_running_call_that_is_given_up_is_cancelled_at_the_child),
        STARTING(a_waiting_call_that_is_given_up_is_never_sent),
        READY(running_calls_fail_at_once_with_the_childs_end),
        READY(a_request_that_was_never_written_goes_to_the_next_process),
        READY(undelivered_requests_go_before_those_that_already_waited),
        READY(a_line_that_was_taken_to_its_last_byte_was_delivered),
        READY(an_answer_to_the_last_process_is_nobodys_in_the_next),
        STARTING(three_failures_in_a_row_fail_the_waiting_and_the_coming_at_once),
        READY(an_undelivered_request_does_not_wait_for_a_child_that_keeps_failing),
        STARTING(a_command_that_cannot_be_started_is_named),
        READY(an_owner_that_closes_the_channel_when_its_call_fails_leaves_no_call_behind),
        READY(closing_fails_every_call_and_sends_nothing_more),
        STARTING(a_child_that_comes_up_while_it_is_closed_is_not_spoken_to),
        READY(every_state_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
