#include "src/heap.h"

#include "bridge/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)

#include <malloc.h>

enum { LARGE = 20 << 20, PERIOD_MS = 5 * 1000 };

static size_t resident_bytes(void)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    char *rest = text;
    strtoul(rest, &rest, 10);
    return strtoul(rest, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void use_much_memory(void)
{
    volatile char *block = malloc(LARGE);
    assert_non_null(block);
    for (size_t i = 0; i < LARGE; i += 1024) {
        block[i] = 'x';
    }
    free((void *)(uintptr_t)block);
}

static void freed_memory_is_kept_for_a_while_and_then_given_back(void **state)
{
    struct timers timers;
    struct heap heap;
    (void)state;
    timers_init(&timers, 0);
    heap_start(&heap, &timers);
    use_much_memory();
    size_t before = resident_bytes();
    bool is_glibcs = mallinfo2().fordblks >= LARGE; /* not a sanitizer's or valgrind's */
    timers_run(&timers, PERIOD_MS);
    if (is_glibcs) {
        assert_true(before >= LARGE && resident_bytes() >= before);
    }
    assert_int_equal(timers_next_ms(&timers), 2 * PERIOD_MS);
    timers_run(&timers, 2 * PERIOD_MS);
    if (is_glibcs) {
        assert_true(resident_bytes() < before - LARGE / 2);
    }
    heap_stop(&heap);
    assert_int_equal(timers_next_ms(&timers), UINT64_MAX);
    timers_release(&timers);
}

/* Large messages that come and go look so: what they took is of use to the next one, but not for ever. */
static void while_much_changes_memory_is_kept_for_six_periods(void **state)
{
    struct timers timers;
    struct heap heap;
    void *blocks[8] = {NULL};
    (void)state;
    timers_init(&timers, 0);
    heap_start(&heap, &timers);
    use_much_memory();
    bool is_glibcs = mallinfo2().fordblks >= LARGE;
    size_t before = resident_bytes();
    for (unsigned period = 1; period <= 6; period++) {
        blocks[period] = period % 2 == 0 ? NULL : malloc(LARGE / 4);
        if (period % 2 == 0) {
            free(blocks[period - 1]);
        }
        timers_run(&timers, period * PERIOD_MS);
        if (is_glibcs) {
            assert_int_equal(resident_bytes() < before - LARGE / 2, period == 6);
        }
    }
    heap_stop(&heap);
    timers_release(&timers);
}

#else

static void while_much_changes_memory_is_kept_for_six_periods(void **state)
{
    (void)state;
    skip();
}

static void freed_memory_is_kept_for_a_while_and_then_given_back(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freed_memory_is_kept_for_a_while_and_then_given_back),
        cmocka_unit_test(while_much_changes_memory_is_kept_for_six_periods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
