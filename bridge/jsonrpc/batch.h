/*
 * The messages of one HTTP body: one object, or an array of them (MCP 2025-03-26, Base Protocol, "Batching").
 */
#ifndef BRIDGE_JSONRPC_BATCH_H
#define BRIDGE_JSONRPC_BATCH_H

#include "bridge/jsonrpc/message.h"

/* Whether the body is an array. */
bool batch_is_array(struct slice body);

/*
 * Proves that `body` is an array of at most LIMIT_BATCH_MESSAGES messages, and tells how many. An empty one is
 * MESSAGE_FAULT_BATCH.
 */
enum message_fault batch_check(struct slice body, size_t *count) __attribute__((warn_unused_result));

/* Takes the next message off a body that batch_check() approved: *rest is the body at first. False at the end. */
bool batch_next(struct slice *rest, struct message *message);

#endif
