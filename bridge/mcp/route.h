/*
 * Whom a message of the child's is for. A shared child names no session, so only what can be attributed with
 * certainty is delivered; the rest is dropped, counted and logged, never guessed.
 */
#ifndef BRIDGE_MCP_ROUTE_H
#define BRIDGE_MCP_ROUTE_H

#include "bridge/mcp/server.h"

/* A notification other than progress, which the channel delivers by its token. */
void route_notification(struct server *server, const struct message *message);

/* A request of the child's. A shared child declared no capability to ask for anything but a ping. */
void route_request(struct server *server, const struct message *message);

/* Counts a message that nobody gets, and logs it, less and less often as there are more. */
void route_drop(struct server *server, const char *why);

#endif
