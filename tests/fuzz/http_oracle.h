/*
 * A second reading of a request, straight from the grammar of RFC 9112 with every leniency that it allows a server left
 * out: whole requests in memory, no limits, no state.
 */
#ifndef TESTS_FUZZ_HTTP_ORACLE_H
#define TESTS_FUZZ_HTTP_ORACLE_H

#include "bridge/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_ORACLE_FIELDS = 256 };

struct http_oracle {
    struct slice method;
    struct slice target;
    unsigned minor_version;
    struct {
        struct slice name;
        struct slice value; /* trimmed */
    } fields[HTTP_ORACLE_FIELDS];
    size_t field_count;
    bool is_chunked;
    bool is_persistent; /* RFC 9112 9.3 */
    struct buffer body; /* owned, as it is without its chunks */
    size_t size;        /* of the whole request */
};

/*
 * Reads one request off the front of `bytes`, which must outlive it. False when it is not well-formed, or is not whole.
 * Release it either way.
 */
bool http_oracle_read(struct http_oracle *oracle, struct slice bytes);
void http_oracle_release(struct http_oracle *oracle);

/* How many fields of this name there are, in any case, and the first one's value. */
size_t http_oracle_field(const struct http_oracle *oracle, const char *name, struct slice *value);

#endif
