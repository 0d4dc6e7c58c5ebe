/*
 * Who may come in, before anything else is looked at: the defence against web pages that reach for a bridge on
 * their visitor's machine (MCP, Transports, "Security Warning"; DNS rebinding).
 */
#ifndef BRIDGE_TRANSPORT_GATE_H
#define BRIDGE_TRANSPORT_GATE_H

#include "bridge/port.h"

#include <stdbool.h>

struct gate {
    bool checks_host;                   /* the bridge listens on a loopback address only */
    const char *const *allowed_hosts;   /* host names, without port; NULL-terminated; may be NULL */
    const char *const *allowed_origins; /* whole origins, "https://app.example"; NULL-terminated; may be NULL */
};

/*
 * Whether the exchange may go on; else it has been answered with 403. Loopback names pass at any port, and so does a
 * request without Origin, which no web page can send.
 */
bool gate_admit(const struct gate *gate, struct exchange *exchange);

#endif
