/*
 * A session belongs to the one who opened it: whoever else names it hears what he hears of one that does not exist.
 */
#include "bridge/base/memory.h"
#include "bridge/transport/legacy_sse.h"
#include "tests/unit/bridge/bridge_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define INITIALIZE                                                                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"," \
    "\"capabilities\":{},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define CANCEL "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}"

static const char unknown[] = "\"error\":{\"code\":-32001,\"message\":\"Session not found\"}}";

/* The name lies in memory that is gone when the handler has returned, as it may be after a reload. */
static char name[16];

static bool find_token(const struct token_list *list, struct slice token, struct slice *principal)
{
    (void)list;
    memset(name, 0, sizeof(name));
    memcpy(name, token.data, token.size);
    *principal = slice_text(name);
    return true;
}

/* Everybody but alice, when her token is taken from the list. */
static bool has_any_but_alice(const struct token_list *list, struct slice principal)
{
    (void)list;
    return !slice_is(principal, "alice");
}

static const struct token_list tokens = {find_token, has_any_but_alice};

static int set_up(void **state)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->endpoint.gate.tokens = &tokens;
    bridge_fixture_start(fixture);
    return 0;
}

static struct fake_exchange *request(struct bridge_fixture *fixture, enum exchange_method method, const char *token,
                                     const char *session)
{
    char header[32];
    struct fake_exchange *exchange = bridge_fixture_new(fixture, method, session);
    snprintf(header, sizeof(header), "Bearer %s", token);
    fake_exchange_add_field(exchange, "Authorization", header);
    return exchange;
}

static struct fake_exchange *ask(struct bridge_fixture *fixture, enum exchange_method method, const char *token,
                                 const char *session)
{
    struct fake_exchange *exchange = request(fixture, method, token, session);
    bridge_fixture_handle(fixture, exchange);
    memset(name, '#', sizeof(name) - 1);
    return exchange;
}

static struct fake_exchange *post(struct bridge_fixture *fixture, const char *token, const char *session,
                                  const char *body)
{
    struct fake_exchange *exchange = request(fixture, EXCHANGE_POST, token, session);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_set_body(exchange, slice_text(body));
    bridge_fixture_handle(fixture, exchange);
    memset(name, '#', sizeof(name) - 1);
    return exchange;
}

static const char *open_session(struct bridge_fixture *fixture, const char *token)
{
    const char *session = fake_exchange_answer_field(post(fixture, token, NULL, INITIALIZE), "mcp-session-id");
    assert_non_null(session);
    return session;
}

static void expect_unknown(struct fake_exchange *exchange)
{
    assert_int_equal(exchange->status, 404);
    assert_non_null(strstr(fake_exchange_answer(exchange), unknown));
}

static void its_owner_uses_a_session(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_session(fixture, "alice");
    assert_true(slice_is(bridge_fixture_session(fixture, session)->principal, "alice"));
    struct fake_exchange *call = post(fixture, "alice", session, PING);
    bridge_fixture_answer(fixture);
    assert_int_equal(call->status, 200);
    assert_int_equal(ask(fixture, EXCHANGE_DELETE, "alice", session)->status, 200);
}

static void another_finds_no_such_session_by_any_method(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_session(fixture, "alice");
    uint64_t heard_ms = bridge_fixture_session(fixture, session)->heard_ms;
    fake_world_advance(&fixture->world, 1000);
    expect_unknown(post(fixture, "bob", session, PING));
    expect_unknown(post(fixture, "bob", session, CANCEL));
    expect_unknown(post(fixture, "bob", session, "[" PING "]"));
    expect_unknown(ask(fixture, EXCHANGE_GET, "bob", session));
    expect_unknown(ask(fixture, EXCHANGE_DELETE, "bob", session));
    expect_unknown(post(fixture, "alic", session, PING));
    expect_unknown(post(fixture, "alicex", session, PING));
    assert_null(fake_child_take(fixture->child));
    /* Nor does he keep it alive. */
    assert_int_equal(bridge_fixture_session(fixture, session)->heard_ms, heard_ms);
}

static void the_answer_is_the_one_for_a_session_that_never_was(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_session(fixture, "alice");
    struct fake_exchange *foreign = post(fixture, "bob", session, PING);
    struct fake_exchange *none = post(fixture, "bob", "00000000000000000000000000000000", PING);
    assert_int_equal(foreign->status, none->status);
    assert_string_equal(fake_exchange_answer(foreign), fake_exchange_answer(none));
    assert_int_equal(foreign->answer_field_count, none->answer_field_count);
}

static void a_broken_stream_is_not_resumed_by_another(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_session(fixture, "alice");
    struct fake_exchange *stream = ask(fixture, EXCHANGE_GET, "alice", session);
    fake_exchange_vanish(stream);
    struct fake_exchange *thief = request(fixture, EXCHANGE_GET, "bob", session);
    fake_exchange_add_field(thief, "Last-Event-ID", "1-0");
    bridge_fixture_handle(fixture, thief);
    expect_unknown(thief);
}

static void an_initialize_that_waits_for_the_child_keeps_its_callers_name(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_close_server(fixture);
    fixture->is_closed = false;
    bridge_fixture_open(fixture);
    struct fake_exchange *waiting = post(fixture, "alice", NULL, INITIALIZE);
    fake_exchange_expect_silence(waiting);
    bridge_fixture_shake(fixture);
    const char *session = fake_exchange_answer_field(waiting, "mcp-session-id");
    assert_non_null(session);
    assert_true(slice_is(bridge_fixture_session(fixture, session)->principal, "alice"));
    expect_unknown(post(fixture, "bob", session, PING));
}

static void an_initialize_in_a_session_of_anothers_opens_ones_own(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = open_session(fixture, "alice");
    struct fake_exchange *exchange = post(fixture, "bob", session, INITIALIZE);
    const char *own = fake_exchange_answer_field(exchange, "mcp-session-id");
    assert_non_null(own);
    assert_string_not_equal(own, session);
    assert_true(slice_is(bridge_fixture_session(fixture, own)->principal, "bob"));
    assert_true(slice_is(bridge_fixture_session(fixture, session)->principal, "alice"));
}

static void who_has_no_token_any_more_loses_sessions_and_what_waits_in_them(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *alices = open_session(fixture, "alice");
    const char *second = open_session(fixture, "alice");
    const char *bobs = open_session(fixture, "bob");
    struct fake_exchange *stream = ask(fixture, EXCHANGE_GET, "alice", alices);
    struct fake_exchange *other = ask(fixture, EXCHANGE_GET, "bob", bobs);
    struct fake_exchange *call = post(fixture, "alice", alices, PING);
    fake_exchange_vanish(post(fixture, "alice", second, PING));
    streamable_end_strangers(&fixture->streamable);
    assert_int_equal(stream->state, FAKE_EXCHANGE_CLOSED);
    assert_int_equal(other->state, FAKE_EXCHANGE_STREAMING);
    assert_int_equal(fixture->server.sessions.sessions.count, 1);
    assert_int_equal(fixture->server.call_count, 1);
    fake_exchange_expect_silence(call);
    bridge_fixture_answer_to(fixture, 2);
    assert_int_equal(call->status, 200);
    expect_unknown(post(fixture, "alice", alices, PING));
    fake_exchange_vanish(other);
}

/* ---- HTTP+SSE ---- */

static struct fake_exchange *sse_post(struct bridge_fixture *fixture, struct legacy_sse *sse, const char *token,
                                      const char *query)
{
    struct fake_exchange *exchange = request(fixture, EXCHANGE_POST, token, NULL);
    exchange->exchange.query = slice_text(query);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_set_body(exchange, slice_text(INITIALIZE));
    legacy_sse_handle_message(sse, &exchange->exchange);
    memset(name, '#', sizeof(name) - 1);
    return exchange;
}

static void nobody_else_posts_to_a_stream_of_http_and_sse(void **state)
{
    struct bridge_fixture *fixture = *state;
    const struct legacy_sse_settings settings = {.gate = {.tokens = &tokens}, .message_path = "/messages"};
    struct legacy_sse sse;
    legacy_sse_init(&sse, &fixture->server, &settings);
    struct fake_exchange *stream = request(fixture, EXCHANGE_GET, "alice", NULL);
    stream->is_any_data = true;
    legacy_sse_handle_stream(&sse, &stream->exchange);
    memset(name, '#', sizeof(name) - 1);
    const char *endpoint = fake_exchange_take(stream);
    assert_non_null(endpoint);
    const char *query = strchr(endpoint, '?') + 1;
    expect_unknown(sse_post(fixture, &sse, "bob", query));
    assert_null(fake_exchange_take(stream));
    assert_int_equal(sse_post(fixture, &sse, "alice", query)->status, 202);
    assert_non_null(strstr(fake_exchange_take(stream), "\"protocolVersion\""));
    fake_exchange_vanish(stream);
    legacy_sse_release(&sse);
}

/* MCP 2025-11-25, Tasks, "Task Isolation and Access Control": a task belongs to who made it, session or not. */
static void a_task_that_was_made_without_a_session_is_not_there_for_another(void **state)
{
    struct bridge_fixture *fixture = *state;
    static const char get[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/get\",\"params\":{\"taskId\":\"a\"}}";
    static const char not_found[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"Task not found\"}}";
    struct fake_exchange *call = post(fixture, "alice", NULL, PING);
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"task\":{\"taskId\":\"a\"}}}");
    assert_int_equal(call->status, 200);
    fake_exchange_expect(post(fixture, "bob", NULL, get), 200, not_found);
    call = post(fixture, "alice", NULL, "[" PING "," PING "]");
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"task\":{\"taskId\":\"b\"}}}");
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"task\":{\"taskId\":\"c\"}}}");
    assert_int_equal(call->status, 200);
    const struct tasks *tasks = &fixture->server.shared->tasks;
    assert_true(tasks_has(tasks, NULL, slice_text("alice"), slice_text("\"c\"")));
    assert_false(tasks_has(tasks, NULL, slice_text(""), slice_text("\"c\"")));
    call = post(fixture, "alice", NULL, get);
    bridge_fixture_answer(fixture);
    assert_int_equal(call->status, 200);
}

static void who_has_no_token_any_more_loses_a_stream_of_http_and_sse(void **state)
{
    struct bridge_fixture *fixture = *state;
    const struct legacy_sse_settings settings = {.gate = {.tokens = &tokens}, .message_path = "/messages"};
    static const char *const callers[] = {"alice", "bob", "alice"};
    struct fake_exchange *streams[3];
    struct legacy_sse sse;
    legacy_sse_init(&sse, &fixture->server, &settings);
    for (size_t i = 0; i < 3; i++) {
        streams[i] = request(fixture, EXCHANGE_GET, callers[i], NULL);
        streams[i]->is_any_data = true;
        legacy_sse_handle_stream(&sse, &streams[i]->exchange);
    }
    legacy_sse_end_strangers(&sse);
    assert_int_equal(streams[0]->state, FAKE_EXCHANGE_CLOSED);
    assert_int_equal(streams[1]->state, FAKE_EXCHANGE_STREAMING);
    assert_int_equal(streams[2]->state, FAKE_EXCHANGE_CLOSED);
    fake_exchange_vanish(streams[1]);
    legacy_sse_release(&sse);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_owner_uses_a_session),
        TEST(another_finds_no_such_session_by_any_method),
        TEST(the_answer_is_the_one_for_a_session_that_never_was),
        TEST(a_broken_stream_is_not_resumed_by_another),
        TEST(an_initialize_that_waits_for_the_child_keeps_its_callers_name),
        TEST(an_initialize_in_a_session_of_anothers_opens_ones_own),
        TEST(who_has_no_token_any_more_loses_sessions_and_what_waits_in_them),
        TEST(who_has_no_token_any_more_loses_a_stream_of_http_and_sse),
        TEST(nobody_else_posts_to_a_stream_of_http_and_sse),
        TEST(a_task_that_was_made_without_a_session_is_not_there_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
