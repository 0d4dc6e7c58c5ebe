/*
 * Before a modern client's tools/call goes on, what its tool wants in headers must be known, and the headers must say
 * what the arguments say (MCP 2026-07-28, Streamable HTTP, "Custom Headers from Tool Parameters").
 */
#ifndef BRIDGE_ERA_PARAM_CHECK_H
#define BRIDGE_ERA_PARAM_CHECK_H

#include "bridge/era/era.h"

/* Whether the call needs it. */
bool param_check_is_needed(const struct call *call, const struct message *message);

/*
 * Checks against what the hub's child wants, now or when that is known: the call is refused, or goes on with
 * era_carry().
 */
void param_check_submit(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
                        struct hub *hub);

#endif
