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
};

struct child_actor {
    struct actor actor;
    struct fake_child *fake;
    bool has_purpose; /* it has read an initialize, and so knows whom it serves: */
    bool is_shared;
    unsigned credential;    /* that it was started with; 0 for none */
    struct request *opener; /* of one that a session has alone: the initialize that it got; NULL before */

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
    unsigned level; /* REQUEST_LEVELS when it was told none */
};

extern const struct actor_kind child_actor_kind;

struct child_actor *child_actor_new(struct simulation *simulation, struct fake_child *fake, unsigned number);

/* Whether a process runs and has not been told to end. */
bool child_actor_is_well(const struct child_actor *child);

#endif
