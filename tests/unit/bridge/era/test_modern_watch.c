#include "bridge/era/modern_watch.h"

#include "tests/unit/bridge/era_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define CANCELLED(id) ERA_NOTE("notifications/cancelled", "\"requestId\":" id)

static void a_session_hears_of_changes_without_the_subscriptions_id(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    fake_child_say(fixture->child, ERA_NOTE("notifications/subscriptions/acknowledged",
                                            "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":2}"));
    fake_child_say(fixture->child, ERA_NOTE("notifications/tools/list_changed",
                                            "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":2}"));
    fake_exchange_expect_event(stream, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
    fake_exchange_expect_open(stream);
    fake_exchange_vanish(stream);
}

static void what_else_a_change_says_of_itself_is_told(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    fake_child_say(fixture->child, ERA_NOTE("notifications/tools/list_changed",
                                            "\"_meta\":{\"a\":1e0,\"io.modelcontextprotocol/subscriptionId\":2,"
                                            "\"b\":[ ]}"));
    fake_exchange_expect_event(stream, ERA_NOTE("notifications/tools/list_changed", "\"_meta\":{\"a\":1e0,\"b\":[ ]}"));
    fake_child_say(fixture->child, ERA_NOTE("notifications/tools/list_changed",
                                            "\"x\":0,\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":2,"
                                            "\"a\":1}"));
    fake_exchange_expect_event(stream, ERA_NOTE("notifications/tools/list_changed", "\"x\":0,\"_meta\":{\"a\":1}"));
    fake_exchange_vanish(stream);
}

static struct fake_exchange *subscribe_to(struct bridge_fixture *fixture, const char *session, const char *params)
{
    struct buffer body;
    buffer_init(&body, 0);
    buffer_add_format(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/subscribe\",\"params\":{%s}}",
                      params);
    buffer_add(&body, slice_of("", 1));
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, buffer_slice(&body).data);
    buffer_release(&body);
    return exchange;
}

static void a_subscription_needs_a_uri_of_sane_size(void **state)
{
    static char params[LIMIT_URI_BYTES + 64];
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    era_expect_in_answer(subscribe_to(fixture, session, ""), 200, "\"code\":-32602");
    era_expect_in_answer(subscribe_to(fixture, session, "\"uri\":7"), 200, "\"code\":-32602");
    snprintf(params, sizeof(params), "\"uri\":\"%0*d\"", LIMIT_URI_BYTES + 1, 1);
    era_expect_in_answer(subscribe_to(fixture, session, params), 200, "\"code\":-32602");
    fake_child_expect_silence(fixture->child);
    assert_int_equal(bridge_fixture_session(fixture, session)->subscription_count, 0);
}

static void a_session_has_so_many_subscriptions_and_no_more(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    char params[32];
    for (int i = 0; i < LIMIT_SESSION_SUBSCRIPTIONS; i++) {
        snprintf(params, sizeof(params), "\"uri\":\"x:%d\"", i);
        fake_exchange_expect(subscribe_to(fixture, session, params), 200, ERA_RESULT("1", ""));
    }
    era_expect_in_answer(subscribe_to(fixture, session, "\"uri\":\"y:\""), 200, "\"code\":-32602");
    fake_exchange_expect(subscribe_to(fixture, session, "\"uri\":\"x:0\""), 200, ERA_RESULT("1", ""));
    assert_int_equal(bridge_fixture_session(fixture, session)->subscription_count, LIMIT_SESSION_SUBSCRIPTIONS);
}

static void a_sessions_subscriptions_are_a_new_subscription_of_the_bridges(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = era_open_session(fixture, "{}");
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    struct fake_exchange *exchange = bridge_fixture_post(
        fixture, session,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"x:1\"}}");
    fake_exchange_expect(exchange, 200, ERA_RESULT("1", ""));
    fake_child_expect(fixture->child, CANCELLED("2"));
    era_expect_request(fixture->child, "subscriptions/listen", "\"resourceSubscriptions\":[\"x:1\"]");
    fake_child_say(fixture->child,
                   ERA_NOTE("notifications/resources/updated",
                            "\"uri\":\"x:1\",\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":3}"));
    fake_exchange_expect_event(stream, ERA_NOTE("notifications/resources/updated", "\"uri\":\"x:1\""));
    fake_exchange_expect(bridge_fixture_delete(fixture, session), 200, "");
    fake_child_expect(fixture->child, CANCELLED("3"));
    assert_null(strstr(fake_child_take(fixture->child), "x:1"));
}

static void a_child_that_ends_the_subscription_is_asked_again_after_a_pause(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_child_say(fixture->child, CANCELLED("2"));
    fake_child_expect_silence(fixture->child);
    fake_world_advance(&fixture->world, 1000);
    era_expect_request(fixture->child, "subscriptions/listen", "");
    era_answer(fixture->child, "\"resultType\":\"complete\"");
    fake_world_advance(&fixture->world, 1000);
    era_expect_request(fixture->child, "subscriptions/listen", "");
    era_answer_error(fixture->child, -32601);
    fake_world_advance(&fixture->world, 60000);
    fake_child_expect_silence(fixture->child);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, era_set_up_modern, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_else_a_change_says_of_itself_is_told),
        TEST(a_subscription_needs_a_uri_of_sane_size),
        TEST(a_session_has_so_many_subscriptions_and_no_more),
        TEST(a_session_hears_of_changes_without_the_subscriptions_id),
        TEST(a_sessions_subscriptions_are_a_new_subscription_of_the_bridges),
        TEST(a_child_that_ends_the_subscription_is_asked_again_after_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
