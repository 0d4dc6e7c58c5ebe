/*
 * What a request asks for, in 32 bytes: its params without `_meta`, `inputResponses` and `requestState`, which differ
 * when a client sends it again (MCP 2026-07-28, "Multi Round-Trip Requests").
 */
#ifndef BRIDGE_ERA_PARAMS_DIGEST_H
#define BRIDGE_ERA_PARAMS_DIGEST_H

#include "bridge/base/slice.h"
#include "bridge/port.h"

#include <stdint.h>

/*
 * `params` are those of a message that message_scan() has taken; absent is a value of its own. White space, the order
 * of an object's members and the way a string is escaped make no difference, on any level; numbers are compared as they
 * are written, and of members with the same key the order counts. Beyond LIMIT_DIGEST_BYTES all of that makes a
 * difference, if the params have no more than 32 members. Takes time and memory in proportion to the size.
 */
void params_digest(struct world *world, struct slice params, uint8_t digest[32]);

#endif
