#include "bridge/mcp/server.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "tests/unit/bridge/bridge_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{}}"
#define NOTE(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":{" params "}}"
#define LOG(level) NOTE("notifications/message", "\"level\":\"" level "\",\"data\":1")
#define UPDATED(uri) NOTE("notifications/resources/updated", "\"uri\":" uri)
#define TOOLS_CHANGED "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}"
#define OWN(id, method, params) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\",\"params\":{" params "}}"

static struct session *open_session(struct bridge_fixture *fixture)
{
    struct session *session =
        server_open_session(&fixture->server, fixture->server.shared, revision_newest(), slice_text(""));
    assert_non_null(session);
    return session;
}

static struct fake_call *submit(struct bridge_fixture *fixture, struct session *session, const char *request)
{
    struct fake_call *call = fake_call_new(request);
    fake_call_submit(call, &fixture->server, session);
    return call;
}

/* Submits a request of this method whose one parameter is `key`. */
static struct fake_call *ask(struct bridge_fixture *fixture, struct session *session, const char *method,
                             const char *key, const char *value)
{
    char request[512];
    snprintf(request, sizeof(request), "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"%s\",\"params\":{\"%s\":%s}}",
             method, key, value);
    return submit(fixture, session, request);
}

static struct fake_call *subscribe(struct bridge_fixture *fixture, struct session *session, const char *uri)
{
    return ask(fixture, session, "resources/subscribe", "uri", uri);
}

static struct fake_call *unsubscribe(struct bridge_fixture *fixture, struct session *session, const char *uri)
{
    return ask(fixture, session, "resources/unsubscribe", "uri", uri);
}

static struct fake_call *set_level(struct bridge_fixture *fixture, struct session *session, const char *level)
{
    return ask(fixture, session, "logging/setLevel", "level", level);
}

/* The child has nothing against the last request. */
static void agree(struct bridge_fixture *fixture)
{
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{}}",
                          fixture->child->last_id);
}

/* As subscribe(), for the first subscriber: the child hears of it, and agrees. */
static void subscribe_first(struct bridge_fixture *fixture, struct session *session, const char *uri)
{
    struct fake_call *call = subscribe(fixture, session, uri);
    assert_non_null(fake_child_take(fixture->child));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

/* Requires that the request is answered without the child. */
static void expect_local(struct bridge_fixture *fixture, struct fake_call *call)
{
    fake_child_expect_silence(fixture->child);
    fake_call_expect_answer(call, RESULT(5));
}

static void notify(struct bridge_fixture *fixture, struct session *session, const char *text)
{
    struct message message;
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    hub_notify(session != NULL ? session->hub : fixture->server.shared, session, &message);
}

/* ---- What the child says without being asked ---- */

static void a_log_message_goes_to_the_one_call_that_runs(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *call = submit(fixture, NULL, REQUEST(1));
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
    struct fake_call *first = submit(fixture, NULL, REQUEST(1));
    struct fake_call *second = submit(fixture, NULL, REQUEST(2));
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
    struct session *session = open_session(fixture);
    struct fake_call *level = set_level(fixture, session, "\"warning\"");
    agree(fixture);
    fake_call_expect_answer(level, RESULT(5));
    struct fake_call *call = submit(fixture, session, REQUEST(1));
    fake_child_say(fixture->child, LOG("notice"));
    fake_child_say(fixture->child, LOG("warning"));
    fake_child_say(fixture->child, LOG("emergency"));
    fake_child_say(fixture->child, LOG("strange"));
    fake_call_expect_message(call, LOG("warning"));
    fake_call_expect_message(call, LOG("emergency"));
    fake_call_expect_message(call, LOG("strange"));
    fake_call_expect_silence(call);
    assert_int_equal(fixture->server.counters.dropped, 0);
    agree(fixture);
    fake_call_expect_answer(call, RESULT(1));
}

static void list_changes_go_to_every_sessions_get_stream_once(void **state)
{
    static const char *const changes[] = {TOOLS_CHANGED, NOTE("notifications/prompts/list_changed", ""),
                                          NOTE("notifications/resources/list_changed", "\"_meta\":{}")};
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = bridge_fixture_get(fixture, open_session(fixture)->name);
    struct session *without_stream = open_session(fixture);
    struct fake_exchange *second = bridge_fixture_get(fixture, open_session(fixture)->name);
    struct fake_call *call = submit(fixture, NULL, REQUEST(1));
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
    agree(fixture);
    fake_call_expect_answer(call, RESULT(1));
}

static void updates_go_to_the_subscribers_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_exchange *stream_of_a = bridge_fixture_get(fixture, a->name);
    struct fake_exchange *stream_of_b = bridge_fixture_get(fixture, b->name);
    subscribe_first(fixture, a, "\"file:///x\"");
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
    struct fake_exchange *stream = bridge_fixture_get(fixture, open_session(fixture)->name);
    struct fake_call *call = submit(fixture, NULL, REQUEST(1));
    fake_child_say(fixture->child, NOTE("notifications/custom", "\"x\":1"));
    fake_child_say(fixture->child, NOTE("notifications/tools/list_changed2", ""));
    assert_int_equal(fixture->server.counters.dropped, 2);
    fake_child_say(fixture->child, NOTE("notifications/cancelled", "\"requestId\":2"));
    assert_int_equal(fixture->server.counters.dropped, 2);
    fake_call_expect_silence(call);
    fake_exchange_expect_open(stream);
    agree(fixture);
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

/* ---- Subscriptions ---- */

static void the_child_hears_the_first_subscribe_and_the_last_unsubscribe(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_call *call = subscribe(fixture, a, "\"x:\\/1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:\\/1\""));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    expect_local(fixture, subscribe(fixture, b, "\"x:/1\""));
    expect_local(fixture, subscribe(fixture, b, "\"x:/1\""));
    expect_local(fixture, unsubscribe(fixture, a, "\"x:/1\""));
    expect_local(fixture, unsubscribe(fixture, a, "\"x:/1\""));
    call = unsubscribe(fixture, b, "\"\\u0078:/1\"");
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"\\u0078:/1\""));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

static void a_subscribe_that_the_child_refuses_does_not_count(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call = subscribe(fixture, session, "\"x:1\"");
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32002,\"message\":\"?\"}}");
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32002,\"message\":\"?\"}}");
    assert_int_equal(session->subscription_count, 0);
    call = subscribe(fixture, session, "\"x:1\"");
    assert_int_equal(fixture->child->last_id, 3);
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    assert_int_equal(session->subscription_count, 1);
}

static void who_is_not_subscribed_takes_nothing_from_who_is(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    subscribe_first(fixture, a, "\"x:1\"");
    expect_local(fixture, unsubscribe(fixture, open_session(fixture), "\"x:1\""));
    expect_local(fixture, unsubscribe(fixture, NULL, "\"x:1\""));
    assert_int_equal(a->subscription_count, 1);
}

static void an_unsubscribe_from_what_nobody_subscribed_to_is_for_the_child_to_answer(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *call = unsubscribe(fixture, open_session(fixture), "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/unsubscribe", "\"uri\":\"x:1\""));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

static void a_subscribe_without_a_session_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *call = subscribe(fixture, NULL, "\"x:1\"");
    fake_child_expect_silence(fixture->child);
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32601,\"message\":"
                                  "\"resources/subscribe needs a session: updates come on its GET stream\"}}");
}

static void a_subscribe_without_a_uri_is_for_the_child_to_refuse(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call = subscribe(fixture, session, "5");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":5"));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    assert_int_equal(session->subscription_count, 0);
}

/* What cannot be repeated to the child must not be: the line would be no message. */
static void a_subscribe_without_a_uri_that_the_child_accepts_is_forgotten(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call =
        submit(fixture, session, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/subscribe\"}");
    struct fake_call *other = unsubscribe(fixture, NULL, "\"x:1\"");
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(call, RESULT(5));
    fake_call_expect_answer(other, RESULT(5));
    call = submit(fixture, session, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/subscribe\",\"params\":{}}");
    server_end_session(&fixture->server, session);
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(call, RESULT(5));
    assert_int_equal(fake_child_unread(fixture->child), 3);
}

static void a_session_may_not_have_too_many_subscriptions(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    char uri[32];
    for (int i = 0; i < LIMIT_SESSION_SUBSCRIPTIONS; i++) {
        snprintf(uri, sizeof(uri), "\"x:%d\"", i);
        subscribe_first(fixture, session, uri);
    }
    assert_true(subscriptions_remove(&fixture->server.shared->subscriptions, session, slice_text("\"x:0\"")));
    while (fake_child_take(fixture->child) != NULL) {
    }
    /* Of two that are under way together, only one finds room: the child is told to leave off with the other. */
    struct fake_call *first = subscribe(fixture, session, "\"first\"");
    struct fake_call *second = subscribe(fixture, session, "\"second\"");
    fake_child_expect(fixture->child, OWN(1026, "resources/subscribe", "\"uri\":\"first\""));
    fake_child_expect(fixture->child, OWN(1027, "resources/subscribe", "\"uri\":\"second\""));
    fake_child_say(fixture->child, RESULT(1026));
    fake_child_say(fixture->child, RESULT(1027));
    fake_call_expect_answer(first, RESULT(5));
    fake_call_expect_answer(second, RESULT(5));
    fake_child_expect(fixture->child, OWN(1028, "resources/unsubscribe", "\"uri\":\"second\""));
    struct fake_call *call = subscribe(fixture, session, "\"one more\"");
    fake_child_expect_silence(fixture->child);
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32602,\"message\":"
                                  "\"Too many subscriptions in this session, or the URI is too long\"}}");
}

static void a_uri_that_is_subscribed_to_may_not_be_longer_than_is_kept(void **state)
{
    static char request[LIMIT_URI_BYTES + 128];
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    for (int over = 0; over < 2; over++) {
        snprintf(request, sizeof(request),
                 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"%0*d\"}}",
                 LIMIT_URI_BYTES - 2 + over, 1);
        struct fake_call *call = submit(fixture, session, request);
        if (over == 0) {
            agree(fixture);
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
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    subscribe_first(fixture, a, "\"only\"");
    subscribe_first(fixture, a, "\"both\"");
    expect_local(fixture, subscribe(fixture, b, "\"both\""));
    server_end_session(&fixture->server, a);
    fake_child_expect(fixture->child, OWN(4, "resources/unsubscribe", "\"uri\":\"only\""));
    fake_child_expect_silence(fixture->child);
    agree(fixture);
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void a_subscribe_that_outlives_its_session_is_taken_back(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call = subscribe(fixture, session, "\"x:1\"");
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
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_call *in = subscribe(fixture, a, "\"x:1\"");
    struct fake_call *out = unsubscribe(fixture, a, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/unsubscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(in, RESULT(5));
    fake_call_expect_answer(out, RESULT(5));
    in = subscribe(fixture, b, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(4, "resources/subscribe", "\"uri\":\"x:1\""));
    agree(fixture);
    fake_call_expect_answer(in, RESULT(5));
}

static void an_unsubscribe_takes_nothing_from_the_subscribe_of_another_uri(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *in = subscribe(fixture, session, "\"x:1\"");
    struct fake_call *out = unsubscribe(fixture, session, "\"x:2\"");
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
    struct session *session = open_session(fixture);
    struct fake_call *first = subscribe(fixture, session, "\"x:1\"");
    struct fake_call *second = subscribe(fixture, session, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_expect(fixture->child, OWN(3, "resources/subscribe", "\"uri\":\"x:1\""));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(first, RESULT(5));
    fake_call_expect_answer(second, RESULT(5));
    assert_int_equal(session->subscription_count, 1);
    struct fake_call *out = unsubscribe(fixture, session, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(4, "resources/unsubscribe", "\"uri\":\"x:1\""));
    agree(fixture);
    fake_call_expect_answer(out, RESULT(5));
    assert_int_equal(session->subscription_count, 0);
}

static void a_subscribe_that_outlives_its_session_takes_nothing_from_another(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_call *of_a = subscribe(fixture, a, "\"x:1\"");
    struct fake_call *of_b = subscribe(fixture, b, "\"x:1\"");
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
    struct session *session = open_session(fixture);
    fixture->child->is_full = true;
    struct fake_call *in = subscribe(fixture, session, "\"x:1\"");
    struct fake_call *out = unsubscribe(fixture, NULL, "\"x:1\"");
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
    struct session *session = open_session(fixture);
    struct fake_call *in = subscribe(fixture, session, "\"x:1\"");
    fake_child_expect(fixture->child, OWN(2, "resources/subscribe", "\"uri\":\"x:1\""));
    fixture->child->is_full = true;
    struct fake_call *out = unsubscribe(fixture, NULL, "\"x:1\"");
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
    struct session *session = open_session(fixture);
    fixture->child->is_full = true;
    struct fake_call *in = subscribe(fixture, session, "\"x:1\"");
    struct fake_call *out = unsubscribe(fixture, NULL, "\"x:1\"");
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
    struct session *session = open_session(fixture);
    struct fake_call *in = subscribe(fixture, session, "\"x:\\/1\"");
    struct fake_call *out = unsubscribe(fixture, session, "\"x:/1\"");
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(in, RESULT(5));
    fake_call_expect_answer(out, RESULT(5));
    assert_false(subscriptions_has(&fixture->server.shared->subscriptions, slice_text("\"x:/1\"")));
}

/* ---- Log levels ---- */

static void the_child_hears_the_most_verbose_level_that_any_session_wants(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_call *call = set_level(fixture, a, "\"warning\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"warning\""));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    expect_local(fixture, set_level(fixture, b, "\"error\""));
    expect_local(fixture, set_level(fixture, a, "\"warning\""));
    call = set_level(fixture, b, "\"debug\"");
    fake_child_expect(fixture->child, OWN(3, "logging/setLevel", "\"level\":\"debug\""));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    fake_call_expect_answer(set_level(fixture, b, "\"critical\""), RESULT(5));
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"warning\""));
    agree(fixture);
    server_end_session(&fixture->server, b);
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void the_end_of_the_most_verbose_session_makes_the_child_quieter(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *loud = open_session(fixture);
    struct session *quiet = open_session(fixture);
    struct fake_call *call = set_level(fixture, loud, "\"debug\"");
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    fake_call_expect_answer(set_level(fixture, quiet, "\"error\""), RESULT(5));
    assert_non_null(fake_child_take(fixture->child));
    server_end_session(&fixture->server, loud);
    fake_child_expect(fixture->child, OWN(3, "logging/setLevel", "\"level\":\"error\""));
    server_end_session(&fixture->server, quiet);
    fake_child_expect_silence(fixture->child);
}

static void a_level_without_a_session_is_acknowledged_and_changes_nothing(void **state)
{
    struct bridge_fixture *fixture = *state;
    expect_local(fixture, set_level(fixture, NULL, "\"debug\""));
}

static void a_level_that_is_none_is_for_the_child_to_refuse(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call = set_level(fixture, session, "\"loud\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"loud\""));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    assert_int_equal(session->log_level, SEVERITY_UNSET);
}

static void a_child_without_logging_answers_for_itself(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    fixture->server.shared->channel.handshake.has_logging = false;
    struct fake_call *call = set_level(fixture, session, "\"debug\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"debug\""));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

static void a_level_that_another_session_sets_meanwhile_is_not_lost(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_call *call = set_level(fixture, a, "\"debug\"");
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    call = set_level(fixture, a, "\"error\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"debug\""));
    fake_child_expect(fixture->child, OWN(3, "logging/setLevel", "\"level\":\"error\""));
    struct fake_call *other = set_level(fixture, b, "\"debug\"");
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"debug\""));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_say(fixture->child, RESULT(4));
    fake_call_expect_answer(call, RESULT(5));
    fake_call_expect_answer(other, RESULT(5));
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.shared->child_level, SEVERITY_DEBUG);
}

static void a_level_is_what_the_child_heard_last_not_what_it_answered_last(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_call *first = set_level(fixture, a, "\"info\"");
    struct fake_call *second = set_level(fixture, a, "\"emergency\"");
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"info\""));
    fake_child_expect(fixture->child, OWN(3, "logging/setLevel", "\"level\":\"emergency\""));
    fake_child_say(fixture->child, RESULT(3));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(first, RESULT(5));
    fake_call_expect_answer(second, RESULT(5));
    first = set_level(fixture, b, "\"info\"");
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"info\""));
    agree(fixture);
    fake_call_expect_answer(first, RESULT(5));
}

static void a_level_whose_request_is_given_up_is_not_taken_for_certain(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_call *call = set_level(fixture, a, "\"debug\"");
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    call = set_level(fixture, a, "\"error\"");
    fake_call_give_up(call);
    fake_call_free(call);
    while (fake_child_take(fixture->child) != NULL) {
    }
    call = set_level(fixture, b, "\"debug\"");
    fake_child_expect(fixture->child, OWN(4, "logging/setLevel", "\"level\":\"debug\""));
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

/* Clients could fill its queue without end with what they change their minds about. */
static void a_child_that_does_not_read_is_told_of_levels_once_it_does(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    fixture->child->is_full = true;
    expect_local(fixture, set_level(fixture, a, "\"error\""));
    expect_local(fixture, set_level(fixture, b, "\"info\""));
    expect_local(fixture, set_level(fixture, b, "\"debug\""));
    expect_local(fixture, set_level(fixture, b, "\"warning\""));
    struct fake_call *call = submit(fixture, a, REQUEST(1));
    fake_child_expect_silence(fixture->child);
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, OWN(2, "logging/setLevel", "\"level\":\"warning\""));
    fake_child_expect(fixture->child, REQUEST(3));
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(call, RESULT(1));
    fixture->child->is_full = true;
    fake_child_drain(fixture->child);
    fake_child_expect_silence(fixture->child);
}

static void a_level_without_a_session_never_waits_for_the_first_handshake(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_open(fixture);
    fake_call_expect_answer(set_level(fixture, NULL, "\"debug\""), RESULT(5));
    bridge_fixture_shake(fixture);
    fake_child_expect_silence(fixture->child);
}

/* ---- A new process ---- */

static void a_new_process_is_told_what_the_last_one_knew(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call = set_level(fixture, session, "\"info\"");
    agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
    assert_non_null(fake_child_take(fixture->child));
    subscribe_first(fixture, session, "\"x:\\/1\"");
    fake_child_die(fixture->child);
    call = submit(fixture, session, REQUEST(1));
    bridge_fixture_shake(fixture);
    fake_child_expect(fixture->child, OWN(5, "logging/setLevel", "\"level\":\"info\""));
    fake_child_expect(fixture->child, OWN(6, "resources/subscribe", "\"uri\":\"x:\\/1\""));
    fake_child_expect(fixture->child, REQUEST(7));
    fake_child_say(fixture->child, RESULT(5));
    fake_child_say(fixture->child, RESULT(6));
    fake_child_say(fixture->child, RESULT(7));
    fake_call_expect_answer(call, RESULT(1));
    assert_int_equal(fixture->server.counters.dropped, 0);
    assert_int_equal(fixture->server.counters.restarts, 1);
}

static void sessions_live_on_when_the_child_does_not(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    fake_child_die(fixture->child);
    assert_ptr_equal(session_table_find(&fixture->server.sessions, slice_text(session->name)), session);
    assert_int_equal(fixture->server.counters.restarts, 0);
}

static void a_session_that_ends_while_no_child_runs_makes_nothing_uncertain(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    subscribe_first(fixture, session, "\"x:1\"");
    fake_child_die(fixture->child);
    server_end_session(&fixture->server, session);
    bridge_fixture_shake(fixture);
    fake_child_expect_silence(fixture->child);
    struct fake_call *call = submit(fixture, NULL, REQUEST(1));
    fake_child_say(fixture->child, LOG("info"));
    agree(fixture);
    assert_int_equal(call->message_count, 1);
    call->messages_read = 1;
    fake_call_expect_answer(call, RESULT(1));
}

/* ---- Cancellation and other notifications ---- */

static void a_cancelled_call_is_answered_and_the_child_hears_its_wire_id(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call = submit(fixture, session, REQUEST("a"));
    assert_non_null(fake_child_take(fixture->child));
    notify(fixture, session, NOTE("notifications/cancelled", "\"requestId\":\"a\",\"reason\":\"r\""));
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32800,"
                                  "\"message\":\"Request cancelled\"}}");
    fake_child_expect(fixture->child, NOTE("notifications/cancelled", "\"requestId\":2"));
    fake_child_say(fixture->child, RESULT(2));
    assert_int_equal(fixture->server.counters.dropped, 0);
}

static void a_cancellation_reaches_calls_of_its_own_session_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *a = open_session(fixture);
    struct session *b = open_session(fixture);
    struct fake_call *call = submit(fixture, a, REQUEST(1));
    struct fake_call *stateless = submit(fixture, NULL, REQUEST(1));
    assert_non_null(fake_child_take(fixture->child));
    assert_non_null(fake_child_take(fixture->child));
    notify(fixture, b, NOTE("notifications/cancelled", "\"requestId\":1"));
    notify(fixture, b, NOTE("notifications/cancelled", "\"requestId\":2"));
    notify(fixture, NULL, NOTE("notifications/cancelled", "\"requestId\":1"));
    notify(fixture, a, NOTE("notifications/cancelled", "\"requestId\":\"1\""));
    notify(fixture, a, NOTE("notifications/cancelled", "\"x\":1"));
    fake_call_expect_silence(call);
    fake_call_expect_silence(stateless);
    fake_child_expect_silence(fixture->child);
    fake_child_say(fixture->child, RESULT(2));
    fake_child_say(fixture->child, RESULT(3));
    fake_call_expect_answer(call, RESULT(1));
    fake_call_expect_answer(stateless, RESULT(1));
    notify(fixture, a, NOTE("notifications/cancelled", "\"requestId\":1"));
    fake_child_expect_silence(fixture->child);
}

static void a_notification_goes_to_the_child_as_it_is(void **state)
{
    struct bridge_fixture *fixture = *state;
    notify(fixture, NULL, NOTE("notifications/custom", " \"x\" : -0 "));
    fake_child_expect(fixture->child, NOTE("notifications/custom", " \"x\" : -0 "));
}

static void what_the_child_was_told_already_or_never_asked_for_is_kept_from_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    notify(fixture, session, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    notify(fixture, session, NOTE("notifications/roots/list_changed", ""));
    notify(fixture, session, NOTE("notifications/progress", "\"progressToken\":1,\"progress\":1"));
    fake_child_expect_silence(fixture->child);
}

static void a_notification_while_no_child_is_ready_is_lost(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_child_die(fixture->child);
    notify(fixture, NULL, NOTE("notifications/custom", ""));
    bridge_fixture_shake(fixture);
    fake_child_expect_silence(fixture->child);
}

/* ---- Sessions and ceilings ---- */

static void a_call_keeps_its_session_from_being_idle(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->server.settings = &fixture->settings;
    fixture->settings.channel.request_timeout_ms = 0;
    struct session *session = open_session(fixture);
    struct fake_call *call = submit(fixture, session, REQUEST(1));
    fake_world_advance(&fixture->world, 10 * fixture->settings.session_timeout_ms);
    assert_int_equal(fixture->server.sessions.sessions.count, 1);
    agree(fixture);
    fake_call_expect_answer(call, RESULT(1));
    fake_world_advance(&fixture->world, 2 * fixture->settings.session_timeout_ms);
    assert_int_equal(fixture->server.sessions.sessions.count, 0);
}

static void expect_counts(const struct bridge_fixture *fixture, uint64_t answers, uint64_t errors, uint64_t failures)
{
    assert_int_equal(fixture->server.counters.answers, answers);
    assert_int_equal(fixture->server.counters.errors, errors);
    assert_int_equal(fixture->server.counters.failures, failures);
}

static void a_call_is_counted_by_how_it_ends(void **state)
{
    struct bridge_fixture *fixture = *state;
    expect_counts(fixture, 0, 0, 0);
    struct fake_call *call = submit(fixture, NULL, REQUEST(5));
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(5));
    expect_counts(fixture, 1, 0, 0);
    call = submit(fixture, NULL, REQUEST(5));
    fake_child_say(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":1,\"message\":\"\"}}");
    fake_call_expect_answer(call, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":1,\"message\":\"\"}}");
    expect_counts(fixture, 1, 1, 0);
    call = submit(fixture, NULL, REQUEST(5));
    fake_child_die(fixture->child);
    assert_non_null(strstr(call->answer, "exited with status 3"));
    fake_call_free(call);
    expect_counts(fixture, 1, 1, 1);
    assert_int_equal(fixture->server.counters.timeouts, 0);
    assert_int_equal(fixture->server.counters.cancelled, 0);
    assert_int_equal(fixture->server.counters.given_up, 0);
    assert_int_equal(fixture->server.counters.child_crashes, 1);
}

static void the_answer_comes_though_the_session_has_ended(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct fake_call *call = submit(fixture, session, REQUEST(1));
    server_end_session(&fixture->server, session);
    fake_child_say(fixture->child, RESULT(2));
    fake_call_expect_answer(call, RESULT(1));
}

static void sessions_and_calls_have_ceilings(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_call *calls[4];
    for (size_t i = 0; i < fixture->settings.max_sessions; i++) {
        open_session(fixture);
    }
    assert_null(server_open_session(&fixture->server, fixture->server.shared, NULL, slice_text("")));
    for (size_t i = 0; i < 4; i++) {
        assert_true(server_has_room(&fixture->server, 1));
        calls[i] = submit(fixture, NULL, REQUEST(1));
    }
    assert_false(server_has_room(&fixture->server, 1));
    fake_child_say(fixture->child, RESULT(2));
    assert_true(server_has_room(&fixture->server, 1));
    for (uint64_t id = 3; id <= 5; id++) {
        fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{}}", id);
    }
    for (size_t i = 0; i < 4; i++) {
        fake_call_expect_answer(calls[i], RESULT(1));
    }
    assert_int_equal(fixture->server.counters.calls, 4);
    assert_int_equal(fixture->server.counters.sessions, 3);
}

static void the_servers_input_is_full_only_when_a_ready_child_says_so(void **state)
{
    struct bridge_fixture *fixture = *state;
    assert_false(hub_is_full(fixture->server.shared));
    fixture->child->is_full = true;
    assert_true(hub_is_full(fixture->server.shared));
    fake_child_die(fixture->child);
    assert_false(hub_is_full(fixture->server.shared));
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
        TEST(the_child_hears_the_most_verbose_level_that_any_session_wants),
        TEST(the_end_of_the_most_verbose_session_makes_the_child_quieter),
        TEST(a_level_without_a_session_is_acknowledged_and_changes_nothing),
        cmocka_unit_test_setup_teardown(a_level_without_a_session_never_waits_for_the_first_handshake,
                                        bridge_fixture_set_up, bridge_fixture_tear_down),
        TEST(a_level_that_is_none_is_for_the_child_to_refuse),
        TEST(a_child_without_logging_answers_for_itself),
        TEST(a_level_that_another_session_sets_meanwhile_is_not_lost),
        TEST(a_level_is_what_the_child_heard_last_not_what_it_answered_last),
        TEST(a_level_whose_request_is_given_up_is_not_taken_for_certain),
        TEST(a_child_that_does_not_read_is_told_of_levels_once_it_does),
        TEST(a_new_process_is_told_what_the_last_one_knew),
        TEST(sessions_live_on_when_the_child_does_not),
        TEST(a_session_that_ends_while_no_child_runs_makes_nothing_uncertain),
        TEST(a_cancelled_call_is_answered_and_the_child_hears_its_wire_id),
        TEST(a_cancellation_reaches_calls_of_its_own_session_only),
        TEST(a_notification_goes_to_the_child_as_it_is),
        TEST(what_the_child_was_told_already_or_never_asked_for_is_kept_from_it),
        TEST(a_notification_while_no_child_is_ready_is_lost),
        TEST(a_call_keeps_its_session_from_being_idle),
        TEST(a_call_is_counted_by_how_it_ends),
        TEST(the_answer_comes_though_the_session_has_ended),
        TEST(sessions_and_calls_have_ceilings),
        TEST(the_servers_input_is_full_only_when_a_ready_child_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
