#include "src/activation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The result with these variables, of which nothing may be left. LISTEN_PID is our own number plus `offset`. */
static int take(int offset, const char *count, struct error *error)
{
    char number[32];
    snprintf(number, sizeof(number), "%d", (int)getpid() + offset);
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDNAMES", "mcp", 1);
    unsetenv("LISTEN_FDS");
    if (count != NULL) {
        setenv("LISTEN_FDS", count, 1);
    }
    int result = activation_take(error);
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_FDNAMES"));
    return result;
}

static void one_socket_is_the_first_descriptor_behind_the_standard_ones(void **state)
{
    struct error error;
    (void)state;
    assert_int_equal(take(0, "1", &error), 3);
}

static void several_are_an_error(void **state)
{
    struct error error;
    (void)state;
    assert_int_equal(take(0, "2", &error), -1);
    assert_string_equal(error.text, "2 sockets were handed over (LISTEN_FDS); it can be one");
}

static void what_was_meant_for_another_process_is_not_ours(void **state)
{
    struct error error;
    (void)state;
    assert_int_equal(take(1, "1", &error), 0);
    assert_int_equal(take(0, NULL, &error), 0);
    assert_int_equal(take(0, "0", &error), 0);
    assert_int_equal(take(0, "x", &error), 0);
    assert_int_equal(take(0, "-1", &error), 0);
    assert_int_equal(activation_take(&error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_socket_is_the_first_descriptor_behind_the_standard_ones),
        cmocka_unit_test(several_are_an_error),
        cmocka_unit_test(what_was_meant_for_another_process_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
