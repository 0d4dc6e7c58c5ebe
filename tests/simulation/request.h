/*
 * The ledger: every request that a client has sent, under a number of its own that the request bears as a secret and
 * that every word about it repeats. By it the simulation knows whose an answer is, whatever ids stand in it.
 */
#ifndef TESTS_SIMULATION_REQUEST_H
#define TESTS_SIMULATION_REQUEST_H

#include "bridge/base/buffer.h"
#include "tests/simulation/said.h"

enum request_kind {
    REQUEST_CALL,
    REQUEST_INITIALIZE,
    REQUEST_SUBSCRIBE,
    REQUEST_UNSUBSCRIBE,
    REQUEST_SET_LEVEL,
    REQUEST_TASK, /* about the task that another request made */
    REQUEST_KIND_COUNT,
};

enum request_state {
    REQUEST_OPEN,  /* its client waits */
    REQUEST_LEFT,  /* its client is gone, and may come back for the answer */
    REQUEST_ENDED, /* answered, refused, or nobody can ever ask for the answer */
};

enum { REQUEST_URIS = 4, REQUEST_LEVELS = 8, REQUEST_ID = 32 };

struct request {
    uint32_t number;
    enum request_kind kind;
    enum request_state state;
    struct conversation *conversation; /* borrowed; NULL for a stateless request */
    char id[REQUEST_ID];               /* JSON */
    char token[REQUEST_ID];            /* JSON; empty for none */
    unsigned credential;               /* of its client; 0 for none */
    unsigned argument;                 /* a uri's number, a level, a task's number */
    bool has_callbacks;                /* initialize: whether it declares any */
    const char *version;               /* initialize: the revision that it asks for */
    uint64_t sent_ms;
    uint64_t sent_step;
    uint64_t left_ms;      /* when it was no longer open: from then on the bridge may have given it up */
    bool was_left;         /* its client came back for the answer, which need not be there any more */
    bool is_in_batch;      /* its answer may wait for the others' */
    bool was_cancelled;    /* the client took it back */
    unsigned reads;        /* by children */
    struct saying *answer; /* the child's first answer while it was open; NULL for none */
    struct slice sent;     /* owned: the message that ended it, as it was sent */
    char event_id[40];     /* of the event that it was sent in; empty for none */

    /* Of a client of the modern era, which sends it again with the answers to what it is asked: */
    bool is_modern;
    const char *method;
    const char *params;       /* its own members */
    const char *name;         /* what Mcp-Name says; NULL for none */
    const char *capabilities; /* what its client may be asked */
    unsigned principal;       /* of its client; 0 for nobody */
    unsigned level;           /* of the log messages that it wants; REQUEST_LEVELS for none */
    struct slice again;       /* owned: the members that it was sent with last, beside its own; absent at first */
    unsigned round_questions; /* that it was asked last, by a child of the modern era */
    uint32_t round_state;     /* the number in the state that it was given with them; 0 for none */
    bool was_asked;           /* a child of the modern era answered with questions */
};

struct requests {
    struct request **all; /* owned */
    size_t count;
};

struct request *requests_add(struct requests *requests, enum request_kind kind);

/* It is no longer open. Nothing when it had ended before. */
void request_leave(struct request *request, enum request_state state, uint64_t now_ms);

void requests_release(struct requests *requests);

/* The request whose secret stands in these bytes; NULL when none does. */
struct request *requests_find(const struct requests *requests, struct slice bytes);

/* Appends the request's message with this id and token, in one of several forms. As a line, it holds no line break. */
void request_write(const struct request *request, struct buffer *out, const char *id, const char *token, bool is_line);

const char *request_level_name(unsigned level);

/* The level of that name; REQUEST_LEVELS for none. */
unsigned request_level(struct slice name);

#endif
