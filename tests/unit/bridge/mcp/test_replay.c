#include "bridge/mcp/replay.h"

#include "bridge/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX_BYTES = 1000 };

struct fixture {
    struct timers timers;
    struct replay_store store;
    struct replay replay;
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    timers_init(&fixture->timers, 1);
    replay_store_init(&fixture->store, &fixture->timers, MAX_BYTES, 1000);
    replay_init(&fixture->replay, &fixture->store);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    replay_release(&fixture->replay);
    replay_store_release(&fixture->store);
    timers_release(&fixture->timers);
    free(fixture);
    return 0;
}

/* Adds an event of this size, and requires its id. */
static void add(struct replay_stream *stream, size_t size, const char *id)
{
    static const char bytes[2 * MAX_BYTES];
    struct event_id text;
    const struct slice part = slice_of(bytes, size);
    assert_true(slice_is(replay_add(stream, &text, &part, 1), id));
}

static void count(void *context, struct slice id, struct slice data)
{
    (void)id;
    (void)data;
    ++*(size_t *)context;
}

/* How many events a client gets that comes back with this id; none that it has not seen may be lost. */
static size_t events_after(struct fixture *fixture, const char *id)
{
    uint64_t number;
    size_t events = 0;
    struct replay_stream *stream = replay_find(&fixture->replay, slice_text(id), &number);
    assert_non_null(stream);
    replay_visit(stream, number, count, &events);
    return events;
}

static bool is_known(struct fixture *fixture, const char *id)
{
    uint64_t number;
    return replay_find(&fixture->replay, slice_text(id), &number) != NULL;
}

static void a_client_gets_what_came_after_the_event_that_it_names(void **state)
{
    struct fixture *fixture = *state;
    struct replay_stream *first = replay_open(&fixture->replay, false);
    struct replay_stream *second = replay_open(&fixture->replay, true);
    add(first, 1, "1-1");
    add(second, 1, "L2-1");
    add(first, 1, "1-2");
    assert_int_equal(events_after(fixture, "1-0"), 2);
    assert_int_equal(events_after(fixture, "1-1"), 1);
    assert_int_equal(events_after(fixture, "1-2"), 0);
    assert_int_equal(events_after(fixture, "L2-0"), 1);
    assert_false(is_known(fixture, "1-3"));
    assert_false(is_known(fixture, "2-0"));
    assert_false(is_known(fixture, "L1-0"));
    assert_false(is_known(fixture, "3-0"));
}

static void nobody_goes_on_across_an_event_that_made_room(void **state)
{
    struct fixture *fixture = *state;
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    add(stream, MAX_BYTES / 2, "1-1");
    add(stream, MAX_BYTES / 2, "1-2");
    assert_int_equal(fixture->store.evicted, 1);
    assert_false(is_known(fixture, "1-0"));
    assert_int_equal(events_after(fixture, "1-1"), 1);
}

static void an_event_that_is_too_long_to_be_kept_stays_lost_when_older_ones_go(void **state)
{
    struct fixture *fixture = *state;
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    add(stream, MAX_BYTES / 2, "1-1");
    add(stream, 2 * MAX_BYTES, "1-2");
    assert_false(is_known(fixture, "1-1"));
    add(stream, MAX_BYTES / 2, "1-3");
    assert_int_equal(fixture->store.evicted, 1);
    assert_false(is_known(fixture, "1-1"));
    assert_int_equal(events_after(fixture, "1-2"), 1);
}

static void events_are_forgotten_at_their_age_and_the_stream_with_the_last(void **state)
{
    struct fixture *fixture = *state;
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    add(stream, 1, "1-1");
    timers_run(&fixture->timers, 501);
    add(stream, 1, "1-2");
    replay_end(stream);
    timers_run(&fixture->timers, 1001);
    assert_false(is_known(fixture, "1-0"));
    assert_int_equal(events_after(fixture, "1-1"), 1);
    timers_run(&fixture->timers, 1501);
    assert_false(is_known(fixture, "1-2"));
    assert_int_equal(fixture->replay.bytes, 0);
    assert_int_equal(fixture->store.bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_gets_what_came_after_the_event_that_it_names),
        TEST(nobody_goes_on_across_an_event_that_made_room),
        TEST(an_event_that_is_too_long_to_be_kept_stays_lost_when_older_ones_go),
        TEST(events_are_forgotten_at_their_age_and_the_stream_with_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
