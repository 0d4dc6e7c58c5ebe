/*
 * What a child does in the modern era, and what one of the legacy era does when it is asked whether it is of the other.
 */
#ifndef TESTS_SIMULATION_MODERN_SERVER_H
#define TESTS_SIMULATION_MODERN_SERVER_H

#include "tests/simulation/child_speech.h"

/* Takes a line, if it is for here. */
bool modern_server_reads(struct child_actor *child, const struct message *message);

/* Does one random thing, if the process is of the modern era or is asked what it is. */
bool modern_server_acts(struct child_actor *child, enum child_act act);

/* Answers what it was asked about its era. False when it was not. */
bool modern_server_settles(struct child_actor *child);

/* Answers server/discover. */
void modern_server_shake(struct child_actor *child);

/* Answers initialize, as one that does not know it. */
void modern_server_refuse(struct child_actor *child);

/* Writes the result or the error for a request between the eras. */
void modern_server_write_answer(struct child_actor *child, const struct child_work *work, struct words *words);

#endif
