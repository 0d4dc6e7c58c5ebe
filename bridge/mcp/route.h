/*
 * Whom a message of the child's is for. A shared child names no session, so only what can be attributed with
 * certainty is delivered; the rest is dropped, counted and logged, never guessed. What a session's own child says is
 * for that session.
 */
#ifndef BRIDGE_MCP_ROUTE_H
#define BRIDGE_MCP_ROUTE_H

#include "bridge/mcp/hub.h"

/* A notification other than progress, which the channel delivers by its token. */
void route_notification(struct hub *hub, const struct message *message);

/* A request of the child's: to the client of its own, or refused. */
void route_request(struct hub *hub, const struct message *message);

/* Tells the hub's sessions that a list has changed, for the child that cannot know. */
void route_list_change(struct hub *hub, const char *method);

/* Counts a message that nobody gets, and logs it, unless many have been logged just now. */
void route_drop(struct server *server, const char *why);

#endif
