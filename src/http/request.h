/*
 * One request as it came: its target and header fields in one buffer, its body in another. No sockets, no parsing.
 */
#ifndef SRC_HTTP_REQUEST_H
#define SRC_HTTP_REQUEST_H

#include "bridge/base/buffer.h"
#include "bridge/base/list.h"
#include "bridge/base/slice.h"
#include "bridge/limits.h"
#include "bridge/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a field stands in the head buffer. The name is in lower case, the value trimmed. */
struct http_field {
    uint32_t name_at;
    uint32_t name_size;
    uint32_t value_at;
    uint32_t value_size;
};

struct http_request {
    struct list link; /* on the server's list of spare ones, or on none */
    enum exchange_method method;
    int minor_version;     /* of HTTP/1.x */
    bool is_persistent;    /* the client allows another request after this one (RFC 9112 9.3) */
    bool expects_continue; /* it waits for 100 before it sends the body (RFC 9110 10.1.1) */
    bool drops_body;       /* what comes of the body is counted, and not kept */
    size_t dropped_bytes;
    struct slice path; /* path and query point into head; set by http_head_check() */
    struct slice query;
    size_t target_size; /* head starts with the target */
    struct buffer head; /* the target, then each field's name and value */
    struct buffer body;
    size_t field_count;
    struct http_field fields[LIMIT_HTTP_HEADER_COUNT];
};

struct http_request *http_request_new(void);
void http_request_free(struct http_request *request);

/* Empties it for the next request, and gives back memory beyond what most requests need. */
void http_request_clear(struct http_request *request);

/* For one whose sender will be refused: gives the memory of the body back, and keeps no more of it. */
void http_request_drop_body(struct http_request *request);

/* How many fields `name` (lower case) it has, and the first one's value (absent when 0). `value` may be NULL. */
size_t http_request_field(const struct http_request *request, const char *name, struct slice *value);

/*
 * Makes one field of several with this name, their values joined by commas: for fields that are lists (RFC 9110 5.3).
 */
void http_request_combine(struct http_request *request, const char *name);

/* The target as it was sent. */
struct slice http_request_target(const struct http_request *request);

#endif
