/*
 * resources/subscribe and resources/unsubscribe on a child that several sessions share (MCP, Resources,
 * "Subscriptions"): the child hears the first of the one and the last of the other, and each client is answered as if
 * it had the child alone.
 */
#ifndef BRIDGE_MCP_SUBSCRIBING_H
#define BRIDGE_MCP_SUBSCRIBING_H

#include "bridge/mcp/hub.h"

/* A client's resources/subscribe. */
void subscribing_begin(struct hub *hub, struct call *call, const struct message *message);

/* A client's resources/unsubscribe. */
void subscribing_end(struct hub *hub, struct call *call, const struct message *message);

/* The session has ended: the child is told to leave off with what only that had subscribed to. */
void subscribing_leave(struct hub *hub, struct session *session);

/* A new process is told what its predecessor knew. */
void subscribing_restore(struct hub *hub);

#endif
