#include "src/child/process_end.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <uv.h>

#include <cmocka.h>

static void expect(const struct process_end *end, const char *expected)
{
    char text[PROCESS_END_TEXT_SIZE];
    process_end_describe(end, text);
    assert_string_equal(text, expected);
}

static void an_exit_is_told_with_its_status(void **state)
{
    (void)state;
    expect(&(struct process_end){.exit_status = 0}, "exited with status 0");
    expect(&(struct process_end){.exit_status = 3}, "exited with status 3");
}

static void a_signal_is_told_with_its_number_and_name(void **state)
{
    (void)state;
    expect(&(struct process_end){.signal = SIGKILL}, "was killed by signal 9 (SIGKILL)");
    expect(&(struct process_end){.signal = SIGTERM}, "was killed by signal 15 (SIGTERM)");
}

static void a_signal_that_has_no_name_is_told_with_its_number(void **state)
{
    (void)state;
    expect(&(struct process_end){.signal = 63}, "was killed by signal 63");
}

static void a_failed_start_is_told_with_its_reason(void **state)
{
    (void)state;
    expect(&(struct process_end){.start_error = UV_ENOENT}, "could not be started: no such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exit_is_told_with_its_status),
        cmocka_unit_test(a_signal_is_told_with_its_number_and_name),
        cmocka_unit_test(a_signal_that_has_no_name_is_told_with_its_number),
        cmocka_unit_test(a_failed_start_is_told_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
