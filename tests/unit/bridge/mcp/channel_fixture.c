#include "tests/unit/bridge/mcp/channel_fixture.h"

#include "bridge/base/memory.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct channel_fixture *from(struct channel *channel)
{
    return container_of(channel, struct channel_fixture, channel);
}

static void on_ready(struct channel *channel)
{
    from(channel)->readies++;
}

static void on_drained(struct channel *channel)
{
    from(channel)->drains++;
}

static void on_down(struct channel *channel)
{
    assert_true(list_is_empty(&channel->running));
    from(channel)->downs++;
}

static void on_notification(struct channel *channel, const struct message *message)
{
    assert_int_equal(message->kind, MESSAGE_NOTIFICATION);
    from(channel)->notifications++;
}

static void on_request(struct channel *channel, const struct message *message)
{
    assert_int_equal(message->kind, MESSAGE_REQUEST);
    from(channel)->requests++;
}

static void on_dropped(struct channel *channel, const char *why)
{
    from(channel)->drops++;
    snprintf(from(channel)->why, sizeof(from(channel)->why), "%s", why);
}

static void on_refused(struct channel *channel, const struct message *answer)
{
    from(channel)->refused_code = answer != NULL ? message_error_code(answer) : 0;
}

static void on_closed(struct channel *channel)
{
    from(channel)->closes++;
}

static const struct channel_events events = {
    .on_ready = on_ready,
    .on_drained = on_drained,
    .on_down = on_down,
    .on_notification = on_notification,
    .on_request = on_request,
    .on_refused = on_refused,
    .on_dropped = on_dropped,
    .on_closed = on_closed,
};

int channel_fixture_set_up(void **state)
{
    struct channel_fixture *fixture = memory_new(sizeof(*fixture));
    fake_world_init(&fixture->world, 1);
    fixture->command.name = slice_text("fake");
    fixture->settings = (struct channel_settings){.start_timeout_ms = 60000, .request_timeout_ms = 10000};
    const struct channel_options options = {
        .world = &fixture->world.port,
        .command = &fixture->command,
        .settings = &fixture->settings,
        .counters = &fixture->counters,
        .events = &events,
    };
    channel_open(&fixture->channel, &options);
    fixture->child = fake_child_of(&fixture->world);
    *state = fixture;
    return 0;
}

void channel_fixture_say_handshake(struct channel_fixture *fixture)
{
    fake_child_say_format(fixture->child,
                          "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"protocolVersion\":\"2025-11-25\"}}",
                          fixture->child->last_id);
}

void channel_fixture_shake(struct channel_fixture *fixture)
{
    fake_child_up(fixture->child);
    assert_non_null(fake_child_take(fixture->child));
    channel_fixture_say_handshake(fixture);
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

int channel_fixture_set_up_ready(void **state)
{
    channel_fixture_set_up(state);
    channel_fixture_shake(*state);
    return 0;
}

int channel_fixture_tear_down(void **state)
{
    struct channel_fixture *fixture = *state;
    channel_close(&fixture->channel);
    channel_close(&fixture->channel);
    if (fixture->child->state != FAKE_CHILD_CLOSED) {
        assert_int_equal(fixture->closes, 0);
        fake_child_finish(fixture->child);
    }
    assert_int_equal(fixture->closes, 1);
    assert_int_equal(fixture->channel.call_count, 0);
    assert_int_equal(fixture->channel.mux.entries.count, 0);
    fake_world_release(&fixture->world);
    free(fixture);
    return 0;
}

struct fake_call *channel_fixture_submit(struct channel_fixture *fixture, const char *request)
{
    struct fake_call *call = fake_call_new(request);
    channel_submit(&fixture->channel, &call->call);
    return call;
}

uint64_t channel_fixture_last_end(const struct channel_fixture *fixture)
{
    return fixture->child->lines[fixture->child->line_count - 1].written_end;
}
