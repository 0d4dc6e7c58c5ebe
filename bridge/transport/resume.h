/*
 * A GET with Last-Event-ID: a client comes back to a stream whose connection broke (MCP 2025-11-25, Transports,
 * "Resumability and Redelivery"). It continues exactly there, within its own session only.
 */
#ifndef BRIDGE_TRANSPORT_RESUME_H
#define BRIDGE_TRANSPORT_RESUME_H

#include "bridge/mcp/session.h"
#include "bridge/transport/listen_stream.h"

/* Answers the exchange with what came after the event, and goes on if the stream is not over. */
void resume_stream(struct listen_owner *owner, struct exchange *exchange, struct session *session, struct slice id);

/* Sends an event of a history; `context` is the exchange. For replay_visit(). */
void resume_send(void *context, struct slice id, struct slice data);

#endif
