/*
 * A pipe that the processes of a test inherit, and whose end says that the last of them is gone, zombies or not.
 */
#ifndef TESTS_UNIT_SRC_CHILD_WITNESS_H
#define TESTS_UNIT_SRC_CHILD_WITNESS_H

#include <stdbool.h>

struct witness {
    int held; /* the end that is inherited; -1 once released */
    int end;
};

void witness_open(struct witness *witness);

/* Lets go of our own hold: to be called when all processes run that shall be watched. */
void witness_release(struct witness *witness);

/* Whether nobody holds it any more, now. */
bool witness_is_alone(const struct witness *witness);

/* Fails the test when they are not gone in time. Closes the witness. */
void witness_wait(struct witness *witness);

#endif
