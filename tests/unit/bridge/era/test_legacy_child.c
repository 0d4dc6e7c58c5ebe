#include "bridge/era/legacy_child.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/members.h"
#include "tests/unit/bridge/era_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ELICITS "{\"elicitation\":{}}"
#define QUESTION(id) \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}"
#define SAMPLING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"sampling/createMessage\",\"params\":{}}"
#define DONE "\"content\":[]"
#define SERVED "\"resultType\":\"complete\"," ERA_INFO "," DONE
#define CANCELLED(id) ERA_NOTE("notifications/cancelled", "\"requestId\":" id)
#define GONE "Nobody waits for the answer any more"

enum { GATHER_MS = 10 };

static int set_up(void **state)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->settings.era = SERVER_ERA_LEGACY;
    fixture->settings.callback_timeout_ms = 60000;
    fixture->settings.child_idle_timeout_ms = 600000;
    bridge_fixture_start(fixture);
    return 0;
}

static struct fake_exchange *call_with(struct bridge_fixture *fixture, const char *capabilities, const char *params)
{
    return era_post(
        fixture, &(struct era_request){
                     .method = "tools/call", .name = "t", .capabilities = capabilities, .params = params, .id = "7"});
}

/* A call whose client may be asked something; its child, number n, has it when this returns. */
static struct fake_exchange *run(struct bridge_fixture *fixture, size_t n)
{
    struct fake_exchange *exchange = call_with(fixture, ELICITS, NULL);
    if (fake_child_unread(fixture->child) > 0) {
        era_list_tools(fixture->child);
    }
    struct fake_child *child = era_child(fixture, n);
    if (child->state == FAKE_CHILD_DOWN) {
        era_shake_legacy(child);
    }
    era_expect_request(child, "tools/call", "\"name\":\"t\"");
    return exchange;
}

/* The child asks, and the client is answered with the questions. */
static void ask(struct bridge_fixture *fixture, struct fake_child *child, const char *question)
{
    fake_child_say(child, question);
    fake_world_advance(&fixture->world, GATHER_MS);
}

/* The client comes again with these answers, to what it was told in `exchange`. */
static struct fake_exchange *come_again(struct bridge_fixture *fixture, struct fake_exchange *exchange,
                                        const char *responses)
{
    char params[1024];
    snprintf(params, sizeof(params), "\"inputResponses\":%s,\"requestState\":%s", responses,
             era_result_member(exchange, "requestState"));
    return call_with(fixture, ELICITS, params);
}

static struct fake_exchange *run_and_ask(struct bridge_fixture *fixture, size_t n)
{
    struct fake_exchange *exchange = run(fixture, n);
    ask(fixture, era_child(fixture, n), QUESTION("\"q\""));
    era_expect_in_answer(exchange, 200, "\"resultType\":\"input_required\"");
    return exchange;
}

static size_t parked(const struct bridge_fixture *fixture)
{
    return fixture->streamable.era.parked.count;
}

static size_t calls(const struct bridge_fixture *fixture)
{
    size_t count = 0;
    LIST_FOR_EACH(link, &fixture->streamable.era.calls) {
        count++;
    }
    return count;
}

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
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    era_answer_error(child, -32601);
    fake_exchange_expect(exchange, 200, ERA_ERROR("7", "-32601", "no"));
    exchange = run(fixture, 1);
    ask(fixture, child, QUESTION("1"));
    era_answer_error(child, -32601);
    fake_exchange_expect(come_again(fixture, exchange, "{}"), 200, ERA_ERROR("7", "-32601", "no"));
    fake_child_expect(child, ERA_ERROR("1", "-32001", GONE));
    exchange = era_post(fixture, &(struct era_request){.method = "prompts/get", .name = "p"});
    era_answer_error(fixture->child, -32601);
    fake_exchange_expect(exchange, 404, ERA_ERROR("1", "-32601", "no"));
}

#define VISIT "{\"mode\":\"url\",\"url\":\"https://x.example\",\"message\":\"m\",\"elicitationId\":\"e\"}"
#define VISIT_FIRST(elicitations) "{\"code\":-32042,\"message\":\"no\",\"data\":{\"elicitations\":" elicitations "}}"

static struct fake_exchange *want_visit(struct bridge_fixture *fixture, const char *capabilities, size_t n,
                                        const char *error)
{
    struct fake_exchange *exchange = call_with(fixture, capabilities, NULL);
    if (fake_child_unread(fixture->child) > 0) {
        era_list_tools(fixture->child);
    }
    struct fake_child *child = era_child(fixture, n);
    if (child->state == FAKE_CHILD_DOWN) {
        era_shake_legacy(child);
    }
    era_expect_request(child, "tools/call", "\"name\":\"t\"");
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
    assert_int_equal(parked(fixture), 0);
    assert_int_equal(calls(fixture), 0);
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
    assert_int_equal(calls(fixture), 0);
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
    struct era_request request = {.method = "tools/call", .name = "t", .capabilities = ELICITS};
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
        ask(fixture, child, QUESTION("1"));
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

/* ---- Questions ---- */

static void a_question_becomes_input_required_and_the_answer_reaches_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    ask(fixture, child, QUESTION("\"q\""));
    assert_string_equal(era_result_member(first, "inputRequests"),
                        "{\"q1\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}}");
    assert_int_equal(parked(fixture), 1);
    struct fake_exchange *second = come_again(fixture, first, "{\"q1\":{\"action\":\"accept\"}}");
    fake_child_expect(child, ERA_RESULT("\"q\"", "\"action\":\"accept\""));
    assert_int_equal(parked(fixture), 0);
    era_answer(child, DONE);
    fake_exchange_expect(second, 200, ERA_RESULT("7", SERVED));
    assert_int_equal(calls(fixture), 0);
    assert_int_equal(era_child(fixture, 1)->is_closing, false);
}

static void questions_that_come_together_are_asked_together(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, QUESTION("1"));
    fake_child_say(child, QUESTION("\"1\""));
    fake_exchange_expect_silence(first);
    fake_world_advance(&fixture->world, GATHER_MS);
    assert_non_null(strstr(era_result_member(first, "inputRequests"), "\"q2\""));
    struct fake_exchange *second = come_again(fixture, first, "{\"q2\":{\"b\":2},\"q1\":{\"a\":1}}");
    fake_child_expect(child, ERA_RESULT("1", "\"a\":1"));
    fake_child_expect(child, ERA_RESULT("\"1\"", "\"b\":2"));
    era_answer(child, DONE);
    fake_exchange_expect(second, 200, ERA_RESULT("7", SERVED));
}

static void what_is_not_answered_is_asked_again_and_what_is_not_asked_is_passed_over(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, QUESTION("1"));
    ask(fixture, child, QUESTION("2"));
    exchange = come_again(fixture, exchange, "{\"q1\":{\"a\":1},\"q3\":{},\"x\":{},\"q2\":\"accept\"}");
    fake_child_expect(child, ERA_RESULT("1", "\"a\":1"));
    fake_child_expect_silence(child);
    fake_world_advance(&fixture->world, GATHER_MS);
    assert_string_equal(era_result_member(exchange, "inputRequests"),
                        "{\"q2\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}}");
    exchange = come_again(fixture, exchange, "{\"q1\":{\"a\":3},\"q2\":{\"b\":2}}");
    fake_child_expect(child, ERA_RESULT("2", "\"b\":2"));
    fake_child_expect_silence(child);
    era_answer(child, DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", SERVED));
}

static void a_state_is_good_once(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = run_and_ask(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    struct fake_exchange *second = come_again(fixture, first, "{\"q1\":{}}");
    fake_child_expect(child, ERA_RESULT("\"q\"", ""));
    era_expect_in_answer(come_again(fixture, first, "{\"q1\":{}}"), 200, "\"code\":-32602");
    ask(fixture, child, QUESTION("\"r\""));
    era_expect_in_answer(come_again(fixture, first, "{\"q2\":{}}"), 200, "expired or was used before");
    assert_int_equal(parked(fixture), 1);
    struct fake_exchange *third = come_again(fixture, second, "{\"q2\":{}}");
    fake_child_expect(child, ERA_RESULT("\"r\"", ""));
    era_answer(child, DONE);
    fake_exchange_expect(third, 200, ERA_RESULT("7", SERVED));
    era_expect_in_answer(come_again(fixture, second, "{\"q2\":{}}"), 200, "\"code\":-32602");
}

static void a_state_is_good_for_the_same_request_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = run_and_ask(fixture, 1);
    char params[1024];
    const char *minted = era_result_member(first, "requestState");
    snprintf(params, sizeof(params), "\"requestState\":%s,\"inputResponses\":{},\"arguments\":{}", minted);
    era_expect_in_answer(call_with(fixture, ELICITS, params), 200, "requestState is not valid for this request");
    snprintf(params, sizeof(params), "\"requestState\":%s", minted);
    params[30] = params[30] == 'A' ? 'B' : 'A';
    era_expect_in_answer(call_with(fixture, ELICITS, params), 200, "requestState is not valid for this request");
    era_expect_in_answer(call_with(fixture, ELICITS, "\"requestState\":{}"), 200, "\"code\":-32602");
    era_expect_in_answer(come_again(fixture, first, "[]"), 200, "inputResponses must be an object");
    assert_int_equal(parked(fixture), 1);
    fake_child_expect_silence(era_child(fixture, 1));
    fake_exchange_vanish(come_again(fixture, first, "{\"q1\":{}}"));
}

static void a_question_that_the_client_did_not_declare_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    ask(fixture, child, SAMPLING("5"));
    fake_child_expect(child, ERA_ERROR("5", "-32601", "This client declared no such capability"));
    ask(fixture, child,
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\"}}");
    fake_child_expect(child, ERA_ERROR("6", "-32601", "This client declared no such capability"));
    fake_exchange_expect_silence(exchange);
    era_answer(child, DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", SERVED));
}

static void a_question_that_is_taken_back_takes_no_other_along(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, QUESTION("1"));
    fake_child_say(child, QUESTION("2"));
    fake_child_say(child, CANCELLED("1"));
    fake_world_advance(&fixture->world, GATHER_MS);
    era_expect_in_answer(exchange, 200, "\"inputRequests\":{\"q2\":{");
    fake_exchange_vanish(come_again(fixture, exchange, "{\"q2\":{}}"));
    fake_child_expect(child, ERA_RESULT("2", ""));
}

/* The call still waits for its client, and no longer than any other. */
static void a_question_that_is_taken_back_while_the_client_is_away_keeps_nothing_waiting(void **state)
{
    struct bridge_fixture *fixture = *state;
    run_and_ask(fixture, 1);
    fake_child_say(era_child(fixture, 1), CANCELLED("\"q\""));
    assert_int_equal(parked(fixture), 1);
    fake_world_advance(&fixture->world, fixture->settings.callback_timeout_ms);
    assert_int_equal(parked(fixture), 0);
    assert_int_equal(calls(fixture), 0);
}

static void a_question_that_is_taken_back_is_not_asked(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, QUESTION("1"));
    fake_child_say(child, CANCELLED("2"));
    fake_child_say(child, ERA_NOTE("notifications/cancelled", ""));
    fake_child_say(child, CANCELLED("1"));
    fake_world_advance(&fixture->world, GATHER_MS);
    fake_exchange_expect_silence(exchange);
    ask(fixture, child, QUESTION("3"));
    fake_child_say(child, CANCELLED("3"));
    exchange = come_again(fixture, exchange, "{\"q2\":{}}");
    fake_child_expect_silence(child);
    fake_world_advance(&fixture->world, GATHER_MS);
    fake_exchange_expect_silence(exchange);
    era_answer(child, DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", SERVED));
}

static void a_child_may_not_have_too_many_questions_open(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    for (int i = 0; i < LIMIT_SESSION_CALLBACKS; i++) {
        fake_child_say_format(child, QUESTION("%d"), i);
    }
    fake_child_expect_silence(child);
    fake_child_say(child, QUESTION("99"));
    fake_child_expect(child, ERA_ERROR("99", "-32603", "Too many questions are open"));
    fake_exchange_vanish(exchange);
    assert_int_equal(fake_child_unread(child), LIMIT_SESSION_CALLBACKS + 1);
}

static void an_answer_without_waiting_for_the_client_ends_the_questions(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, QUESTION("1"));
    era_answer(child, DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", SERVED));
    fake_child_expect(child, ERA_ERROR("1", "-32001", GONE));
    fake_world_advance(&fixture->world, GATHER_MS);
    assert_int_equal(calls(fixture), 0);
    assert_false(child->is_closing);
}

static void an_answer_that_comes_while_the_client_is_away_waits_for_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = run_and_ask(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    era_answer(child, DONE);
    fake_child_expect(child, ERA_ERROR("\"q\"", "-32001", GONE));
    assert_int_equal(parked(fixture), 1);
    fake_exchange_expect(come_again(fixture, first, "{\"q1\":{}}"), 200, ERA_RESULT("7", SERVED));
    fake_child_expect_silence(child);
    assert_int_equal(calls(fixture), 0);
}

/* The answer is looked into once more, and what was added to it may have made it too deep. */
static void a_late_answer_of_a_child_with_too_deep_a_name_harms_nobody(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = call_with(fixture, ELICITS, NULL);
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
    ask(fixture, child, QUESTION("1"));
    era_answer(child, DONE);
    exchange = come_again(fixture, exchange, "{}");
    assert_int_equal(exchange->status, 200);
    assert_int_equal(calls(fixture), 0);
}

/* A child that asks and does not wait could make us keep any number of them. */
static void answers_that_nobody_comes_for_are_kept_up_to_a_ceiling(void **state)
{
    enum { COUNT = 5, SIZE = LIMIT_LATE_BYTES / 4 };
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first[COUNT];
    fixture->settings.callback_timeout_ms = 0;
    for (int i = 0; i < COUNT; i++) {
        first[i] = run_and_ask(fixture, 1);
        struct fake_child *child = era_child(fixture, 1);
        fake_child_say_format(child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"x\":\"%0*d\"}}",
                              child->last_id, SIZE, i);
        fake_child_expect(child, ERA_ERROR("\"q\"", "-32001", GONE));
        assert_true(fixture->streamable.era.late_bytes <= LIMIT_LATE_BYTES);
    }
    assert_int_equal(parked(fixture), 3);
    era_expect_in_answer(come_again(fixture, first[1], "{}"), 200, "\"code\":-32602");
    for (int i = 2; i < COUNT; i++) {
        era_expect_in_answer(come_again(fixture, first[i], "{}"), 200, "\"resultType\":\"complete\"");
    }
    assert_int_equal(fixture->streamable.era.late_bytes, 0);
}

static void a_client_that_does_not_come_back_costs_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = run_and_ask(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_world_advance(&fixture->world, fixture->settings.callback_timeout_ms);
    fake_child_expect(child, ERA_ERROR("\"q\"", "-32001", "The client is gone"));
    fake_child_expect(child, CANCELLED("2"));
    assert_true(child->is_closing);
    assert_int_equal(parked(fixture), 0);
    fake_child_finish(child);
    era_expect_in_answer(come_again(fixture, first, "{\"q1\":{}}"), 200, "\"code\":-32602");
}

static void a_client_that_goes_away_costs_the_child_that_worked_for_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, QUESTION("1"));
    fake_exchange_vanish(exchange);
    fake_child_expect(child, ERA_ERROR("1", "-32001", "The client is gone"));
    fake_child_expect(child, CANCELLED("2"));
    assert_true(child->is_closing);
    assert_int_equal(calls(fixture), 0);
}

/* What the child still does for the call that is over may ask something, which would be taken for the next one's. */
static void a_call_that_times_out_costs_the_child_that_still_works_at_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_world_advance(&fixture->world, fixture->settings.channel.request_timeout_ms);
    fake_child_expect(child, CANCELLED("2"));
    exchange->state == FAKE_EXCHANGE_STREAMING ? fake_exchange_take(exchange) : NULL;
    assert_true(fake_exchange_has_ended(exchange));
    assert_true(child->is_closing);
    exchange = run(fixture, 2);
    era_answer(era_child(fixture, 2), DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", SERVED));
}

static void a_call_that_times_out_while_the_client_is_away_costs_the_child_too(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.callback_timeout_ms = 10 * fixture->settings.channel.request_timeout_ms;
    struct fake_exchange *first = run_and_ask(fixture, 1);
    fake_world_advance(&fixture->world, fixture->settings.channel.request_timeout_ms);
    assert_true(era_child(fixture, 1)->is_closing);
    era_expect_in_answer(come_again(fixture, first, "{\"q1\":{}}"), 200, "Request timed out");
    assert_int_equal(calls(fixture), 0);
}

static void the_childs_death_while_the_client_is_away_is_told_to_it_later(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = run_and_ask(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_die(child);
    era_expect_in_answer(come_again(fixture, first, "{\"q1\":{}}"), 200, "exited with status 3");
    assert_int_equal(calls(fixture), 0);
    /* The next process is as good as any. */
    assert_false(child->is_closing);
    struct fake_exchange *next = call_with(fixture, ELICITS, NULL);
    era_shake_legacy(child);
    era_expect_request(child, "tools/call", "");
    era_answer(child, DONE);
    fake_exchange_expect(next, 200, ERA_RESULT("7", SERVED));
}

/* It asked, so it knows of the call, even where the line's end was never taken by its pipe. */
static void a_call_that_a_child_has_asked_about_is_not_sent_to_another_process(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct era_request request = {
        .method = "tools/call", .name = "t", .capabilities = ELICITS, .meta = "\"progressToken\":\"a\"", .id = "7"};
    struct fake_exchange *exchange = era_post(fixture, &request);
    era_list_tools(fixture->child);
    struct fake_child *child = era_child(fixture, 1);
    era_shake_legacy(child);
    era_expect_request(child, "tools/call", "\"progressToken\":2");
    ask(fixture, child, QUESTION("1"));
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
    assert_int_equal(calls(fixture), 0);
}

static void a_child_that_never_starts_answers_the_call_with_the_reason(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = call_with(fixture, ELICITS, NULL);
    era_list_tools(fixture->child);
    fake_child_down(era_child(fixture, 1), "could not be started: no such file", 0, 1);
    era_expect_in_answer(exchange, 200, "could not be started: no such file");
    assert_int_equal(calls(fixture), 0);
    assert_true(era_child(fixture, 1)->is_closing);
}

static void a_child_that_refuses_the_handshake_answers_the_call_with_its_reason(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = call_with(fixture, ELICITS, NULL);
    era_list_tools(fixture->child);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_up(child);
    era_answer_error(child, -32000);
    fake_exchange_expect(exchange, 200, ERA_ERROR("7", "-32000", "no"));
    assert_int_equal(calls(fixture), 0);
    fake_child_down(child, "exited with status 0", child->written, 1);
    assert_true(child->is_closing);
}

static void a_client_that_goes_while_its_child_starts_leaves_the_child_to_others(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = call_with(fixture, ELICITS, NULL);
    era_list_tools(fixture->child);
    fake_exchange_vanish(exchange);
    assert_int_equal(calls(fixture), 0);
    assert_false(era_child(fixture, 1)->is_closing);
    exchange = run(fixture, 1);
    era_answer(era_child(fixture, 1), DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", SERVED));
}

static void progress_has_the_token_of_the_round(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct era_request request = {
        .method = "tools/call", .name = "t", .capabilities = ELICITS, .meta = "\"progressToken\":\"a\""};
    char params[1024];
    struct fake_exchange *exchange = era_post(fixture, &request);
    era_list_tools(fixture->child);
    struct fake_child *child = era_child(fixture, 1);
    era_shake_legacy(child);
    era_expect_request(child, "tools/call", "\"progressToken\":2");
    ask(fixture, child, QUESTION("1"));
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
            fake_world_advance(&fixture->world, GATHER_MS);
        }
    }
    fake_exchange_expect_event(exchange, ERA_NOTE("notifications/progress", "\"progressToken\":\"c\",\"progress\":2"));
    fake_exchange_vanish(exchange);
}

/* ---- Who shares a child ---- */

static void the_next_call_of_the_same_kind_has_the_same_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        struct fake_exchange *exchange = run(fixture, 1);
        era_answer(era_child(fixture, 1), DONE);
        fake_exchange_expect(exchange, 200, ERA_RESULT("7", SERVED));
    }
    struct fake_exchange *other = call_with(fixture, "{\"sampling\":{}}", NULL);
    assert_int_equal(fake_child_count(&fixture->world), 3);
    fake_exchange_vanish(other);
}

static void calls_at_once_have_children_of_their_own_and_their_own_questions(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *a = run(fixture, 1);
    struct fake_exchange *b = run(fixture, 2);
    ask(fixture, era_child(fixture, 2), QUESTION("1"));
    fake_exchange_expect_silence(a);
    ask(fixture, era_child(fixture, 1), QUESTION("1"));
    a = come_again(fixture, a, "{\"q1\":{\"a\":1}}");
    fake_child_expect(era_child(fixture, 1), ERA_RESULT("1", "\"a\":1"));
    fake_child_expect_silence(era_child(fixture, 2));
    b = come_again(fixture, b, "{\"q1\":{\"b\":1}}");
    fake_child_expect(era_child(fixture, 2), ERA_RESULT("1", "\"b\":1"));
    era_answer(era_child(fixture, 1), DONE);
    era_answer(era_child(fixture, 2), DONE);
    fake_exchange_expect(a, 200, ERA_RESULT("7", SERVED));
    fake_exchange_expect(b, 200, ERA_RESULT("7", SERVED));
}

/* ---- The bridge ends ---- */

static void a_parked_call_ends_when_the_bridge_drains(void **state)
{
    struct bridge_fixture *fixture = *state;
    run_and_ask(fixture, 1);
    streamable_drain(&fixture->streamable);
    assert_int_equal(calls(fixture), 0);
    assert_true(era_child(fixture, 1)->is_closing);
}

/* Its client could not come back: the bridge refuses whoever comes. */
static void a_question_while_the_bridge_drains_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = run(fixture, 1);
    struct fake_child *child = era_child(fixture, 1);
    fake_child_say(child, QUESTION("1"));
    streamable_drain(&fixture->streamable);
    fake_child_say(child, QUESTION("2"));
    fake_world_advance(&fixture->world, GATHER_MS);
    fake_child_expect(child, ERA_ERROR("1", "-32001", "The bridge is shutting down"));
    fake_child_expect(child, ERA_ERROR("2", "-32603", "The bridge is shutting down"));
    fake_exchange_expect_silence(exchange);
    era_answer(child, DONE);
    fake_exchange_expect(exchange, 200, ERA_RESULT("7", SERVED));
}

static void a_parked_call_ends_with_the_server(void **state)
{
    struct bridge_fixture *fixture = *state;
    run_and_ask(fixture, 1);
    bridge_fixture_close_server(fixture);
    assert_int_equal(fixture->world.timers.count, 0);
}

static void calls_in_every_state_end_with_the_server(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *running = run(fixture, 1);
    struct fake_exchange *starting = call_with(fixture, ELICITS, NULL);
    struct fake_exchange *shared = era_post(fixture, &(struct era_request){.method = "prompts/list"});
    bridge_fixture_close_server(fixture);
    era_expect_in_answer(running, 200, "shutting down");
    era_expect_in_answer(starting, 200, "shutting down");
    era_expect_in_answer(shared, 200, "shutting down");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, bridge_fixture_tear_down)

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
        TEST(a_child_that_never_starts_answers_the_call_with_the_reason),
        TEST(a_child_that_refuses_the_handshake_answers_the_call_with_its_reason),
        TEST(a_client_that_goes_while_its_child_starts_leaves_the_child_to_others),
        TEST(progress_has_the_token_of_the_round),
        TEST(the_next_call_of_the_same_kind_has_the_same_child),
        TEST(calls_at_once_have_children_of_their_own_and_their_own_questions),
        TEST(a_parked_call_ends_when_the_bridge_drains),
        TEST(a_question_while_the_bridge_drains_is_refused),
        TEST(a_parked_call_ends_with_the_server),
        TEST(calls_in_every_state_end_with_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
