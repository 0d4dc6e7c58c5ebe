/*
 * Streamable HTTP of revision 2026-07-28: one request a POST, no session, and the end of the connection is the
 * cancellation (MCP 2026-07-28, Streamable HTTP).
 */
#ifndef BRIDGE_TRANSPORT_MODERN_H
#define BRIDGE_TRANSPORT_MODERN_H

#include "bridge/transport/incoming.h"

/* Takes a request whose head modern_head_classify() has found right, and answers the exchange, now or later. */
void modern_take(struct incoming *incoming, const struct message *message);

/* The status of an answer with this JSON-RPC error code, 0 for a result, while nothing else was sent. */
int modern_status(int error_code);

#endif
