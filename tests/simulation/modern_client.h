/*
 * A client of the modern era: one request an exchange, sent again with the answers when it is asked something.
 */
#ifndef TESTS_SIMULATION_MODERN_CLIENT_H
#define TESTS_SIMULATION_MODERN_CLIENT_H

#include "tests/simulation/attempt.h"

/* A call that was asked something: what a client needs to come again. */
struct parked {
    struct request *request; /* NULL for an empty place */
    struct slice state;      /* owned: requestState, JSON; absent for none */
    char keys[ATTEMPT_QUESTIONS][16];
    struct saying *questions[ATTEMPT_QUESTIONS];
    size_t count;
    bool is_translated; /* the bridge keeps it, not the child */
    uint64_t parked_ms;
};

enum { MODERN_CLIENT_PARKED = 6 };

struct modern_client {
    struct actor actor;
    struct list attempts;
    unsigned credential;
    unsigned principal;
    struct parked parked[MODERN_CLIENT_PARKED]; /* that it can come again with */
    struct parked used[MODERN_CLIENT_PARKED];   /* that it came again with */
    size_t used_count;
    unsigned last_id;
};

struct modern_client *modern_client_new(struct simulation *simulation, unsigned number);

/* A place for one more parked call: an empty one, or that of one which is forgotten for it. */
struct parked *modern_client_park(struct modern_client *client);

#endif
