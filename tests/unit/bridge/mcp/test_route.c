#include "bridge/mcp/route.h"

#include "tests/unit/bridge/bridge_fixture.h"
#include "tests/unit/bridge/mcp/server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{}}"
#define NOTE(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":{" params "}}"
#define LOG(level) NOTE("notifications/message", "\"level\":\"" level "\",\"data\":1")
#define UPDATED(uri) NOTE("notifications/resources/updated", "\"uri\":" uri)
#define TOOLS_CHANGED "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}"

static void a_log_message_goes_to_the_one_call_that_runs(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *call = server_fixture_submit(fixture, NULL, REQUEST(1));
    fake_child_say(fixture->child, LOG("debug"));
    fake_call_expect_message(call, LOG("debug"));
    assert_int_equal(fixture->server.counters.dropped, 0);
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(1));
}

static void a_log_message_that_could_be_anybodys_is_dropped_and_counted(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_child_say(fixture->child, LOG("error"));
    assert_int_equal(fixture->server.counters.dropped, 1);
    struct fake_call *first = server_fixture_submit(fixture, NULL, REQUEST(1));
    struct fake_call *second = server_fixture_submit(fixture, NULL, REQUEST(2));
    fake_child_say(fixture->child, LOG("error"));
    assert_int_equal(fixture->server.counters.dropped, 2);
    fake_call_expect_silence(first);
    fake_call_expect_silence(second);
    fake_call_give_up(first);
    fake_call_free(first);
    fake_child_say(fixture->child, LOG("error"));
    assert_int_equal(fixture->server.counters.dropped, 3);
    fake_call_expect_silence(second);
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, LOG("error"));
    fake_call_expect_message(second, LOG("error"));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(second, RESULT(2));
}

static void a_session_gets_log_messages_of_its_own_level(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *level = server_fixture_set_level(fixture, session, "\"warning\"");
    server_fixture_agree(fixture);
    fake_call_expect_answer(level, RESULT(5));
    struct fake_call *call = server_fixture_submit(fixture, session, REQUEST(1));
    fake_child_say(fixture->child, LOG("notice"));
    fake_child_say(fixture->child, LOG("warning"));
    fake_child_say(fixture->child, LOG("emergency"));
    fake_child_say(fixture->child, LOG("strange"));
    fake_call_expect_message(call, LOG("warning"));
    fake_call_expect_message(call, LOG("emergency"));
    fake_call_expect_message(call, LOG("strange"));
    fake_call_expect_silence(call);
    assert_int_equal(fixture->server.counters.dropped, 0);
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(1));
}

static void list_changes_go_to_every_sessions_get_stream_once(void **state)
{
    static const char *const changes[] = {TOOLS_CHANGED, NOTE("notifications/prompts/list_changed", ""),
                                          NOTE("notifications/resources/list_changed", "\"_meta\":{}")};
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = bridge_fixture_get(fixture, server_fixture_open_session(fixture)->name);
    struct session *without_stream = server_fixture_open_session(fixture);
    struct fake_exchange *second = bridge_fixture_get(fixture, server_fixture_open_session(fixture)->name);
    struct fake_call *call = server_fixture_submit(fixture, NULL, REQUEST(1));
    for (size_t i = 0; i < 3; i++) {
        fake_child_say(fixture->child, changes[i]);
        fake_exchange_expect_event(first, changes[i]);
        fake_exchange_expect_event(second, changes[i]);
    }
    fake_exchange_expect_open(first);
    fake_exchange_expect_open(second);
    fake_call_expect_silence(call);
    struct fake_exchange *late = bridge_fixture_get(fixture, without_stream->name);
    fake_exchange_expect_open(late);
    assert_int_equal(fixture->server.counters.dropped, 0);
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(1));
}

static void updates_go_to_the_subscribers_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_exchange *stream_of_a = bridge_fixture_get(fixture, a->name);
    struct fake_exchange *stream_of_b = bridge_fixture_get(fixture, b->name);
    server_fixture_subscribe_first(fixture, a, "\"file:///x\"");
    fake_child_say(fixture->child, UPDATED("\"file:\\/\\/\\/x\""));
    fake_exchange_expect_event(stream_of_a, UPDATED("\"file:\\/\\/\\/x\""));
    fake_child_say(fixture->child, UPDATED("\"file:///y\""));
    fake_child_say(fixture->child, NOTE("notifications/resources/updated", ""));
    fake_exchange_expect_open(stream_of_a);
    fake_exchange_expect_open(stream_of_b);
}

static void a_notification_of_an_unknown_kind_is_nobodys(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *stream = bridge_fixture_get(fixture, server_fixture_open_session(fixture)->name);
    struct fake_call *call = server_fixture_submit(fixture, NULL, REQUEST(1));
    fake_child_say(fixture->child, NOTE("notifications/custom", "\"x\":1"));
    fake_child_say(fixture->child, NOTE("notifications/tools/list_changed2", ""));
    assert_int_equal(fixture->server.counters.dropped, 2);
    fake_child_say(fixture->child, NOTE("notifications/cancelled", "\"requestId\":2"));
    assert_int_equal(fixture->server.counters.dropped, 2);
    fake_call_expect_silence(call);
    fake_exchange_expect_open(stream);
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(1));
}

static void a_flood_of_dropped_messages_does_not_flood_the_log(void **state)
{
    struct bridge_fixture *fixture = *state;
    for (int i = 0; i < 10000; i++) {
        fake_child_say(fixture->child, "not a message");
    }
    assert_int_equal(fixture->server.counters.dropped, 10000);
    assert_in_range(fixture->world.logged[LOG_LEVEL_WARN], 10, 30);
}

static void the_childs_ping_is_answered(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}");
    fake_child_expect(fixture->child, RESULT("p"));
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void a_shared_childs_question_is_refused_since_nobody_declared_to_answer_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"roots/list\"}");
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32601,\"message\":"
                                      "\"This client declared no such capability\"}}");
    assert_int_equal(fixture->server.counters.dropped, 1);
}

static void a_child_that_asks_and_does_not_read_gets_no_answer(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->child->is_full = true;
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}");
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.counters.dropped, 1);
}

/* Before its handshake as well, for which a warm one may wait for ever. */
static void a_child_that_asks_and_does_not_read_gets_no_answer_before_the_handshake(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_open(fixture);
    fake_child_up(fixture->child);
    assert_non_null(fake_child_take(fixture->child));
    fixture->child->is_full = true;
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}");
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.counters.dropped, 1);
    fake_child_drain(fixture->child);
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}");
    fake_child_expect(fixture->child, RESULT(0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_log_message_goes_to_the_one_call_that_runs),
        TEST(a_log_message_that_could_be_anybodys_is_dropped_and_counted),
        TEST(a_session_gets_log_messages_of_its_own_level),
        TEST(list_changes_go_to_every_sessions_get_stream_once),
        TEST(updates_go_to_the_subscribers_only),
        TEST(a_notification_of_an_unknown_kind_is_nobodys),
        TEST(a_flood_of_dropped_messages_does_not_flood_the_log),
        TEST(the_childs_ping_is_answered),
        TEST(a_shared_childs_question_is_refused_since_nobody_declared_to_answer_it),
        TEST(a_child_that_asks_and_does_not_read_gets_no_answer),
        cmocka_unit_test_setup_teardown(a_child_that_asks_and_does_not_read_gets_no_answer_before_the_handshake,
                                        bridge_fixture_set_up, bridge_fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
