/*
 * What a child of the modern era says of changes: one subscriptions/listen of the bridge's own for all legacy sessions
 * on the child, sent again whenever what they want changes (MCP 2026-07-28, "Subscriptions").
 */
#ifndef BRIDGE_ERA_MODERN_WATCH_H
#define BRIDGE_ERA_MODERN_WATCH_H

#include "bridge/mcp/hub.h"

/* A process is ready: listens to what the sessions want. */
void modern_watch_start(struct hub *hub);

/* What the sessions want has changed. */
void modern_watch_renew(struct hub *hub);

/* The hub is about to be freed. */
void modern_watch_forget(struct hub *hub);

#endif
