/*
 * A whole bridge on a fake clock, between actors that do random things: clients of every kind, and the children that
 * the bridge starts. A seed decides everything, so a run that fails can be run again.
 *
 * A run is a storm of steps, in each of which one actor acts or the clock moves; mostly then a calm, in which everybody
 * finishes what was begun, a quiet, in which all clients have gone and every timeout passes, and the end.
 */
#ifndef TESTS_SIMULATION_SIMULATION_H
#define TESTS_SIMULATION_SIMULATION_H

#include "bridge/transport/legacy_sse.h"
#include "bridge/transport/streamable.h"
#include "tests/simulation/actor.h"
#include "tests/simulation/profile.h"
#include "tests/simulation/request.h"
#include "tests/simulation/said.h"
#include "tests/simulation/trace.h"
#include "tests/unit/bridge/fake_world.h"

enum simulation_phase {
    SIMULATION_STORM, /* anything may happen */
    SIMULATION_CALM,  /* nothing new begins: what runs comes to its end */
    SIMULATION_QUIET, /* the clients are gone */
    SIMULATION_END,   /* the server is closed */
};

struct fake_child;

struct simulation {
    struct fake_world world;
    struct profile profile;
    struct server server;
    struct streamable streamable;
    struct legacy_sse sse;

    struct list clients; /* of struct actor, as are the next */
    struct list modern_clients;
    struct list children;            /* of struct actor */
    size_t children_seen;            /* of the world's children: those that have an actor */
    struct fake_child *newest_child; /* borrowed: the last of them */
    struct requests requests;
    struct sayings sayings;
    struct trace trace;

    uint64_t seed;
    uint64_t random_state; /* the scheduler's and the actors'; the bridge has its own */
    uint64_t step;
    uint64_t step_began_ms;
    enum simulation_phase phase;
    bool is_server_closed;
    bool is_settled; /* it drains, and serves nobody new */
};

struct simulation *simulation_new(uint64_t seed, bool is_shown);

/* The whole run. What is found fails the test that it runs in. */
void simulation_run(struct simulation *simulation);

/* After a run that went well. */
void simulation_free(struct simulation *simulation);

/* ---- For actors ---- */

uint64_t simulation_now(struct simulation *simulation);
size_t simulation_below(struct simulation *simulation, size_t bound);

/* True so many times in a hundred. */
bool simulation_chance(struct simulation *simulation, unsigned percent);

/* One of `count` indices, each as likely as its weight; `count` when all weights are 0. */
size_t simulation_pick(struct simulation *simulation, const unsigned *weights, size_t count);

void simulation_note(struct simulation *simulation, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void simulation_fail(struct simulation *simulation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define simulation_require(simulation, condition, ...)  \
    do {                                                \
        if (!(condition)) {                             \
            simulation_fail((simulation), __VA_ARGS__); \
        }                                               \
    } while (0)

#endif
