/*
 * A channel in a fake world, its child, which the test plays, and all that it has told its owner.
 */
#ifndef TESTS_UNIT_BRIDGE_MCP_CHANNEL_FIXTURE_H
#define TESTS_UNIT_BRIDGE_MCP_CHANNEL_FIXTURE_H

#include "bridge/mcp/channel.h"
#include "tests/unit/bridge/fake_call.h"
#include "tests/unit/bridge/fake_child.h"

struct channel_fixture {
    struct fake_world world;
    struct child_command command;
    struct channel_settings settings;
    struct server_counters counters;
    struct channel channel;
    struct fake_child *child;
    unsigned readies;
    unsigned drains;
    unsigned downs;
    unsigned notifications;
    unsigned requests;
    unsigned drops;
    int refused_code;
    unsigned closes;
    char why[256]; /* of the last drop */
};

/* For cmocka: a channel whose child has not started, and one that is ready. */
int channel_fixture_set_up(void **state);
int channel_fixture_set_up_ready(void **state);

/* Closes the channel, if it is open; requires that it hears of that once, and that nothing is left. */
int channel_fixture_tear_down(void **state);

/* The child answers its last request as if that was initialize. */
void channel_fixture_say_handshake(struct channel_fixture *fixture);

/* A process starts and shakes hands; what it was sent so far is not looked at. */
void channel_fixture_shake(struct channel_fixture *fixture);

/* The call is the test's. */
struct fake_call *channel_fixture_submit(struct channel_fixture *fixture, const char *request);

/* Where the last line ends in the child's input. */
uint64_t channel_fixture_last_end(const struct channel_fixture *fixture);

#endif
