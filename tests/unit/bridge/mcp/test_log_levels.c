#include "bridge/mcp/log_levels.h"

#include "tests/unit/bridge/bridge_fixture.h"
#include "tests/unit/bridge/mcp/server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{}}"
#define OWN(id, method, params) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\",\"params\":{" params "}}"

static void the_child_hears_the_most_verbose_level_that_any_session_wants(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_set_level(fixture, a, "\"warning\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"warning\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, b, "\"error\""));
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, a, "\"warning\""));
    call = server_fixture_set_level(fixture, b, "\"debug\"");
    fake_child_expect(fixture->child, OWN(3, "logging/setLevel", "\"level\":\"debug\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    fake_call_expect_answer(server_fixture_set_level(fixture, b, "\"critical\""), RESULT(5));
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"warning\""));
    server_fixture_agree(fixture);
    server_end_session(&fixture->server, b);
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void the_end_of_the_most_verbose_session_makes_the_child_quieter(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *loud = server_fixture_open_session(fixture);
    struct session *quiet = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_set_level(fixture, loud, "\"debug\"");
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    fake_call_expect_answer(server_fixture_set_level(fixture, quiet, "\"error\""), RESULT(5));
    assert_non_null(fake_child_take(fixture->child));
    server_end_session(&fixture->server, loud);
    fake_child_expect(fixture->child, OWN(3, "logging/setLevel", "\"level\":\"error\""));
    server_end_session(&fixture->server, quiet);
    fake_child_expect_silence(fixture->child);
}

static void a_level_without_a_session_is_acknowledged_and_changes_nothing(void **state)
{
    struct bridge_fixture *fixture = *state;
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, NULL, "\"debug\""));
}

static void a_level_that_is_none_is_for_the_child_to_refuse(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_set_level(fixture, session, "\"loud\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"loud\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    assert_int_equal(session->log_level, SEVERITY_UNSET);
}

static void a_child_without_logging_answers_for_itself(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    fixture->server.shared->channel.handshake.has_logging = false;
    struct fake_call *call = server_fixture_set_level(fixture, session, "\"debug\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"debug\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

static void a_level_that_another_session_sets_meanwhile_is_not_lost(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_set_level(fixture, a, "\"debug\"");
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    call = server_fixture_set_level(fixture, a, "\"error\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"debug\""));
    fake_child_expect(fixture->child, OWN(3, "logging/setLevel", "\"level\":\"error\""));
    struct fake_call *other = server_fixture_set_level(fixture, b, "\"debug\"");
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"debug\""));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(call, RESULT(5));
    fake_call_expect_answer(other, RESULT(5));
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.shared->child_level, SEVERITY_DEBUG);
}

static void a_level_is_what_the_child_heard_last_not_what_it_answered_last(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_call *first = server_fixture_set_level(fixture, a, "\"info\"");
    struct fake_call *second = server_fixture_set_level(fixture, a, "\"emergency\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"info\""));
    fake_child_expect(fixture->child, OWN(3, "logging/setLevel", "\"level\":\"emergency\""));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(first, RESULT(5));
    fake_call_expect_answer(second, RESULT(5));
    first = server_fixture_set_level(fixture, b, "\"info\"");
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"info\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(first, RESULT(5));
}

static void a_level_whose_request_is_given_up_is_not_taken_for_certain(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_set_level(fixture, a, "\"debug\"");
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    call = server_fixture_set_level(fixture, a, "\"error\"");
    fake_call_give_up(call);
    fake_call_free(call);
    while (fake_child_take(fixture->child) != NULL) {
    }
    call = server_fixture_set_level(fixture, b, "\"debug\"");
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"debug\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

/* The line goes once more, to the next process, behind what that was told to begin with. */
static void a_level_that_was_not_delivered_takes_nothing_from_what_is_wanted_since(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    uint64_t delivered = fixture->child->written;
    struct fake_call *call = server_fixture_set_level(fixture, a, "\"alert\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"alert\""));
    fake_child_down(fixture->child, "killed by signal 9", delivered, 1);
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, b, "\"warning\""));
    bridge_fixture_shake(fixture);
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"warning\""));
    fake_child_expect(fixture->child, OWN(5, "logging/setLevel", "\"level\":\"alert\""));
    fake_child_expect(fixture->child, OWN(6, "logging/setLevel", "\"level\":\"warning\""));
    fake_child_say(fixture->child, RESULT(5));
    fake_call_expect_answer(call, RESULT(5));
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, b, "\"warning\""));
    fake_child_expect_silence(fixture->child);
}

/* Clients could fill its queue without end with what they change their minds about. */
static void a_child_that_does_not_read_is_told_of_levels_once_it_does(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    fixture->child->is_full = true;
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, a, "\"error\""));
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, b, "\"info\""));
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, b, "\"debug\""));
    server_fixture_expect_local(fixture, server_fixture_set_level(fixture, b, "\"warning\""));
    struct fake_call *call = server_fixture_submit(fixture, a, REQUEST(1));
    fake_child_expect_silence(fixture->child);
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"warning\""));
    fake_child_expect(fixture->child, REQUEST(3));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(call, RESULT(1));
    fixture->child->is_full = true;
    fake_child_drain(fixture->child);
    fake_child_expect_silence(fixture->child);
}

static void a_level_without_a_session_never_waits_for_the_first_handshake(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_open(fixture);
    fake_call_expect_answer(server_fixture_set_level(fixture, NULL, "\"debug\""), RESULT(5));
    bridge_fixture_shake(fixture);
    fake_child_expect_silence(fixture->child);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_child_hears_the_most_verbose_level_that_any_session_wants),
        TEST(the_end_of_the_most_verbose_session_makes_the_child_quieter),
        TEST(a_level_without_a_session_is_acknowledged_and_changes_nothing),
        cmocka_unit_test_setup_teardown(a_level_without_a_session_never_waits_for_the_first_handshake,
                                        bridge_fixture_set_up, bridge_fixture_tear_down),
        TEST(a_level_that_is_none_is_for_the_child_to_refuse),
        TEST(a_child_without_logging_answers_for_itself),
        TEST(a_level_that_another_session_sets_meanwhile_is_not_lost),
        TEST(a_level_is_what_the_child_heard_last_not_what_it_answered_last),
        TEST(a_level_whose_request_is_given_up_is_not_taken_for_certain),
        TEST(a_level_that_was_not_delivered_takes_nothing_from_what_is_wanted_since),
        TEST(a_child_that_does_not_read_is_told_of_levels_once_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
