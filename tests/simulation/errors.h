/*
 * The errors that the bridge itself answers with: each needs its reason.
 */
#ifndef TESTS_SIMULATION_ERRORS_H
#define TESTS_SIMULATION_ERRORS_H

#include "bridge/jsonrpc/message.h"
#include "tests/simulation/simulation.h"

struct visit;

/* Requires that there was a reason for this error. */
void errors_judge(struct simulation *simulation, const struct request *request, const struct message *message);

/* Requires that there was a reason to refuse the exchange with this status. */
void errors_judge_status(const struct visit *visit, int status);

#endif
