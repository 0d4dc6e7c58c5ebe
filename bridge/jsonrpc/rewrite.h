/*
 * A message with a few spans replaced, as parts that follow one another: nothing is copied, and every byte that is
 * not replaced stays what its author wrote.
 */
#ifndef BRIDGE_JSONRPC_REWRITE_H
#define BRIDGE_JSONRPC_REWRITE_H

#include "bridge/base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum { REWRITE_MAX_REPLACEMENTS = 6, REWRITE_MAX_PARTS = 2 * REWRITE_MAX_REPLACEMENTS + 1 };

struct replacement {
    struct slice span; /* a span of the message; an absent one replaces nothing, an empty one inserts */
    struct slice with; /* borrowed as long as the parts are used */
};

struct rewrite {
    struct slice parts[REWRITE_MAX_PARTS];
    size_t count;
};

/*
 * The spans must lie in `bytes` and not overlap: else the program ends. No two may start at one place; their order does
 * not matter.
 */
void rewrite_splice(struct rewrite *rewrite, struct slice bytes, const struct replacement *replacements, size_t count);

/* A number as JSON. */
struct number_text {
    char digits[24];
};
struct slice number_write(struct number_text *text, uint64_t number);

#endif
