/*
 * What a legacy child asks while it works at a modern client's call: kept until the client sends the call again with
 * the answers (MCP 2026-07-28, "Multi Round-Trip Requests").
 */
#ifndef BRIDGE_ERA_QUESTIONS_H
#define BRIDGE_ERA_QUESTIONS_H

#include "bridge/base/buffer.h"
#include "bridge/base/list.h"
#include "bridge/jsonrpc/message.h"
#include "bridge/mcp/channel.h"

#include <stdbool.h>

/* The open questions of one call. */
struct questions {
    struct list open;
    size_t count;
    unsigned last_key; /* a key is never used twice, so that an answer of an earlier round answers nothing */
};

void questions_init(struct questions *questions);

/* False when there are too many. */
bool questions_add(struct questions *questions, const struct message *question);

/* The child takes one back. */
void questions_cancel(struct questions *questions, struct slice child_id);

/* Appends the object of inputRequests. */
void questions_write(const struct questions *questions, struct buffer *out);

/* Sends the child what the client answers, an object by key. Keys that are not open are passed over. */
void questions_answer(struct questions *questions, struct slice responses, struct channel *channel);

/* Refuses all that are open. */
void questions_refuse(struct questions *questions, struct channel *channel, const char *why);

/* Refuses one that was not added. */
void questions_refuse_one(struct channel *channel, struct slice child_id, enum reply_code code, const char *why);

#endif
