/*
 * Streamable HTTP of revision 2026-07-28: one request a POST, no session, and the end of the connection is the
 * cancellation (MCP 2026-07-28, Streamable HTTP).
 */
#ifndef BRIDGE_TRANSPORT_MODERN_H
#define BRIDGE_TRANSPORT_MODERN_H

#include "bridge/mcp/call.h"
#include "bridge/transport/incoming.h"

struct tool_headers;

/* Takes a request whose head modern_head_classify() has found right, and answers the exchange, now or later. */
void modern_take(struct incoming *incoming, const struct message *message);

/* As call_events.check, for a call of a post. */
bool modern_check(struct call *call, const struct message *message, const struct tool_headers *headers, char *why,
                  size_t size);

/* The status of the answer to a call that has one, while nothing else was sent. */
int modern_status(const struct call *call);

#endif
