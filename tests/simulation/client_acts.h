/*
 * What any client may do: call, cancel, subscribe, listen, go, come back, answer, steal, babble.
 */
#ifndef TESTS_SIMULATION_CLIENT_ACTS_H
#define TESTS_SIMULATION_CLIENT_ACTS_H

#include "tests/simulation/client.h"

/* One of these at random; mostly it begins a session, when it has none. */
void client_acts_one(struct actor *actor);

/* Answers one of the questions that it was asked; false when there is none. */
bool client_acts_answer(struct client *client);

#endif
