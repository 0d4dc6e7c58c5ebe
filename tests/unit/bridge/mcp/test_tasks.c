#include "bridge/mcp/tasks.h"

#include "bridge/limits.h"
#include "tests/unit/bridge/bridge_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAKE                                                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\",\"task\":{}," \
    "\"_meta\":{\"progressToken\":\"t\"}}}"
#define PROGRESS(token)                                                                               \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":" token \
    ",\"progress\":1}}"
#define STATUS(id, state)                                                                         \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tasks/status\",\"params\":{\"taskId\":\"" id \
    "\",\"status\":\"" state "\"}}"
#define ABOUT(method, id) "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"" method "\",\"params\":{\"taskId\":\"" id "\"}}"
#define NOT_FOUND "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32602,\"message\":\"Task not found\"}}"
#define CALL "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/call\",\"params\":{\"name\":\"y\"}}"
#define LOG "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1}}"
#define LOG_ABOUT(id)                                                                                      \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1," \
    "\"_meta\":{\"io.modelcontextprotocol/related-task\":{\"taskId\":\"" id "\"}}}}"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tasks/list\"}"

static struct session *open_session(struct bridge_fixture *fixture)
{
    return bridge_fixture_session(fixture, bridge_fixture_open_session(fixture));
}

/* The child answers its last request with this result. */
static void answer(struct bridge_fixture *fixture, const char *result)
{
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":%s}",
                          fixture->child->last_id, result);
}

static struct fake_call *submit(struct bridge_fixture *fixture, struct session *session, const char *request)
{
    struct fake_call *call = fake_call_new(request);
    fake_call_submit(call, &fixture->server, session);
    return call;
}

static void finish(struct fake_call *call)
{
    assert_non_null(call->answer);
    fake_call_free(call);
}

/* The session makes a task of this name. Returns the request's wire id. */
static uint64_t make(struct bridge_fixture *fixture, struct session *session, const char *name)
{
    char result[128];
    struct fake_call *call = submit(fixture, session, MAKE);
    snprintf(result, sizeof(result), "{\"task\":{\"taskId\":\"%s\",\"status\":\"working\"}}", name);
    answer(fixture, result);
    finish(call);
    return fixture->child->last_id;
}

/* Requires that the child is asked, and lets it answer this. */
static void ask(struct bridge_fixture *fixture, struct session *session, const char *request, const char *result)
{
    uint64_t before = fixture->child->last_id;
    struct fake_call *call = submit(fixture, session, request);
    assert_int_equal(fixture->child->last_id, before + 1);
    answer(fixture, result);
    finish(call);
}

/* Requires that the task is not there for the session, and that the child is not asked. */
static void expect_not_found(struct bridge_fixture *fixture, struct session *session, const char *request)
{
    uint64_t before = fixture->child->last_id;
    fake_call_expect_answer(submit(fixture, session, request), NOT_FOUND);
    assert_int_equal(fixture->child->last_id, before);
}

static void say_progress(struct bridge_fixture *fixture, uint64_t wire_id)
{
    fake_child_say_format(fixture->child, PROGRESS("%" PRIu64), wire_id);
}

/* ---- Progress ---- */

static void progress_of_a_task_goes_to_the_session_that_made_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_exchange *get = bridge_fixture_get(fixture, session->name);
    struct fake_exchange *other = bridge_fixture_get(fixture, open_session(fixture)->name);
    uint64_t wire_id = make(fixture, session, "a");
    say_progress(fixture, wire_id);
    fake_child_say_format(fixture->child, PROGRESS("\"%" PRIu64 "\""), wire_id);
    fake_exchange_expect_event(get, PROGRESS("\"t\""));
    fake_exchange_expect_event(get, PROGRESS("\"t\""));
    say_progress(fixture, wire_id + 1);
    fake_child_say(fixture->child, PROGRESS("\"t\""));
    assert_int_equal(fixture->server.counters.dropped, 2);
    fake_exchange_expect_open(get);
    fake_exchange_expect_open(other);
}

static void the_token_is_valid_until_the_child_says_that_the_task_is_over(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_exchange *get = bridge_fixture_get(fixture, session->name);
    static const char *const ends[] = {STATUS("a", "completed"), STATUS("a", "failed"), STATUS("a", "cancelled")};
    for (size_t i = 0; i < 3; i++) {
        uint64_t wire_id = make(fixture, session, "a");
        fake_child_say(fixture->child, STATUS("a", "input_required"));
        say_progress(fixture, wire_id);
        fake_exchange_expect_event(get, STATUS("a", "input_required"));
        fake_exchange_expect_event(get, PROGRESS("\"t\""));
        fake_child_say(fixture->child, ends[i]);
        fake_exchange_expect_event(get, ends[i]);
        say_progress(fixture, wire_id);
        assert_int_equal(fixture->server.counters.dropped, i + 1);
        fake_exchange_expect_open(get);
        tasks_clear(&fixture->server.shared->tasks);
    }
}

static void the_token_is_valid_until_an_answer_says_that_the_task_is_over(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_exchange *get = bridge_fixture_get(fixture, session->name);
    static const char *const ends[][2] = {{ABOUT("tasks/get", "a"), "{\"taskId\":\"a\",\"status\":\"completed\"}"},
                                          {ABOUT("tasks/cancel", "b"), "{\"taskId\":\"b\",\"status\":\"cancelled\"}"},
                                          {ABOUT("tasks/result", "c"), "{\"content\":[]}"}};
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++) {
        uint64_t wire_id = make(fixture, session, names[i]);
        ask(fixture, session, ABOUT("tasks/get", "a"), "{\"taskId\":\"a\",\"status\":\"working\"}");
        say_progress(fixture, wire_id);
        fake_exchange_expect_event(get, PROGRESS("\"t\""));
        ask(fixture, session, ends[i][0], ends[i][1]);
        say_progress(fixture, wire_id);
        assert_int_equal(fixture->server.counters.dropped, i + 1);
        fake_exchange_expect_open(get);
    }
    ask(fixture, session, ABOUT("tasks/result", "a"), "{\"content\":[]}");
}

static void the_token_ends_with_the_process(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    uint64_t wire_id = make(fixture, session, "a");
    fake_child_die(fixture->child);
    bridge_fixture_shake(fixture);
    say_progress(fixture, wire_id);
    assert_int_equal(fixture->server.counters.dropped, 1);
    expect_not_found(fixture, session, ABOUT("tasks/get", "a"));
    assert_int_equal(session->tasks.count, 0);
}

/* ---- Whose it is ---- */

static void a_task_is_there_for_the_session_that_made_it_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct session *other = open_session(fixture);
    make(fixture, session, "a");
    make(fixture, NULL, "n");
    static const char *const methods[] = {ABOUT("tasks/get", "a"), ABOUT("tasks/result", "a"),
                                          ABOUT("tasks/cancel", "a")};
    for (size_t i = 0; i < 3; i++) {
        expect_not_found(fixture, other, methods[i]);
        expect_not_found(fixture, NULL, methods[i]);
        ask(fixture, session, methods[i], "{\"status\":\"working\"}");
    }
    expect_not_found(fixture, session, ABOUT("tasks/get", "n"));
    ask(fixture, NULL, ABOUT("tasks/get", "n"), "{\"status\":\"working\"}");
}

static void a_list_holds_the_sessions_own_tasks_byte_for_byte(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct session *other = open_session(fixture);
    make(fixture, session, "a");
    make(fixture, other, "b");
    make(fixture, session, "c");
    make(fixture, NULL, "n");
    static const char *const lists[][2] = {
        {"{ \"x\" : 1e400, \"tasks\" : [ {\"taskId\":\"a\", \"ttl\":9007199254740993} , {\"taskId\":\"b\"},"
         "{\"status\":\"working\",\"taskId\":\"\\u0063\"},{\"taskId\":\"n\"}] , \"nextCursor\":\"]}\" }",
         "{ \"x\" : 1e400, \"tasks\" : [{\"taskId\":\"a\", \"ttl\":9007199254740993},"
         "{\"status\":\"working\",\"taskId\":\"\\u0063\"}] , \"nextCursor\":\"]}\" }"},
        {"{\"tasks\":[{\"taskId\":\"b\"},{\"taskId\":\"b\",\"taskId\":\"a\"},{\"taskId\":\"a\",\"task\\u0049d\":\"b\"},"
         "{},7,\"a\",[{\"taskId\":\"a\"}],{\"taskId\":7},{\"taskId\":\"nobody's\"}]}",
         "{\"tasks\":[]}"},
        {"{\"tasks\":[{\"taskId\":\"b\"}],\"\\u0074asks\":[{\"taskId\":\"b\"},{\"taskId\":\"a\"}]}",
         "{\"tasks\":[],\"\\u0074asks\":[{\"taskId\":\"a\"}]}"},
        {"{\"tasks\":{\"taskId\":\"b\"}}", "{\"tasks\":[]}"},
        {"{}", "{}"},
        {"[{\"taskId\":\"b\"}]", "{\"tasks\":[]}"},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        char expected[512];
        struct fake_call *call = submit(fixture, session, LIST);
        answer(fixture, lists[i][0]);
        snprintf(expected, sizeof(expected), "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":%s}", lists[i][1]);
        fake_call_expect_answer(call, expected);
    }
}

static void an_error_in_place_of_a_list_is_the_childs(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *call = submit(fixture, open_session(fixture), LIST);
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"error\":{\"code\":-1}}",
                          fixture->child->last_id);
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-1}}");
}

static void without_a_session_there_is_no_list(void **state)
{
    struct bridge_fixture *fixture = *state;
    make(fixture, NULL, "n");
    fake_call_expect_answer(submit(fixture, NULL, LIST), "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32601,"
                                                         "\"message\":\"tasks/list needs a session\"}}");
}

/* ---- Log messages ---- */

static void a_log_message_about_a_task_is_for_the_session_that_made_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct session *other = open_session(fixture);
    struct fake_exchange *get = bridge_fixture_get(fixture, session->name);
    make(fixture, session, "a");
    make(fixture, NULL, "n");
    struct fake_call *call = submit(fixture, other, CALL);
    fake_child_say(fixture->child, LOG_ABOUT("a"));
    fake_exchange_expect_event(get, LOG_ABOUT("a"));
    fake_child_say(fixture->child, LOG_ABOUT("n"));
    fake_child_say(fixture->child, LOG_ABOUT("nobody's"));
    assert_int_equal(fixture->server.counters.dropped, 2);
    fake_call_expect_silence(call);
    answer(fixture, "{}");
    finish(call);
    session->log_level = SEVERITY_ERROR;
    fake_child_say(fixture->child, LOG_ABOUT("a"));
    fake_exchange_expect_open(get);
    assert_int_equal(fixture->server.counters.dropped, 2);
}

static void a_log_message_that_may_be_of_somebody_elses_task_is_nobodys(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct session *other = open_session(fixture);
    make(fixture, session, "a");
    struct fake_call *own = submit(fixture, session, CALL);
    fake_child_say(fixture->child, LOG);
    fake_call_expect_message(own, LOG);
    answer(fixture, "{}");
    finish(own);
    struct fake_call *call = submit(fixture, other, CALL);
    fake_child_say(fixture->child, LOG);
    assert_int_equal(fixture->server.counters.dropped, 1);
    fake_call_expect_silence(call);
    answer(fixture, "{}");
    finish(call);
    ask(fixture, session, ABOUT("tasks/get", "a"), "{\"taskId\":\"a\",\"status\":\"completed\"}");
    call = submit(fixture, other, CALL);
    fake_child_say(fixture->child, LOG);
    fake_call_expect_message(call, LOG);
    answer(fixture, "{}");
    finish(call);
}

static void tasks_that_are_forgotten_make_nothing_uncertain(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    make(fixture, session, "a");
    make(fixture, session, "b");
    fake_child_say(fixture->child, STATUS("b", "completed"));
    fake_child_say(fixture->child, STATUS("b", "completed"));
    assert_true(tasks_has_foreign(&fixture->server.shared->tasks, NULL));
    assert_false(tasks_has_foreign(&fixture->server.shared->tasks, session));
    server_end_session(&fixture->server, session);
    assert_false(tasks_has_foreign(&fixture->server.shared->tasks, NULL));
}

/* ---- How many there are ---- */

static void tasks_end_with_their_session(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct session *other = open_session(fixture);
    uint64_t wire_id = make(fixture, session, "a");
    make(fixture, other, "b");
    make(fixture, session, "c");
    server_end_session(&fixture->server, session);
    assert_int_equal(fixture->server.shared->tasks.count, 1);
    say_progress(fixture, wire_id);
    assert_int_equal(fixture->server.counters.dropped, 1);
    ask(fixture, other, ABOUT("tasks/get", "b"), "{}");
}

static void a_task_that_comes_after_its_sessions_end_is_nobodys(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call = submit(fixture, session, MAKE);
    server_end_session(&fixture->server, session);
    answer(fixture, "{\"task\":{\"taskId\":\"a\"}}");
    finish(call);
    assert_int_equal(fixture->server.shared->tasks.count, 0);
}

static void make_many(struct bridge_fixture *fixture, struct session *session, const char *prefix, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%s%zu", prefix, i);
        make(fixture, session, name);
        fake_child_take(fixture->child);
    }
}

static void a_session_with_too_many_tasks_forgets_its_own(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct session *other = open_session(fixture);
    make(fixture, other, "b");
    make_many(fixture, session, "a", LIMIT_SESSION_TASKS + 1);
    assert_int_equal(session->tasks.count, LIMIT_SESSION_TASKS);
    assert_int_equal(fixture->server.shared->tasks.count, LIMIT_SESSION_TASKS + 1);
    expect_not_found(fixture, session, ABOUT("tasks/get", "a0"));
    ask(fixture, session, ABOUT("tasks/get", "a1"), "{}");
    ask(fixture, other, ABOUT("tasks/get", "b"), "{}");
}

static void a_child_with_too_many_tasks_is_asked_no_more_for_the_oldest(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    make(fixture, session, "a");
    make_many(fixture, NULL, "n", LIMIT_TASKS);
    assert_int_equal(fixture->server.shared->tasks.count, LIMIT_TASKS);
    assert_int_equal(session->tasks.count, 0);
    expect_not_found(fixture, session, ABOUT("tasks/get", "a"));
    ask(fixture, NULL, ABOUT("tasks/get", "n0"), "{}");
}

#define READY(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READY(progress_of_a_task_goes_to_the_session_that_made_it),
        READY(the_token_is_valid_until_the_child_says_that_the_task_is_over),
        READY(the_token_is_valid_until_an_answer_says_that_the_task_is_over),
        READY(the_token_ends_with_the_process),
        READY(a_task_is_there_for_the_session_that_made_it_only),
        READY(a_list_holds_the_sessions_own_tasks_byte_for_byte),
        READY(an_error_in_place_of_a_list_is_the_childs),
        READY(without_a_session_there_is_no_list),
        READY(a_log_message_about_a_task_is_for_the_session_that_made_it),
        READY(a_log_message_that_may_be_of_somebody_elses_task_is_nobodys),
        READY(tasks_that_are_forgotten_make_nothing_uncertain),
        READY(tasks_end_with_their_session),
        READY(a_task_that_comes_after_its_sessions_end_is_nobodys),
        READY(a_session_with_too_many_tasks_forgets_its_own),
        READY(a_child_with_too_many_tasks_is_asked_no_more_for_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
