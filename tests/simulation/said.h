/*
 * What children said, word for word. Each saying bears a number, "m":N, by which it is known again, and one hole: the
 * id or the token that the bridge replaces. Everything else must reach the client byte for byte.
 */
#ifndef TESTS_SIMULATION_SAID_H
#define TESTS_SIMULATION_SAID_H

#include "bridge/base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct child_actor;
struct conversation;
struct request;

enum saying_kind {
    SAYING_ANSWER,
    SAYING_PROGRESS,
    SAYING_LOG,
    SAYING_QUESTION,
    SAYING_TAKE_BACK, /* of a question */
    SAYING_LIST_CHANGED,
    SAYING_UPDATED,
    SAYING_TASK_STATUS,
    SAYING_OTHER, /* a notification of no kind that MCP has */
};

struct saying {
    uint32_t number;
    enum saying_kind kind;
    struct child_actor *child; /* who said it; borrowed */
    unsigned process;          /* of the child's, from 1 */
    struct request *request;   /* whose matter it is; NULL for nobody's */
    unsigned argument;         /* a uri's number, a level, a task's number */
    uint64_t step;
    struct slice before; /* owned: the bytes around the hole */
    struct slice after;
    /* Of a question: */
    char child_id[24];
    struct conversation *asked; /* who has read it; NULL for nobody */
    bool is_answered;           /* the child has heard an answer */
    bool may_be_lost;           /* it was asked by one that does not read */
    bool is_taken_back;
    bool was_told;      /* the client that it is for has sent its answer */
    const char *method; /* of a question */
    /* Of an answer: */
    bool is_modern;    /* it was said by a process that is spoken to in the modern era */
    bool is_misshapen; /* it is none of the modern era, and cannot be made one */
    bool is_round;     /* it is not the last: an input_required result */
};

struct sayings {
    struct saying **all; /* owned */
    size_t count;
};

/* A new one, not filled in but for its number; it lives as long as the sayings. */
struct saying *sayings_add(struct sayings *sayings);
void sayings_release(struct sayings *sayings);

/* The saying whose number stands in these bytes; NULL when none does. */
struct saying *sayings_find(const struct sayings *sayings, struct slice bytes);

/* The words: `text` with its hole behind the first `hole` bytes. */
void saying_set(struct saying *saying, struct slice text, size_t hole);

/* Whether the bytes are this saying with `middle` in its hole. */
bool saying_is(const struct saying *saying, struct slice bytes, struct slice middle);

/* The number that follows `key` in the bytes, for marks such as "secret":"R; 0 when there is none. */
uint32_t said_number(struct slice bytes, const char *key);

#endif
