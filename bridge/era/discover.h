/*
 * The answer to server/discover (MCP 2026-07-28, Lifecycle, "Discovery") for a child of either era.
 */
#ifndef BRIDGE_ERA_DISCOVER_H
#define BRIDGE_ERA_DISCOVER_H

#include "bridge/base/buffer.h"
#include "bridge/mcp/handshake.h"

/* Appends the DiscoverResult. */
void discover_write(struct buffer *out, const struct handshake *handshake);

#endif
