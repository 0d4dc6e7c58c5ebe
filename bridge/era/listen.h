/*
 * subscriptions/listen (MCP 2026-07-28, "Subscriptions"): a request that stays open and carries the changes that its
 * client asked for. For a legacy child it is a session without a name, so that resource subscriptions are counted and
 * restored as any other's; a modern child is sent the request itself.
 */
#ifndef BRIDGE_ERA_LISTEN_H
#define BRIDGE_ERA_LISTEN_H

#include "bridge/era/era.h"

/* As era_submit(), for a hub whose child has been ready. */
void listen_submit(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
                   struct hub *hub);

/* Ends those of callers who are not known any more, each with the result that says so. */
void listen_end_strangers(struct era *era, caller_is_known_fn is_known, const void *context);

/* Ends all, each with the result that says so. */
void listen_end_all(struct era *era);

#endif
