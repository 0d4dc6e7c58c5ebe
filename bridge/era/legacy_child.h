/*
 * A modern client's call to a legacy child. What the child may ask in the middle of it becomes an input_required
 * result: the call is parked, with the child that it runs on, until the client comes again with the answers.
 */
#ifndef BRIDGE_ERA_LEGACY_CHILD_H
#define BRIDGE_ERA_LEGACY_CHILD_H

#include "bridge/era/era.h"

/* Takes a call of any method but server/discover and subscriptions/listen; as era_submit(). */
void legacy_child_submit(struct era *era, struct call *call, const struct message *message,
                         const struct caller *caller);

/* Ends what is parked, and lets nothing be parked any more: nobody will come for it. */
void legacy_child_drain(struct era *era);

#endif
