/*
 * A client of HTTP+SSE, the transport of 2024-11-05.
 */
#ifndef TESTS_SIMULATION_SSE_CLIENT_H
#define TESTS_SIMULATION_SSE_CLIENT_H

#include "tests/simulation/client.h"

extern const struct client_kind sse_client_kind;

#endif
