/*
 * How a legacy client's request is written for a child of the modern era: what its session agreed on once stands in
 * every request (MCP 2026-07-28, "General fields").
 */
#ifndef BRIDGE_ERA_MODERN_TEXT_H
#define BRIDGE_ERA_MODERN_TEXT_H

#include "bridge/base/buffer.h"
#include "bridge/jsonrpc/message.h"
#include "bridge/mcp/session.h"

/* What a request is sent again with; absent for the first time. */
struct modern_retry {
    struct slice responses; /* an object, or absent */
    struct slice state;     /* as the child wrote it, or absent */
};

/* Appends the request. `session` is NULL for one without a session. */
void modern_text_write_request(struct buffer *out, const struct message *request, const struct session *session,
                               const struct modern_retry *retry);

/*
 * Appends a notification of a subscription without what names the subscription. `message` is one that the child wrote.
 */
void modern_text_write_notification(struct buffer *out, const struct message *message);

/* Appends subscriptions/listen for these list changes, as in struct handshake, and URIs, with commas. */
void modern_text_write_listen(struct buffer *out, unsigned list_changes, struct slice uris);

#endif
