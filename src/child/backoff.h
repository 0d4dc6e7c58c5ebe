/*
 * How long to wait before the next start after failures: 100 ms, doubled up to 30 s, each within 20 % by chance, so
 * that many children that failed together do not start together.
 */
#ifndef SRC_CHILD_BACKOFF_H
#define SRC_CHILD_BACKOFF_H

#include <stdint.h>

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 30000,
};

/* Zeroed, it stands before the first failure. */
struct backoff {
    uint64_t last_ms; /* the step used last, without chance; 0 before the first */
};

/* The next delay. `random` is any number, each equally likely. */
uint64_t backoff_next_ms(struct backoff *backoff, uint32_t random);

void backoff_reset(struct backoff *backoff);

#endif
