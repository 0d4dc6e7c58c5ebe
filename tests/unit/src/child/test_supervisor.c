#include "src/child/supervisor.h"

#include "tests/unit/src/child/child_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static void close_child(struct child_fixture *fixture)
{
    fixture->child->operations->close(fixture->child);
}

static void settle(struct child_fixture *fixture)
{
    fixture->child->operations->settled(fixture->child);
}

static void expect_end(const struct child_fixture *fixture, uint64_t retry_ms, unsigned failures_in_a_row)
{
    assert_int_equal(fixture->end.retry_ms, retry_ms);
    assert_int_equal(fixture->end.failures_in_a_row, failures_in_a_row);
}

static void a_child_that_fails_is_started_again_with_growing_delays(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exit 1");
    child_fixture_wait_for_downs(fixture, 1);
    expect_end(fixture, 80, 1);
    loop_fixture_advance(&fixture->base, 79);
    assert_int_equal(fixture->ups, 1);
    loop_fixture_advance(&fixture->base, 1);
    assert_int_equal(fixture->ups, 2);
    child_fixture_wait_for_downs(fixture, 2);
    expect_end(fixture, 160, 2);
    loop_fixture_advance(&fixture->base, 160);
    child_fixture_wait_for_downs(fixture, 3);
    expect_end(fixture, 320, 3);
}

static void a_settled_child_is_started_again_at_once(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "read line; exit 2");
    settle(fixture);
    loop_fixture_advance(&fixture->base, 1000);
    child_fixture_write(fixture, "go");
    child_fixture_wait_for_downs(fixture, 1);
    expect_end(fixture, 0, 0);
    assert_int_equal(fixture->end.written_bytes, 3);
    child_fixture_wait_for_ups(fixture, 2);
    child_fixture_write(fixture, "again");
    child_fixture_wait_for_downs(fixture, 2);
    expect_end(fixture, 80, 1);
    assert_int_equal(fixture->end.written_bytes, 6);
}

static void a_settled_child_that_ends_soon_waits_the_first_step_each_time(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exit 2");
    settle(fixture);
    child_fixture_wait_for_downs(fixture, 1);
    expect_end(fixture, 80, 0);
    loop_fixture_advance(&fixture->base, 80);
    settle(fixture);
    child_fixture_wait_for_downs(fixture, 2);
    expect_end(fixture, 80, 0);
}

static void an_end_is_logged_with_the_plan_and_the_last_words(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "echo 'no such key' >&2; exit 4");
    child_fixture_wait_for_downs(fixture, 1);
    assert_true(loop_fixture_has_logged(&fixture->base, "info test: started, pid "));
    assert_true(loop_fixture_has_logged(&fixture->base, "warn test: exited with status 4; next start in 80 ms; "
                                                        "its last line on stderr: no such key\n"));
}

static void a_command_that_is_missing_is_told_and_tried_again(void **state)
{
    static char missing[] = "no-such-command";
    struct child_fixture *fixture = *state;
    fixture->argv[0] = missing;
    child_fixture_start_command(fixture);
    child_fixture_wait_for_downs(fixture, 1);
    assert_string_equal(fixture->end_text, "could not be started: command not found: no-such-command");
    expect_end(fixture, 80, 1);
    loop_fixture_advance(&fixture->base, 80);
    assert_int_equal(fixture->downs, 2);
    assert_int_equal(fixture->ups, 0);
}

/* A command that is there, so that only the start itself can fail. */
static void start_with_a_missing_launcher(struct child_fixture *fixture)
{
    static char command[] = "/bin/true";
    fixture->argv[0] = command;
    fixture->settings.process.launcher = "/no/such/launcher";
    child_fixture_start_command(fixture);
}

static void a_start_that_fails_counts_as_an_end(void **state)
{
    struct child_fixture *fixture = *state;
    start_with_a_missing_launcher(fixture);
    child_fixture_wait_for_downs(fixture, 1);
    assert_string_equal(fixture->end_text, "could not be started: no such file or directory");
    assert_int_equal(fixture->ups, 0);
    expect_end(fixture, 80, 1);
}

static void a_close_during_a_failing_start_tells_of_no_end(void **state)
{
    struct child_fixture *fixture = *state;
    start_with_a_missing_launcher(fixture);
    loop_fixture_advance(&fixture->base, 0);
    assert_true(loop_fixture_has_logged(&fixture->base, "waiting -> failing"));
    close_child(fixture);
    child_fixture_wait_for_close(fixture);
    assert_int_equal(fixture->downs, 0);
}

static void too_many_open_files_are_survived(void **state)
{
    static char command[] = "/bin/true";
    struct rlimit limit;
    struct child_fixture *fixture = *state;
    fixture->argv[0] = command;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = {.rlim_cur = 1, .rlim_max = limit.rlim_max};
    child_fixture_start_command(fixture);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    loop_fixture_advance(&fixture->base, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    child_fixture_wait_for_downs(fixture, 1);
    assert_string_equal(fixture->end_text, "could not be started: too many open files");
    loop_fixture_advance(&fixture->base, 80);
    assert_int_equal(fixture->ups, 1);
}

static void a_restart_stops_the_process_and_starts_another(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exec cat");
    settle(fixture);
    loop_fixture_advance(&fixture->base, 1000);
    fixture->child->operations->restart(fixture->child, "it does not answer");
    fixture->child->operations->restart(fixture->child, "nor now");
    assert_int_equal(child_fixture_write(fixture, "too late"), 9);
    child_fixture_wait_for_ups(fixture, 2);
    assert_int_equal(fixture->downs, 1);
    assert_int_equal(fixture->end.written_bytes, 0);
    assert_true(loop_fixture_has_logged(&fixture->base, "warn test: restarting it: it does not answer\n"));
    assert_false(loop_fixture_has_logged(&fixture->base, "nor now"));
    assert_int_equal(child_fixture_write(fixture, "in time"), 8);
    child_fixture_wait_for_lines(fixture, 1);
}

static void a_close_during_a_restart_wins(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exec cat");
    fixture->child->operations->restart(fixture->child, "it does not answer");
    close_child(fixture);
    child_fixture_wait_for_close(fixture);
    assert_int_equal(fixture->ups, 1);
    assert_int_equal(fixture->downs, 1);
}

static void a_child_may_be_closed_before_its_first_start(void **state)
{
    static char command[] = "/bin/true";
    struct child_fixture *fixture = *state;
    fixture->argv[0] = command;
    child_fixture_start_command(fixture);
    close_child(fixture);
    close_child(fixture);
    assert_non_null(fixture->child);
    child_fixture_wait_for_close(fixture);
    assert_int_equal(fixture->ups + fixture->downs, 0);
}

static void a_child_may_be_closed_while_it_waits_for_its_next_start(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exit 1");
    child_fixture_wait_for_downs(fixture, 1);
    close_child(fixture);
    child_fixture_wait_for_close(fixture);
    assert_int_equal(fixture->downs, 1);
}

static void a_child_may_be_closed_from_its_end(void **state)
{
    struct child_fixture *fixture = *state;
    fixture->on_down = close_child;
    child_fixture_start(fixture, "exit 1");
    child_fixture_wait_for_close(fixture);
    assert_int_equal(fixture->downs, 1);
    assert_int_equal(fixture->ups, 1);
}

static void a_close_is_idempotent(void **state)
{
    struct child_fixture *fixture = *state;
    fixture->on_down = close_child;
    child_fixture_start(fixture, "exec cat");
    close_child(fixture);
    close_child(fixture);
    child_fixture_wait_for_close(fixture);
    assert_int_equal(fixture->downs, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, child_fixture_set_up, child_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_child_that_fails_is_started_again_with_growing_delays),
        TEST(a_settled_child_is_started_again_at_once),
        TEST(a_settled_child_that_ends_soon_waits_the_first_step_each_time),
        TEST(an_end_is_logged_with_the_plan_and_the_last_words),
        TEST(a_command_that_is_missing_is_told_and_tried_again),
        TEST(a_start_that_fails_counts_as_an_end),
        TEST(a_close_during_a_failing_start_tells_of_no_end),
        TEST(too_many_open_files_are_survived),
        TEST(a_restart_stops_the_process_and_starts_another),
        TEST(a_close_during_a_restart_wins),
        TEST(a_child_may_be_closed_before_its_first_start),
        TEST(a_child_may_be_closed_while_it_waits_for_its_next_start),
        TEST(a_child_may_be_closed_from_its_end),
        TEST(a_close_is_idempotent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
