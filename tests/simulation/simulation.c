#include "tests/simulation/simulation.h"

#include "bridge/base/memory.h"
#include "tests/simulation/child_actor.h"
#include "tests/simulation/modern_client.h"
#include "tests/simulation/session_client.h"
#include "tests/simulation/sse_client.h"
#include "tests/simulation/tables.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CALM_ROUNDS = 200, CALM_STEP_MS = 40, END_ROUNDS = 50 };

/* ---- For actors ---- */

uint64_t simulation_now(struct simulation *simulation)
{
    return timers_now(&simulation->world.timers);
}

size_t simulation_below(struct simulation *simulation, size_t bound)
{
    return fake_random_below(&simulation->random_state, bound);
}

bool simulation_chance(struct simulation *simulation, unsigned percent)
{
    return simulation_below(simulation, 100) < percent;
}

size_t simulation_pick(struct simulation *simulation, const unsigned *weights, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += weights[i];
    }
    if (total == 0) {
        return count;
    }
    size_t at = simulation_below(simulation, total);
    size_t picked = 0;
    while (at >= weights[picked]) {
        at -= weights[picked++];
    }
    return picked;
}

void simulation_note(struct simulation *simulation, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    trace_add(&simulation->trace, simulation->step, simulation_now(simulation), format, arguments);
    va_end(arguments);
}

void simulation_fail(struct simulation *simulation, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fail_msg("seed %" PRIu64 ", step %" PRIu64 ": %s", simulation->seed, simulation->step, text);
    abort();
}

/* ---- Who takes part ---- */

static struct actor *actor_of(struct list *link)
{
    return container_of(link, struct actor, link);
}

static void add_clients(struct simulation *simulation)
{
    const struct profile *profile = &simulation->profile;
    const struct {
        const struct client_kind *kind;
        unsigned count;
    } kinds[] = {
        {&stateless_client_kind, profile->stateless_clients},
        {&session_client_kind, profile->session_clients},
        {&sse_client_kind, profile->sse_clients},
    };
    unsigned number = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (unsigned j = 0; j < kinds[i].count; j++) {
            struct client *client = client_new(simulation, kinds[i].kind, ++number);
            list_append(&simulation->clients, &client->actor.link);
        }
    }
    for (unsigned i = 0; i < profile->modern_clients; i++) {
        list_append(&simulation->modern_clients, &modern_client_new(simulation, ++number)->actor.link);
    }
}

/* The bridge starts children when it wants to: each gets an actor. */
static void meet_children(struct simulation *simulation)
{
    const struct list *all = &simulation->world.children;
    size_t index = 0;
    if (list_is_empty(all) || container_of(all->previous, struct fake_child, link) == simulation->newest_child) {
        return;
    }
    LIST_FOR_EACH(link, all) {
        if (index++ >= simulation->children_seen) {
            simulation->newest_child = container_of(link, struct fake_child, link);
            struct child_actor *child =
                child_actor_new(simulation, simulation->newest_child, (unsigned)++simulation->children_seen);
            list_append(&simulation->children, &child->actor.link);
        }
    }
}

struct simulation *simulation_new(uint64_t seed, bool is_shown)
{
    struct simulation *simulation = memory_new(sizeof(*simulation));
    simulation->seed = seed;
    simulation->random_state = seed;
    simulation->trace.is_shown = is_shown;
    list_init(&simulation->clients);
    list_init(&simulation->modern_clients);
    list_init(&simulation->children);
    fake_world_init(&simulation->world, seed ^ 0x5eed);
    simulation->world.log.level = LOG_LEVEL_ERROR;
    profile_init(&simulation->profile, &simulation->random_state);
    return simulation;
}

static void free_actors(struct list *actors)
{
    struct list *link;
    while ((link = list_take_first(actors)) != NULL) {
        actor_of(link)->kind->free(actor_of(link));
    }
}

void simulation_free(struct simulation *simulation)
{
    free_actors(&simulation->clients);
    free_actors(&simulation->modern_clients);
    free_actors(&simulation->children);
    requests_release(&simulation->requests);
    sayings_release(&simulation->sayings);
    free(simulation);
}

/* ---- Steps ---- */

static void look_all(const struct list *actors)
{
    LIST_FOR_EACH(link, actors) {
        actor_of(link)->kind->look(actor_of(link));
    }
}

static void look(struct simulation *simulation)
{
    meet_children(simulation);
    look_all(&simulation->clients);
    look_all(&simulation->modern_clients);
    tables_check(simulation);
}

static void begin_step(struct simulation *simulation)
{
    simulation->step++;
    simulation->step_began_ms = simulation_now(simulation);
}

static void advance(struct simulation *simulation, uint64_t delay_ms)
{
    simulation_note(simulation, "%" PRIu64 " ms pass", delay_ms);
    fake_world_advance(&simulation->world, delay_ms);
}

/* Mostly a little; now and then to the next deadline exactly, or far beyond it. */
static void pass_time(struct simulation *simulation)
{
    uint64_t now_ms = simulation_now(simulation);
    uint64_t next_ms = timers_next_ms(&simulation->world.timers);
    if (simulation_chance(simulation, 10) && next_ms != UINT64_MAX) {
        advance(simulation, next_ms - now_ms);
    } else if (simulation_chance(simulation, 3)) {
        advance(simulation, simulation_below(simulation, 200000));
    } else {
        advance(simulation, simulation_below(simulation, simulation->profile.time_ms) + 1);
    }
}

static void act_one(struct simulation *simulation, const struct list *actors)
{
    size_t count = 0;
    LIST_FOR_EACH(link, actors) {
        count++;
    }
    size_t picked = count > 0 ? simulation_below(simulation, count) : 0;
    LIST_FOR_EACH(link, actors) {
        if (picked-- == 0) {
            actor_of(link)->kind->act(actor_of(link));
            return;
        }
    }
}

static void step(struct simulation *simulation)
{
    begin_step(simulation);
    if (simulation_chance(simulation, simulation->profile.time_percent)) {
        pass_time(simulation);
    } else if (simulation_chance(simulation, simulation->profile.child_percent)) {
        act_one(simulation, &simulation->children);
    } else if (!list_is_empty(&simulation->modern_clients) && simulation_chance(simulation, 60)) {
        act_one(simulation, &simulation->modern_clients);
    } else {
        act_one(simulation, &simulation->clients);
    }
    look(simulation);
}

/* ---- Phases ---- */

static bool settle(struct simulation *simulation, struct list *actors)
{
    bool is_busy = false;
    LIST_FOR_EACH(link, actors) {
        begin_step(simulation);
        is_busy |= actor_of(link)->kind->settle(actor_of(link));
        look(simulation);
    }
    return is_busy;
}

static void check_calm(const struct list *actors)
{
    LIST_FOR_EACH(link, actors) {
        actor_of(link)->kind->check_calm(actor_of(link));
    }
}

static void calm(struct simulation *simulation)
{
    simulation->phase = SIMULATION_CALM;
    simulation_note(simulation, "the calm begins");
    unsigned idle = 0;
    /* Between the eras a call may pause for a quarter of a second. */
    unsigned enough = simulation->profile.has_eras ? 8 : 3;
    for (unsigned round = 0; round < CALM_ROUNDS && idle < enough; round++) {
        bool is_busy = settle(simulation, &simulation->children);
        is_busy |= settle(simulation, &simulation->clients);
        is_busy |= settle(simulation, &simulation->modern_clients);
        advance(simulation, CALM_STEP_MS);
        look(simulation);
        idle = is_busy ? 0 : idle + 1;
    }
    simulation_require(simulation, idle > 0, "it never becomes calm");
    check_calm(&simulation->clients);
    check_calm(&simulation->modern_clients);
    check_calm(&simulation->children);
}

static void leave(struct simulation *simulation, struct list *actors)
{
    LIST_FOR_EACH(link, actors) {
        begin_step(simulation);
        actor_of(link)->kind->leave(actor_of(link));
        look(simulation);
    }
}

/* Longer than every timeout that somebody may have set going. */
static void quiet(struct simulation *simulation)
{
    simulation->phase = SIMULATION_QUIET;
    simulation_note(simulation, "the clients leave");
    leave(simulation, &simulation->clients);
    leave(simulation, &simulation->modern_clients);
    for (unsigned round = 0; round < END_ROUNDS; round++) {
        settle(simulation, &simulation->children);
        advance(simulation, round < END_ROUNDS / 2 ? 200 : 400000);
        look(simulation);
    }
    if (simulation->profile.settings.session_timeout_ms > 0) {
        tables_check_empty(simulation);
    }
}

static void on_closed(struct server *server)
{
    struct simulation *simulation = container_of(server, struct simulation, server);
    simulation_require(simulation, !simulation->is_server_closed, "the server has closed twice");
    simulation->is_server_closed = true;
}

static void on_settled(struct server *server)
{
    struct simulation *simulation = container_of(server, struct simulation, server);
    simulation_require(simulation, !simulation->is_settled, "the server has settled twice");
    simulation->is_settled = true;
    streamable_settle(&simulation->streamable);
    legacy_sse_settle(&simulation->sse);
}

static void end(struct simulation *simulation)
{
    simulation->phase = SIMULATION_END;
    simulation_note(simulation, "the server is closed");
    if (simulation->profile.has_drain) {
        streamable_drain(&simulation->streamable);
        server_drain(&simulation->server, on_settled);
        look(simulation);
        for (unsigned i = 0; i < 40; i++) {
            step(simulation);
        }
    }
    server_close(&simulation->server, on_closed);
    look(simulation);
    leave(simulation, &simulation->clients);
    leave(simulation, &simulation->modern_clients);
    for (unsigned round = 0; round < END_ROUNDS && !simulation->is_server_closed; round++) {
        settle(simulation, &simulation->children);
        advance(simulation, CALM_STEP_MS);
    }
    simulation_require(simulation, simulation->is_server_closed, "the server does not close");
    for (size_t i = 0; i < simulation->requests.count; i++) {
        const struct request *request = simulation->requests.all[i];
        simulation_require(simulation, request->state != REQUEST_OPEN, "request %u has no end", request->number);
    }
    simulation_require(simulation, simulation->world.timers.count == 0, "%zu timers are left",
                       simulation->world.timers.count);
    legacy_sse_release(&simulation->sse);
    streamable_release(&simulation->streamable);
    fake_world_release(&simulation->world);
}

void simulation_run(struct simulation *simulation)
{
    const struct profile *profile = &simulation->profile;
    server_open(&simulation->server, &simulation->world.port, &profile->command, &profile->settings);
    streamable_init(&simulation->streamable, &simulation->server, &profile->endpoint);
    legacy_sse_init(&simulation->sse, &simulation->server, &profile->sse);
    add_clients(simulation);
    look(simulation);
    for (unsigned i = 0; i < profile->steps; i++) {
        step(simulation);
    }
    if (profile->has_calm) {
        calm(simulation);
        quiet(simulation);
    }
    end(simulation);
}
