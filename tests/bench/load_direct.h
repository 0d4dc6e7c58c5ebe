/*
 * The limit of limits: the server alone, its pipes held by the load client.
 */
#ifndef TESTS_BENCH_LOAD_DIRECT_H
#define TESTS_BENCH_LOAD_DIRECT_H

/* Runs and measures `arguments`: calls under way, seconds, payload bytes, the server's program. */
int load_direct(int count, char **arguments);

#endif
