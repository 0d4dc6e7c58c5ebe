/*
 * The messages that the bridge authors itself.
 */
#ifndef BRIDGE_JSONRPC_REPLY_H
#define BRIDGE_JSONRPC_REPLY_H

#include "bridge/base/buffer.h"
#include "bridge/base/slice.h"

/* JSON-RPC 2.0, 5.1, and the codes that MCP's SDKs use for what JSON-RPC has no code for. */
enum reply_code {
    REPLY_PARSE_ERROR = -32700,
    REPLY_INVALID_REQUEST = -32600,
    REPLY_METHOD_NOT_FOUND = -32601,
    REPLY_INVALID_PARAMS = -32602,
    REPLY_INTERNAL_ERROR = -32603,
    REPLY_CANCELLED = -32800, /* "Request cancelled", as the Python SDK's server ends a cancelled request */
    REPLY_REFUSED = -32000,   /* refused by the transport */
    REPLY_SESSION_NOT_FOUND = -32001,
    REPLY_TIMEOUT = -32001,             /* the TypeScript SDK's RequestTimeout */
    REPLY_HEADER_MISMATCH = -32020,     /* MCP 2026-07-28, Error Codes */
    REPLY_MISSING_CAPABILITY = -32021,  /* the same */
    REPLY_UNSUPPORTED_VERSION = -32022, /* the same */
};

/*
 * Appends an error response. `id` as it was written, or absent: then the error carries null. `data` is JSON, or
 * absent.
 */
void reply_error(struct buffer *out, struct slice id, enum reply_code code, const char *text, struct slice data);

/* Appends a result response; `result` is JSON. */
void reply_result(struct buffer *out, struct slice id, struct slice result);

/* Appends a notification or, with an id, a request. `params` is JSON, or absent. */
void reply_call(struct buffer *out, struct slice id, const char *method, struct slice params);

/* Appends `text`, which must not hold NUL, as a JSON string with its quotes; a byte that is not UTF-8 becomes '?'. */
void reply_add_string(struct buffer *out, struct slice text);

#endif
