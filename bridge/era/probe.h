/*
 * What does the server speak? Found out when the first modern client comes, and with a process of its own, since one
 * that was asked in one era may refuse the other (MCP 2026-07-28, Versioning, "Backward Compatibility"). If it answers
 * server/discover it goes on as the child of modern clients.
 */
#ifndef BRIDGE_ERA_PROBE_H
#define BRIDGE_ERA_PROBE_H

#include "bridge/era/era.h"

/*
 * As era_submit(), for a call that has to wait until it is known what the server speaks, or, when that is known, until
 * the hub has been ready once.
 */
void probe_submit(struct era *era, struct call *call, const struct caller *caller, struct hub *hub);

#endif
