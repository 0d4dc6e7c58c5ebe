#include "bridge/transport/listen_stream.h"

#include "bridge/limits.h"
#include "tests/unit/bridge/bridge_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define CHANGED "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}"

static void a_stream_opens_at_once_with_a_first_comment(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *stream = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    fake_exchange_expect_open(stream);
    assert_int_equal(stream->status, 200);
    assert_int_equal(stream->comments, 1);
}

static void heartbeats_keep_a_stream_open(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *stream = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    fake_world_advance(&fixture->world, 14999);
    assert_int_equal(stream->comments, 1);
    fake_world_advance(&fixture->world, 1);
    assert_int_equal(stream->comments, 2);
    fake_world_advance(&fixture->world, 150000);
    assert_int_equal(stream->comments, 12);
    fake_exchange_expect_open(stream);
}

static void without_heartbeats_a_stream_costs_no_timer(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->endpoint.post.heartbeat_ms = 0;
    fixture->settings.session_timeout_ms = 0;
    bridge_fixture_start(fixture);
    struct fake_exchange *stream = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    assert_int_equal(fixture->world.timers.count, 0);
    fake_exchange_expect_open(stream);
}

static void a_newer_stream_takes_the_place_of_the_older(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *older = bridge_fixture_get(fixture, session);
    struct fake_exchange *newer = bridge_fixture_get(fixture, session);
    fake_exchange_expect_closed(older);
    fake_child_say(fixture->child, CHANGED);
    fake_exchange_expect_event(newer, CHANGED);
    fake_exchange_expect_open(newer);
}

static void a_stream_of_another_session_stays(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    struct fake_exchange *second = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    fake_exchange_expect_open(first);
    fake_exchange_expect_open(second);
}

static void a_client_that_goes_ends_its_stream_and_nothing_else(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *post =
        bridge_fixture_post(fixture, session, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}");
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    fake_exchange_vanish(stream);
    fake_child_say(fixture->child, CHANGED);
    fake_world_advance(&fixture->world, 1000);
    bridge_fixture_answer(fixture);
    fake_exchange_expect(post, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"wire\":2}}");
    stream = bridge_fixture_get(fixture, session);
    fake_exchange_expect_event(stream, CHANGED);
    fake_exchange_expect_open(stream);
}

static void the_end_of_a_session_closes_its_stream(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    fake_exchange_expect(bridge_fixture_delete(fixture, session), 200, "");
    fake_exchange_expect_closed(stream);
}

static void a_session_with_a_stream_is_not_idle(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *stream = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    fake_world_advance(&fixture->world, 3 * fixture->settings.session_timeout_ms);
    fake_exchange_expect_open(stream);
    fake_exchange_vanish(stream);
    fake_world_advance(&fixture->world, 2 * fixture->settings.session_timeout_ms);
    assert_int_equal(fixture->server.sessions.sessions.count, 0);
}

static void a_reader_that_does_not_read_loses_its_stream_and_only_that(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *slow = bridge_fixture_get(fixture, session);
    struct fake_exchange *other = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    slow->queued = fixture->settings.max_stream_queue_bytes;
    fake_child_say(fixture->child, CHANGED);
    fake_exchange_expect_event(slow, CHANGED);
    slow->queued++;
    fake_child_say(fixture->child, CHANGED);
    fake_exchange_expect_closed(slow);
    fake_exchange_expect_event(other, CHANGED);
    fake_exchange_expect_event(other, CHANGED);
    fake_exchange_expect_open(bridge_fixture_get(fixture, session));
}

static void all_streams_can_be_closed_while_their_sessions_live_on(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    struct fake_exchange *second = bridge_fixture_get(fixture, bridge_fixture_open_session(fixture));
    listen_stream_close_all(&fixture->streamable.streams);
    fake_exchange_expect_closed(first);
    fake_exchange_expect_closed(second);
    assert_int_equal(fixture->server.sessions.sessions.count, 2);
    listen_stream_close_all(&fixture->streamable.streams);
}

#define READY(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)
#define UNOPENED(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READY(a_stream_opens_at_once_with_a_first_comment),
        READY(heartbeats_keep_a_stream_open),
        UNOPENED(without_heartbeats_a_stream_costs_no_timer),
        READY(a_newer_stream_takes_the_place_of_the_older),
        READY(a_stream_of_another_session_stays),
        READY(a_client_that_goes_ends_its_stream_and_nothing_else),
        READY(the_end_of_a_session_closes_its_stream),
        READY(a_session_with_a_stream_is_not_idle),
        READY(a_reader_that_does_not_read_loses_its_stream_and_only_that),
        READY(all_streams_can_be_closed_while_their_sessions_live_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
