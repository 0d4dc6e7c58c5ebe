/*
 * The bearer tokens that callers show, from a file and from the environment. What is kept of a token is its digest:
 * all have the same length, and comparing two of them takes the same time however they differ.
 */
#ifndef SRC_TOKENS_H
#define SRC_TOKENS_H

#include "bridge/base/error.h"
#include "bridge/port.h"

#include <stddef.h>

struct token;

struct tokens {
    struct token_list list; /* what the gate is given */
    struct token *items;    /* owned */
    size_t count;
};

void tokens_init(struct tokens *tokens);
void tokens_release(struct tokens *tokens);

/*
 * Adds what a text holds: a token a line, "TOKEN" or "NAME:TOKEN"; empty lines and lines that begin with # are passed
 * over. A token without a name gets one that is made from its digest. `source` names the text in errors, which never
 * show what stands in it. -1 when a line is wrong, when a token comes twice, and when there is none.
 */
int tokens_add(struct tokens *tokens, const char *source, struct slice text, struct error *error)
    __attribute__((warn_unused_result));

/*
 * The tokens of the file and the one of the environment, each NULL when not given, in place of those that were there.
 * -1 with nothing changed when one of them is wrong.
 */
int tokens_load(struct tokens *tokens, const char *file, const char *from_environment, struct error *error)
    __attribute__((warn_unused_result));

#endif
