#include "src/child/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_delay_doubles_from_100_ms_to_30_s(void **state)
{
    static const uint64_t steps[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    struct backoff backoff = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        uint64_t spread = steps[i] / 5;
        assert_int_equal(backoff_next_ms(&backoff, (uint32_t)spread), steps[i]);
    }
}

static void chance_moves_a_delay_by_20_percent_at_most(void **state)
{
    (void)state;
    for (uint32_t random = 0; random < 1000; random++) {
        struct backoff backoff = {0};
        uint64_t delay_ms = backoff_next_ms(&backoff, random * 4294967u);
        assert_in_range(delay_ms, 80, 120);
    }
    struct backoff lowest = {0};
    struct backoff highest = {0};
    assert_int_equal(backoff_next_ms(&lowest, 0), 80);
    assert_int_equal(backoff_next_ms(&highest, 40), 120);
}

static void a_reset_begins_anew(void **state)
{
    struct backoff backoff = {0};
    (void)state;
    (void)backoff_next_ms(&backoff, 20);
    (void)backoff_next_ms(&backoff, 20);
    backoff_reset(&backoff);
    assert_int_equal(backoff_next_ms(&backoff, 20), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_doubles_from_100_ms_to_30_s),
        cmocka_unit_test(chance_moves_a_delay_by_20_percent_at_most),
        cmocka_unit_test(a_reset_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
