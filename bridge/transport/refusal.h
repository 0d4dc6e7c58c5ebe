/*
 * Everything that the HTTP side of the bridge refuses: one table from the reason to the status, the JSON-RPC code and
 * the text. Where the official SDKs have words for it, they are theirs, since clients look for them.
 */
#ifndef BRIDGE_TRANSPORT_REFUSAL_H
#define BRIDGE_TRANSPORT_REFUSAL_H

#include "bridge/base/buffer.h"
#include "bridge/base/slice.h"
#include "bridge/mcp/revision.h"
#include "bridge/port.h"

enum refusal {
    REFUSAL_HOST,
    REFUSAL_ORIGIN,
    REFUSAL_TOKEN,            /* none, or one that is not on the list: refuse_stranger() */
    REFUSAL_METHOD,           /* neither GET, POST nor DELETE */
    REFUSAL_METHOD_STATELESS, /* GET or DELETE where there are no sessions: the mode has none, or the era */
    REFUSAL_METHOD_STREAM,    /* anything but GET at the path of an HTTP+SSE stream */
    REFUSAL_METHOD_READ,      /* neither GET nor HEAD where there is only something to read */
    REFUSAL_PATH,             /* nothing is served there */
    REFUSAL_NOT_INITIALIZED,  /* HTTP+SSE: a request before initialize was answered */
    REFUSAL_INITIALIZED,      /* HTTP+SSE: a second initialize on one connection */
    REFUSAL_CREDENTIAL_TWICE,
    REFUSAL_ACCEPT,
    REFUSAL_ACCEPT_STREAM,
    REFUSAL_CONTENT_TYPE,
    REFUSAL_CONTENT_ENCODING,
    REFUSAL_INITIALIZE_SIZE,
    REFUSAL_BATCH, /* the revision has none */
    REFUSAL_BATCH_INITIALIZE,
    REFUSAL_SESSION_TWICE, /* two Mcp-Session-Id headers: which of them is meant, nobody knows */
    REFUSAL_SESSION_MISSING,
    REFUSAL_SESSION_UNKNOWN,
    REFUSAL_SESSION_CEILING,
    REFUSAL_CHILD_CEILING,
    REFUSAL_CALL_CEILING, /* outside a session */
    REFUSAL_CALL_CEILING_IN_SESSION,
    REFUSAL_SESSION_CALL_CEILING,   /* the session's own */
    REFUSAL_SESSION_STREAM_CEILING, /* for a client that takes nothing but a stream */
    REFUSAL_EVENT_UNKNOWN,          /* Last-Event-ID is of no stream that is kept */
    REFUSAL_VERSION,                /* MCP-Protocol-Version names none that we know */
    REFUSAL_MODERN_DISCOVER,        /* server/discover: no revision of the modern era is served */
    REFUSAL_MODERN,   /* a request of the modern era, of a revision that is not served: refuse_revision() */
    REFUSAL_ENVELOPE, /* the _meta of a request of the modern era lacks something */
    REFUSAL_HEADER,   /* a header of a request of the modern era is missing, or is not what the body says */
    REFUSAL_DRAINING,
    REFUSAL_COUNT,
};

/* Refusals of bodies that are no message are counted behind the others. */
enum { REFUSAL_COUNTERS = REFUSAL_COUNT + 1 };

/*
 * How often each was given since the start, in this process: most are given before it is known for which server. The
 * name is what a metric's label has.
 */
uint64_t refusal_counter(size_t index, const char **name);

/*
 * Answers and so ends the exchange. `id` is the request's as it was written, or absent: then the error's is null.
 * `detail` goes behind the table's text; NULL for none.
 */
void refuse(struct exchange *exchange, enum refusal refusal, struct slice id, const char *detail);

/* Appends the error with which a request is refused whose answers come on a stream that is open already. */
void refusal_write(struct buffer *out, enum refusal refusal, struct slice id);

/*
 * Refuses the revision that a request named in its _meta, and tells which are served: those of the era `supported`.
 * `requested` is JSON, as it was written.
 */
void refuse_revision(struct exchange *exchange, struct slice id, struct slice requested, enum revision_era supported);

/* Refuses one who has not shown a token that we know; `challenge` is the value of WWW-Authenticate. */
void refuse_stranger(struct exchange *exchange, struct slice challenge);

/* Refuses a body that is no message, with the fault's own code and text; `id` may be absent. */
void refuse_fault(struct exchange *exchange, struct slice id, int code, const char *text);

/* Ends the exchange with a status and no body; `headers` as in struct response. */
void respond_empty(struct exchange *exchange, int status, const struct header *headers, size_t header_count);

/* Ends the exchange with an error that was written elsewhere, as REFUSAL_CHILD_CEILING does. */
void respond_busy(struct exchange *exchange, const struct slice *parts, size_t count);

/* Ends the exchange with a JSON body. */
void respond_json(struct exchange *exchange, int status, const struct slice *parts, size_t count);

#endif
