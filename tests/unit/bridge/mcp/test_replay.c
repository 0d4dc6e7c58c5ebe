#include "bridge/mcp/replay.h"

#include "bridge/base/memory.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { AGE_MS = 1000 };

struct fixture {
    struct fake_world world;
    struct replay_store store;
    struct replay replay;
    struct replay other; /* another session's */
    char visited[512];   /* the events of the last visit */
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    fake_world_init(&fixture->world, 1);
    replay_store_init(&fixture->store, &fixture->world.timers, 4096, AGE_MS);
    replay_init(&fixture->replay, &fixture->store);
    replay_init(&fixture->other, &fixture->store);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    replay_release(&fixture->replay);
    replay_release(&fixture->other);
    assert_int_equal(fixture->store.bytes, 0);
    replay_store_release(&fixture->store);
    fake_world_release(&fixture->world);
    free(fixture);
    return 0;
}

/* Adds an event of this text, or of so many bytes; requires its id. */
static void add(struct replay_stream *stream, const char *text, const char *id)
{
    struct event_id given;
    struct slice parts[2] = {slice_of(text, 1), slice_text(text + 1)};
    assert_true(slice_is(replay_add(stream, &given, parts, 2), id));
}

static void add_bytes(struct replay_stream *stream, size_t size)
{
    struct event_id given;
    char *bytes = memory_new(size);
    struct slice part = slice_of(bytes, size);
    replay_add(stream, &given, &part, 1);
    free(bytes);
}

static void append(void *context, struct slice id, struct slice data)
{
    struct fixture *fixture = context;
    size_t size = strlen(fixture->visited);
    snprintf(fixture->visited + size, sizeof(fixture->visited) - size, "%.*s=%.*s ", SLICE_PRINT(id),
             SLICE_PRINT(data));
}

static bool is_found(const struct replay *replay, const char *id)
{
    uint64_t number;
    return replay_find(replay, slice_text(id), &number) != NULL;
}

/* Requires that who comes back with this id is given these events. */
static void expect_replay(struct fixture *fixture, const char *id, const char *events)
{
    uint64_t number;
    const struct replay_stream *stream = replay_find(&fixture->replay, slice_text(id), &number);
    assert_non_null(stream);
    fixture->visited[0] = '\0';
    replay_visit(stream, number, append, fixture);
    assert_string_equal(fixture->visited, events);
}

/* What an event of this size counts for. */
static size_t weigh(struct fixture *fixture, size_t size)
{
    add_bytes(replay_open(&fixture->other, false), size);
    size_t weight = fixture->other.bytes;
    replay_release(&fixture->other);
    replay_init(&fixture->other, &fixture->store);
    return weight;
}

static void what_came_after_an_id_is_replayed(void **state)
{
    struct fixture *fixture = *state;
    struct event_id id;
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    struct replay_stream *listen = replay_open(&fixture->replay, true);
    assert_true(slice_is(replay_first_id(stream, &id), "1-0"));
    assert_true(slice_is(replay_first_id(listen, &id), "L2-0"));
    add(stream, "one", "1-1");
    add(listen, "two", "L2-1");
    add(stream, "three", "1-2");
    expect_replay(fixture, "1-0", "1-1=one 1-2=three ");
    expect_replay(fixture, "1-1", "1-2=three ");
    expect_replay(fixture, "1-2", "");
    expect_replay(fixture, "L2-0", "L2-1=two ");
}

static void an_id_that_was_never_given_is_not_found(void **state)
{
    static const char *const ids[] = {"",    "1",     "1-",   "-1",   "1-3",  "2-0",  "3-0",  "L1-0", "L",
                                      "L-1", "LL2-0", "l2-0", "1-1x", "1 -1", "01-1", "1--1", "1-1-1"};
    struct fixture *fixture = *state;
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    replay_open(&fixture->replay, true);
    add(stream, "one", "1-1");
    add(stream, "two", "1-2");
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (is_found(&fixture->replay, ids[i])) {
            fail_msg("found: %s", ids[i]);
        }
    }
    assert_true(is_found(&fixture->replay, "1-2"));
    assert_false(is_found(&fixture->other, "1-2"));
}

static void a_session_keeps_as_much_as_it_may_and_the_oldest_goes(void **state)
{
    struct fixture *fixture = *state;
    fixture->store.max_session_bytes = 3 * weigh(fixture, 100);
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    for (size_t i = 0; i < 3; i++) {
        add_bytes(stream, 100);
    }
    assert_int_equal(fixture->replay.bytes, fixture->store.max_session_bytes);
    assert_int_equal(fixture->store.evicted, 0);
    assert_true(is_found(&fixture->replay, "1-0"));
    add_bytes(stream, 1);
    assert_int_equal(fixture->store.evicted, 1);
    assert_false(is_found(&fixture->replay, "1-0"));
    assert_true(is_found(&fixture->replay, "1-1"));
}

static void all_sessions_keep_as_much_as_they_may_and_anybodys_oldest_goes(void **state)
{
    struct fixture *fixture = *state;
    fixture->store.max_bytes = 2 * weigh(fixture, 100);
    struct replay_stream *older = replay_open(&fixture->other, false);
    struct replay_stream *newer = replay_open(&fixture->replay, false);
    add_bytes(older, 100);
    add_bytes(newer, 100);
    assert_int_equal(fixture->store.bytes, fixture->store.max_bytes);
    assert_true(is_found(&fixture->other, "1-0"));
    add_bytes(newer, 100);
    assert_false(is_found(&fixture->other, "1-0"));
    assert_true(is_found(&fixture->replay, "1-0"));
    assert_int_equal(fixture->store.evicted, 1);
}

static void what_is_too_large_to_keep_takes_no_place_from_others(void **state)
{
    struct fixture *fixture = *state;
    size_t weight = weigh(fixture, 100);
    fixture->store.max_session_bytes = weight;
    struct replay_stream *one = replay_open(&fixture->replay, false);
    struct replay_stream *other = replay_open(&fixture->replay, false);
    add_bytes(one, 100);
    add_bytes(other, 101);
    assert_int_equal(fixture->replay.bytes, weight);
    assert_true(is_found(&fixture->replay, "1-0"));
    assert_false(is_found(&fixture->replay, "2-0"));
    assert_true(is_found(&fixture->replay, "2-1"));
    fixture->store.max_session_bytes = 10 * weight;
    fixture->store.max_bytes = weight;
    add_bytes(other, 101);
    assert_true(is_found(&fixture->replay, "1-0"));
    assert_false(is_found(&fixture->replay, "2-1"));
}

/* Though an event before it, which was kept, goes later. */
static void what_was_too_large_to_keep_stays_lost(void **state)
{
    struct fixture *fixture = *state;
    fixture->store.max_session_bytes = weigh(fixture, 100);
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    add_bytes(stream, 10);
    add_bytes(stream, 101);
    assert_false(is_found(&fixture->replay, "1-1"));
    fake_world_advance(&fixture->world, AGE_MS);
    assert_int_equal(fixture->replay.bytes, 0);
    assert_false(is_found(&fixture->replay, "1-0"));
    assert_false(is_found(&fixture->replay, "1-1"));
    assert_true(is_found(&fixture->replay, "1-2"));
}

static void each_event_goes_when_it_is_old(void **state)
{
    struct fixture *fixture = *state;
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    add(stream, "one", "1-1");
    fake_world_advance(&fixture->world, AGE_MS - 1);
    add(stream, "two", "1-2");
    expect_replay(fixture, "1-0", "1-1=one 1-2=two ");
    fake_world_advance(&fixture->world, 1);
    assert_false(is_found(&fixture->replay, "1-0"));
    expect_replay(fixture, "1-1", "1-2=two ");
    fake_world_advance(&fixture->world, AGE_MS - 2);
    expect_replay(fixture, "1-1", "1-2=two ");
    fake_world_advance(&fixture->world, 1);
    assert_false(is_found(&fixture->replay, "1-1"));
    expect_replay(fixture, "1-2", "");
    assert_int_equal(fixture->store.evicted, 0);
}

static void a_stream_that_is_over_goes_with_the_last_of_its_events(void **state)
{
    struct fixture *fixture = *state;
    struct replay_stream *empty = replay_open(&fixture->replay, false);
    struct replay_stream *stream = replay_open(&fixture->replay, false);
    add(stream, "one", "2-1");
    replay_end(empty);
    replay_end(stream);
    assert_false(is_found(&fixture->replay, "1-0"));
    expect_replay(fixture, "2-0", "2-1=one ");
    fake_world_advance(&fixture->world, AGE_MS);
    assert_false(is_found(&fixture->replay, "2-1"));
    assert_true(list_is_empty(&fixture->replay.streams));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_came_after_an_id_is_replayed),
        TEST(an_id_that_was_never_given_is_not_found),
        TEST(a_session_keeps_as_much_as_it_may_and_the_oldest_goes),
        TEST(all_sessions_keep_as_much_as_they_may_and_anybodys_oldest_goes),
        TEST(what_is_too_large_to_keep_takes_no_place_from_others),
        TEST(what_was_too_large_to_keep_stays_lost),
        TEST(each_event_goes_when_it_is_old),
        TEST(a_stream_that_is_over_goes_with_the_last_of_its_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
