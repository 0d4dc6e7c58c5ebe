/*
 * What a new process hears first: initialize, the bridge's own or a client's, or server/discover where it speaks the
 * modern era.
 */
#ifndef BRIDGE_MCP_INTRODUCTION_H
#define BRIDGE_MCP_INTRODUCTION_H

#include "bridge/mcp/channel.h"

void introduction_send(struct channel *channel, struct slice wire_id);

/* After the answer to initialize: notifications/initialized. */
void introduction_confirm(struct channel *channel);

#endif
