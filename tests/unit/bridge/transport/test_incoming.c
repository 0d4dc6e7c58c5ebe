#include "bridge/transport/incoming.h"

#include "tests/unit/bridge/bridge_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define ANSWER(id, wire) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{\"wire\":" #wire "}}"
#define CANCELLED(id) "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":" #id "}}"
#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/custom\"}"
#define CUSTOM(name) "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/" name "\"}"

static struct fake_exchange *post(struct bridge_fixture *fixture, const char *body)
{
    return bridge_fixture_post(fixture, NULL, body);
}

static void a_notification_waits_for_room_in_the_childs_input(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->child->is_full = true;
    struct fake_exchange *exchange = post(fixture, "{\"jsonrpc\":\"2.0\",\n\"method\":\"notifications/custom\"}");
    struct fake_exchange *gone = post(fixture, NOTE);
    fake_exchange_expect_silence(exchange);
    fake_exchange_vanish(gone);
    fake_child_expect_silence(fixture->child);
    fake_child_drain(fixture->child);
    fake_exchange_expect(exchange, 202, "");
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\", \"method\":\"notifications/custom\"}");
    fake_child_expect(fixture->child, NOTE);
    fake_child_expect_silence(fixture->child);
}

static void a_notification_of_nobody_any_more_is_kept_up_to_the_ceiling(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    fixture->child->is_full = true;
    struct fake_exchange *notes[6];
    for (size_t i = 0; i < 6; i++) {
        notes[i] = bridge_fixture_post(fixture, session, NOTE);
    }
    for (size_t i = 0; i < 6; i++) {
        fake_exchange_vanish(notes[i]);
    }
    assert_int_equal(fixture->server.call_count, fixture->settings.max_in_flight);
    bridge_fixture_delete(fixture, session);
    fake_child_drain(fixture->child);
    for (size_t i = 0; i < fixture->settings.max_in_flight; i++) {
        fake_child_expect(fixture->child, NOTE);
    }
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.call_count, 0);
}

static void a_batchs_notifications_wait_for_room_before_its_requests(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->child->is_full = true;
    struct fake_exchange *exchange = post(fixture, "[" CUSTOM("a") "," REQUEST(1) "," CUSTOM("b") "," REQUEST("x") "]");
    struct fake_exchange *notes = post(fixture, "[" CUSTOM("c") ",\n" CUSTOM("d") "]");
    fake_child_expect_silence(fixture->child);
    fake_exchange_expect_silence(exchange);
    fake_exchange_expect_silence(notes);
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, CUSTOM("a"));
    fake_child_expect(fixture->child, CUSTOM("b"));
    fake_child_expect(fixture->child, REQUEST(2));
    fake_child_expect(fixture->child, REQUEST(3));
    fake_child_expect(fixture->child, CUSTOM("c"));
    fake_child_expect(fixture->child, CUSTOM("d"));
    fake_child_expect_silence(fixture->child);
    fake_exchange_expect(notes, 202, "");
    bridge_fixture_answer_to(fixture, 3);
    bridge_fixture_answer_to(fixture, 2);
    fake_exchange_expect(exchange, 200, "[" ANSWER("x", 3) "," ANSWER(1, 2) "]");
    assert_int_equal(fixture->server.counters.notifications_lost, 0);
}

/* The child takes a line, and is full again. */
static void a_batch_that_fills_the_childs_input_goes_on_where_it_stopped(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->child->fills_at = 1;
    struct fake_exchange *exchange = post(fixture, "[" CUSTOM("a") "," CUSTOM("b") "," CUSTOM("c") "]");
    fake_child_expect(fixture->child, CUSTOM("a"));
    fake_child_expect_silence(fixture->child);
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, CUSTOM("b"));
    fake_child_expect_silence(fixture->child);
    fake_exchange_expect_silence(exchange);
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, CUSTOM("c"));
    fake_exchange_expect(exchange, 202, "");
    assert_int_equal(fixture->server.counters.notifications_lost, 0);
}

static void a_batchs_notifications_outlive_its_client_and_its_session(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    bridge_fixture_session(fixture, session)->revision = revision_find(slice_text("2025-03-26"));
    fixture->child->is_full = true;
    fake_exchange_vanish(post(fixture, "[" REQUEST(1) "," CUSTOM("a") "]"));
    fake_exchange_vanish(bridge_fixture_post(fixture, session, "[" REQUEST(2) "," CUSTOM("b") "]"));
    bridge_fixture_delete(fixture, session);
    assert_int_equal(fixture->server.call_count, 2);
    fake_child_drain(fixture->child);
    fake_child_expect(fixture->child, CUSTOM("a"));
    fake_child_expect(fixture->child, CUSTOM("b"));
    fake_child_expect_silence(fixture->child);
    assert_int_equal(fixture->server.call_count, 0);
    assert_int_equal(fixture->streamable.posts.count, 0);
}

/* Its only request has been answered: the notification ends the exchange, as JSON, or as what streams. */
static void a_batch_is_not_over_before_its_notifications(void **state)
{
    static const char cancelled[] = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32800,"
                                    "\"message\":\"Request cancelled\"}}]";
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    bridge_fixture_session(fixture, session)->revision = revision_find(slice_text("2025-03-26"));
    for (int streams = 0; streams < 2; streams++) {
        fixture->child->is_full = true;
        struct fake_exchange *exchange = bridge_fixture_post(fixture, session, "[" REQUEST(1) "," CUSTOM("a") "]");
        fake_exchange_expect(bridge_fixture_post(fixture, session, CANCELLED(1)), 202, "");
        fake_exchange_expect_silence(exchange);
        if (streams != 0) {
            fake_world_advance(&fixture->world, fixture->streamable.settings->post.stream_after_ms);
        }
        fake_child_drain(fixture->child);
        fake_child_expect(fixture->child, CUSTOM("a"));
        if (streams != 0) {
            fake_exchange_expect_event(exchange, cancelled);
            fake_exchange_expect_closed(exchange);
        } else {
            fake_exchange_expect(exchange, 200, cancelled);
        }
    }
}

static void a_batchs_notifications_that_find_no_room_are_accepted_all_the_same(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->child->is_full = true;
    struct fake_exchange *exchange = post(fixture, "[" CUSTOM("a") "," CUSTOM("b") "]");
    fake_world_advance(&fixture->world, 60000);
    fake_exchange_expect(exchange, 202, "");
    assert_int_equal(fixture->server.counters.notifications_lost, 2);
    assert_int_equal(fixture->streamable.posts.count, 0);
}

static void a_notification_of_nobody_any_more_ends_with_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->child->is_full = true;
    fake_exchange_vanish(post(fixture, NOTE));
    bridge_fixture_close_server(fixture);
}

static void a_notification_that_finds_no_room_is_accepted_all_the_same(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->child->is_full = true;
    struct fake_exchange *dying = post(fixture, NOTE);
    fake_child_down(fixture->child, "exited with status 1", 0, 3);
    fake_exchange_expect(dying, 202, "");
    bridge_fixture_shake(fixture);
    fixture->child->is_full = true;
    struct fake_exchange *late = post(fixture, NOTE);
    fake_world_advance(&fixture->world, 60000);
    fake_exchange_expect(late, 202, "");
}

static void a_cancellation_does_not_wait_for_room(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, session, REQUEST(1));
    fixture->child->is_full = true;
    fake_exchange_expect(bridge_fixture_post(fixture, session, CANCELLED(1)), 202, "");
    fake_exchange_expect(exchange, 200,
                         "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32800,"
                         "\"message\":\"Request cancelled\"}}");
}

#define READY(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READY(a_notification_waits_for_room_in_the_childs_input),
        READY(a_notification_of_nobody_any_more_is_kept_up_to_the_ceiling),
        READY(a_batchs_notifications_wait_for_room_before_its_requests),
        READY(a_batch_that_fills_the_childs_input_goes_on_where_it_stopped),
        READY(a_batchs_notifications_outlive_its_client_and_its_session),
        READY(a_batch_is_not_over_before_its_notifications),
        READY(a_batchs_notifications_that_find_no_room_are_accepted_all_the_same),
        READY(a_notification_of_nobody_any_more_ends_with_the_child),
        READY(a_notification_that_finds_no_room_is_accepted_all_the_same),
        READY(a_cancellation_does_not_wait_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
