#include "bridge/base/timer.h"

#include "bridge/base/memory.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 2000 };

struct alarm_clock {
    struct timers timers;
    unsigned earlier; /* calls of on_earlier */
    uint64_t hand_ms; /* what `clock` says */
};

struct alarm {
    struct timer timer;
    struct alarm_clock *clock;
    uint64_t fired_ms;
    unsigned firings;
};

static void on_earlier(struct timers *timers)
{
    container_of(timers, struct alarm_clock, timers)->earlier++;
}

static uint64_t read_hand(struct timers *timers)
{
    return container_of(timers, struct alarm_clock, timers)->hand_ms;
}

static void set_up(struct alarm_clock *clock)
{
    *clock = (struct alarm_clock){0};
    timers_init(&clock->timers, 100);
    clock->timers.on_earlier = on_earlier;
}

static void ring(struct timer *timer)
{
    struct alarm *alarm = container_of(timer, struct alarm, timer);
    assert_false(timer_is_running(timer));
    alarm->firings++;
    alarm->fired_ms = timers_now(&alarm->clock->timers);
}

static void a_timer_fires_once_at_its_time_and_not_before(void **state)
{
    struct alarm_clock clock;
    struct alarm alarm = {.clock = &clock};
    (void)state;
    set_up(&clock);
    assert_true(timers_next_ms(&clock.timers) == UINT64_MAX);
    timer_start(&clock.timers, &alarm.timer, 50, ring);
    assert_true(timer_is_running(&alarm.timer));
    assert_int_equal(timers_next_ms(&clock.timers), 150);
    timers_run(&clock.timers, 149);
    assert_int_equal(alarm.firings, 0);
    timers_run(&clock.timers, 150);
    assert_int_equal(alarm.firings, 1);
    timers_run(&clock.timers, 1000);
    assert_int_equal(alarm.firings, 1);
    timers_release(&clock.timers);
}

static void a_timer_without_delay_fires_at_the_next_run(void **state)
{
    struct alarm_clock clock;
    struct alarm alarm = {.clock = &clock};
    (void)state;
    set_up(&clock);
    timer_start(&clock.timers, &alarm.timer, 0, ring);
    assert_int_equal(alarm.firings, 0);
    timers_run(&clock.timers, 100);
    assert_int_equal(alarm.firings, 1);
    timers_release(&clock.timers);
}

static void a_timer_that_is_started_again_moves(void **state)
{
    struct alarm_clock clock;
    struct alarm alarm = {.clock = &clock};
    (void)state;
    set_up(&clock);
    timer_start(&clock.timers, &alarm.timer, 50, ring);
    timer_start(&clock.timers, &alarm.timer, 80, ring);
    timers_run(&clock.timers, 179);
    assert_int_equal(alarm.firings, 0);
    timer_start(&clock.timers, &alarm.timer, 5, ring);
    timers_run(&clock.timers, 184);
    assert_int_equal(alarm.firings, 1);
    assert_int_equal(clock.timers.count, 0);
    timers_release(&clock.timers);
}

static void a_stopped_timer_does_not_fire_and_may_be_stopped_again(void **state)
{
    struct alarm_clock clock;
    struct alarm alarm = {.clock = &clock};
    (void)state;
    set_up(&clock);
    timer_stop(&clock.timers, &alarm.timer);
    timer_start(&clock.timers, &alarm.timer, 50, ring);
    timer_stop(&clock.timers, &alarm.timer);
    timer_stop(&clock.timers, &alarm.timer);
    assert_false(timer_is_running(&alarm.timer));
    timers_run(&clock.timers, 1000);
    assert_int_equal(alarm.firings, 0);
    timers_release(&clock.timers);
    timers_release(NULL);
}

static void the_driver_hears_of_an_earlier_deadline_only(void **state)
{
    struct alarm_clock clock;
    struct alarm alarms[3] = {{.clock = &clock}, {.clock = &clock}, {.clock = &clock}};
    (void)state;
    set_up(&clock);
    timer_start(&clock.timers, &alarms[0].timer, 50, ring);
    assert_int_equal(clock.earlier, 1);
    timer_start(&clock.timers, &alarms[1].timer, 60, ring);
    assert_int_equal(clock.earlier, 1);
    timer_start(&clock.timers, &alarms[2].timer, 40, ring);
    assert_int_equal(clock.earlier, 2);
    timers_run(&clock.timers, 1000);
    timers_release(&clock.timers);
}

static void time_never_goes_back(void **state)
{
    struct alarm_clock clock;
    (void)state;
    set_up(&clock);
    timers_run(&clock.timers, 90);
    assert_int_equal(timers_now(&clock.timers), 100);
    clock.timers.clock = read_hand;
    clock.hand_ms = 500;
    assert_int_equal(timers_now(&clock.timers), 500);
    clock.hand_ms = 400;
    assert_int_equal(timers_now(&clock.timers), 500);
    timers_release(&clock.timers);
}

static void a_delay_counts_from_the_clock_and_not_from_the_last_run(void **state)
{
    struct alarm_clock clock;
    struct alarm alarm = {.clock = &clock};
    (void)state;
    set_up(&clock);
    clock.timers.clock = read_hand;
    clock.hand_ms = 700;
    timer_start(&clock.timers, &alarm.timer, 50, ring);
    assert_int_equal(timers_next_ms(&clock.timers), 750);
    timers_run(&clock.timers, 750);
    assert_int_equal(alarm.firings, 1);
    timers_release(&clock.timers);
}

struct chain {
    struct timer first;
    struct timer second;
    struct alarm_clock *clock;
    unsigned firings;
};

static void ring_and_start_again(struct timer *timer)
{
    struct chain *chain = container_of(timer, struct chain, first);
    timer_stop(&chain->clock->timers, &chain->second);
    if (++chain->firings < 3) {
        timer_start(&chain->clock->timers, timer, 10, ring_and_start_again);
    }
}

static void never(struct timer *timer)
{
    assert_null(timer);
}

static void a_timer_may_start_itself_and_stop_another_when_it_fires(void **state)
{
    struct alarm_clock clock;
    struct chain chain = {.clock = &clock};
    (void)state;
    set_up(&clock);
    timer_start(&clock.timers, &chain.first, 10, ring_and_start_again);
    timer_start(&clock.timers, &chain.second, 10, never);
    timers_run(&clock.timers, 110);
    assert_int_equal(chain.firings, 1);
    timers_run(&clock.timers, 120);
    timers_run(&clock.timers, 130);
    assert_int_equal(chain.firings, 3);
    timers_release(&clock.timers);
}

/* Starts, moves and stops at random; the heap must agree with a plain search. */
static void many_timers_fire_in_the_order_of_their_deadlines(void **state)
{
    struct alarm_clock clock;
    struct alarm *alarms = memory_new(MANY * sizeof(*alarms));
    uint64_t seed = 3;
    (void)state;
    set_up(&clock);
    for (int turn = 0; turn < 10 * MANY; turn++) {
        struct alarm *alarm = &alarms[fake_random_below(&seed, MANY)];
        alarm->clock = &clock;
        if (fake_random_below(&seed, 4) == 0) {
            timer_stop(&clock.timers, &alarm->timer);
        } else {
            timer_start(&clock.timers, &alarm->timer, fake_random_below(&seed, 100000), ring);
        }
    }
    uint64_t last_ms = 0;
    while (clock.timers.count > 0) {
        uint64_t first_ms = UINT64_MAX;
        for (size_t i = 0; i < MANY; i++) {
            if (timer_is_running(&alarms[i].timer) && alarms[i].timer.deadline_ms < first_ms) {
                first_ms = alarms[i].timer.deadline_ms;
            }
        }
        assert_int_equal(timers_next_ms(&clock.timers), first_ms);
        assert_true(first_ms >= last_ms);
        last_ms = first_ms;
        timers_run(&clock.timers, first_ms);
    }
    timers_release(&clock.timers);
    free(alarms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once_at_its_time_and_not_before),
        cmocka_unit_test(a_timer_without_delay_fires_at_the_next_run),
        cmocka_unit_test(a_timer_that_is_started_again_moves),
        cmocka_unit_test(a_stopped_timer_does_not_fire_and_may_be_stopped_again),
        cmocka_unit_test(the_driver_hears_of_an_earlier_deadline_only),
        cmocka_unit_test(time_never_goes_back),
        cmocka_unit_test(a_delay_counts_from_the_clock_and_not_from_the_last_run),
        cmocka_unit_test(a_timer_may_start_itself_and_stop_another_when_it_fires),
        cmocka_unit_test(many_timers_fire_in_the_order_of_their_deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
