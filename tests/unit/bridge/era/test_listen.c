#include "bridge/era/listen.h"

#include "tests/unit/bridge/era_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ID "\"io.modelcontextprotocol/subscriptionId\":"
#define ACK(id, honoured) \
    ERA_NOTE("notifications/subscriptions/acknowledged", "\"_meta\":{" ID id "},\"notifications\":{" honoured "}")
#define ENDED(id) ERA_RESULT(id, "\"resultType\":\"complete\",\"_meta\":{" ID id "}")
#define CHANGED(list) "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/" list "/list_changed\"}"
#define CHANGED_FOR(list, id) ERA_NOTE("notifications/" list "/list_changed", "\"_meta\":{" ID id "}")
#define UPDATED(uri) ERA_NOTE("notifications/resources/updated", "\"uri\":\"" uri "\"")
#define UPDATED_FOR(uri, id) ERA_NOTE("notifications/resources/updated", "\"_meta\":{" ID id "},\"uri\":\"" uri "\"")
#define OWN(id, method, params) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":{" params "}}"
#define CANCELLED(id) ERA_NOTE("notifications/cancelled", "\"requestId\":" id)
#define DRAINING(id) ERA_ERROR(id, "-32603", "The bridge is shutting down")
#define ALL_LISTS "\"toolsListChanged\":true,\"promptsListChanged\":true,\"resourcesListChanged\":true"

static void shake_with_lists(struct fake_child *child)
{
    fake_child_up(child);
    fake_child_take(child);
    fake_child_say_format(child,
                          "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"protocolVersion\":\"2025-11-25\","
                          "\"capabilities\":{\"tools\":{\"listChanged\":true},\"prompts\":{},"
                          "\"resources\":{\"subscribe\":true,\"listChanged\":true}}}}",
                          child->last_id);
    fake_child_take(child);
}

static int set_up_legacy(void **state)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->settings.era = SERVER_ERA_LEGACY;
    bridge_fixture_open(fixture);
    shake_with_lists(fixture->child);
    return 0;
}

static int set_up_modern(void **state)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->settings.era = SERVER_ERA_BOTH;
    bridge_fixture_start(fixture);
    struct fake_exchange *first = era_post(fixture, &(struct era_request){.method = "prompts/list"});
    fixture->child = era_child(fixture, 1);
    era_shake_modern(fixture->child);
    era_expect_request(fixture->child, "prompts/list", "");
    era_answer(fixture->child, "\"resultType\":\"complete\"");
    fake_exchange_expect(first, 200, ERA_RESULT("1", "\"resultType\":\"complete\""));
    return 0;
}

static struct fake_exchange *listen_as(struct bridge_fixture *fixture, const char *id, const char *wishes)
{
    char params[1024];
    snprintf(params, sizeof(params), "\"notifications\":{%s}", wishes);
    return era_post(fixture, &(struct era_request){.method = "subscriptions/listen", .id = id, .params = params});
}

static size_t sessions(const struct bridge_fixture *fixture)
{
    return fixture->server.sessions.sessions.count;
}

/* ---- On a legacy child ---- */

static void only_what_the_child_tells_is_honoured_and_said_first(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "\"l\"", ALL_LISTS ",\"other\":true");
    fake_exchange_expect_event(exchange, ACK("\"l\"", "\"toolsListChanged\":true,\"resourcesListChanged\":true"));
    fake_child_say(fixture->child, CHANGED("tools"));
    fake_exchange_expect_event(exchange, CHANGED_FOR("tools", "\"l\""));
    fake_child_say(fixture->child, CHANGED("prompts"));
    fake_child_say(fixture->child, UPDATED("x:1"));
    fake_child_say(fixture->child, ERA_NOTE("notifications/message", "\"level\":\"error\",\"data\":1"));
    fake_exchange_expect_open(exchange);
    fake_exchange_vanish(exchange);
    fake_child_expect_silence(fixture->child);
    assert_int_equal(sessions(fixture), 0);
}

static void what_was_not_wished_for_is_not_told(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        listen_as(fixture, "2", "\"toolsListChanged\":false,\"resourcesListChanged\":\"true\"");
    fake_exchange_expect_event(exchange, ACK("2", ""));
    fake_child_say(fixture->child, CHANGED("tools"));
    fake_child_say(fixture->child, CHANGED("resources"));
    fake_exchange_expect_open(exchange);
    fake_exchange_vanish(exchange);
}

static void the_id_goes_into_what_the_child_wrote(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "9", "\"toolsListChanged\":true");
    fake_exchange_expect_event(exchange, ACK("9", "\"toolsListChanged\":true"));
    fake_child_say(fixture->child, ERA_NOTE("notifications/tools/list_changed", "\"_meta\":{\"a\":1},\"b\": 2"));
    fake_exchange_expect_event(exchange,
                               ERA_NOTE("notifications/tools/list_changed", "\"_meta\":{" ID "9,\"a\":1},\"b\": 2"));
    fake_child_say(fixture->child, ERA_NOTE("notifications/tools/list_changed", "\"_meta\":{}"));
    fake_exchange_expect_event(exchange, CHANGED_FOR("tools", "9"));
    fake_child_say(fixture->child, ERA_NOTE("notifications/tools/list_changed", ""));
    fake_exchange_expect_event(exchange, CHANGED_FOR("tools", "9"));
    fake_exchange_vanish(exchange);
}

static void resources_are_subscribed_to_one_by_one_and_the_refused_left_out(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        listen_as(fixture, "1", "\"resourceSubscriptions\":[\"x:1\",7,\"x:2\",\"x:1\",\"x:3\"]");
    fake_child_expect(fixture->child, OWN("2", "resources/subscribe", "\"uri\":\"x:1\""));
    fake_exchange_expect_silence(exchange);
    era_answer(fixture->child, "");
    fake_child_expect(fixture->child, OWN("3", "resources/subscribe", "\"uri\":\"x:2\""));
    era_answer_error(fixture->child, -32602);
    fake_child_expect(fixture->child, OWN("4", "resources/subscribe", "\"uri\":\"x:3\""));
    era_answer(fixture->child, "");
    fake_exchange_expect_event(exchange, ACK("1", "\"resourceSubscriptions\":[\"x:1\",\"x:3\"]"));
    fake_child_say(fixture->child, UPDATED("x:3"));
    fake_exchange_expect_event(exchange, UPDATED_FOR("x:3", "1"));
    fake_child_say(fixture->child, UPDATED("x:2"));
    fake_exchange_expect_open(exchange);
    fake_exchange_vanish(exchange);
    assert_int_equal(fake_child_unread(fixture->child), 2);
    assert_non_null(strstr(fake_child_take(fixture->child), "resources/unsubscribe"));
}

static void what_the_child_logs_while_it_is_subscribed_to_is_nobodys(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "1", "\"resourceSubscriptions\":[\"x:1\"]");
    fake_child_expect(fixture->child, OWN("2", "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, ERA_NOTE("notifications/message", "\"level\":\"emergency\",\"data\":1"));
    fake_exchange_expect_silence(exchange);
    era_answer(fixture->child, "");
    fake_exchange_expect_event(exchange, ACK("1", "\"resourceSubscriptions\":[\"x:1\"]"));
    fake_exchange_expect_open(exchange);
    fake_exchange_vanish(exchange);
}

static void two_who_listen_to_one_resource_share_the_childs_subscription(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *a = listen_as(fixture, "1", "\"resourceSubscriptions\":[\"x:1\"]");
    era_expect_request(fixture->child, "resources/subscribe", "");
    era_answer(fixture->child, "");
    struct fake_exchange *b = listen_as(fixture, "1", "\"resourceSubscriptions\":[\"x:1\"]");
    fake_child_expect_silence(fixture->child);
    assert_non_null(fake_exchange_take(a));
    assert_non_null(fake_exchange_take(b));
    fake_exchange_vanish(a);
    fake_child_expect_silence(fixture->child);
    fake_child_say(fixture->child, UPDATED("x:1"));
    fake_exchange_expect_event(b, UPDATED_FOR("x:1", "1"));
    fake_exchange_vanish(b);
    era_expect_request(fixture->child, "resources/unsubscribe", "x:1");
}

/* Each of them is answered at once: the bridge must not go deeper with every one. */
static void a_wish_for_very_many_resources_is_cut(void **state)
{
    enum { COUNT = 300000 };
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *holder = listen_as(fixture, "1", "\"resourceSubscriptions\":[\"x:1\"]");
    era_answer(fixture->child, "");
    struct buffer params;
    buffer_init(&params, 0);
    buffer_add_text(&params, "\"notifications\":{\"resourceSubscriptions\":[\"x:1\"");
    for (int i = 0; i < COUNT; i++) {
        buffer_add_text(&params, ",\"x:1\"");
    }
    buffer_add_text(&params, "]}");
    buffer_add(&params, slice_of("", 1));
    struct fake_exchange *exchange = era_post(
        fixture, &(struct era_request){.method = "subscriptions/listen", .params = buffer_slice(&params).data});
    buffer_release(&params);
    fake_exchange_expect_event(exchange, ACK("1", "\"resourceSubscriptions\":[\"x:1\"]"));
    fake_exchange_vanish(exchange);
    fake_exchange_vanish(holder);
}

static void a_failing_child_refuses_very_many_resources_without_harm(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct buffer params;
    fake_child_down(fixture->child, "exited with status 1", 0, 9);
    buffer_init(&params, 0);
    buffer_add_text(&params, "\"notifications\":{\"resourceSubscriptions\":[\"x:0\"");
    for (int i = 1; i < 2 * LIMIT_SESSION_SUBSCRIPTIONS; i++) {
        buffer_add_format(&params, ",\"x:%d\"", i);
    }
    buffer_add_text(&params, "]}");
    buffer_add(&params, slice_of("", 1));
    struct fake_exchange *exchange = era_post(
        fixture, &(struct era_request){.method = "subscriptions/listen", .params = buffer_slice(&params).data});
    buffer_release(&params);
    fake_exchange_expect_event(exchange, ACK("1", ""));
    fake_exchange_vanish(exchange);
}

static void a_client_that_goes_while_it_subscribes_leaves_nothing(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "1", "\"resourceSubscriptions\":[\"x:1\",\"x:2\"]");
    era_expect_request(fixture->child, "resources/subscribe", "x:1");
    fake_exchange_vanish(exchange);
    fake_child_expect(fixture->child, CANCELLED("2"));
    era_answer_to(fixture->child, 2, "");
    fake_child_expect_silence(fixture->child);
    assert_int_equal(sessions(fixture), 0);
    assert_int_equal(fixture->server.call_count, 0);
}

static void a_new_process_is_subscribed_to_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        listen_as(fixture, "1", "\"toolsListChanged\":true,\"resourceSubscriptions\":[\"x:1\"]");
    era_answer(fixture->child, "");
    assert_non_null(fake_exchange_take(exchange));
    fake_child_die(fixture->child);
    fake_exchange_expect_open(exchange);
    shake_with_lists(fixture->child);
    era_expect_request(fixture->child, "resources/subscribe", "x:1");
    fake_exchange_expect_event(exchange, CHANGED_FOR("tools", "1"));
    fake_child_say(fixture->child, UPDATED("x:1"));
    fake_exchange_expect_event(exchange, UPDATED_FOR("x:1", "1"));
    fake_exchange_vanish(exchange);
}

static void a_reader_that_is_too_slow_is_told_by_the_end(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *slow = listen_as(fixture, "1", "\"toolsListChanged\":true");
    struct fake_exchange *fast = listen_as(fixture, "2", "\"toolsListChanged\":true");
    assert_non_null(fake_exchange_take(slow));
    assert_non_null(fake_exchange_take(fast));
    slow->queued = fixture->settings.max_stream_queue_bytes / 4 + 1;
    fake_child_say(fixture->child, CHANGED("tools"));
    fake_child_say(fixture->child, CHANGED("tools"));
    fake_world_advance(&fixture->world, 0);
    fake_exchange_expect_event(slow, ENDED("1"));
    fake_exchange_expect_closed(slow);
    fake_exchange_expect_event(fast, CHANGED_FOR("tools", "2"));
    fake_exchange_expect_event(fast, CHANGED_FOR("tools", "2"));
    fake_exchange_vanish(fast);
    assert_int_equal(sessions(fixture), 0);
}

static void a_listen_that_is_open_is_not_idle(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.shared_idle_timeout_ms = 1000;
    struct fake_exchange *exchange = listen_as(fixture, "1", "\"toolsListChanged\":true");
    assert_non_null(fake_exchange_take(exchange));
    fake_world_advance(&fixture->world, 10 * fixture->settings.session_timeout_ms);
    fake_exchange_expect_open(exchange);
    fake_exchange_vanish(exchange);
    assert_int_equal(sessions(fixture), 0);
    fake_world_advance(&fixture->world, 1000);
    assert_true(fixture->child->is_closing);
}

static void listens_count_among_the_sessions(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *held[3];
    for (size_t i = 0; i < fixture->settings.max_sessions; i++) {
        held[i] = listen_as(fixture, "1", "");
    }
    era_expect_in_answer(listen_as(fixture, "1", ""), 200, "Too many subscriptions and sessions are open");
    for (size_t i = 0; i < fixture->settings.max_sessions; i++) {
        fake_exchange_vanish(held[i]);
    }
    assert_int_equal(fixture->child->state, FAKE_CHILD_UP);
    assert_int_equal(fixture->server.shared->users, 0);
}

static void a_wish_of_the_wrong_shape_is_refused(void **state)
{
    static const char *const wrong[] = {NULL, "\"notifications\":[]", "\"notifications\":true"};
    struct bridge_fixture *fixture = *state;
    for (size_t i = 0; i < 3; i++) {
        struct fake_exchange *exchange =
            era_post(fixture, &(struct era_request){.method = "subscriptions/listen", .params = wrong[i]});
        era_expect_in_answer(exchange, 200, "\"code\":-32602");
    }
    struct fake_exchange *odd = listen_as(fixture, "1", "\"resourceSubscriptions\":{\"x\":\"x:1\"}");
    fake_exchange_expect_event(odd, ACK("1", ""));
    fake_exchange_vanish(odd);
}

static void draining_ends_each_with_a_result(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *open = listen_as(fixture, "1", "");
    struct fake_exchange *opening = listen_as(fixture, "2", "\"resourceSubscriptions\":[\"x:1\"]");
    fake_exchange_expect_event(open, ACK("1", ""));
    streamable_drain(&fixture->streamable);
    fake_exchange_expect_event(open, ENDED("1"));
    fake_exchange_expect_closed(open);
    fake_exchange_expect(opening, 200, ENDED("2"));
}

/* It would never end, and keep the bridge from its end. */
static void a_listen_that_waited_for_the_child_while_the_bridge_began_to_drain_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.era = SERVER_ERA_LEGACY;
    bridge_fixture_open(fixture);
    struct fake_exchange *exchange = listen_as(fixture, "1", "");
    streamable_drain(&fixture->streamable);
    shake_with_lists(fixture->child);
    fake_exchange_expect(exchange, 200, DRAINING("1"));
    assert_int_equal(fixture->streamable.posts.count, 0);
}

static void the_servers_end_ends_them_in_every_state(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *open = listen_as(fixture, "1", "");
    struct fake_exchange *opening = listen_as(fixture, "2", "\"resourceSubscriptions\":[\"x:1\",\"x:2\",\"x:3\"]");
    assert_non_null(fake_exchange_take(open));
    bridge_fixture_close_server(fixture);
    fake_exchange_expect_event(open, ENDED("1"));
    fake_exchange_expect_closed(open);
    fake_exchange_expect(opening, 200, DRAINING("2"));
}

/* ---- On a modern child ---- */

/* The child's own, under the id that it knows. */
static void acknowledge(struct bridge_fixture *fixture, struct fake_exchange *exchange)
{
    era_expect_request(fixture->child, "subscriptions/listen", "");
    fake_child_say_format(fixture->child, ACK("%" PRIu64, ""), fixture->child->last_id);
    fake_exchange_expect_event(exchange, ACK("\"l\"", ""));
}

static void a_modern_childs_subscription_is_relayed_under_the_clients_id(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "\"l\"", "");
    acknowledge(fixture, exchange);
    fake_child_say_format(fixture->child, CHANGED_FOR("tools", "%" PRIu64), fixture->child->last_id);
    fake_exchange_expect_event(exchange, CHANGED_FOR("tools", "\"l\""));
    fake_child_say_format(fixture->child, CHANGED_FOR("tools", "%d"), 99);
    assert_int_equal(fixture->server.counters.dropped, 1);
    fake_child_say_format(fixture->child, ENDED("%" PRIu64), fixture->child->last_id, fixture->child->last_id);
    fake_exchange_expect_event(exchange, ENDED("\"l\""));
    fake_exchange_expect_closed(exchange);
}

static void a_modern_child_that_cancels_its_subscription_ends_it_with_a_result(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "\"l\"", "");
    acknowledge(fixture, exchange);
    fake_child_say_format(fixture->child, CANCELLED("%" PRIu64), fixture->child->last_id);
    fake_exchange_expect_event(exchange, ENDED("\"l\""));
    fake_exchange_expect_closed(exchange);
    fake_child_say_format(fixture->child, ENDED("%" PRIu64), fixture->child->last_id, fixture->child->last_id);
    fake_child_say_format(fixture->child, CANCELLED("%" PRIu64), fixture->child->last_id);
    fake_child_expect_silence(fixture->child);
}

static void a_modern_childs_death_ends_its_subscriptions_with_a_result(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "\"l\"", "");
    acknowledge(fixture, exchange);
    fake_child_die(fixture->child);
    fake_exchange_expect_event(exchange, ENDED("\"l\""));
    fake_exchange_expect_closed(exchange);
}

static void a_modern_child_without_subscriptions_says_so(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "\"l\"", "");
    era_answer_error(fixture->child, -32601);
    fake_exchange_expect(exchange, 404, ERA_ERROR("\"l\"", "-32601", "no"));
}

static void a_client_that_goes_cancels_at_the_modern_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "\"l\"", "");
    acknowledge(fixture, exchange);
    fake_exchange_vanish(exchange);
    fake_child_expect_format(fixture->child, CANCELLED("%" PRIu64), fixture->child->last_id);
    assert_int_equal(fixture->server.call_count, 0);
}

static void a_subscription_has_no_time_limit_even_when_there_was_progress(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = era_post(fixture, &(struct era_request){.method = "subscriptions/listen",
                                                                             .id = "\"l\"",
                                                                             .params = "\"notifications\":{}",
                                                                             .meta = "\"progressToken\":5"});
    acknowledge(fixture, exchange);
    fake_child_say_format(fixture->child, ERA_NOTE("notifications/progress", "\"progressToken\":%" PRIu64),
                          fixture->child->last_id);
    assert_non_null(fake_exchange_take(exchange));
    fake_world_advance(&fixture->world, 2 * fixture->settings.channel.request_timeout_ms);
    fake_exchange_expect_open(exchange);
    fake_exchange_vanish(exchange);
}

static void log_messages_belong_to_the_one_call_beside_a_subscription(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "\"l\"", "");
    acknowledge(fixture, exchange);
    struct fake_exchange *call =
        era_post(fixture, &(struct era_request){.method = "prompts/list",
                                                .meta = "\"io.modelcontextprotocol/logLevel\":\"info\""});
    fake_child_say(fixture->child, ERA_NOTE("notifications/message", "\"level\":\"error\",\"data\":1"));
    fake_exchange_expect_event(call, ERA_NOTE("notifications/message", "\"level\":\"error\",\"data\":1"));
    fake_exchange_expect_open(exchange);
    fake_exchange_vanish(call);
    fake_exchange_vanish(exchange);
}

static void the_servers_end_ends_a_modern_childs_subscriptions(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = listen_as(fixture, "\"l\"", "");
    acknowledge(fixture, exchange);
    struct fake_exchange *silent = listen_as(fixture, "2", "");
    bridge_fixture_close_server(fixture);
    fake_exchange_expect_event(exchange, ENDED("\"l\""));
    fake_exchange_expect_closed(exchange);
    fake_exchange_expect(silent, 200, DRAINING("2"));
}

#define LEGACY(name) cmocka_unit_test_setup_teardown(name, set_up_legacy, bridge_fixture_tear_down)
#define MODERN(name) cmocka_unit_test_setup_teardown(name, set_up_modern, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEGACY(only_what_the_child_tells_is_honoured_and_said_first),
        LEGACY(what_was_not_wished_for_is_not_told),
        LEGACY(the_id_goes_into_what_the_child_wrote),
        LEGACY(resources_are_subscribed_to_one_by_one_and_the_refused_left_out),
        LEGACY(what_the_child_logs_while_it_is_subscribed_to_is_nobodys),
        LEGACY(two_who_listen_to_one_resource_share_the_childs_subscription),
        LEGACY(a_wish_for_very_many_resources_is_cut),
        LEGACY(a_failing_child_refuses_very_many_resources_without_harm),
        LEGACY(a_client_that_goes_while_it_subscribes_leaves_nothing),
        LEGACY(a_new_process_is_subscribed_to_again),
        LEGACY(a_reader_that_is_too_slow_is_told_by_the_end),
        LEGACY(a_listen_that_is_open_is_not_idle),
        LEGACY(listens_count_among_the_sessions),
        LEGACY(a_wish_of_the_wrong_shape_is_refused),
        LEGACY(draining_ends_each_with_a_result),
        cmocka_unit_test_setup_teardown(a_listen_that_waited_for_the_child_while_the_bridge_began_to_drain_is_refused,
                                        bridge_fixture_set_up, bridge_fixture_tear_down),
        LEGACY(the_servers_end_ends_them_in_every_state),
        MODERN(a_modern_childs_subscription_is_relayed_under_the_clients_id),
        MODERN(a_modern_child_that_cancels_its_subscription_ends_it_with_a_result),
        MODERN(a_modern_childs_death_ends_its_subscriptions_with_a_result),
        MODERN(a_modern_child_without_subscriptions_says_so),
        MODERN(a_client_that_goes_cancels_at_the_modern_child),
        MODERN(a_subscription_has_no_time_limit_even_when_there_was_progress),
        MODERN(log_messages_belong_to_the_one_call_beside_a_subscription),
        MODERN(the_servers_end_ends_a_modern_childs_subscriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
