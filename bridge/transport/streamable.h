/*
 * The Streamable HTTP endpoint of one server, revisions 2025-03-26 to 2025-11-25 (MCP, Transports, "Streamable
 * HTTP"). It decides what an exchange is: whose session, which messages, which refusal.
 */
#ifndef BRIDGE_TRANSPORT_STREAMABLE_H
#define BRIDGE_TRANSPORT_STREAMABLE_H

#include "bridge/era/era.h"
#include "bridge/mcp/server.h"
#include "bridge/port.h"
#include "bridge/transport/credentials.h"
#include "bridge/transport/gate.h"
#include "bridge/transport/listen_stream.h"
#include "bridge/transport/post.h"

enum streamable_mode {
    STREAMABLE_BOTH,      /* initialize opens a session; a request without a session id is served statelessly */
    STREAMABLE_STATEFUL,  /* a request without a session id is refused */
    STREAMABLE_STATELESS, /* there are no sessions */
};

struct streamable_settings {
    enum streamable_mode mode;
    struct gate gate;
    struct credentials credentials;
    struct post_settings post;
};

struct legacy_sse;

struct streamable {
    struct server *server;                      /* borrowed */
    const struct streamable_settings *settings; /* borrowed */
    struct era era;
    struct legacy_sse *legacy; /* serves old clients that were given the endpoint's URL; NULL for nobody; borrowed */
    struct post_owner posts;
    struct listen_owner streams;
};

void streamable_init(struct streamable *streamable, struct server *server, const struct streamable_settings *settings);

/* After the server has closed. */
void streamable_release(struct streamable *streamable);

/* Takes an exchange at the endpoint's path, and answers it, now or later. */
void streamable_handle(struct streamable *streamable, struct exchange *exchange);

/* The list of tokens has changed: ends the sessions and the subscriptions of those who are not on it any more. */
void streamable_end_strangers(struct streamable *streamable);

/* The server drains: ends what clients of the modern era wait for without a call that runs. */
void streamable_drain(struct streamable *streamable);

/* The server has settled: closes the GET streams, and lets the POSTs finish. */
void streamable_settle(struct streamable *streamable);

#endif
