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

/*
 * Sends a message of its own child's to a session: on the stream of the request that the child works at, when that is
 * certain and the client takes one, else on the GET stream, now or when it opens. False when it cannot be kept.
 */
bool route_to_session(struct hub *hub, struct session *session, const struct slice *parts, size_t count);

/* Counts a message that nobody gets, and logs it, less and less often as there are more. */
void route_drop(struct server *server, const char *why);

#endif
