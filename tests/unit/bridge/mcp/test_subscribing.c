#include "bridge/mcp/subscribing.h"

#include "bridge/limits.h"
#include "tests/unit/bridge/bridge_fixture.h"
#include "tests/unit/bridge/mcp/server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{}}"
#define NOTE(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":{" params "}}"
#define UPDATED(uri) NOTE("notifications/resources/updated", "\"uri\":" uri)
#define OWN(id, method, params) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\",\"params\":{" params "}}"

static void the_child_hears_the_first_subscribe_and_the_last_unsubscribe(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_subscribe(fixture, a, "\"x:\\/1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:\\/1\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    server_fixture_expect_local(fixture, server_fixture_subscribe(fixture, b, "\"x:/1\""));
    server_fixture_expect_local(fixture, server_fixture_subscribe(fixture, b, "\"x:/1\""));
    server_fixture_expect_local(fixture, server_fixture_unsubscribe(fixture, a, "\"x:/1\""));
    server_fixture_expect_local(fixture, server_fixture_unsubscribe(fixture, a, "\"x:/1\""));
    call = server_fixture_unsubscribe(fixture, b, "\"\\u0078:/1\"");
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"\\u0078:/1\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

static void a_subscribe_that_the_child_refuses_does_not_count(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_subscribe(fixture, session, "\"x:1\"");
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32002,\"message\":\"?\"}}");
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32002,\"message\":\"?\"}}");
    assert_int_equal(session->subscription_count, 0);
    call = server_fixture_subscribe(fixture, session, "\"x:1\"");
    assert_int_equal(fixture->child->last_id, 3);
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    assert_int_equal(session->subscription_count, 1);
}

static void who_is_not_subscribed_takes_nothing_from_who_is(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    server_fixture_subscribe_first(fixture, a, "\"x:1\"");
    server_fixture_expect_local(fixture,
                                server_fixture_unsubscribe(fixture, server_fixture_open_session(fixture), "\"x:1\""));
    server_fixture_expect_local(fixture, server_fixture_unsubscribe(fixture, NULL, "\"x:1\""));
    assert_int_equal(a->subscription_count, 1);
}

static void an_unsubscribe_from_what_nobody_subscribed_to_is_for_the_child_to_answer(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *call = server_fixture_unsubscribe(fixture, server_fixture_open_session(fixture), "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/unsubscribe", "\"uri\":\"x:1\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

static void a_subscribe_without_a_session_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *call = server_fixture_subscribe(fixture, NULL, "\"x:1\"");
    fake_child_expect_silence(fixture->child);
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32601,\"message\":"
                                  "\"resources/subscribe needs a session: updates come on its GET stream\"}}");
}

static void a_subscribe_without_a_uri_is_for_the_child_to_refuse(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_subscribe(fixture, session, "5");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":5"));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    assert_int_equal(session->subscription_count, 0);
}

/* What cannot be repeated to the child must not be: the line would be no message. */
static void a_subscribe_without_a_uri_that_the_child_accepts_is_forgotten(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call =
        server_fixture_submit(fixture, session, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/subscribe\"}");
    struct fake_call *other = server_fixture_unsubscribe(fixture, NULL, "\"x:1\"");
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(call, RESULT(5));
    fake_call_expect_answer(other, RESULT(5));
    call = server_fixture_submit(fixture, session,
                                 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/subscribe\",\"params\":{}}");
    server_end_session(&fixture->server, session);
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(call, RESULT(5));
    assert_int_equal(fake_child_unread(fixture->child), 3);
}

static void a_session_may_not_have_too_many_subscriptions(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    char uri[32];
    for (int i = 0; i < LIMIT_SESSION_SUBSCRIPTIONS; i++) {
        snprintf(uri, sizeof(uri), "\"x:%d\"", i);
        server_fixture_subscribe_first(fixture, session, uri);
    }
    assert_true(subscriptions_remove(&fixture->server.shared->subscriptions, session, slice_text("\"x:0\"")));
    while (fake_child_take(fixture->child) != NULL) {
    }
    /* Of two that are under way together, only one finds room: the child is told to leave off with the other. */
    struct fake_call *first = server_fixture_subscribe(fixture, session, "\"first\"");
    struct fake_call *second = server_fixture_subscribe(fixture, session, "\"second\"");
    fake_child_expect(fixture->child, OWN(1026, "resources/subscribe", "\"uri\":\"first\""));
    fake_child_expect(fixture->child, OWN(1027, "resources/subscribe", "\"uri\":\"second\""));
    fake_child_say(fixture->child, RESULT(1026));
    fake_child_say(fixture->child, RESULT(1027));
    fake_call_expect_answer(first, RESULT(5));
    fake_call_expect_answer(second, RESULT(5));
    fake_child_expect(fixture->child, OWN(1028, "resources/unsubscribe", "\"uri\":\"second\""));
    struct fake_call *call = server_fixture_subscribe(fixture, session, "\"one more\"");
    fake_child_expect_silence(fixture->child);
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32602,\"message\":"
                                  "\"Too many subscriptions in this session, or the URI is too long\"}}");
}

static void a_uri_that_is_subscribed_to_may_not_be_longer_than_is_kept(void **state)
{
    static char request[LIMIT_URI_BYTES + 128];
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    for (int over = 0; over < 2; over++) {
        snprintf(request, sizeof(request),
                 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"%0*d\"}}",
                 LIMIT_URI_BYTES - 2 + over, 1);
        struct fake_call *call = server_fixture_submit(fixture, session, request);
        if (over == 0) {
            server_fixture_agree(fixture);
            fake_call_expect_answer(call, RESULT(5));
        } else {
            assert_non_null(strstr(call->answer, "the URI is too long"));
            fake_call_free(call);
        }
    }
    assert_int_equal(session->subscription_count, 1);
}

static void the_end_of_a_session_ends_what_only_it_had_subscribed_to(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    server_fixture_subscribe_first(fixture, a, "\"only\"");
    server_fixture_subscribe_first(fixture, a, "\"both\"");
    server_fixture_expect_local(fixture, server_fixture_subscribe(fixture, b, "\"both\""));
    server_end_session(&fixture->server, a);
    fake_child_expect(fixture->child, OWN(4, "resources/unsubscribe", "\"uri\":\"only\""));
    fake_child_expect_silence(fixture->child);
    server_fixture_agree(fixture);
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void a_subscribe_that_outlives_its_session_is_taken_back(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *call = server_fixture_subscribe(fixture, session, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    server_end_session(&fixture->server, session);
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(5));
    assert_false(subscriptions_has(&fixture->server.shared->subscriptions, slice_text("\"x:1\"")));
    fake_child_say(fixture->child, UPDATED("\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"x:1\""));
}

static void an_unsubscribe_that_overtakes_the_answer_to_its_subscribe_counts(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_call *in = server_fixture_subscribe(fixture, a, "\"x:1\"");
    struct fake_call *out = server_fixture_unsubscribe(fixture, a, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(in, RESULT(5));
    fake_call_expect_answer(out, RESULT(5));
    in = server_fixture_subscribe(fixture, b, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(4, "resources/subscribe", "\"uri\":\"x:1\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(in, RESULT(5));
}

static void an_unsubscribe_takes_nothing_from_the_subscribe_of_another_uri(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *in = server_fixture_subscribe(fixture, session, "\"x:1\"");
    struct fake_call *out = server_fixture_unsubscribe(fixture, session, "\"x:2\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"x:2\""));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(in, RESULT(5));
    fake_call_expect_answer(out, RESULT(5));
    assert_int_equal(session->subscription_count, 1);
}

/* Two of one session that are under way together are one subscription: the first unsubscribe ends it. */
static void two_subscribes_of_one_session_are_one(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *first = server_fixture_subscribe(fixture, session, "\"x:1\"");
    struct fake_call *second = server_fixture_subscribe(fixture, session, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(first, RESULT(5));
    fake_call_expect_answer(second, RESULT(5));
    assert_int_equal(session->subscription_count, 1);
    struct fake_call *out = server_fixture_unsubscribe(fixture, session, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(4, "resources/unsubscribe", "\"uri\":\"x:1\""));
    server_fixture_agree(fixture);
    fake_call_expect_answer(out, RESULT(5));
    assert_int_equal(session->subscription_count, 0);
}

static void a_subscribe_that_outlives_its_session_takes_nothing_from_another(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = server_fixture_open_session(fixture);
    struct session *b = server_fixture_open_session(fixture);
    struct fake_call *of_a = server_fixture_subscribe(fixture, a, "\"x:1\"");
    struct fake_call *of_b = server_fixture_subscribe(fixture, b, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/subscribe", "\"uri\":\"x:1\""));
    server_end_session(&fixture->server, a);
    fake_child_say(fixture->child, RESULT(2));
    fake_child_expect(fixture->child, OWN(4, "resources/unsubscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_expect(fixture->child, OWN(5, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_call_expect_answer(of_a, RESULT(5));
    fake_call_expect_answer(of_b, RESULT(5));
}

/* Both wait for room, and the one that nobody knows of goes last. */
static void an_unsubscribe_that_waited_behind_a_subscribe_takes_nothing_from_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    fixture->child->is_full = true;
    struct fake_call *in = server_fixture_subscribe(fixture, session, "\"x:1\"");
    struct fake_call *out = server_fixture_unsubscribe(fixture, NULL, "\"x:1\"");
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_expect(fixture->child, OWN(4, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_expect_silence(fixture->child);
    fake_call_expect_answer(in, RESULT(5));
    fake_call_expect_answer(out, RESULT(5));
}

static void an_unsubscribe_that_waited_and_is_given_up_takes_nothing_either(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *in = server_fixture_subscribe(fixture, session, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fixture->child->is_full = true;
    struct fake_call *out = server_fixture_unsubscribe(fixture, NULL, "\"x:1\"");
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(in, RESULT(5));
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(4, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_call_give_up(out);
    fake_child_expect(fixture->child, NOTE("notifications/cancelled", "\"requestId\":3"));
    fake_child_expect_silence(fixture->child);
    fake_call_free(out);
}

static void an_unsubscribe_that_waited_and_is_answered_first_takes_nothing_either(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    fixture->child->is_full = true;
    struct fake_call *in = server_fixture_subscribe(fixture, session, "\"x:1\"");
    struct fake_call *out = server_fixture_unsubscribe(fixture, NULL, "\"x:1\"");
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_expect_silence(fixture->child);
    fake_child_say(fixture->child, RESULT(2));
    fake_child_expect(fixture->child, OWN(4, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_call_expect_answer(in, RESULT(5));
    fake_call_expect_answer(out, RESULT(5));
}

static void an_unsubscribe_counts_however_its_uri_is_written(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = server_fixture_open_session(fixture);
    struct fake_call *in = server_fixture_subscribe(fixture, session, "\"x:\\/1\"");
    struct fake_call *out = server_fixture_unsubscribe(fixture, session, "\"x:/1\"");
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(in, RESULT(5));
    fake_call_expect_answer(out, RESULT(5));
    assert_false(subscriptions_has(&fixture->server.shared->subscriptions, slice_text("\"x:/1\"")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_child_hears_the_first_subscribe_and_the_last_unsubscribe),
        TEST(a_subscribe_that_the_child_refuses_does_not_count),
        TEST(who_is_not_subscribed_takes_nothing_from_who_is),
        TEST(an_unsubscribe_from_what_nobody_subscribed_to_is_for_the_child_to_answer),
        TEST(a_subscribe_without_a_session_is_refused),
        TEST(a_subscribe_without_a_uri_is_for_the_child_to_refuse),
        TEST(a_subscribe_without_a_uri_that_the_child_accepts_is_forgotten),
        TEST(a_session_may_not_have_too_many_subscriptions),
        TEST(a_uri_that_is_subscribed_to_may_not_be_longer_than_is_kept),
        TEST(the_end_of_a_session_ends_what_only_it_had_subscribed_to),
        TEST(a_subscribe_that_outlives_its_session_is_taken_back),
        TEST(an_unsubscribe_takes_nothing_from_the_subscribe_of_another_uri),
        TEST(two_subscribes_of_one_session_are_one),
        TEST(a_subscribe_that_outlives_its_session_takes_nothing_from_another),
        TEST(an_unsubscribe_that_overtakes_the_answer_to_its_subscribe_counts),
        TEST(an_unsubscribe_counts_however_its_uri_is_written),
        TEST(an_unsubscribe_that_waited_behind_a_subscribe_takes_nothing_from_it),
        TEST(an_unsubscribe_that_waited_and_is_answered_first_takes_nothing_either),
        TEST(an_unsubscribe_that_waited_and_is_given_up_takes_nothing_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
