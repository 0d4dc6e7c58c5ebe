#include "bridge/era/modern_child.h"

#include "tests/unit/bridge/era_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define ALL "{\"elicitation\":{},\"sampling\":{},\"roots\":{}}"
#define CALL "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"t\"}}"
#define GET_PROMPT "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"prompts/get\",\"params\":{\"name\":\"p\"}}"
#define FOLLOWED \
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"_meta\":{\"progressToken\":\"p\"}}}"
#define REQUIRED(members) "\"resultType\":\"input_required\"," members
#define ROOTS(key) "\"" key "\":{\"method\":\"roots/list\"}"
#define ELICIT(key) "\"" key "\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"" key "\"}}"
#define QUESTION(id, key) \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"elicitation/create\",\"params\":{\"message\":\"" key "\"}}"
#define FAILED(why) ERA_RESULT("5", "\"content\":[{\"type\":\"text\",\"text\":\"" why "\"}],\"isError\":true")
#define DONE "\"resultType\":\"complete\",\"content\":[]"
#define CANCELLED(id) ERA_NOTE("notifications/cancelled", "\"requestId\":" id)
#define NOT_DECLARED "The server asks for something that this client has not declared that it can do"

/* A call that the child has answered with these members; the client is asked on the stream. */
static struct fake_exchange *run(struct bridge_fixture *fixture, const char *session, const char *members)
{
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    era_expect_request(fixture->child, "tools/call", "\"name\":\"t\"");
    era_answer(fixture->child, members);
    return exchange;
}

#define MOOT(id) TAKEN_BACK(id, "The request that asked has failed")
#define TAKEN_BACK(id, why) ERA_NOTE("notifications/cancelled", "\"requestId\":" id ",\"reason\":\"" why "\"")

static void answer(struct bridge_fixture *fixture, const char *session, const char *text)
{
    fake_exchange_expect(bridge_fixture_post(fixture, session, text), 202, "");
}

static void expect_event_and_end(struct fake_exchange *exchange, const char *event)
{
    fake_exchange_expect_event(exchange, event);
    fake_exchange_expect_closed(exchange);
}

/* ---- Requests ---- */

static void a_request_carries_what_the_client_said_of_itself(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{\"roots\":{\"a\":1},\"x\":{}}");
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    fake_child_expect(fixture->child,
                      "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"_meta\":{"
                      "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"c\",\"version\":\"1\"},"
                      "\"io.modelcontextprotocol/clientCapabilities\":{\"roots\":{\"a\":1}},"
                      "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}");
    era_answer(fixture->child, DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("5", DONE));
}

static void what_the_modern_era_took_away_is_answered_here(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    fake_exchange_expect(bridge_fixture_post(fixture, session, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"),
                         200, ERA_RESULT("1", ""));
    era_expect_in_answer(
        bridge_fixture_post(fixture, session, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/list\"}"), 200,
        "\"code\":-32601");
    era_expect_in_answer(bridge_fixture_post(fixture, session,
                                             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logging/setLevel\","
                                             "\"params\":{\"level\":\"loud\"}}"),
                         200, "\"code\":-32602");
    fake_child_expect_silence(fixture->child);
}

#define LOG(level) ERA_NOTE("notifications/message", "\"level\":\"" level "\",\"data\":1")
#define SET_LEVEL(level) \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logging/setLevel\",\"params\":{\"level\":\"" level "\"}}"

static void a_level_is_said_with_each_request_and_log_messages_are_its_own(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    fake_exchange_expect(bridge_fixture_post(fixture, session, SET_LEVEL("warning")), 200, ERA_RESULT("1", ""));
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    era_expect_request(fixture->child, "tools/call", "logLevel\":\"warning\"");
    fake_child_say(fixture->child, LOG("info"));
    fake_exchange_expect_silence(exchange);
    fake_child_say(fixture->child, LOG("error"));
    fake_exchange_expect_event(exchange, LOG("error"));
    /* The child cannot be told while the request runs. */
    fake_exchange_expect(bridge_fixture_post(fixture, session, SET_LEVEL("alert")), 200, ERA_RESULT("1", ""));
    fake_child_say(fixture->child, LOG("error"));
    fake_child_say(fixture->child, LOG("alert"));
    fake_exchange_expect_event(exchange, LOG("alert"));
    fake_exchange_vanish(exchange);
}

static void a_result_that_is_no_object_becomes_an_error(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":[]}",
                          fixture->child->last_id);
    era_expect_in_answer(exchange, 200, "\"code\":-32603");
}

static void add_deep(struct buffer *text, int depth)
{
    for (int i = 0; i < depth; i++) {
        buffer_add_text(text, "[");
    }
    for (int i = 0; i < depth; i++) {
        buffer_add_text(text, "]");
    }
}

/* It stands one level deeper in _meta than in initialize. */
static void a_client_with_too_deep_a_name_harms_nobody(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct buffer body;
    buffer_init(&body, 0);
    buffer_add_text(&body, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                           "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":");
    add_deep(&body, LIMIT_JSON_DEPTH - 2);
    buffer_add_text(&body, "}}");
    buffer_add(&body, slice_of("", 1));
    struct fake_exchange *exchange = bridge_fixture_post(fixture, NULL, buffer_slice(&body).data);
    buffer_release(&body);
    const char *session = fake_exchange_answer_field(exchange, "mcp-session-id");
    assert_non_null(session);
    fake_exchange_expect(bridge_fixture_post(fixture, session, CALL), 200,
                         FAILED("The request is nested too deep for the server"));
    era_expect_in_answer(bridge_fixture_post(fixture, session, GET_PROMPT), 200, "\"code\":-32603");
    fake_child_expect_silence(fixture->child);
}

static void progress_keeps_its_token_over_the_rounds(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, FOLLOWED);
    fake_child_say(fixture->child, ERA_NOTE("notifications/progress", "\"progressToken\":3,\"progress\":1"));
    fake_exchange_expect_event(exchange, ERA_NOTE("notifications/progress", "\"progressToken\":\"p\",\"progress\":1"));
    era_answer(fixture->child, REQUIRED("\"inputRequests\":{" ELICIT("a") "}"));
    fake_exchange_expect_event(exchange, QUESTION("1", "a"));
    answer(fixture, session, ERA_RESULT("1", ""));
    assert_int_equal(fixture->child->last_id, 4);
    fake_child_say(fixture->child, ERA_NOTE("notifications/progress", "\"progressToken\":3,\"progress\":2"));
    fake_child_say(fixture->child, ERA_NOTE("notifications/progress", "\"progressToken\":4,\"progress\":2"));
    fake_exchange_expect_event(exchange, ERA_NOTE("notifications/progress", "\"progressToken\":\"p\",\"progress\":2"));
    era_answer(fixture->child, DONE);
    expect_event_and_end(exchange, ERA_RESULT("5", DONE));
}

/* ---- Rounds ---- */

static void questions_go_to_the_client_and_answers_with_the_state_to_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange =
        run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "," ROOTS("b") "},\"requestState\":\"s\\n\""));
    fake_exchange_expect_event(exchange, QUESTION("1", "a"));
    fake_exchange_expect_event(exchange, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"roots/list\",\"params\":{}}");
    assert_int_equal(fixture->server.counters.callbacks, 2);
    answer(fixture, session, ERA_RESULT("2", "\"roots\":[]"));
    assert_int_equal(fixture->server.counters.callbacks_answered, 1);
    fake_child_expect_silence(fixture->child);
    answer(fixture, session, ERA_RESULT("2", "\"roots\":[1]"));
    answer(fixture, session, ERA_RESULT("1", "\"action\":\"accept\""));
    era_expect_request(fixture->child, "tools/call",
                       "\"inputResponses\":{\"b\":{\"roots\":[]},\"a\":{\"action\":\"accept\"}},"
                       "\"requestState\":\"s\\n\"");
    answer(fixture, session, ERA_RESULT("1", "\"action\":\"decline\""));
    era_answer(fixture->child, DONE);
    expect_event_and_end(exchange, ERA_RESULT("5", DONE));
}

static void a_state_without_questions_is_sent_again_after_a_pause(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    struct fake_exchange *exchange = run(fixture, session, REQUIRED("\"requestState\":\"1\""));
    fake_child_expect_silence(fixture->child);
    fake_world_advance(&fixture->world, 250);
    era_expect_request(fixture->child, "tools/call", "\"requestState\":\"1\"");
    era_answer(fixture->child, REQUIRED("\"inputRequests\":{}"));
    fake_world_advance(&fixture->world, 250);
    const char *line = fake_child_take(fixture->child);
    assert_null(strstr(line, "requestState"));
    assert_null(strstr(line, "inputResponses"));
    era_answer(fixture->child, DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("5", DONE));
}

static void a_child_that_never_has_enough_is_asked_eight_times(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "}"));
    for (int i = 1; i <= 8; i++) {
        char text[64];
        assert_non_null(fake_exchange_take(exchange));
        snprintf(text, sizeof(text), ERA_RESULT("%d", ""), i);
        answer(fixture, session, text);
        era_expect_request(fixture->child, "tools/call", "\"inputResponses\":{\"a\":{}}");
        era_answer(fixture->child, REQUIRED("\"inputRequests\":{" ELICIT("a") "}"));
    }
    expect_event_and_end(exchange, FAILED("The server asks again and again"));
    fake_child_expect_silence(fixture->child);
}

static void what_the_client_did_not_declare_fails_the_call(void **state)
{
    static const char *const wrong[] = {
        ELICIT("a"), "\"a\":{\"method\":\"tools/list\"}", "\"a\":{}", "\"a\":7",
        "\"a\":{\"method\":\"roots/list\"},\"b\":{\"method\":\"sampling/createMessage\"}"};
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{\"roots\":{}}");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char members[256];
        snprintf(members, sizeof(members), REQUIRED("\"inputRequests\":{%s}"), wrong[i]);
        struct fake_exchange *exchange = run(fixture, session, members);
        if (exchange->state == FAKE_EXCHANGE_CLOSED) {
            assert_non_null(fake_exchange_take(exchange));
            fake_exchange_expect_event(exchange, MOOT("1"));
            expect_event_and_end(exchange, FAILED(NOT_DECLARED));
        } else {
            fake_exchange_expect(exchange, 200, FAILED(NOT_DECLARED));
        }
        assert_int_equal(bridge_fixture_session(fixture, session)->callbacks.count, 0);
    }
}

static void a_question_of_the_wrong_shape_fails_the_call(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange =
        run(fixture, session, REQUIRED("\"inputRequests\":{\"a\":{\"method\":\"roots/list\",\"params\":7}}"));
    fake_exchange_expect(exchange, 200, FAILED("The server asks something that is not right"));
}

static void a_stateless_client_is_asked_nothing(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, NULL, REQUIRED("\"inputRequests\":{" ROOTS("a") "}"));
    fake_exchange_expect(exchange, 200, FAILED(NOT_DECLARED));
}

static void an_error_of_the_clients_fails_the_call_and_the_other_questions(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange =
        run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "," ELICIT("b") "}"));
    fake_exchange_expect_event(exchange, QUESTION("1", "a"));
    fake_exchange_expect_event(exchange, QUESTION("2", "b"));
    answer(fixture, session, ERA_ERROR("2", "-1", "no"));
    fake_exchange_expect_event(exchange, MOOT("1"));
    expect_event_and_end(exchange, FAILED("The client refused to answer a question of the server's"));
    answer(fixture, session, ERA_RESULT("1", ""));
    fake_child_expect_silence(fixture->child);
    assert_int_equal(bridge_fixture_session(fixture, session)->callbacks.count, 0);
}

static void a_client_that_does_not_answer_fails_the_call_and_hears_of_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    struct fake_exchange *exchange = run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "}"));
    fake_exchange_expect_event(exchange, QUESTION("1", "a"));
    fake_world_advance(&fixture->world, fixture->settings.callback_timeout_ms);
    fake_exchange_expect_event(exchange, TAKEN_BACK("1", "The answer did not come in time"));
    expect_event_and_end(exchange, FAILED("The client did not answer in time"));
    assert_int_equal(fixture->server.counters.callbacks_failed, 1);
    assert_null(fake_exchange_take(stream));
    fake_exchange_vanish(stream);
}

static void a_call_that_is_cancelled_while_its_client_is_asked_ends(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "}"));
    fake_exchange_expect_event(exchange, QUESTION("1", "a"));
    answer(fixture, session, CANCELLED("5"));
    expect_event_and_end(exchange, ERA_ERROR("5", "-32800", "Request cancelled"));
    answer(fixture, session, ERA_RESULT("1", ""));
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.call_count, 0);
}

static void a_call_that_is_cancelled_while_it_runs_or_pauses_ends(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    fake_child_take(fixture->child);
    answer(fixture, session, CANCELLED("5"));
    fake_exchange_expect(exchange, 200, ERA_ERROR("5", "-32800", "Request cancelled"));
    fake_child_expect(fixture->child, CANCELLED("3"));
    exchange = run(fixture, session, REQUIRED("\"requestState\":\"1\""));
    answer(fixture, session, CANCELLED("5"));
    fake_exchange_expect(exchange, 200, ERA_ERROR("5", "-32800", "Request cancelled"));
    fake_world_advance(&fixture->world, 1000);
    fake_child_expect_silence(fixture->child);
}

static void the_end_of_the_session_ends_the_questions(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange =
        run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "," ELICIT("b") "}"));
    assert_non_null(fake_exchange_take(exchange));
    assert_non_null(fake_exchange_take(exchange));
    fake_exchange_expect(bridge_fixture_delete(fixture, session), 200, "");
    fake_exchange_expect_event(exchange, MOOT("2"));
    expect_event_and_end(exchange, FAILED("The client is gone"));
    assert_int_equal(fixture->server.call_count, 0);
}

/* Its answer would find no session, and nobody would ever hear of the call again. */
static void a_question_after_the_end_of_the_session_fails_the_call(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.callback_timeout_ms = 0;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    fake_exchange_expect(bridge_fixture_delete(fixture, session), 200, "");
    era_answer(fixture->child, REQUIRED("\"inputRequests\":{" ELICIT("a") "}"));
    fake_exchange_expect(exchange, 200, FAILED("The client's session has ended"));
}

static void a_new_process_is_given_the_answers_that_its_predecessor_asked_for(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange =
        run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "},\"requestState\":\"s\""));
    fake_exchange_expect_event(exchange, QUESTION("1", "a"));
    fake_child_die(fixture->child);
    answer(fixture, session, ERA_RESULT("1", ""));
    era_shake_modern(fixture->child);
    era_expect_request(fixture->child, "tools/call", "\"requestState\":\"s\"");
    era_expect_request(fixture->child, "subscriptions/listen", "");
    era_answer_to(fixture->child, fixture->child->last_id - 1, DONE);
    expect_event_and_end(exchange, ERA_RESULT("5", DONE));
}

static void an_answer_that_is_nested_too_deep_fails_the_call(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "}"));
    struct buffer body;
    fake_exchange_expect_event(exchange, QUESTION("1", "a"));
    buffer_init(&body, 0);
    buffer_add_text(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":");
    add_deep(&body, LIMIT_JSON_DEPTH - 1);
    buffer_add_text(&body, "}");
    buffer_add(&body, slice_of("", 1));
    answer(fixture, session, buffer_slice(&body).data);
    buffer_release(&body);
    expect_event_and_end(exchange, FAILED("The request is nested too deep for the server"));
}

/* Without a stream the questions wait for one, and too many of them push the first out. */
static void questions_that_find_no_room_fail_the_call(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->streamable.posts.settings.json_only = true;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    struct buffer members;
    buffer_init(&members, 0);
    buffer_add_text(&members, "\"resultType\":\"input_required\",\"inputRequests\":{");
    for (int i = 0; i < 5; i++) {
        buffer_add_format(&members, "%s\"k%d\":{\"method\":\"roots/list\",\"params\":{\"x\":\"%0*d\"}}",
                          i > 0 ? "," : "", i, 60000, i);
    }
    buffer_add_text(&members, "}");
    buffer_add(&members, slice_of("", 1));
    era_answer(fixture->child, buffer_slice(&members).data);
    buffer_release(&members);
    fake_exchange_expect(exchange, 200, FAILED("Too much waits for the client"));
    assert_int_equal(bridge_fixture_session(fixture, session)->callbacks.count, 0);
    assert_int_equal(bridge_fixture_session(fixture, session)->queue_count, 0);
}

static void more_questions_than_may_be_open_fail_the_call_and_are_taken_back(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    struct buffer members;
    buffer_init(&members, 0);
    buffer_add_text(&members, "\"resultType\":\"input_required\",\"inputRequests\":{");
    for (int i = 0; i <= LIMIT_SESSION_CALLBACKS; i++) {
        buffer_add_format(&members, "%s\"k%d\":{\"method\":\"roots/list\"}", i > 0 ? "," : "", i);
    }
    buffer_add_text(&members, "}");
    buffer_add(&members, slice_of("", 1));
    era_answer(fixture->child, buffer_slice(&members).data);
    buffer_release(&members);
    for (int i = 0; i < LIMIT_SESSION_CALLBACKS; i++) {
        assert_non_null(strstr(fake_exchange_take(exchange), "roots/list"));
    }
    for (int i = 0; i < LIMIT_SESSION_CALLBACKS; i++) {
        assert_non_null(strstr(fake_exchange_take(exchange), "notifications/cancelled"));
    }
    expect_event_and_end(exchange, FAILED("Too many questions are open"));
    assert_int_equal(bridge_fixture_session(fixture, session)->callbacks.count, 0);
}

static void a_question_that_is_too_large_to_wait_fails_the_call(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->streamable.posts.settings.json_only = true;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    struct buffer members;
    buffer_init(&members, 0);
    buffer_add_format(&members,
                      "\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{\"method\":\"roots/list\","
                      "\"params\":{\"x\":\"%0*d\"}}}",
                      LIMIT_SESSION_QUEUE_BYTES, 1);
    buffer_add(&members, slice_of("", 1));
    era_answer(fixture->child, buffer_slice(&members).data);
    buffer_release(&members);
    fake_exchange_expect(exchange, 200, FAILED("The client has no stream open on which it could be asked"));
    assert_int_equal(bridge_fixture_session(fixture, session)->callbacks.count, 0);
}

static void calls_in_every_state_end_with_the_server(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *asking = run(fixture, session, REQUIRED("\"inputRequests\":{" ELICIT("a") "}"));
    struct fake_exchange *pausing = run(fixture, session, REQUIRED("\"requestState\":\"1\""));
    struct fake_exchange *running = bridge_fixture_post(fixture, session, CALL);
    assert_non_null(fake_exchange_take(asking));
    fake_exchange_vanish(pausing);
    bridge_fixture_close_server(fixture);
    expect_event_and_end(asking, FAILED("The client is gone"));
    era_expect_in_answer(running, 200, "shutting down");
}

static void the_death_of_the_child_answers_the_call(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, ALL);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, CALL);
    fake_child_die(fixture->child);
    fake_exchange_expect(exchange, 200, ERA_ERROR("5", "-32603", "The server exited with status 3 before it answered"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, era_set_up_modern, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_carries_what_the_client_said_of_itself),
        TEST(what_the_modern_era_took_away_is_answered_here),
        TEST(a_level_is_said_with_each_request_and_log_messages_are_its_own),
        TEST(a_result_that_is_no_object_becomes_an_error),
        TEST(a_client_with_too_deep_a_name_harms_nobody),
        TEST(progress_keeps_its_token_over_the_rounds),
        TEST(questions_go_to_the_client_and_answers_with_the_state_to_the_child),
        TEST(a_state_without_questions_is_sent_again_after_a_pause),
        TEST(a_child_that_never_has_enough_is_asked_eight_times),
        TEST(what_the_client_did_not_declare_fails_the_call),
        TEST(a_question_of_the_wrong_shape_fails_the_call),
        TEST(a_stateless_client_is_asked_nothing),
        TEST(an_error_of_the_clients_fails_the_call_and_the_other_questions),
        TEST(a_client_that_does_not_answer_fails_the_call_and_hears_of_it),
        TEST(a_call_that_is_cancelled_while_its_client_is_asked_ends),
        TEST(a_call_that_is_cancelled_while_it_runs_or_pauses_ends),
        TEST(the_end_of_the_session_ends_the_questions),
        TEST(a_question_after_the_end_of_the_session_fails_the_call),
        TEST(a_new_process_is_given_the_answers_that_its_predecessor_asked_for),
        TEST(an_answer_that_is_nested_too_deep_fails_the_call),
        TEST(questions_that_find_no_room_fail_the_call),
        TEST(more_questions_than_may_be_open_fail_the_call_and_are_taken_back),
        TEST(a_question_that_is_too_large_to_wait_fails_the_call),
        TEST(calls_in_every_state_end_with_the_server),
        TEST(the_death_of_the_child_answers_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
