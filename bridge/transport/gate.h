/*
 * Who may come in, before anything else is looked at: the defence against web pages that reach for a bridge on
 * their visitor's machine (MCP, Transports, "Security Warning"; DNS rebinding), and bearer tokens (RFC 6750).
 */
#ifndef BRIDGE_TRANSPORT_GATE_H
#define BRIDGE_TRANSPORT_GATE_H

#include "bridge/port.h"
#include "bridge/transport/cors.h"
#include "bridge/transport/protected_resource.h"

#include <stdbool.h>

struct gate {
    bool checks_host;                          /* only loopback names and those of the list may stand in Host */
    const char *const *allowed_hosts;          /* host names, without port; NULL-terminated; may be NULL */
    const char *const *allowed_origins;        /* whole origins, "https://app.example"; NULL-terminated; may be NULL */
    const struct cors *cors;                   /* its origins pass as well; may be NULL */
    const struct token_list *tokens;           /* NULL: nobody needs a token */
    const struct protected_resource *resource; /* where who is refused finds out more; may be NULL */
};

/*
 * Whether the exchange may go on; else it has been answered, with 403, 401, or 204 to a browser's preflight. Loopback
 * names pass at any port, and so does a request without Origin, which no web page can send. *principal names the
 * caller, until the handler returns; it is empty when nobody needs a token.
 */
bool gate_admit(const struct gate *gate, struct exchange *exchange, struct slice *principal);

/* Whether gate_admit() would say yes. For those who must know before the body has come. */
bool gate_recognizes(const struct gate *gate, const struct exchange *exchange);

/* Whether a caller that was admitted under this name would be still. */
bool gate_knows(const struct gate *gate, struct slice principal);

/* As gate_admit(), for what is open to everybody: it asks for no token. */
bool gate_admit_anyone(const struct gate *gate, struct exchange *exchange);

#endif
