/*
 * What a child of the legacy era says about a call, on its way to the call's client: under the client's own id and
 * progress token.
 */
#ifndef BRIDGE_MCP_LEGACY_RELAY_H
#define BRIDGE_MCP_LEGACY_RELAY_H

#include "bridge/jsonrpc/message.h"
#include "bridge/mcp/call.h"

/* The answer to a call that the channel has forgotten already. */
void legacy_relay_answer(struct call *call, const struct message *message);

/* The child refuses the initialize of its own client: in its own words. The channel has forgotten the call. */
void legacy_relay_refusal(struct call *call, const struct message *message);

void legacy_relay_progress(struct call *call, const struct message *message);

#endif
