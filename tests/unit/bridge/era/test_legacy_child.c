#include "bridge/era/legacy_child.h"

#include "bridge/jsonrpc/members.h"
#include "tests/unit/bridge/era/round_fixture.h"
#include "tests/unit/bridge/era_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define CANCELLED(id) ERA_NOTE("notifications/cancelled", "\"requestId\":" id)

/* ---- A call and its answer ---- */

static void a_call_that_cannot_be_asked_anything_is_translated_on_the_shared_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        era_post(fixture, &(struct era_request){.meta = "\"x\":1,\"io.modelcontextprotocol/clientInfo\":{}"});
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":"
                                      "{\"_meta\":{\"x\":1}}}");
    era_answer(fixture->child, "\"tools\":[]");
    fake_exchange_expect(exchange, 200,
                         ERA_RESULT("1", "\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"," ERA_INFO
                                         ",\"tools\":[]"));
    assert_int_equal(fake_child_count(&fixture->world), 1);
}

static void an_error_of_the_child_gets_the_modern_code_and_status(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = era_post(fixture, &(struct era_request){.method = "prompts/list"});
    era_answer_error(fixture->child, -32002);
    fake_exchange_expect(exchange, 200, ERA_ERROR("1", "-32602", "no"));
    exchange = era_post(fixture, &(struct era_request){.method = "prompts/list"});
    era_answer_error(fixture->child, -32601);
    fake_exchange_expect(exchange, 404, ERA_ERROR("1", "-32601", "no"));
}

/* Clients read errors in a 200; 404 says that nobody has the method. */
static void an_error_of_what_handles_a_method_is_no_missing_method(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    era_answer_error(child, -32601);
    fake_exchange_expect(exchange, 200, ERA_ERROR("7", "-32601", "no"));
    exchange = round_run(fixture, 1, ROUND_ELICITS);
    round_ask(fixture, child, ROUND_QUESTION("1"));
    era_answer_error(child, -32601);
    fake_exchange_expect(round_come_again(fixture, exchange, "{}"), 200, ERA_ERROR("7", "-32601", "no"));
    fake_child_expect(child, ERA_ERROR("1", "-32001", ROUND_GONE));
    exchange = era_post(fixture, &(struct era_request){.method = "prompts/get", .name = "p"});
    era_answer_error(fixture->child, -32601);
    fake_exchange_expect(exchange, 404, ERA_ERROR("1", "-32601", "no"));
}

#define VISIT "{\"mode\":\"url\",\"url\":\"https://x.example\",\"message\":\"m\",\"elicitationId\":\"e\"}"
#define VISIT_FIRST(elicitations) "{\"code\":-32042,\"message\":\"no\",\"data\":{\"elicitations\":" elicitations "}}"

static struct fake_exchange *want_visit(struct bridge_fixture *fixture, const char *capabilities, size_t n,
                                        const char *error)
{
    struct fake_exchange *exchange = round_run(fixture, n, capabilities);
    struct fake_child *child = era_child(fixture, n);
    fake_child_say_format(child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"error\":%s}", child->last_id, error);
    return exchange;
}

/* MCP 2025-11-25 has an error for it, which the modern era must not send. */
static void an_error_that_wants_a_page_visited_becomes_a_question_or_a_missing_capability(void **state)
{
    static const char missing[] =
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32021,\"message\":\"The server wants the client to visit a "
        "page first\",\"data\":{\"requiredCapabilities\":{\"elicitation\":{\"url\":{}}}}}}";
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(
        want_visit(fixture, "{\"elicitation\":{\"url\":{}}}", 1, VISIT_FIRST("[" VISIT ",7," VISIT "]")), 200,
        ERA_RESULT("7", "\"resultType\":\"input_required\",\"inputRequests\":{"
                        "\"u1\":{\"method\":\"elicitation/create\",\"params\":" VISIT "},"
                        "\"u2\":{\"method\":\"elicitation/create\",\"params\":" VISIT "}}"));
    fake_exchange_expect(want_visit(fixture, "{\"elicitation\":{\"url\":{}}}", 1, VISIT_FIRST("[]")), 400, missing);
    fake_exchange_expect(want_visit(fixture, "{\"elicitation\":{}}", 2, VISIT_FIRST("[" VISIT "]")), 400, missing);
    assert_int_equal(round_parked(fixture), 0);
    assert_int_equal(round_call_count(fixture), 0);
}

static void a_result_that_is_no_object_becomes_an_error(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = era_post(fixture, &(struct era_request){.method = "prompts/list"});
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":[1]}",
                          fixture->child->last_id);
    era_expect_in_answer(exchange, 200, "\"code\":-32603");
    exchange = era_post(fixture, &(struct era_request){.method = "prompts/list"});
    era_answer(fixture->child, "\"resultType\":\"input_required\"");
    era_expect_in_answer(exchange, 200, "\"code\":-32603");
}

static void what_the_modern_era_took_away_reaches_no_child(void **state)
{
    static const char *const removed[] = {"ping", "logging/setLevel", "resources/subscribe", "tasks/get"};
    struct bridge_fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
        struct fake_exchange *exchange = era_post(fixture, &(struct era_request){.method = removed[i]});
        fake_exchange_expect(exchange, 404, ERA_ERROR("1", "-32601", "Method not found"));
    }
    fake_child_expect_silence(fixture->child);
}

static void a_client_that_goes_away_cancels_at_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = era_post(fixture, &(struct era_request){.id = "\"x\""});
    era_expect_request(fixture->child, "tools/list", "\"id\":2");
    fake_exchange_vanish(exchange);
    fake_child_expect(fixture->child, CANCELLED("2"));
    era_answer_to(fixture->child, 2, "");
    assert_int_equal(round_call_count(fixture), 0);
}

static void the_childs_death_answers_the_call(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = era_post(fixture, &(struct era_request){.id = "\"x\""});
    fake_child_die(fixture->child);
    fake_exchange_expect(exchange, 200,
                         ERA_ERROR("\"x\"", "-32603", "The server exited with status 3 before it answered"));
}

static void only_a_call_that_asked_gets_log_messages_and_those_it_asked_for(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        era_post(fixture, &(struct era_request){.meta = "\"io.modelcontextprotocol/logLevel\":\"warning\"",
                                                .method = "prompts/list"});
    fake_child_expect_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"logging/setLevel\",\"params\":"
                                             "{\"level\":\"warning\"}}");
    era_expect_request(fixture->child, "prompts/list", "");
    era_answer_to(fixture->child, 2, "");
    fake_child_say(fixture->child, ERA_NOTE("notifications/message", "\"level\":\"info\",\"data\":1"));
    fake_exchange_expect_silence(exchange);
    fake_child_say(fixture->child, ERA_NOTE("notifications/message", "\"level\":\"error\",\"data\":1"));
    fake_exchange_expect_event(exchange, ERA_NOTE("notifications/message", "\"level\":\"error\",\"data\":1"));
    era_answer(fixture->child, "");
    assert_non_null(fake_exchange_take(exchange));
    fake_exchange_expect_closed(exchange);
    exchange = era_post(fixture, &(struct era_request){.method = "prompts/list"});
    fake_child_say(fixture->child, ERA_NOTE("notifications/message", "\"level\":\"error\",\"data\":1"));
    fake_exchange_expect_silence(exchange);
    era_answer(fixture->child, "");
    assert_int_equal(exchange->status, 200);
}

/* MCP 2026-07-28, Logging: what counts is the request, and each round is one. */
static void the_level_of_log_messages_is_the_rounds(void **state)
{
    static const char *const metas[] = {"\"io.modelcontextprotocol/logLevel\":\"warning\"", NULL,
                                        "\"io.modelcontextprotocol/logLevel\":\"error\""};
    static const uint64_t told[] = {2, 0, 4}; /* the wire ids of logging/setLevel */
    static const unsigned heard[] = {2, 0, 1};
    struct bridge_fixture *fixture = *state;
    struct era_request request = {.method = "tools/call", .name = "t", .capabilities = ROUND_ELICITS};
    struct fake_child *child = NULL;
    char params[1024];
    for (size_t i = 0; i < 3; i++) {
        request.meta = metas[i];
        struct fake_exchange *exchange = era_post(fixture, &request);
        if (child == NULL) {
            era_list_tools(fixture->child);
            child = era_child(fixture, 1);
            era_shake_legacy(child);
        }
        if (told[i] != 0) {
            era_answer_to(child, told[i], "");
        }
        fake_child_say(child, ERA_NOTE("notifications/message", "\"level\":\"warning\",\"data\":1"));
        fake_child_say(child, ERA_NOTE("notifications/message", "\"level\":\"error\",\"data\":1"));
        assert_int_equal(exchange->event_count, heard[i]);
        round_ask(fixture, child, ROUND_QUESTION("1"));
        const char *answer = heard[i] > 0 ? exchange->events[heard[i]] : fake_exchange_answer(exchange);
        struct message message;
        assert_int_equal(message_scan_whole(&message, slice_text(answer)), MESSAGE_FAULT_NONE);
        struct slice minted = members_find(message.result, "requestState");
        snprintf(params, sizeof(params), "\"inputResponses\":{},\"requestState\":%.*s", SLICE_PRINT(minted));
        request.params = params;
        while (heard[i] > 0 && fake_exchange_take(exchange) != NULL) {
        }
    }
}

static struct fake_exchange *call_with_level(struct bridge_fixture *fixture, const char *meta)
{
    return era_post(fixture, &(struct era_request){.meta = meta, .method = "prompts/list"});
}

static void the_child_hears_the_most_verbose_level_of_the_calls_that_run(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_child *child = fixture->child;
    struct fake_exchange *debug = call_with_level(fixture, "\"io.modelcontextprotocol/logLevel\":\"debug\"");
    era_expect_request(child, "logging/setLevel", "\"debug\"");
    era_expect_request(child, "prompts/list", "");
    uint64_t of_debug = child->last_id;
    struct fake_exchange *error = call_with_level(fixture, "\"io.modelcontextprotocol/logLevel\":\"error\"");
    era_expect_request(child, "prompts/list", "");
    era_answer_to(child, of_debug, "");
    assert_int_equal(debug->status, 200);
    struct fake_exchange *warning = call_with_level(fixture, "\"io.modelcontextprotocol/logLevel\":\"warning\"");
    era_expect_request(child, "logging/setLevel", "\"warning\"");
    era_expect_request(child, "prompts/list", "");
    fake_exchange_vanish(warning);
    fake_exchange_vanish(error);
}

/* ---- The child starts ---- */

static void a_child_that_never_starts_answers_the_call_with_the_reason(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_call(fixture, ROUND_ELICITS, NULL);
    era_list_tools(fixture->child);
    fake_child_down(era_child(fixture, 1), "could not be started: no such file", 0, 1);
    era_expect_in_answer(exchange, 200, "could not be started: no such file");
    assert_int_equal(round_call_count(fixture), 0);
    assert_true(era_child(fixture, 1)->is_closing);
}

static void a_child_that_refuses_the_handshake_answers_the_call_with_its_reason(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_call(fixture, ROUND_ELICITS, NULL);
    era_list_tools(fixture->child);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_up(child);
    era_answer_error(child, -32000);
    fake_exchange_expect(exchange, 200, ERA_ERROR("7", "-32000", "no"));
    assert_int_equal(round_call_count(fixture), 0);
    fake_child_down(child, "exited with status 0", child->written, 1);
    assert_true(child->is_closing);
}

static void a_client_that_goes_while_its_child_starts_leaves_the_child_to_others(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_call(fixture, ROUND_ELICITS, NULL);
    era_list_tools(fixture->child);
    fake_exchange_vanish(exchange);
    assert_int_equal(round_call_count(fixture), 0);
    assert_false(era_child(fixture, 1)->is_closing);
    exchange = round_run(fixture, 1, ROUND_ELICITS);
    era_answer(era_child(fixture, 1), ROUND_DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", ROUND_SERVED));
}

/* ---- Who shares a child ---- */

static void the_next_call_of_the_same_kind_has_the_same_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
        era_answer(era_child(fixture, 1), ROUND_DONE);
        fake_exchange_expect(exchange, 200, ERA_RESULT("7", ROUND_SERVED));
    }
    struct fake_exchange *other = round_call(fixture, "{\"sampling\":{}}", NULL);
    assert_int_equal(fake_child_count(&fixture->world), 3);
    fake_exchange_vanish(other);
}

static void calls_at_once_have_children_of_their_own_and_their_own_questions(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *a = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_exchange *b = round_run(fixture, 2, ROUND_ELICITS);
    round_ask(fixture, era_child(fixture, 2), ROUND_QUESTION("1"));
    fake_exchange_expect_silence(a);
    round_ask(fixture, era_child(fixture, 1), ROUND_QUESTION("1"));
    a = round_come_again(fixture, a, "{\"q1\":{\"a\":1}}");
    fake_child_expect(era_child(fixture, 1), ERA_RESULT("1", "\"a\":1"));
    fake_child_expect_silence(era_child(fixture, 2));
    b = round_come_again(fixture, b, "{\"q1\":{\"b\":1}}");
    fake_child_expect(era_child(fixture, 2), ERA_RESULT("1", "\"b\":1"));
    era_answer(era_child(fixture, 1), ROUND_DONE);
    era_answer(era_child(fixture, 2), ROUND_DONE);
    fake_exchange_expect(a, 200, ERA_RESULT("7", ROUND_SERVED));
    fake_exchange_expect(b, 200, ERA_RESULT("7", ROUND_SERVED));
}

/* ---- The bridge ends ---- */

static void a_parked_call_ends_when_the_bridge_drains(void **state)
{
    struct bridge_fixture *fixture = *state;
    round_run_and_ask(fixture, 1);
    streamable_drain(&fixture->streamable);
    assert_int_equal(round_call_count(fixture), 0);
    assert_true(era_child(fixture, 1)->is_closing);
}

/* Its client could not come back: the bridge refuses whoever comes. */
static void a_question_while_the_bridge_drains_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, ROUND_QUESTION("1"));
    streamable_drain(&fixture->streamable);
    fake_child_say(child, ROUND_QUESTION("2"));
    fake_world_advance(&fixture->world, ROUND_GATHER_MS);
    fake_child_expect(child, ERA_ERROR("1", "-32001", "The bridge is shutting down"));
    fake_child_expect(child, ERA_ERROR("2", "-32603", "The bridge is shutting down"));
    fake_exchange_expect_silence(exchange);
    era_answer(child, ROUND_DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", ROUND_SERVED));
}

static void a_parked_call_ends_with_the_server(void **state)
{
    struct bridge_fixture *fixture = *state;
    round_run_and_ask(fixture, 1);
    bridge_fixture_close_server(fixture);
    assert_int_equal(fixture->world.timers.count, 0);
}

static void calls_in_every_state_end_with_the_server(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *running = round_run(fixture, 1, ROUND_ELICITS);
    struct fake_exchange *starting = round_call(fixture, ROUND_ELICITS, NULL);
    struct fake_exchange *shared = era_post(fixture, &(struct era_request){.method = "prompts/list"});
    bridge_fixture_close_server(fixture);
    era_expect_in_answer(running, 200, "shutting down");
    era_expect_in_answer(starting, 200, "shutting down");
    era_expect_in_answer(shared, 200, "shutting down");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, round_set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_that_cannot_be_asked_anything_is_translated_on_the_shared_child),
        TEST(an_error_of_the_child_gets_the_modern_code_and_status),
        TEST(an_error_of_what_handles_a_method_is_no_missing_method),
        TEST(an_error_that_wants_a_page_visited_becomes_a_question_or_a_missing_capability),
        TEST(a_result_that_is_no_object_becomes_an_error),
        TEST(what_the_modern_era_took_away_reaches_no_child),
        TEST(a_client_that_goes_away_cancels_at_the_child),
        TEST(the_childs_death_answers_the_call),
        TEST(the_child_hears_the_most_verbose_level_of_the_calls_that_run),
        TEST(only_a_call_that_asked_gets_log_messages_and_those_it_asked_for),
        TEST(the_level_of_log_messages_is_the_rounds),
        TEST(a_child_that_never_starts_answers_the_call_with_the_reason),
        TEST(a_child_that_refuses_the_handshake_answers_the_call_with_its_reason),
        TEST(a_client_that_goes_while_its_child_starts_leaves_the_child_to_others),
        TEST(the_next_call_of_the_same_kind_has_the_same_child),
        TEST(calls_at_once_have_children_of_their_own_and_their_own_questions),
        TEST(a_parked_call_ends_when_the_bridge_drains),
        TEST(a_question_while_the_bridge_drains_is_refused),
        TEST(a_parked_call_ends_with_the_server),
        TEST(calls_in_every_state_end_with_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
