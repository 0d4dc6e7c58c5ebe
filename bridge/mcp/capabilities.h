/*
 * What a client declares that it can do (MCP, Lifecycle, "Capability Negotiation").
 */
#ifndef BRIDGE_MCP_CAPABILITIES_H
#define BRIDGE_MCP_CAPABILITIES_H

#include "bridge/base/slice.h"

#include <stdbool.h>

/* Whether a server may ask this client something: sampling, elicitation or roots. `capabilities` is JSON, or absent. */
bool capabilities_has_callbacks(struct slice capabilities);

#endif
