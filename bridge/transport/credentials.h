/*
 * What a client brings in headers for the child that is to serve it: an API key, say. Each value becomes a variable in
 * the child's environment, and children are kept apart by them, so that nobody works with another's credentials.
 */
#ifndef BRIDGE_TRANSPORT_CREDENTIALS_H
#define BRIDGE_TRANSPORT_CREDENTIALS_H

#include "bridge/base/buffer.h"
#include "bridge/mcp/caller.h"
#include "bridge/mcp/session.h"
#include "bridge/port.h"

#include <stdbool.h>

struct credential {
    const char *variable; /* of the child's environment */
    const char *header;   /* in lower case */
};

/* Borrowed. */
struct credentials {
    const struct credential *list;
    size_t count;
};

/*
 * Reads them into caller->environment, which borrows `text` (initialized here, to be released by the caller). A header
 * that is not there gives no variable. False, with the exchange answered, when one is there twice.
 */
bool credentials_read(const struct credentials *credentials, struct exchange *exchange, struct buffer *text,
                      struct caller *caller);

/* Whether the session was opened by this caller; for any other it is not there. */
bool credentials_match(const struct caller *caller, const struct session *session);

#endif
