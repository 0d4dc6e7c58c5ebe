/*
 * How a modern client's request is written for a legacy child, and the child's answer for the client. Everything that
 * the eras have in common stays as its author wrote it.
 */
#ifndef BRIDGE_ERA_LEGACY_TEXT_H
#define BRIDGE_ERA_LEGACY_TEXT_H

#include "bridge/base/buffer.h"
#include "bridge/jsonrpc/message.h"
#include "bridge/jsonrpc/rewrite.h"
#include "bridge/mcp/caller.h"
#include "bridge/mcp/handshake.h"

#include <stdbool.h>

/* Whether the method is one of tasks, which are not the same in the two eras. */
bool legacy_text_is_of_tasks(const struct message *request);

/* Whether the child may ask the client something while it works at this. */
bool legacy_text_may_ask(const struct message *request);

/* Whether a key of _meta, as it is written without quotes, is one that only the modern era has. */
bool legacy_text_is_modern_key(struct slice key);

/*
 * Appends the request without what only the modern era has: its keys in _meta, the answers to questions, the state.
 */
void legacy_text_write_request(struct buffer *out, const struct message *request);

/* The InitializeRequest of a child for clients that declare these capabilities; its id is to be replaced. */
void legacy_text_write_initialize(struct buffer *out, struct slice capabilities, const char *program_version);

/* What a client of these capabilities may be asked. */
void legacy_text_write_capabilities(struct buffer *out, struct slice capabilities);

/* The key under which a child is lent to this caller, for clients that may be asked what was written by that. */
void legacy_text_write_key(struct buffer *out, const struct caller *caller, struct slice capabilities);

/* Whether these capabilities let the client be asked this. */
bool legacy_text_may_be_asked(struct slice capabilities, const struct message *question);

/* An answer, in parts that live as long as the message and `text`. */
struct legacy_answer {
    struct buffer text; /* owned */
    struct rewrite parts;
    int error_code; /* 0 for a result */
};

/* What is to be known of the child and the request. */
struct legacy_question {
    const struct handshake *handshake;
    struct slice capabilities; /* what the client may be asked for it; absent for nothing */
    bool is_cacheable;         /* the result of a list or of a read */
};

/* `id` is the client's. Release with legacy_answer_release(). */
void legacy_answer_write(struct legacy_answer *answer, const struct message *message, struct slice id,
                         const struct legacy_question *question);
void legacy_answer_release(struct legacy_answer *answer);

bool legacy_text_is_cacheable(const struct message *request);

#endif
