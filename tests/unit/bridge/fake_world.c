#include "tests/unit/bridge/fake_world.h"

#include "bridge/base/memory.h"
#include "tests/unit/bridge/fake_child.h"
#include "tests/unit/bridge/fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

enum { FIRST_MS = 1000000 };

uint64_t fake_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t number = *state;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

size_t fake_random_below(uint64_t *state, size_t bound)
{
    return (size_t)(fake_random(state) % bound);
}

char *fake_copy(struct slice bytes)
{
    char *block = malloc(bytes.size);
    assert_true(block != NULL || bytes.size == 0);
    if (bytes.size > 0) {
        memcpy(block, bytes.data, bytes.size);
    }
    return block;
}

void fake_free(char *block, size_t size)
{
    if (block != NULL) {
        memset(block, 0xdd, size);
    }
    free(block);
}

static void fill_random(struct world *port, void *bytes, size_t size)
{
    struct fake_world *world = container_of(port, struct fake_world, port);
    unsigned char *out = bytes;
    for (size_t i = 0; i < size; i++) {
        out[i] = (unsigned char)fake_random(&world->random_state);
    }
}

static void authenticate(struct world *port, const struct slice *parts, size_t count, uint8_t mac[32])
{
    struct fake_world *world = container_of(port, struct fake_world, port);
    crypto_auth_hmacsha256_state hash;
    crypto_auth_hmacsha256_init(&hash, (const unsigned char *)&world->secret, sizeof(world->secret));
    for (size_t i = 0; i < count; i++) {
        crypto_auth_hmacsha256_update(&hash, (const unsigned char *)parts[i].data, parts[i].size);
    }
    crypto_auth_hmacsha256_final(&hash, mac);
}

static void write_log(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
    struct fake_world *world = container_of(log, struct fake_world, log);
    assert_null(memchr(text.data, '\n', text.size));
    world->logged[level]++;
    buffer_add(&world->log_text, scope);
    buffer_add_text(&world->log_text, ": ");
    buffer_add(&world->log_text, text);
    buffer_add_text(&world->log_text, "\n");
}

void fake_world_init(struct fake_world *world, uint64_t seed)
{
    *world = (struct fake_world){
        .port = {.timers = &world->timers,
                 .log = &world->log,
                 .version = "1.2.3",
                 .random = fill_random,
                 .authenticate = authenticate,
                 .child_open = fake_child_open},
        .log = {.level = LOG_LEVEL_DEBUG, .write = write_log},
        .random_state = seed,
    };
    timers_init(&world->timers, FIRST_MS);
    buffer_init(&world->log_text, 0);
    list_init(&world->children);
    list_init(&world->exchanges);
}

void fake_world_release(struct fake_world *world)
{
    struct list *link;
    while ((link = list_take_first(&world->exchanges)) != NULL) {
        fake_exchange_free(container_of(link, struct fake_exchange, link));
    }
    while ((link = list_take_first(&world->children)) != NULL) {
        fake_child_free(container_of(link, struct fake_child, link));
    }
    assert_int_equal(world->timers.count, 0);
    timers_release(&world->timers);
    buffer_release(&world->log_text);
}

int fake_world_set_up(void **state)
{
    struct fake_world *world = memory_new(sizeof(*world));
    fake_world_init(world, 1);
    *state = world;
    return 0;
}

int fake_world_tear_down(void **state)
{
    fake_world_release(*state);
    free(*state);
    return 0;
}

void fake_world_advance(struct fake_world *world, uint64_t delay_ms)
{
    uint64_t end_ms = world->timers.now_ms + delay_ms;
    while (timers_next_ms(&world->timers) <= end_ms) {
        timers_run(&world->timers, timers_next_ms(&world->timers));
    }
    timers_run(&world->timers, end_ms);
}

void fake_world_finish_children(struct fake_world *world)
{
    LIST_FOR_EACH(link, &world->children) {
        struct fake_child *child = container_of(link, struct fake_child, link);
        if (child->state != FAKE_CHILD_CLOSED) {
            fake_child_finish(child);
        }
    }
}

bool fake_world_has_logged(const struct fake_world *world, const char *text)
{
    struct slice all = buffer_slice(&world->log_text);
    return memmem(all.data, all.size, text, strlen(text)) != NULL;
}
