/*
 * The world of bridge/port.h in memory: a clock that only a test moves, randomness from a seed, a log that counts,
 * children and exchanges that are played by the test. Nothing happens by itself, so a seed replays a whole run.
 * What breaks a contract of the port fails the test at once; fake_world_release() requires that nothing is left over.
 */
#ifndef TESTS_UNIT_BRIDGE_FAKE_WORLD_H
#define TESTS_UNIT_BRIDGE_FAKE_WORLD_H

#include "bridge/base/buffer.h"
#include "bridge/base/list.h"
#include "bridge/port.h"

struct fake_world {
    struct world port; /* what the bridge gets */
    struct timers timers;
    struct log log;
    unsigned logged[LOG_LEVEL_ERROR + 1]; /* lines of each level */
    struct buffer log_text;               /* all of them, one a line */
    uint64_t random_state;
    uint64_t secret;       /* 0 at first; worlds with the same one agree on what is forged */
    struct list children;  /* of struct fake_child: all that were ever opened */
    struct list exchanges; /* of struct fake_exchange: all that were ever made */
};

/* The clock does not start at 0: a time that somebody forgot to set must show. */
void fake_world_init(struct fake_world *world, uint64_t seed);

/* Requires that every child is closed, every exchange has ended and no timer runs. */
void fake_world_release(struct fake_world *world);

/* For cmocka: a world alone. */
int fake_world_set_up(void **state);
int fake_world_tear_down(void **state);

/* Moves the clock; every timer fires at its own time. */
void fake_world_advance(struct fake_world *world, uint64_t delay_ms);

/* Lets every child come to its end; all must have been closed. */
void fake_world_finish_children(struct fake_world *world);

bool fake_world_has_logged(const struct fake_world *world, const char *text);

/* The next number of the sequence that a state stands for (SplitMix64): the same on every machine. */
uint64_t fake_random(uint64_t *state);

/* A number below `bound`. */
size_t fake_random_below(uint64_t *state, size_t bound);

/* A copy in a block of exactly its size, so that sanitizers see a read beyond it; freed with fake_free(). */
char *fake_copy(struct slice bytes);

/* Spoils the block before it frees it, so that a use after that shows without sanitizers too. */
void fake_free(char *block, size_t size);

#endif
