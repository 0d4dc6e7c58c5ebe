#include "bridge/mcp/server.h"

#include "tests/unit/bridge/bridge_fixture.h"
#include "tests/unit/bridge/mcp/server_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{}}"
#define NOTE(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":{" params "}}"
#define LOG(level) NOTE("notifications/message", "\"level\":\"" level "\",\"data\":1")
#define OWN(id, method, params) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\",\"params\":{" params "}}"

/* ---- A new process ---- */

static void a_new_process_is_told_what_the_last_one_knew(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_set_level(fixture, session, "\"info\"");
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    assert_non_null(fake_child_take(fixture->child));
    server_fixture_subscribe_first(fixture, session, "\"x:\\/1\"");
    fake_child_die(fixture->child);
    call = server_fixture_submit(fixture, session, REQUEST(1));
    bridge_fixture_shake(fixture);
    fake_child_expect(fixture->child, OWN(5, "logging/setLevel", "\"level\":\"info\""));
    fake_child_expect(fixture->child, OWN(6, "resources/subscribe", "\"uri\":\"x:\\/1\""));
    fake_child_expect(fixture->child, REQUEST(7));
    fake_child_say(fixture->child, RESULT(5));
    fake_child_say(fixture->child, RESULT(6));
    fake_child_say(fixture->child, RESULT(7));
    fake_call_expect_answer(call, RESULT(1));
    assert_int_equal(fixture->server.counters.dropped, 0);
    assert_int_equal(fixture->server.counters.restarts, 1);
}

static void sessions_live_on_when_the_child_does_not(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    fake_child_die(fixture->child);
    assert_ptr_equal(session_table_find(&fixture->server.sessions, slice_text(session->name)), session);
    assert_int_equal(fixture->server.counters.restarts, 0);
}

static void a_session_that_ends_while_no_child_runs_makes_nothing_uncertain(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    server_fixture_subscribe_first(fixture, session, "\"x:1\"");
    fake_child_die(fixture->child);
    server_end_session(&fixture->server, session);
    bridge_fixture_shake(fixture);
    fake_child_expect_silence(fixture->child);
    struct fake_call *call = server_fixture_submit(fixture, NULL, REQUEST(1));
    fake_child_say(fixture->child, LOG("info"));
    server_fixture_agree(fixture);
    assert_int_equal(call->message_count, 1);
    call->messages_read = 1;
    fake_call_expect_answer(call, RESULT(1));
}

/* ---- Cancellation and other notifications ---- */

static void a_cancelled_call_is_answered_and_the_child_hears_its_wire_id(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_submit(fixture, session, REQUEST("a"));
    assert_non_null(fake_child_take(fixture->child));
    server_fixture_notify(fixture, session, NOTE("notifications/cancelled", "\"requestId\":\"a\",\"reason\":\"r\""));
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32800,"
                                  "\"message\":\"Request cancelled\"}}");
    fake_child_expect(fixture->child, NOTE("notifications/cancelled", "\"requestId\":2"));
    fake_child_say(fixture->child, RESULT(2));
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void a_cancellation_reaches_calls_of_its_own_session_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_submit(fixture, a, REQUEST(1));
    struct fake_call *stateless = server_fixture_submit(fixture, NULL, REQUEST(1));
    assert_non_null(fake_child_take(fixture->child));
    assert_non_null(fake_child_take(fixture->child));
    server_fixture_notify(fixture, b, NOTE("notifications/cancelled", "\"requestId\":1"));
    server_fixture_notify(fixture, b, NOTE("notifications/cancelled", "\"requestId\":2"));
    server_fixture_notify(fixture, NULL, NOTE("notifications/cancelled", "\"requestId\":1"));
    server_fixture_notify(fixture, a, NOTE("notifications/cancelled", "\"requestId\":\"1\""));
    server_fixture_notify(fixture, a, NOTE("notifications/cancelled", "\"x\":1"));
    fake_call_expect_silence(call);
    fake_call_expect_silence(stateless);
    fake_child_expect_silence(fixture->child);
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(call, RESULT(1));
    fake_call_expect_answer(stateless, RESULT(1));
    server_fixture_notify(fixture, a, NOTE("notifications/cancelled", "\"requestId\":1"));
    fake_child_expect_silence(fixture->child);
}

static void a_notification_goes_to_the_child_as_it_is(void **state)
{
    struct bridge_fixture *fixture = *state;
    server_fixture_notify(fixture, NULL, NOTE("notifications/custom", " \"x\" : -0 "));
    fake_child_expect(fixture->child, NOTE("notifications/custom", " \"x\" : -0 "));
}

static void what_the_child_was_told_already_or_never_asked_for_is_kept_from_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    server_fixture_notify(fixture, session, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    server_fixture_notify(fixture, session, NOTE("notifications/roots/list_changed", ""));
    server_fixture_notify(fixture, session, NOTE("notifications/progress", "\"progressToken\":1,\"progress\":1"));
    fake_child_expect_silence(fixture->child);
}

static void a_notification_while_no_child_is_ready_is_lost(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_child_die(fixture->child);
    server_fixture_notify(fixture, NULL, NOTE("notifications/custom", ""));
    bridge_fixture_shake(fixture);
    fake_child_expect_silence(fixture->child);
}

/* ---- Sessions and ceilings ---- */

static void a_call_keeps_its_session_from_being_idle(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->server.settings = &fixture->settings;
    fixture->settings.channel.request_timeout_ms = 0;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_submit(fixture, session, REQUEST(1));
    fake_world_advance(&fixture->world, 10 * fixture->settings.session_timeout_ms);
    assert_int_equal(fixture->server.sessions.sessions.count, 1);
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(1));
    fake_world_advance(&fixture->world, 2 * fixture->settings.session_timeout_ms);
    assert_int_equal(fixture->server.sessions.sessions.count, 0);
}

static void expect_counts(const struct bridge_fixture *fixture, uint64_t answers, uint64_t errors, uint64_t failures)
{
    assert_int_equal(fixture->server.counters.answers, answers);
    assert_int_equal(fixture->server.counters.errors, errors);
    assert_int_equal(fixture->server.counters.failures, failures);
}

static void a_call_is_counted_by_how_it_ends(void **state)
{
    struct bridge_fixture *fixture = *state;
    expect_counts(fixture, 0, 0, 0);
    struct fake_call *call = server_fixture_submit(fixture, NULL, REQUEST(5));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(5));
    expect_counts(fixture, 1, 0, 0);
    call = server_fixture_submit(fixture, NULL, REQUEST(5));
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":1,\"message\":\"\"}}");
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":1,\"message\":\"\"}}");
    expect_counts(fixture, 1, 1, 0);
    call = server_fixture_submit(fixture, NULL, REQUEST(5));
    fake_child_die(fixture->child);
    assert_non_null(strstr(call->answer, "exited with status 3"));
    fake_call_free(call);
    expect_counts(fixture, 1, 1, 1);
    assert_int_equal(fixture->server.counters.timeouts, 0);
    assert_int_equal(fixture->server.counters.cancelled, 0);
    assert_int_equal(fixture->server.counters.given_up, 0);
    assert_int_equal(fixture->server.counters.child_crashes, 1);
}

static void the_answer_comes_though_the_session_has_ended(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_submit(fixture, session, REQUEST(1));
    server_end_session(&fixture->server, session);
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(1));
}

static void sessions_and_calls_have_ceilings(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *calls[4];
    for (size_t i = 0; i < fixture->settings.max_sessions; i++) {
        server_fixture_open_session(fixture);
    }
    assert_null(server_open_session(&fixture->server, fixture->server.shared, NULL, slice_text("")));
    for (size_t i = 0; i < 4; i++) {
        assert_true(server_has_room(&fixture->server, 1));
        calls[i] = server_fixture_submit(fixture, NULL, REQUEST(1));
    }
    assert_false(server_has_room(&fixture->server, 1));
    fake_child_say(fixture->child, RESULT(2));
    assert_true(server_has_room(&fixture->server, 1));
    for (uint64_t id = 3; id <= 5; id++) {
        fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{}}", id);
    }
    for (size_t i = 0; i < 4; i++) {
        fake_call_expect_answer(calls[i], RESULT(1));
    }
    assert_int_equal(fixture->server.counters.calls, 4);
    assert_int_equal(fixture->server.counters.sessions, 3);
}

static void the_servers_input_is_full_only_when_a_ready_child_says_so(void **state)
{
    struct bridge_fixture *fixture = *state;
    assert_false(hub_is_full(fixture->server.shared));
    fixture->child->is_full = true;
    assert_true(hub_is_full(fixture->server.shared));
    fake_child_die(fixture->child);
    assert_false(hub_is_full(fixture->server.shared));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_process_is_told_what_the_last_one_knew),
        TEST(sessions_live_on_when_the_child_does_not),
        TEST(a_session_that_ends_while_no_child_runs_makes_nothing_uncertain),
        TEST(a_cancelled_call_is_answered_and_the_child_hears_its_wire_id),
        TEST(a_cancellation_reaches_calls_of_its_own_session_only),
        TEST(a_notification_goes_to_the_child_as_it_is),
        TEST(what_the_child_was_told_already_or_never_asked_for_is_kept_from_it),
        TEST(a_notification_while_no_child_is_ready_is_lost),
        TEST(a_call_keeps_its_session_from_being_idle),
        TEST(a_call_is_counted_by_how_it_ends),
        TEST(the_answer_comes_though_the_session_has_ended),
        TEST(sessions_and_calls_have_ceilings),
        TEST(the_servers_input_is_full_only_when_a_ready_child_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
