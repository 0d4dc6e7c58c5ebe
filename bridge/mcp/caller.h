/*
 * Who sends a request, as far as it decides which child may serve it.
 */
#ifndef BRIDGE_MCP_CALLER_H
#define BRIDGE_MCP_CALLER_H

#include "bridge/base/slice.h"

#include <stdbool.h>

/* Borrowed from the exchange that it came with, unless it is a copy. */
struct caller {
    struct slice principal;   /* who it is, by the token it showed; empty where nobody is told apart */
    struct slice environment; /* credentials for the child: "NAME=value" and a NUL for each; empty for none */
};

/* A copy that owns what it names, for who outlives the exchange; and its end. A zeroed one may be released. */
struct caller caller_copy(const struct caller *caller);
void caller_release(struct caller *caller);

/* Whether who has this name could come in still. */
typedef bool (*caller_is_known_fn)(const void *context, struct slice principal);

bool caller_is_same(const struct caller *a, const struct caller *b);

#endif
