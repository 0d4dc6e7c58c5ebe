/*
 * Who sends a request, as far as it decides which child may serve it.
 */
#ifndef BRIDGE_MCP_CALLER_H
#define BRIDGE_MCP_CALLER_H

#include "bridge/base/slice.h"

/* Borrowed from the exchange that it came with. */
struct caller {
    struct slice principal;   /* who it is, by the token it showed; empty where nobody is told apart */
    struct slice environment; /* credentials for the child: "NAME=value" and a NUL for each; empty for none */
};

#endif
