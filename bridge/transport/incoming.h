/*
 * One POST that has passed the checks: where its messages go (MCP, Transports, "Sending Messages to the Server").
 */
#ifndef BRIDGE_TRANSPORT_INCOMING_H
#define BRIDGE_TRANSPORT_INCOMING_H

#include "bridge/jsonrpc/message.h"
#include "bridge/port.h"
#include "bridge/transport/accept.h"

struct session;
struct streamable;

struct incoming {
    struct streamable *streamable; /* borrowed */
    struct exchange *exchange;
    struct accept accept;
    const struct caller *caller; /* borrowed */
    struct session *session;     /* NULL for a stateless request */
    bool is_modern;
    struct slice copy; /* owned, made here: the body without line breaks, when it had any; else absent */
};

/* Takes the one message of the body, and answers the exchange, now or later. */
void incoming_take(struct incoming *incoming, const struct message *message);

/* Takes a body that batch_check() approved, and answers the exchange, now or later. */
void incoming_take_batch(struct incoming *incoming);

#endif
