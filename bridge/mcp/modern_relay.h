/*
 * What a child of the modern era says, on its way to a client of the same era (MCP 2026-07-28, Messages).
 */
#ifndef BRIDGE_MCP_MODERN_RELAY_H
#define BRIDGE_MCP_MODERN_RELAY_H

#include "bridge/mcp/channel.h"

/* The answer to a call that the channel has forgotten already. */
void modern_relay_answer(struct channel *channel, struct call *call, const struct message *message);

/* A notification of a subscription: for the call that opened it. */
void modern_relay_notification(struct channel *channel, const struct message *message);

/* The child ends a subscription of its own accord. */
void modern_relay_cancelled(struct channel *channel, const struct message *message);

#endif
