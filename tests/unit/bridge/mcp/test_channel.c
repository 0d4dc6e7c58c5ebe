#include "bridge/mcp/channel.h"

#include "bridge/base/memory.h"
#include "tests/unit/bridge/fake_call.h"
#include "tests/unit/bridge/fake_child.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

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

struct fixture {
    struct fake_world world;
    struct child_command command;
    struct channel_settings settings;
    struct server_counters counters;
    struct channel channel;
    struct fake_child *child;
    unsigned readies;
    unsigned drains;
    unsigned downs;
    unsigned notifications;
    unsigned requests;
    unsigned drops;
    int refused_code;
    unsigned closes;
    char why[256]; /* of the last drop */
};

static struct fixture *from(struct channel *channel)
{
    return container_of(channel, struct fixture, channel);
}

static void on_ready(struct channel *channel)
{
    from(channel)->readies++;
}

static void on_drained(struct channel *channel)
{
    from(channel)->drains++;
}

static void on_down(struct channel *channel)
{
    assert_true(list_is_empty(&channel->running));
    from(channel)->downs++;
}

static void on_notification(struct channel *channel, const struct message *message)
{
    assert_int_equal(message->kind, MESSAGE_NOTIFICATION);
    from(channel)->notifications++;
}

static void on_request(struct channel *channel, const struct message *message)
{
    assert_int_equal(message->kind, MESSAGE_REQUEST);
    from(channel)->requests++;
}

static void on_dropped(struct channel *channel, const char *why)
{
    from(channel)->drops++;
    snprintf(from(channel)->why, sizeof(from(channel)->why), "%s", why);
}

static void on_refused(struct channel *channel, const struct message *answer)
{
    from(channel)->refused_code = answer != NULL ? message_error_code(answer) : 0;
}

static void on_closed(struct channel *channel)
{
    from(channel)->closes++;
}

static const struct channel_events events = {
    .on_ready = on_ready,
    .on_drained = on_drained,
    .on_down = on_down,
    .on_notification = on_notification,
    .on_request = on_request,
    .on_refused = on_refused,
    .on_dropped = on_dropped,
    .on_closed = on_closed,
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    fake_world_init(&fixture->world, 1);
    fixture->command.name = slice_text("fake");
    fixture->settings = (struct channel_settings){.start_timeout_ms = 60000, .request_timeout_ms = 10000};
    const struct channel_options options = {
        .world = &fixture->world.port,
        .command = &fixture->command,
        .settings = &fixture->settings,
        .counters = &fixture->counters,
        .events = &events,
    };
    channel_open(&fixture->channel, &options);
    fixture->child = fake_child_of(&fixture->world);
    *state = fixture;
    return 0;
}

static void say_handshake(struct fixture *fixture)
{
    fake_child_say_format(fixture->child,
                          "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"protocolVersion\":\"2025-11-25\"}}",
                          fixture->child->last_id);
}

/* A process starts and shakes hands; what it was sent so far is not looked at. */
static void shake(struct fixture *fixture)
{
    fake_child_up(fixture->child);
    assert_non_null(fake_child_take(fixture->child));
    say_handshake(fixture);
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

static int set_up_ready(void **state)
{
    set_up(state);
    shake(*state);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    channel_close(&fixture->channel);
    channel_close(&fixture->channel);
    if (fixture->child->state != FAKE_CHILD_CLOSED) {
        assert_int_equal(fixture->closes, 0);
        fake_child_finish(fixture->child);
    }
    assert_int_equal(fixture->closes, 1);
    assert_int_equal(fixture->channel.call_count, 0);
    assert_int_equal(fixture->channel.mux.entries.count, 0);
    fake_world_release(&fixture->world);
    free(fixture);
    return 0;
}

static struct fake_call *submit(struct fixture *fixture, const char *request)
{
    struct fake_call *call = fake_call_new(request);
    channel_submit(&fixture->channel, &call->call);
    return call;
}

/* Where the last line ends in the child's input. */
static uint64_t last_end(const struct fixture *fixture)
{
    return fixture->child->lines[fixture->child->line_count - 1].written_end;
}

/* ---- The handshake ---- */

static void the_handshake_comes_first_and_initialized_after_its_answer(void **state)
{
    struct fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_child_expect(fixture->child,
                      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                      "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"mcp-bridge\","
                      "\"version\":\"1.2.3\"}}}");
    assert_int_equal(fixture->channel.state, CHANNEL_SHAKING);
    assert_int_equal(fixture->child->settles, 0);
    say_handshake(fixture);
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->channel.state, CHANNEL_READY);
    assert_int_equal(fixture->child->settles, 1);
    assert_int_equal(fixture->readies, 1);
}

static void a_call_waits_for_the_handshake_and_goes_after_it(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *first = submit(fixture, REQUEST(0));
    fake_child_up(fixture->child);
    struct fake_call *second = submit(fixture, REQUEST("a"));
    assert_int_equal(fixture->child->line_count, 1);
    assert_int_equal(first->call.state, CALL_WAITING);
    say_handshake(fixture);
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
    struct fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_child_say(fixture->child,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"protocolVersion\":\"2025-11-25\"}}");
    assert_int_equal(fixture->channel.state, CHANNEL_READY);
}

static void another_answer_is_not_the_handshakes(void **state)
{
    struct fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{\"protocolVersion\":\"2025-11-25\"}}");
    assert_int_equal(fixture->channel.state, CHANNEL_SHAKING);
    assert_int_equal(fixture->drops, 1);
    say_handshake(fixture);
    assert_int_equal(fixture->channel.state, CHANNEL_READY);
}

static void a_process_that_refuses_the_handshake_is_restarted_and_its_reason_kept(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(5));
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
    struct fixture *fixture = *state;
    struct buffer line;
    struct message message;
    struct fake_call *call = submit(fixture, REQUEST(5));
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
    struct fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_world_advance(&fixture->world, 59999);
    assert_int_equal(fixture->child->restarts, 0);
    fake_world_advance(&fixture->world, 1);
    assert_int_equal(fixture->child->restarts, 1);
    assert_string_equal(fixture->child->why, "the server did not answer initialize within 60000 ms (--start-timeout)");
    fake_child_down(fixture->child, "was killed by signal 9 (SIGKILL)", 0, 1);
    shake(fixture);
    assert_int_equal(fixture->channel.state, CHANNEL_READY);
    assert_int_equal(fixture->world.timers.count, 0);
}

static void a_process_that_dies_during_the_handshake_is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    fake_child_up(fixture->child);
    fake_child_down(fixture->child, "exited with status 1", 0, 1);
    assert_int_equal(fixture->world.timers.count, 0);
    fake_world_advance(&fixture->world, 60000);
    assert_int_equal(fixture->child->restarts, 0);
}

static void each_process_is_shaken_hands_with_under_a_new_id(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = fixture->child->last_id;
    fake_child_die(fixture->child);
    assert_int_equal(fixture->channel.state, CHANNEL_DOWN);
    assert_int_equal(fixture->downs, 1);
    shake(fixture);
    assert_true(fixture->child->last_id > first);
    assert_int_equal(fixture->readies, 2);
    assert_int_equal(fixture->child->settles, 2);
}

/* ---- Calls ---- */

static void a_call_goes_out_under_a_wire_id_and_its_answer_comes_under_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *call = submit(
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
    struct fixture *fixture = *state;
    struct fake_call *calls[3];
    for (size_t i = 0; i < 3; i++) {
        calls[i] = submit(fixture, REQUEST(1));
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
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(7));
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        fake_child_say(fixture->child, foreign[i]);
        assert_int_equal(fixture->drops, i + 1);
    }
}

static void a_late_answer_is_dropped_and_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
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
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
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
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\r\"id\":2,\"result\":{}\r}\r");
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\", \"id\":7,\"result\":{} }");
}

static void notifications_and_requests_go_to_the_owner(void **state)
{
    struct fixture *fixture = *state;
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}");
    fake_child_say(fixture->child, REQUEST(5));
    assert_int_equal(fixture->notifications, 1);
    assert_int_equal(fixture->requests, 1);
    assert_int_equal(fixture->drops, 0);
}

static void a_request_of_the_childs_with_the_id_of_a_call_answers_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
    fake_child_say(fixture->child, REQUEST(2));
    fake_call_expect_silence(call);
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(7));
}

/* ---- Progress ---- */

static void progress_comes_with_the_clients_own_token_and_its_type(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *number = submit(fixture, WITH_TOKEN(1, "0"));
    struct fake_call *text = submit(fixture, WITH_TOKEN(1, "\"0\""));
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
    struct fixture *fixture = *state;
    struct fake_call *silent = submit(fixture, REQUEST(1));
    struct fake_call *asking = submit(fixture, WITH_TOKEN(1, "\"t\""));
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

/* ---- Time ---- */

static void a_request_that_is_not_answered_times_out_and_the_child_hears_of_it(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
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
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, WITH_TOKEN(7, "1"));
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
    struct fixture *fixture = *state;
    fixture->settings.request_timeout_ms = 0;
    struct fake_call *call = submit(fixture, REQUEST(7));
    assert_int_equal(fixture->world.timers.count, 0);
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(7));
}

static void a_call_does_not_wait_for_the_child_for_ever(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
    fake_child_down(fixture->child, "exited with status 1", 0, 1);
    fake_world_advance(&fixture->world, 60000);
    fake_call_expect_answer(
        call, ERROR(7, -32001, "The server is not ready after 60000 ms: the server exited with status 1"));
    assert_int_equal(fixture->channel.call_count, 0);
}

/* ---- Giving up ---- */

static void a_running_call_that_is_given_up_is_cancelled_at_the_child(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
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
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(7));
    channel_fail(&fixture->channel, &call->call, REPLY_CANCELLED, "Request cancelled");
    fake_call_expect_answer(call, ERROR(7, -32800, "Request cancelled"));
    shake(fixture);
    fake_child_expect_silence(fixture->child);
}

/* ---- The child's end ---- */

static void running_calls_fail_at_once_with_the_childs_end(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *first = submit(fixture, REQUEST(1));
    struct fake_call *second = submit(fixture, REQUEST("x"));
    fake_child_die(fixture->child);
    fake_call_expect_answer(first, ERROR(1, -32603, "The server exited with status 3 before it answered"));
    fake_call_expect_answer(second, ERROR("x", -32603, "The server exited with status 3 before it answered"));
    assert_int_equal(fixture->channel.call_count, 0);
    assert_int_equal(fixture->channel.mux.entries.count, 0);
}

static void a_request_that_was_never_written_goes_to_the_next_process(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *written = submit(fixture, REQUEST(1));
    uint64_t taken = last_end(fixture);
    struct fake_call *cut = submit(fixture, REQUEST(2));
    struct fake_call *unwritten = submit(fixture, WITH_TOKEN("u", "\"t\""));
    fake_child_down(fixture->child, "exited with status 3", taken + 5, 0);
    fake_call_expect_answer(written, ERROR(1, -32603, "The server exited with status 3 before it answered"));
    struct fake_call *later = submit(fixture, REQUEST(3));
    shake(fixture);
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
    struct fixture *fixture = *state;
    uint64_t taken = last_end(fixture);
    struct fake_call *undelivered = submit(fixture, REQUEST(1));
    fixture->child->is_full = true;
    struct fake_call *waiting = submit(fixture, REQUEST(2));
    assert_int_equal(waiting->call.state, CALL_WAITING);
    fake_child_down(fixture->child, "exited with status 3", taken, 0);
    shake(fixture);
    fake_child_expect(fixture->child, REQUEST(4));
    fake_child_expect(fixture->child, REQUEST(5));
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(undelivered, RESULT(1));
    fake_child_say(fixture->child, RESULT(5));
    fake_call_expect_answer(waiting, RESULT(2));
}

static void a_line_that_was_taken_to_its_last_byte_was_delivered(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(1));
    fake_child_down(fixture->child, "exited with status 3", last_end(fixture), 0);
    fake_call_expect_answer(call, ERROR(1, -32603, "The server exited with status 3 before it answered"));
}

static void an_answer_to_the_last_process_is_nobodys_in_the_next(void **state)
{
    struct fixture *fixture = *state;
    uint64_t taken = last_end(fixture);
    struct fake_call *call = submit(fixture, REQUEST(1));
    fake_child_down(fixture->child, "exited with status 3", taken, 0);
    shake(fixture);
    fake_child_say(fixture->child, RESULT(2));
    assert_int_equal(fixture->drops, 1);
    fake_call_expect_silence(call);
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(call, RESULT(1));
}

static void three_failures_in_a_row_fail_the_waiting_and_the_coming_at_once(void **state)
{
    static const char answer[] = ERROR(1, -32603, "The server is not available: the server exited with status 1");
    struct fixture *fixture = *state;
    struct fake_call *call = submit(fixture, REQUEST(1));
    fake_child_down(fixture->child, "exited with status 1", 0, 1);
    fake_child_down(fixture->child, "exited with status 1", 0, 2);
    fake_call_expect_silence(call);
    fake_child_down(fixture->child, "exited with status 1", 0, 3);
    fake_call_expect_answer(call, answer);
    fake_call_expect_answer(submit(fixture, REQUEST(1)), answer);
    fake_child_up(fixture->child);
    fake_call_expect_answer(submit(fixture, REQUEST(1)), answer);
    say_handshake(fixture);
    call = submit(fixture, REQUEST(1));
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{}}",
                          fixture->child->last_id);
    fake_call_expect_answer(call, RESULT(1));
}

static void an_undelivered_request_does_not_wait_for_a_child_that_keeps_failing(void **state)
{
    struct fixture *fixture = *state;
    uint64_t taken = last_end(fixture);
    struct fake_call *call = submit(fixture, REQUEST(1));
    fake_child_down(fixture->child, "exited with status 1", taken, 3);
    fake_call_expect_answer(call, ERROR(1, -32603, "The server is not available: the server exited with status 1"));
}

static void a_command_that_cannot_be_started_is_named(void **state)
{
    struct fixture *fixture = *state;
    fake_child_down(fixture->child, "could not be started: no such file or directory", 0, 3);
    fake_call_expect_answer(submit(fixture, REQUEST(1)),
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
    struct fixture *fixture = *state;
    static const struct call_events closing = {.on_answer = on_answer_close};
    struct fake_call *delivered = submit(fixture, REQUEST(1));
    uint64_t delivered_end = fixture->child->written;
    struct fake_call *second = submit(fixture, REQUEST(2));
    delivered->call.events = &closing;
    fake_child_down(fixture->child, "exited with status 0", delivered_end, 1);
    fake_call_expect_answer(second, ERROR(2, -32603, "The bridge is shutting down"));
    fake_free(delivered->request, delivered->request_size);
    delivered->request = NULL;
    fake_call_free(delivered);
}

/* ---- A full pipe ---- */

static void calls_wait_in_order_while_the_childs_input_is_full(void **state)
{
    struct fixture *fixture = *state;
    fixture->child->is_full = true;
    struct fake_call *first = submit(fixture, REQUEST(1));
    struct fake_call *second = submit(fixture, REQUEST(2));
    fake_child_expect_silence(fixture->child);
    fixture->child->is_full = false;
    struct fake_call *third = submit(fixture, REQUEST(3));
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

static struct fake_call *wait_for(struct fixture *fixture, enum call_wish wish)
{
    struct fake_call *call = fake_call_new(REQUEST(9));
    call->call.wish = wish;
    channel_submit(&fixture->channel, &call->call);
    return call;
}

static void who_waits_for_the_child_hears_when_it_is_ready(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *early = wait_for(fixture, CALL_WAITS_FOR_CHILD);
    assert_int_equal(early->readies, 0);
    shake(fixture);
    assert_int_equal(early->readies, 1);
    struct fake_call *late = wait_for(fixture, CALL_WAITS_FOR_CHILD);
    assert_int_equal(late->readies, 1);
    fake_child_expect_silence(fixture->child);
    fake_call_free(early);
    fake_call_free(late);
}

static void who_waits_for_room_hears_when_there_is_some(void **state)
{
    struct fixture *fixture = *state;
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
    struct fixture *fixture = *state;
    assert_null(channel_only_call(&fixture->channel));
    struct fake_call *first = submit(fixture, REQUEST(1));
    assert_ptr_equal(channel_only_call(&fixture->channel), &first->call);
    struct fake_call *second = submit(fixture, REQUEST(2));
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
    struct fixture *fixture = *state;
    fixture->settings.request_timeout_ms = 0;
    struct fake_call *given_up = submit(fixture, REQUEST(1));
    channel_fail(&fixture->channel, &given_up->call, REPLY_CANCELLED, "x");
    fake_call_expect_answer(given_up, ERROR(1, -32800, "x"));
    struct fake_call *call = submit(fixture, REQUEST(2));
    fake_world_advance(&fixture->world, 59999);
    assert_null(channel_only_call(&fixture->channel));
    fake_world_advance(&fixture->world, 1);
    assert_ptr_equal(channel_only_call(&fixture->channel), &call->call);
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(call, RESULT(2));
}

/* ---- The end ---- */

static void closing_fails_every_call_and_sends_nothing_more(void **state)
{
    struct fixture *fixture = *state;
    struct fake_call *running = submit(fixture, REQUEST(1));
    fixture->child->is_full = true;
    struct fake_call *waiting = submit(fixture, REQUEST(2));
    size_t lines = fixture->child->line_count;
    channel_close(&fixture->channel);
    fake_call_expect_answer(running, ERROR(1, -32603, "The bridge is shutting down"));
    fake_call_expect_answer(waiting, ERROR(2, -32603, "The bridge is shutting down"));
    fake_call_expect_answer(submit(fixture, REQUEST(3)), ERROR(3, -32603, "The bridge is shutting down"));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, REQUEST(2));
    assert_int_equal(fixture->child->line_count, lines);
    assert_true(fixture->child->is_closing);
}

static void a_child_that_comes_up_while_it_is_closed_is_not_spoken_to(void **state)
{
    struct fixture *fixture = *state;
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

#define STARTING(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define READY(name) cmocka_unit_test_setup_teardown(name, set_up_ready, tear_down)

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
        READY(calls_wait_in_order_while_the_childs_input_is_full),
        STARTING(who_waits_for_the_child_hears_when_it_is_ready),
        READY(who_waits_for_room_hears_when_there_is_some),
        READY(only_one_call_that_runs_alone_is_certain),
        READY(an_abandoned_call_that_is_never_answered_is_forgotten_after_a_minute),
        READY(closing_fails_every_call_and_sends_nothing_more),
        STARTING(a_child_that_comes_up_while_it_is_closed_is_not_spoken_to),
        READY(every_state_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
