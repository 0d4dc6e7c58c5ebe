#include "bridge/transport/legacy_sse.h"

#include "bridge/limits.h"
#include "tests/unit/bridge/era_fixture.h"
#include "tests/unit/bridge/transport/sse_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* ---- Initialize ---- */

static void before_initialize_nothing_is_asked(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client client = sse_connect(fixture);
    fake_exchange_expect(sse_post(fixture, &client, SSE_LIST), 400,
                         ERA_ERROR("\"a\"", "-32000", "Bad Request: Server not initialized"));
    sse_send(fixture, &client, ERA_NOTE("notifications/roots/list_changed", ""));
    sse_send(fixture, &client, ERA_RESULT("1", ""));
    fake_child_expect_silence(fixture->bridge.child);
    fake_exchange_expect_open(client.stream);
    fake_exchange_vanish(client.stream);
}

static void a_second_initialize_is_refused_and_the_first_goes_on(void **state)
{
    struct sse_fixture *fixture = *state;
    bridge_fixture_open(&fixture->bridge);
    legacy_sse_init(&fixture->sse, &fixture->bridge.server, &fixture->settings);
    static const char refusal[] = ERA_ERROR("0", "-32600", "Invalid Request: Server already initialized");
    struct sse_client client = sse_connect(fixture);
    sse_send(fixture, &client, SSE_INITIALIZE);
    fake_exchange_expect(sse_post(fixture, &client, SSE_INITIALIZE), 400, refusal);
    bridge_fixture_shake(&fixture->bridge);
    sse_expect_part(client.stream, "\"id\":0,\"result\"");
    fake_exchange_expect(sse_post(fixture, &client, SSE_INITIALIZE), 400, refusal);
    assert_int_equal(fixture->bridge.server.sessions.sessions.count, 1);
    fake_exchange_expect_open(client.stream);
}

/* An initialize of this many bytes, in a buffer that the caller releases. */
static const char *write_initialize(struct buffer *body, size_t size)
{
    static const char end[] = "\"}}";
    buffer_init(body, 0);
    buffer_add_text(body, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                          "\"2024-11-05\",\"capabilities\":{},\"x\":\"");
    buffer_add_format(body, "%0*d%s", (int)(size - body->size - strlen(end)), 1, end);
    assert_int_equal(body->size, size);
    buffer_add(body, slice_of("", 1));
    return body->data;
}

static void an_initialize_may_not_be_larger_than_is_kept(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client client = sse_connect(fixture);
    struct buffer body;
    fake_exchange_expect(sse_post(fixture, &client, write_initialize(&body, LIMIT_INITIALIZE_BYTES + 1)), 413,
                         ERA_ERROR("0", "-32600", "Payload Too Large: an initialize may have 256 KiB"));
    buffer_release(&body);
    fake_exchange_expect_open(client.stream);
    sse_send(fixture, &client, write_initialize(&body, LIMIT_INITIALIZE_BYTES));
    buffer_release(&body);
    sse_expect_part(client.stream, "\"id\":0,\"result\"");
}

static void a_child_that_refuses_initialize_may_be_asked_again(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->bridge.settings.children = SERVER_CHILDREN_SESSION;
    sse_start(fixture);
    struct sse_client client = sse_connect(fixture);
    sse_send(fixture, &client, SSE_INITIALIZE);
    struct fake_child *refuser = era_child(&fixture->bridge, 1);
    fake_child_up(refuser);
    era_answer_error(refuser, -32051);
    fake_exchange_expect_event(client.stream, ERA_ERROR("0", "-32051", "no"));
    fake_world_advance(&fixture->bridge.world, 0);
    assert_true(refuser->is_closing);
    fake_child_finish(refuser);
    sse_send(fixture, &client, SSE_INITIALIZE);
    era_shake_legacy(fake_child_of(&fixture->bridge.world));
    sse_expect_part(client.stream, "\"id\":0,\"result\"");
}

static void too_many_sessions_are_refused_on_the_stream(void **state)
{
    struct sse_fixture *fixture = *state;
    for (size_t i = 0; i < fixture->bridge.settings.max_sessions; i++) {
        sse_connect_initialized(fixture);
    }
    struct sse_client client = sse_connect(fixture);
    sse_send(fixture, &client, SSE_INITIALIZE);
    fake_exchange_expect_event(client.stream, ERA_ERROR("0", "-32603", "Too many open sessions (--max-sessions)"));
    fake_exchange_expect_open(client.stream);
    fake_exchange_vanish(client.stream);
}

static void too_many_children_are_refused_on_the_stream(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->bridge.settings.children = SERVER_CHILDREN_SESSION;
    fixture->bridge.settings.max_children = 1;
    sse_start(fixture);
    struct sse_client client = sse_connect(fixture);
    sse_send(fixture, &client, SSE_INITIALIZE);
    struct sse_client late = sse_connect(fixture);
    sse_send(fixture, &late, SSE_INITIALIZE);
    fake_exchange_expect_event(late.stream,
                               ERA_ERROR("0", "-32603", "Too many children of the server run (--max-children)"));
    fake_exchange_vanish(late.stream);
    fake_exchange_vanish(client.stream);
}

/* ---- Requests ---- */

static void answers_come_on_the_stream_of_who_asked(void **state)
{
    struct sse_fixture *fixture = *state;
    struct fake_child *child = fixture->bridge.child;
    struct sse_client one = sse_connect_initialized(fixture);
    struct sse_client other = sse_connect_initialized(fixture);
    sse_send(fixture, &one, SSE_LIST);
    uint64_t first = child->last_id;
    sse_send(fixture, &other, SSE_LIST);
    bridge_fixture_answer_to(&fixture->bridge, child->last_id);
    fake_exchange_expect_open(one.stream);
    sse_expect_part(other.stream, "\"id\":\"a\",\"result\"");
    bridge_fixture_answer_to(&fixture->bridge, first);
    sse_expect_part(one.stream, "\"id\":\"a\",\"result\"");
    fake_exchange_expect_open(other.stream);
}

static void progress_comes_with_the_clients_token(void **state)
{
    struct sse_fixture *fixture = *state;
    struct sse_client client = sse_connect_initialized(fixture);
    sse_send(
        fixture, &client,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"_meta\":{\"progressToken\":\"t\"}}}");
    fake_child_say_format(fixture->bridge.child,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":"
                          "%d,\"progress\":1}}",
                          (int)fixture->bridge.child->last_id);
    fake_exchange_expect_event(client.stream,
                               ERA_NOTE("notifications/progress", "\"progressToken\":\"t\",\"progress\":1"));
    bridge_fixture_answer(&fixture->bridge);
    sse_expect_part(client.stream, "\"id\":1,\"result\"");
}

static void requests_past_the_ceiling_are_refused_on_the_stream(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->bridge.settings.max_session_calls = 3;
    sse_start(fixture);
    struct sse_client client = sse_connect_initialized(fixture);
    struct sse_client other = sse_connect_initialized(fixture);
    for (size_t i = 0; i < 3; i++) {
        sse_send(fixture, &client, SSE_LIST);
    }
    sse_send(fixture, &client, SSE_LIST);
    fake_exchange_expect_event(
        client.stream,
        ERA_ERROR("\"a\"", "-32603", "Too many requests in flight in this session (--max-in-flight-per-session)"));
    sse_send(fixture, &other, SSE_LIST);
    sse_send(fixture, &other, SSE_LIST);
    fake_exchange_expect_event(other.stream,
                               ERA_ERROR("\"a\"", "-32603", "Too many requests in flight (--max-in-flight)"));
    bridge_fixture_answer(&fixture->bridge);
    sse_expect_part(other.stream, "\"id\":\"a\",\"result\"");
    sse_send(fixture, &other, SSE_LIST);
    fake_exchange_expect_open(other.stream);
}

static void a_question_is_answered_once(void **state)
{
    struct sse_fixture *fixture = *state;
    fixture->bridge.settings.children = SERVER_CHILDREN_SESSION;
    sse_start(fixture);
    struct sse_client client = sse_connect(fixture);
    sse_send(fixture, &client, SSE_INITIALIZE);
    struct fake_child *child = fake_child_of(&fixture->bridge.world);
    era_shake_legacy(child);
    sse_expect_part(client.stream, "\"id\":0,\"result\"");
    fake_child_say(child, "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"roots/list\"}");
    fake_exchange_expect_event(client.stream, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}");
    sse_send(fixture, &client, ERA_RESULT("1", "\"roots\":[]"));
    fake_child_expect(child, ERA_RESULT("\"q\"", "\"roots\":[]"));
    sse_send(fixture, &client, ERA_RESULT("1", "\"roots\":[]"));
    fake_child_expect_silence(child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(before_initialize_nothing_is_asked, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_second_initialize_is_refused_and_the_first_goes_on, sse_set_up,
                                        sse_tear_down),
        cmocka_unit_test_setup_teardown(an_initialize_may_not_be_larger_than_is_kept, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_child_that_refuses_initialize_may_be_asked_again, sse_set_up, sse_tear_down),
        cmocka_unit_test_setup_teardown(too_many_sessions_are_refused_on_the_stream, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(too_many_children_are_refused_on_the_stream, sse_set_up, sse_tear_down),
        cmocka_unit_test_setup_teardown(answers_come_on_the_stream_of_who_asked, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(progress_comes_with_the_clients_token, sse_set_up_ready, sse_tear_down),
        cmocka_unit_test_setup_teardown(requests_past_the_ceiling_are_refused_on_the_stream, sse_set_up, sse_tear_down),
        cmocka_unit_test_setup_teardown(a_question_is_answered_once, sse_set_up, sse_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
