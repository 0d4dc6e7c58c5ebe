/*
 * A legacy client's request to a child of the modern era. Each request says what the session agreed on; an
 * input_required result becomes questions to the client, on the stream of its request, and the request is sent again
 * with the answers (MCP 2026-07-28, "Multi Round-Trip Requests").
 */
#ifndef BRIDGE_ERA_MODERN_CHILD_H
#define BRIDGE_ERA_MODERN_CHILD_H

#include "bridge/mcp/server.h"

/* As server_translator.submit. */
void modern_child_submit(struct server *server, struct call *call, const struct message *message);

#endif
