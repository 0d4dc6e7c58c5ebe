/*
 * Clients of the Streamable HTTP transport: with sessions, and without.
 */
#ifndef TESTS_SIMULATION_SESSION_CLIENT_H
#define TESTS_SIMULATION_SESSION_CLIENT_H

#include "tests/simulation/client.h"

extern const struct client_kind session_client_kind;
extern const struct client_kind stateless_client_kind;

#endif
