/*
 * Whoever does something in a simulation: a client or a child. A kind of actor is a table of functions in a file of its
 * own; a new kind needs nothing but a row where the simulation makes its actors.
 */
#ifndef TESTS_SIMULATION_ACTOR_H
#define TESTS_SIMULATION_ACTOR_H

#include "bridge/base/list.h"

#include <stdbool.h>

struct actor;
struct simulation;

struct actor_kind {
    const char *name;
    /* One random thing. */
    void (*act)(struct actor *actor);
    /* After every step of anybody: looks at what came, and judges it. */
    void (*look)(struct actor *actor);
    /* Finishes what it has begun, begins nothing. True when it had something to do. */
    bool (*settle)(struct actor *actor);
    /* Everything that began has been finished: whether all of it is as it must be. */
    void (*check_calm)(struct actor *actor);
    /* Goes away for good, the one way or the other. */
    void (*leave)(struct actor *actor);
    void (*free)(struct actor *actor);
};

struct actor {
    const struct actor_kind *kind;
    struct simulation *simulation; /* borrowed */
    struct list link;              /* in the simulation's list; owned by it */
    unsigned number;               /* from 1, among its like */
};

#endif
