/*
 * What the bridge has in its tables: that it agrees with itself and stays below its ceilings, after every step; and
 * that nothing is left once everybody has gone.
 */
#ifndef TESTS_SIMULATION_TABLES_H
#define TESTS_SIMULATION_TABLES_H

#include "tests/simulation/simulation.h"

void tables_check(struct simulation *simulation);
void tables_check_empty(struct simulation *simulation);

#endif
