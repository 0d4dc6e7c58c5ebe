/*
 * Which forms of answer a client takes, and which form of body it sent (RFC 9110 12.5.1, 8.3 and 8.4).
 */
#ifndef BRIDGE_TRANSPORT_ACCEPT_H
#define BRIDGE_TRANSPORT_ACCEPT_H

#include "bridge/port.h"

#include <stdbool.h>

struct accept {
    bool json;   /* application/json */
    bool stream; /* text/event-stream */
};

/* Wild cards count; a request without the field takes everything. */
struct accept accept_read(const struct exchange *exchange);

/* Whether the body is application/json, with whatever parameters. */
bool accept_has_json_body(const struct exchange *exchange);

/* Whether the body is what it looks like: no content coding was applied to it (RFC 9110 8.4). */
bool accept_has_plain_body(const struct exchange *exchange);

#endif
