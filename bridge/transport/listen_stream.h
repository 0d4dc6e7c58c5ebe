/*
 * The GET stream of a session (MCP, Transports, "Listening for Messages from the Server"): opened at once, kept open
 * by heartbeats, and its end ends nothing else.
 */
#ifndef BRIDGE_TRANSPORT_LISTEN_STREAM_H
#define BRIDGE_TRANSPORT_LISTEN_STREAM_H

#include "bridge/mcp/session_table.h"
#include "bridge/port.h"

/* What the GET streams of one endpoint have in common. */
struct listen_owner {
    struct world *world;
    uint64_t heartbeat_ms; /* 0 is none */
    struct list streams;   /* of those that are open */
};

/* Answers the exchange with a stream, in place of the one that the session may have: the newer wins. */
void listen_stream_open(struct listen_owner *owner, struct exchange *exchange, struct session *session);

/* The same for a client that comes back to a stream whose history was kept: it goes on behind the event `number`. */
void listen_stream_resume(struct listen_owner *owner, struct exchange *exchange, struct session *session,
                          uint64_t number);

/* Closes all, so that clients go and ask another replica. */
void listen_stream_close_all(struct listen_owner *owner);

#endif
