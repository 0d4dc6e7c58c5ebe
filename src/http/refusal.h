/*
 * Why the HTTP side answers a request itself instead of handing it over: one table from the reason to the status
 * and to the text that the client reads.
 */
#ifndef SRC_HTTP_REFUSAL_H
#define SRC_HTTP_REFUSAL_H

enum http_refusal {
    HTTP_REFUSAL_NONE,
    HTTP_REFUSAL_MALFORMED,         /* what the parser does not accept */
    HTTP_REFUSAL_TARGET,            /* a target in a form that we have no use for */
    HTTP_REFUSAL_HOST,              /* none, several or an invalid one; or another than the target's */
    HTTP_REFUSAL_FRAMING,           /* a body whose end two parties could see at two places */
    HTTP_REFUSAL_NOT_FOUND,         /* no route */
    HTTP_REFUSAL_HEAD_TIMEOUT,      /* a head that does not end */
    HTTP_REFUSAL_BODY_TIMEOUT,      /* a body that comes too slowly */
    HTTP_REFUSAL_BODY_TOO_LARGE,    /* by its Content-Length, or as it comes */
    HTTP_REFUSAL_TARGET_TOO_LONG,   /* LIMIT_HTTP_TARGET_BYTES */
    HTTP_REFUSAL_EXPECTATION,       /* an Expect that is not 100-continue */
    HTTP_REFUSAL_HEADERS_TOO_LARGE, /* LIMIT_HTTP_HEADER_BYTES or LIMIT_HTTP_HEADER_COUNT, trailers included */
    HTTP_REFUSAL_METHOD,            /* CONNECT, and methods of other protocols */
    HTTP_REFUSAL_CODING,            /* a transfer coding other than chunked */
    HTTP_REFUSAL_BODIES,            /* LIMIT_HTTP_BODIES_BYTES */
    HTTP_REFUSAL_VERSION,           /* neither HTTP/1.0 nor HTTP/1.1 */
};

int http_refusal_status(enum http_refusal refusal);

/* A clause for people, without quotes or control characters. */
const char *http_refusal_text(enum http_refusal refusal);

#endif
