/*
 * A stdio server of the legacy era as a simulation has it: it reads when it likes, answers in any order, late, twice or
 * never, says things that nobody asked for, and dies. What it hears is judged: every line is whole and for it.
 */
#ifndef TESTS_SIMULATION_CHILD_ACTOR_H
#define TESTS_SIMULATION_CHILD_ACTOR_H

#include "tests/simulation/simulation.h"
#include "tests/unit/bridge/fake_child.h"

/* A request that its running process has read. */
struct child_work {
    uint64_t wire_id;
    struct request *request; /* NULL for one of the bridge's own */
    bool will_fail;          /* the answer will be an error */
    bool is_answered;
    bool is_cancelled;
    /* Of a subscription: */
    bool is_listen;
    bool is_acknowledged;
    bool wants_tools;
    bool wants_uri[REQUEST_URIS];
    bool is_tool_list; /* of the bridge's own */
};

struct child_actor {
    struct actor actor;
    struct fake_child *fake;
    bool has_purpose; /* it has read an initialize, and so knows whom it serves: */
    bool is_shared;
    bool is_lent;
    struct request *borrower; /* the last that it worked for, of one that is lent; NULL for none */
    char capabilities[64];    /* what it was told of its clients, of one that is lent */
    unsigned credential;      /* that it was started with; 0 for none */
    struct request *opener;   /* of one that a session has alone: the initialize that it got; NULL before */

    unsigned restarts_seen;
    unsigned settles_before; /* by earlier processes */
    unsigned failures;       /* in a row */
    uint64_t up_at_ms;       /* the next start is due */

    /* Of the running process: */
    uint64_t up_step; /* when it started */
    uint64_t handshake_id;
    bool is_asked_for_handshake;
    bool is_ready;
    struct child_work *works; /* owned */
    size_t work_count;
    struct saying **questions; /* owned: all that it asked */
    size_t question_count;
    bool is_subscribed[REQUEST_URIS];
    unsigned level;   /* REQUEST_LEVELS when it was told none */
    bool is_modern;   /* it was asked with server/discover first */
    bool is_probed;   /* that, and it is of the legacy era */
    bool is_refusing; /* it was asked with initialize, and is of the modern era only */
};

extern const struct actor_kind child_actor_kind;

struct child_actor *child_actor_new(struct simulation *simulation, struct fake_child *fake, unsigned number);

/* ---- For what it hears and says, in either era ---- */

struct child_work *child_actor_add_work(struct child_actor *child, const struct child_work *work);
struct child_work *child_actor_find_work(const struct child_actor *child, uint64_t wire_id);

/* A random work, answered or not; NULL when there is none. */
struct child_work *child_actor_pick_work(const struct child_actor *child, bool is_answered);

void child_actor_crash(struct child_actor *child);

/* A question that it is about to ask. */
void child_actor_add_question(struct child_actor *child, struct saying *question);

/* Whether a process runs and has not been told to end. */
bool child_actor_is_well(const struct child_actor *child);

#endif
