/*
 * HTTP+SSE, the transport of revision 2024-11-05: a GET opens an event stream whose first event names the path to POST
 * messages to, and every answer comes on the stream (MCP 2024-11-05, Transports, "HTTP with SSE"). The connection is
 * the session: its end ends the session, and with it what runs.
 */
#ifndef BRIDGE_TRANSPORT_LEGACY_SSE_H
#define BRIDGE_TRANSPORT_LEGACY_SSE_H

#include "bridge/mcp/server.h"
#include "bridge/port.h"
#include "bridge/transport/credentials.h"
#include "bridge/transport/gate.h"

#include <stdbool.h>

struct legacy_sse_settings {
    struct gate gate;
    struct credentials credentials;
    const char *message_path; /* where clients POST to */
    uint64_t heartbeat_ms;    /* 0 is none */
};

struct legacy_sse {
    struct server *server;                      /* borrowed */
    const struct legacy_sse_settings *settings; /* borrowed */
    struct map clients;                         /* by the name in their POSTs' query */
    struct list open;                           /* the same, in order */
};

void legacy_sse_init(struct legacy_sse *sse, struct server *server, const struct legacy_sse_settings *settings);

/* No client may be connected. */
void legacy_sse_release(struct legacy_sse *sse);

/* Take an exchange at the path of the stream, and at that of messages. */
void legacy_sse_handle_stream(struct legacy_sse *sse, struct exchange *exchange);
void legacy_sse_handle_message(struct legacy_sse *sse, struct exchange *exchange);

/* The list of tokens has changed: closes the streams of those who are not on it any more. */
void legacy_sse_end_strangers(struct legacy_sse *sse);

/* The server has settled: each stream ends with the last of its calls. */
void legacy_sse_settle(struct legacy_sse *sse);

#endif
