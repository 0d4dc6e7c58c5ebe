/*
 * What a child of a simulation reads, and the judge of that: a request is whole and for this child, no other is
 * cancelled, and an answer is one that it asked for.
 */
#ifndef TESTS_SIMULATION_CHILD_HEARING_H
#define TESTS_SIMULATION_CHILD_HEARING_H

#include "tests/simulation/child_actor.h"

/* Some of the lines that wait for it, or all; none while it does not read. */
void child_hearing_read_some(struct child_actor *child);

/* All of them. Requires that it then knows of every request that nobody waits for any more. */
void child_hearing_read_all(struct child_actor *child);

#endif
