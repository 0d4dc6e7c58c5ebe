#include "bridge/mcp/callback.h"

#include "tests/unit/bridge/era_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CALL "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"t\"}}"
#define ASK(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"roots/list\"}"
#define CANCELLED(members) ERA_NOTE("notifications/cancelled", members)

/* A client with a child of its own, whose handshake is made; the name of its session. */
static const char *open_own(struct bridge_fixture *fixture)
{
    struct fake_exchange *exchange =
        bridge_fixture_post(fixture, NULL,
                            "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                            "\"2025-11-25\",\"capabilities\":{\"roots\":{}}}}");
    fixture->child = era_child(fixture, 1);
    era_shake_legacy(fixture->child);
    return fake_exchange_answer_field(exchange, "mcp-session-id");
}

static struct callbacks *callbacks_of(struct bridge_fixture *fixture, const char *session)
{
    return &bridge_fixture_session(fixture, session)->callbacks;
}

static void a_question_waits_for_a_stream_and_its_answer_goes_to_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_own(fixture);
    fake_child_say(fixture->child, ASK("\"c\""));
    fake_child_expect_silence(fixture->child);
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    fake_exchange_expect_event(stream, ASK("1"));
    fake_exchange_expect(bridge_fixture_post(fixture, session, ERA_RESULT("1", "")), 202, "");
    fake_child_expect(fixture->child, ERA_RESULT("\"c\"", ""));
    fake_exchange_expect(bridge_fixture_post(fixture, session, ERA_RESULT("1", "")), 202, "");
    fake_child_expect_silence(fixture->child);
    fake_exchange_vanish(stream);
}

static void a_question_that_is_too_large_to_wait_is_refused_once(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_own(fixture);
    fake_child_say_format(fixture->child,
                          "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"roots/list\",\"params\":{\"x\":\"%0*d\"}}",
                          LIMIT_SESSION_QUEUE_BYTES, 1);
    fake_child_expect(fixture->child,
                      ERA_ERROR("7", "-32603", "The client has no stream open on which it could be asked"));
    fake_child_expect_silence(fixture->child);
    assert_int_equal(callbacks_of(fixture, session)->count, 0);
}

static void more_questions_than_a_client_can_be_asked_are_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_own(fixture);
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    for (int i = 0; i < LIMIT_SESSION_CALLBACKS; i++) {
        fake_child_say_format(fixture->child, ASK("%d"), i);
        assert_non_null(fake_exchange_take(stream));
    }
    fake_child_expect_silence(fixture->child);
    fake_child_say(fixture->child, ASK("\"c\""));
    fake_child_expect(fixture->child, ERA_ERROR("\"c\"", "-32603", "Too many questions are open"));
    fake_exchange_expect_open(stream);
    assert_int_equal(fixture->server.counters.callbacks, LIMIT_SESSION_CALLBACKS + 1);
    assert_int_equal(fixture->server.counters.callbacks_failed, 1);
    fake_exchange_vanish(stream);
}

static void the_oldest_question_makes_room_and_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_own(fixture);
    for (int i = 0; i < 5; i++) {
        fake_child_say_format(fixture->child,
                              "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"roots/list\",\"params\":{\"x\":\"%0*d\"}}",
                              i, 60000, 1);
    }
    fake_child_expect(fixture->child, ERA_ERROR("0", "-32603", "Too much waits for the client"));
    fake_child_expect_silence(fixture->child);
    assert_int_equal(callbacks_of(fixture, session)->count, 4);
    assert_int_equal(bridge_fixture_session(fixture, session)->queue_count, 4);
}

static void a_question_that_nobody_answers_is_refused_and_taken_back_where_it_went(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_own(fixture);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    era_expect_request(fixture->child, "tools/call", "");
    fake_child_say(fixture->child, ASK("7"));
    fake_exchange_expect_event(exchange, ASK("1"));
    fake_world_advance(&fixture->world, fixture->settings.callback_timeout_ms);
    fake_child_expect(fixture->child, ERA_ERROR("7", "-32001", "The client did not answer in time"));
    fake_exchange_expect_event(exchange, CANCELLED("\"requestId\":1,\"reason\":\"The answer did not come in time\""));
    era_answer(fixture->child, "");
    assert_non_null(fake_exchange_take(exchange));
    fake_exchange_expect_closed(exchange);
}

static void a_question_that_was_never_asked_is_not_taken_back_either(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_own(fixture);
    fake_child_say(fixture->child, ASK("7"));
    fake_world_advance(&fixture->world, fixture->settings.callback_timeout_ms);
    fake_child_expect(fixture->child, ERA_ERROR("7", "-32001", "The client did not answer in time"));
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    fake_exchange_expect_open(stream);
    fake_exchange_vanish(stream);
}

static void a_cancellation_that_names_nothing_takes_nothing_back(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_own(fixture);
    fake_child_say(fixture->child, ASK("7"));
    fake_child_say(fixture->child, CANCELLED(""));
    fake_child_say(fixture->child, CANCELLED("\"requestId\":8"));
    assert_int_equal(callbacks_of(fixture, session)->count, 1);
    fake_child_say(fixture->child, CANCELLED("\"requestId\":7"));
    assert_int_equal(callbacks_of(fixture, session)->count, 0);
    assert_int_equal(bridge_fixture_session(fixture, session)->queue_count, 0);
}

static void the_end_of_the_session_refuses_what_is_open(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_own(fixture);
    fake_child_say(fixture->child, ASK("7"));
    fake_child_say(fixture->child, ASK("8"));
    fake_exchange_expect(bridge_fixture_delete(fixture, session), 200, "");
    fake_child_expect(fixture->child, ERA_ERROR("7", "-32603", "The client is gone"));
    fake_child_expect(fixture->child, ERA_ERROR("8", "-32603", "The client is gone"));
    assert_true(fixture->child->is_closing);
}

static int set_up(void **state)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->settings.callback_timeout_ms = 60000;
    bridge_fixture_start(fixture);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_waits_for_a_stream_and_its_answer_goes_to_the_child),
        TEST(a_question_that_is_too_large_to_wait_is_refused_once),
        TEST(more_questions_than_a_client_can_be_asked_are_refused),
        TEST(the_oldest_question_makes_room_and_is_refused),
        TEST(a_question_that_nobody_answers_is_refused_and_taken_back_where_it_went),
        TEST(a_question_that_was_never_asked_is_not_taken_back_either),
        TEST(a_cancellation_that_names_nothing_takes_nothing_back),
        TEST(the_end_of_the_session_refuses_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
