/*
 * JSON numbers as the decimal numbers that they are, of any size and without rounding.
 */
#ifndef BRIDGE_JSONRPC_DECIMAL_H
#define BRIDGE_JSONRPC_DECIMAL_H

#include "bridge/base/slice.h"

#include <stdbool.h>

/* Whether both are JSON numbers (RFC 8259 6) and mean the same: 42, 42.0 and 4.2e1 do. */
bool decimal_equals(struct slice a, struct slice b);

#endif
