#include "bridge/base/log_limit.h"

#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct fake_world world;
    struct log_limit limit;
};

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fake_world_init(&fixture.world, 1);
    log_limit_init(&fixture.limit, &fixture.world.log, &fixture.world.timers, slice_text("test"), "about tests");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_limit_release(&fixture.limit);
    fake_world_release(&fixture.world);
    return 0;
}

static unsigned take(unsigned count)
{
    unsigned allowed = 0;
    for (unsigned i = 0; i < count; i++) {
        allowed += log_limit_take(&fixture.limit);
    }
    return allowed;
}

static void a_few_lines_pass_and_nothing_is_said_of_them(void **state)
{
    (void)state;
    assert_int_equal(take(10), 10);
    fake_world_advance(&fixture.world, LOG_LIMIT_WINDOW_MS);
    assert_int_equal(fixture.world.log_text.size, 0);
}

static void the_rest_of_a_flood_is_counted_at_the_windows_end(void **state)
{
    (void)state;
    assert_int_equal(take(1000), 10);
    fake_world_advance(&fixture.world, LOG_LIMIT_WINDOW_MS - 1);
    assert_int_equal(fixture.world.log_text.size, 0);
    fake_world_advance(&fixture.world, 1);
    assert_true(fake_world_has_logged(&fixture.world, "test: 990 more lines about tests dropped\n"));
}

static void each_window_has_its_own_lines(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(take(20), 10);
        fake_world_advance(&fixture.world, LOG_LIMIT_WINDOW_MS);
        assert_int_equal(fixture.world.logged[LOG_LEVEL_WARN], i + 1);
    }
}

static void what_was_dropped_is_told_at_the_end_too_and_once(void **state)
{
    (void)state;
    take(11);
    log_limit_release(&fixture.limit);
    log_limit_release(&fixture.limit);
    assert_true(fake_world_has_logged(&fixture.world, "test: 1 more lines about tests dropped\n"));
    assert_int_equal(fixture.world.logged[LOG_LEVEL_WARN], 1);
    assert_int_equal(take(20), 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_few_lines_pass_and_nothing_is_said_of_them),
        TEST(the_rest_of_a_flood_is_counted_at_the_windows_end),
        TEST(each_window_has_its_own_lines),
        TEST(what_was_dropped_is_told_at_the_end_too_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
