#include "bridge/era/questions.h"

#include "tests/unit/bridge/era/round_fixture.h"
#include "tests/unit/bridge/era_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define SAMPLING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"sampling/createMessage\",\"params\":{}}"
#define CANCELLED(id) ERA_NOTE("notifications/cancelled", "\"requestId\":" id)

static void a_question_becomes_input_required_and_the_answer_reaches_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    round_ask(fixture, child, ROUND_QUESTION("\"q\""));
    assert_string_equal(era_result_member(first, "inputRequests"),
                        "{\"q1\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}}");
    assert_int_equal(round_parked(fixture), 1);
    struct fake_exchange *second = round_come_again(fixture, first, "{\"q1\":{\"action\":\"accept\"}}");
    fake_child_expect(child, ERA_RESULT("\"q\"", "\"action\":\"accept\""));
    assert_int_equal(round_parked(fixture), 0);
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(second, 200, ERA_RESULT("7", ROUND_SERVED));
    assert_int_equal(round_call_count(fixture), 0);
    assert_int_equal(era_child(fixture, 1)->is_closing, false);
}

static void questions_that_come_together_are_asked_together(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, ROUND_QUESTION("1"));
    fake_child_say(child, ROUND_QUESTION("\"1\""));
    fake_exchange_expect_silence(first);
    fake_world_advance(&fixture->world, ROUND_GATHER_MS);
    assert_non_null(strstr(era_result_member(first, "inputRequests"), "\"q2\""));
    struct fake_exchange *second = round_come_again(fixture, first, "{\"q2\":{\"b\":2},\"q1\":{\"a\":1}}");
    fake_child_expect(child, ERA_RESULT("1", "\"a\":1"));
    fake_child_expect(child, ERA_RESULT("\"1\"", "\"b\":2"));
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(second, 200, ERA_RESULT("7", ROUND_SERVED));
}

static void what_is_not_answered_is_asked_again_and_what_is_not_asked_is_passed_over(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, ROUND_QUESTION("1"));
    round_ask(fixture, child, ROUND_QUESTION("2"));
    exchange = round_come_again(fixture, exchange, "{\"q1\":{\"a\":1},\"q3\":{},\"x\":{},\"q2\":\"accept\"}");
    fake_child_expect(child, ERA_RESULT("1", "\"a\":1"));
    fake_child_expect_silence(child);
    fake_world_advance(&fixture->world, ROUND_GATHER_MS);
    assert_string_equal(era_result_member(exchange, "inputRequests"),
                        "{\"q2\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}}");
    exchange = round_come_again(fixture, exchange, "{\"q1\":{\"a\":3},\"q2\":{\"b\":2}}");
    fake_child_expect(child, ERA_RESULT("2", "\"b\":2"));
    fake_child_expect_silence(child);
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", ROUND_SERVED));
}

static void a_state_is_good_once(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = round_run_and_ask(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    struct fake_exchange *second = round_come_again(fixture, first, "{\"q1\":{}}");
    fake_child_expect(child, ERA_RESULT("\"q\"", ""));
    era_expect_in_answer(round_come_again(fixture, first, "{\"q1\":{}}"), 200, "\"code\":-32602");
    round_ask(fixture, child, ROUND_QUESTION("\"r\""));
    era_expect_in_answer(round_come_again(fixture, first, "{\"q2\":{}}"), 200, "expired or was used before");
    assert_int_equal(round_parked(fixture), 1);
    struct fake_exchange *third = round_come_again(fixture, second, "{\"q2\":{}}");
    fake_child_expect(child, ERA_RESULT("\"r\"", ""));
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(third, 200, ERA_RESULT("7", ROUND_SERVED));
    era_expect_in_answer(round_come_again(fixture, second, "{\"q2\":{}}"), 200, "\"code\":-32602");
}

static void a_state_is_good_for_the_same_request_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = round_run_and_ask(fixture, 1);
    char params[1024];
    const char *minted = era_result_member(first, "requestState");
    snprintf(params, sizeof(params), "\"requestState\":%s,\"inputResponses\":{},\"arguments\":{}", minted);
    era_expect_in_answer(round_call(fixture, ROUND_ELICITS, params), 200, "requestState is not valid for this request");
    snprintf(params, sizeof(params), "\"requestState\":%s", minted);
    params[30] = params[30] == 'A' ? 'B' : 'A';
    era_expect_in_answer(round_call(fixture, ROUND_ELICITS, params), 200, "requestState is not valid for this request");
    era_expect_in_answer(round_call(fixture, ROUND_ELICITS, "\"requestState\":{}"), 200, "\"code\":-32602");
    era_expect_in_answer(round_come_again(fixture, first, "[]"), 200, "inputResponses must be an object");
    assert_int_equal(round_parked(fixture), 1);
    fake_child_expect_silence(era_child(fixture, 1));
    fake_exchange_vanish(round_come_again(fixture, first, "{\"q1\":{}}"));
}

static void a_question_that_the_client_did_not_declare_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    round_ask(fixture, child, SAMPLING("5"));
    fake_child_expect(child, ERA_ERROR("5", "-32601", "This client declared no such capability"));
    round_ask(fixture, child,
              "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\"}}");
    fake_child_expect(child, ERA_ERROR("6", "-32601", "This client declared no such capability"));
    fake_exchange_expect_silence(exchange);
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", ROUND_SERVED));
}

static void a_question_that_is_taken_back_takes_no_other_along(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, ROUND_QUESTION("1"));
    fake_child_say(child, ROUND_QUESTION("2"));
    fake_child_say(child, CANCELLED("1"));
    fake_world_advance(&fixture->world, ROUND_GATHER_MS);
    era_expect_in_answer(exchange, 200, "\"inputRequests\":{\"q2\":{");
    fake_exchange_vanish(round_come_again(fixture, exchange, "{\"q2\":{}}"));
    fake_child_expect(child, ERA_RESULT("2", ""));
}

/* The call still waits for its client, and no longer than any other. */
static void a_question_that_is_taken_back_while_the_client_is_away_keeps_nothing_waiting(void **state)
{
    struct bridge_fixture *fixture = *state;
    round_run_and_ask(fixture, 1);
    fake_child_say(era_child(fixture, 1), CANCELLED("\"q\""));
    assert_int_equal(round_parked(fixture), 1);
    fake_world_advance(&fixture->world, fixture->settings.callback_timeout_ms);
    assert_int_equal(round_parked(fixture), 0);
    assert_int_equal(round_call_count(fixture), 0);
}

static void a_question_that_is_taken_back_is_not_asked(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, ROUND_QUESTION("1"));
    fake_child_say(child, CANCELLED("2"));
    fake_child_say(child, ERA_NOTE("notifications/cancelled", ""));
    fake_child_say(child, CANCELLED("1"));
    fake_world_advance(&fixture->world, ROUND_GATHER_MS);
    fake_exchange_expect_silence(exchange);
    round_ask(fixture, child, ROUND_QUESTION("3"));
    fake_child_say(child, CANCELLED("3"));
    exchange = round_come_again(fixture, exchange, "{\"q2\":{}}");
    fake_child_expect_silence(child);
    fake_world_advance(&fixture->world, ROUND_GATHER_MS);
    fake_exchange_expect_silence(exchange);
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", ROUND_SERVED));
}

static void a_child_may_not_have_too_many_questions_open(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    for (int i = 0; i < LIMIT_SESSION_CALLBACKS; i++) {
        fake_child_say_format(child, ROUND_QUESTION("%d"), i);
    }
    fake_child_expect_silence(child);
    fake_child_say(child, ROUND_QUESTION("99"));
    fake_child_expect(child, ERA_ERROR("99", "-32603", "Too many questions are open"));
    fake_exchange_vanish(exchange);
    assert_int_equal(fake_child_unread(child), LIMIT_SESSION_CALLBACKS + 1);
}

static void an_answer_without_waiting_for_the_client_ends_the_questions(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, ROUND_QUESTION("1"));
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", ROUND_SERVED));
    fake_child_expect(child, ERA_ERROR("1", "-32001", ROUND_GONE));
    fake_world_advance(&fixture->world, ROUND_GATHER_MS);
    assert_int_equal(round_call_count(fixture), 0);
    assert_false(child->is_closing);
}

static void an_answer_that_comes_while_the_client_is_away_waits_for_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = round_run_and_ask(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    era_answer(child, ROUND_DONE);
    fake_child_expect(child, ERA_ERROR("\"q\"", "-32001", ROUND_GONE));
    assert_int_equal(round_parked(fixture), 1);
    fake_exchange_expect(round_come_again(fixture, first, "{\"q1\":{}}"), 200, ERA_RESULT("7", ROUND_SERVED));
    fake_child_expect_silence(child);
    assert_int_equal(round_call_count(fixture), 0);
}

/* The answer is looked into once more, and what was added to it may have made it too deep. */
static void a_late_answer_of_a_child_with_too_deep_a_name_harms_nobody(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_call(fixture, ROUND_ELICITS, NULL);
    struct buffer line;
    era_list_tools(fixture->child);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_up(child);
    buffer_init(&line, 0);
    buffer_add_format(&line,
                      "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64
                      ",\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"serverInfo\":",
                      child->last_id);
    for (int i = 0; i < LIMIT_JSON_DEPTH - 2; i++) {
        buffer_add_text(&line, "[");
    }
    for (int i = 0; i < LIMIT_JSON_DEPTH - 2; i++) {
        buffer_add_text(&line, "]");
    }
    buffer_add_text(&line, "}}");
    fake_child_say_bytes(child, buffer_slice(&line));
    buffer_release(&line);
    assert_int_equal(child->settles, 1);
    round_ask(fixture, child, ROUND_QUESTION("1"));
    era_answer(child, ROUND_DONE);
    exchange = round_come_again(fixture, exchange, "{}");
    assert_int_equal(exchange->status, 200);
    assert_int_equal(round_call_count(fixture), 0);
}

/* A child that asks and does not wait could make us keep any number of them. */
static void answers_that_nobody_comes_for_are_kept_up_to_a_ceiling(void **state)
{
    enum { COUNT = 5, SIZE = LIMIT_LATE_BYTES / 4 };
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first[COUNT];
    fixture->settings.callback_timeout_ms = 0;
    for (int i = 0; i < COUNT; i++) {
        first[i] = round_run_and_ask(fixture, 1);
        struct fake_child *child = era_child(fixture, 1);
        fake_child_say_format(child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"x\":\"%0*d\"}}",
                              child->last_id, SIZE, i);
        fake_child_expect(child, ERA_ERROR("\"q\"", "-32001", ROUND_GONE));
        assert_true(fixture->streamable.era.late_bytes <= LIMIT_LATE_BYTES);
    }
    assert_int_equal(round_parked(fixture), 3);
    era_expect_in_answer(round_come_again(fixture, first[1], "{}"), 200, "\"code\":-32602");
    for (int i = 2; i < COUNT; i++) {
        era_expect_in_answer(round_come_again(fixture, first[i], "{}"), 200, "\"resultType\":\"complete\"");
    }
    assert_int_equal(fixture->streamable.era.late_bytes, 0);
}

static void a_client_that_does_not_come_back_costs_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = round_run_and_ask(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_world_advance(&fixture->world, fixture->settings.callback_timeout_ms);
    fake_child_expect(child, ERA_ERROR("\"q\"", "-32001", "The client is gone"));
    fake_child_expect(child, CANCELLED("2"));
    assert_true(child->is_closing);
    assert_int_equal(round_parked(fixture), 0);
    fake_child_finish(child);
    era_expect_in_answer(round_come_again(fixture, first, "{\"q1\":{}}"), 200, "\"code\":-32602");
}

static void a_client_that_goes_away_costs_the_child_that_worked_for_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, ROUND_QUESTION("1"));
    fake_exchange_vanish(exchange);
    fake_child_expect(child, ERA_ERROR("1", "-32001", "The client is gone"));
    fake_child_expect(child, CANCELLED("2"));
    assert_true(child->is_closing);
    assert_int_equal(round_call_count(fixture), 0);
}

/* What the child still does for the call that is over may ask something, which would be taken for the next one's. */
static void a_call_that_times_out_costs_the_child_that_still_works_at_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    fake_world_advance(&fixture->world, fixture->settings.channel.request_timeout_ms);
    fake_child_expect(child, CANCELLED("2"));
    exchange->state == FAKE_EXCHANGE_STREAMING ? fake_exchange_take(exchange) : NULL;
    assert_true(fake_exchange_has_ended(exchange));
    assert_true(child->is_closing);
    exchange = round_run(fixture, 2, ROUND_ELICITS);
    era_answer(era_child(fixture, 2), ROUND_DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", ROUND_SERVED));
}

static void a_call_that_times_out_while_the_client_is_away_costs_the_child_too(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.callback_timeout_ms = 10 * fixture->settings.channel.request_timeout_ms;
    struct fake_exchange *first = round_run_and_ask(fixture, 1);
    fake_world_advance(&fixture->world, fixture->settings.channel.request_timeout_ms);
    assert_true(era_child(fixture, 1)->is_closing);
    era_expect_in_answer(round_come_again(fixture, first, "{\"q1\":{}}"), 200, "Request timed out");
    assert_int_equal(round_call_count(fixture), 0);
}

static void the_childs_death_while_the_client_is_away_is_told_to_it_later(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = round_run_and_ask(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_die(child);
    era_expect_in_answer(round_come_again(fixture, first, "{\"q1\":{}}"), 200, "exited with status 3");
    assert_int_equal(round_call_count(fixture), 0);
    /* The next process is as good as any. */
    assert_false(child->is_closing);
    struct fake_exchange *next = round_call(fixture, ROUND_ELICITS, NULL);
    era_shake_legacy(child);
    era_expect_request(child, "tools/call", "");
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(next, 200, ERA_RESULT("7", ROUND_SERVED));
}

/* It asked, so it knows of the call, even where the line's end was never taken by its pipe. */
static void a_call_that_a_child_has_asked_about_is_not_sent_to_another_process(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct era_request request = {.method = "tools/call",
                                  .name = "t",
                                  .capabilities = ROUND_ELICITS,
                                  .meta = "\"progressToken\":\"a\"",
                                  .id = "7"};
    struct fake_exchange *exchange = era_post(fixture, &request);
    era_list_tools(fixture->child);
    struct fake_child *child = era_child(fixture, 1);
    era_shake_legacy(child);
    era_expect_request(child, "tools/call", "\"progressToken\":2");
    round_ask(fixture, child, ROUND_QUESTION("1"));
    char params[1024];
    snprintf(params, sizeof(params), "\"inputResponses\":{\"q1\":{}},\"requestState\":%s",
             era_result_member(exchange, "requestState"));
    request.params = params;
    request.meta = "\"progressToken\":\"a-longer-one\"";
    exchange = era_post(fixture, &request);
    fake_child_down(child, "exited with status 3", 0, 1);
    fake_exchange_expect(exchange, 200, ERA_ERROR("7", "-32603", "The server exited with status 3 before it answered"));
    era_shake_legacy(child);
    fake_child_expect_silence(child);
    assert_int_equal(round_call_count(fixture), 0);
}

static void progress_has_the_token_of_the_round(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct era_request request = {
        .method = "tools/call", .name = "t", .capabilities = ROUND_ELICITS, .meta = "\"progressToken\":\"a\""};
    char params[1024];
    struct fake_exchange *exchange = era_post(fixture, &request);
    era_list_tools(fixture->child);
    struct fake_child *child = era_child(fixture, 1);
    era_shake_legacy(child);
    era_expect_request(child, "tools/call", "\"progressToken\":2");
    round_ask(fixture, child, ROUND_QUESTION("1"));
    fake_child_say(child, ERA_NOTE("notifications/progress", "\"progressToken\":2,\"progress\":1"));
    static const char *const metas[] = {NULL, "\"progressToken\":\"c\""};
    for (size_t i = 0; i < 2; i++) {
        snprintf(params, sizeof(params), "\"inputResponses\":{},\"requestState\":%s",
                 era_result_member(exchange, "requestState"));
        request.params = params;
        request.meta = metas[i];
        exchange = era_post(fixture, &request);
        fake_child_say(child, ERA_NOTE("notifications/progress", "\"progressToken\":2,\"progress\":2"));
        if (i == 0) {
            fake_exchange_expect_silence(exchange);
            fake_world_advance(&fixture->world, ROUND_GATHER_MS);
        }
    }
    fake_exchange_expect_event(exchange, ERA_NOTE("notifications/progress", "\"progressToken\":\"c\",\"progress\":2"));
    fake_exchange_vanish(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, round_set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_becomes_input_required_and_the_answer_reaches_the_child),
        TEST(questions_that_come_together_are_asked_together),
        TEST(what_is_not_answered_is_asked_again_and_what_is_not_asked_is_passed_over),
        TEST(a_state_is_good_once),
        TEST(a_state_is_good_for_the_same_request_only),
        TEST(a_question_that_the_client_did_not_declare_is_refused),
        TEST(a_question_that_is_taken_back_takes_no_other_along),
        TEST(a_question_that_is_taken_back_while_the_client_is_away_keeps_nothing_waiting),
        TEST(a_question_that_is_taken_back_is_not_asked),
        TEST(a_child_may_not_have_too_many_questions_open),
        TEST(an_answer_without_waiting_for_the_client_ends_the_questions),
        TEST(an_answer_that_comes_while_the_client_is_away_waits_for_it),
        TEST(a_late_answer_of_a_child_with_too_deep_a_name_harms_nobody),
        TEST(answers_that_nobody_comes_for_are_kept_up_to_a_ceiling),
        TEST(a_client_that_does_not_come_back_costs_the_child),
        TEST(a_client_that_goes_away_costs_the_child_that_worked_for_it),
        TEST(a_call_that_times_out_costs_the_child_that_still_works_at_it),
        TEST(a_call_that_times_out_while_the_client_is_away_costs_the_child_too),
        TEST(the_childs_death_while_the_client_is_away_is_told_to_it_later),
        TEST(a_call_that_a_child_has_asked_about_is_not_sent_to_another_process),
        TEST(progress_has_the_token_of_the_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
