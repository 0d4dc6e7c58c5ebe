/*
 * The head of an answer: status line, Date, framing, persistence and the handler's own headers, in one buffer.
 */
#ifndef SRC_HTTP_RESPONSE_H
#define SRC_HTTP_RESPONSE_H

#include "bridge/base/buffer.h"
#include "bridge/base/slice.h"
#include "bridge/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* How the client finds the end of the body (RFC 9112 6.3). */
enum http_framing {
    HTTP_FRAMING_NONE,   /* the status has no body: 204, 304 */
    HTTP_FRAMING_LENGTH, /* Content-Length */
    HTTP_FRAMING_CHUNKED,
    HTTP_FRAMING_CLOSE, /* the connection's end: a stream to HTTP/1.0 */
};

/* What the Connection header says. */
enum http_persistence {
    HTTP_PERSISTENCE_DEFAULT, /* nothing: the client knows that it may go on */
    HTTP_PERSISTENCE_KEEP,    /* keep-alive, which HTTP/1.0 has to be told */
    HTTP_PERSISTENCE_CLOSE,
};

struct http_head {
    int status;
    enum http_framing framing;
    enum http_persistence persistence;
    size_t content_length;        /* with HTTP_FRAMING_LENGTH */
    const struct header *headers; /* borrowed, as are the others */
    size_t header_count;
    const struct header *own_headers; /* what HTTP itself adds, in front of the handler's */
    size_t own_header_count;
    const struct header *common_headers; /* what every answer has */
    size_t common_header_count;
};

/* The text of the Date header, made once a second. Zeroed is its first state. */
struct http_date {
    time_t second;
    char text[96]; /* 29 bytes until the year 10000 */
};

struct slice http_date_at(struct http_date *date, time_t now);

/* Appends the whole head. Asserts that no header's value holds CR, LF or NUL: such a value could forge a header. */
void http_response_compose(struct buffer *out, const struct http_head *head, struct slice date);

/* "Not Found"; "Unknown" for a status that we do not use. */
const char *http_response_phrase(int status);

/* Whether an answer with this status can have a body (RFC 9110 6.4.1). */
static inline bool http_response_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

#endif
