#include "src/child/process.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "tests/unit/src/child/child_fixture.h"
#include "tests/unit/src/child/witness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void expect_output(const struct child_fixture *fixture, const char *expected)
{
    struct slice output = buffer_slice(&fixture->output);
    assert_int_equal(output.size, strlen(expected));
    assert_memory_equal(output.data, expected, output.size);
}

/* The number that the child's output begins with. */
static pid_t told_pid(const struct child_fixture *fixture)
{
    pid_t pid = (pid_t)strtol(buffer_slice(&fixture->output).data, NULL, 10);
    assert_true(pid > 1);
    return pid;
}

static uint64_t write_long(struct child_fixture *fixture, size_t size)
{
    char *bytes = memory_new(size);
    memset(bytes, 'x', size);
    struct slice part = slice_of(bytes, size);
    uint64_t handed = fixture->child->operations->write(fixture->child, &part, 1);
    free(bytes);
    return handed;
}

static bool is_full(const struct child_fixture *fixture)
{
    return fixture->child->operations->is_full(fixture->child);
}

static void close_child(struct child_fixture *fixture)
{
    fixture->child->operations->close(fixture->child);
}

static void lines_go_in_and_come_out(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exec cat");
    assert_int_equal(child_fixture_write(fixture, "one"), 4);
    assert_int_equal(child_fixture_write(fixture, "two"), 8);
    child_fixture_wait_for_lines(fixture, 2);
    expect_output(fixture, "one\ntwo\n");
    close_child(fixture);
    child_fixture_wait_for_close(fixture);
    assert_int_equal(fixture->downs, 1);
    assert_string_equal(fixture->end_text, "exited with status 0");
    assert_int_equal(fixture->end.written_bytes, 8);
    assert_true(fixture->end.retry_ms == UINT64_MAX);
}

static void the_end_tells_the_exit_status(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exit 3");
    child_fixture_wait_for_downs(fixture, 1);
    assert_string_equal(fixture->end_text, "exited with status 3");
}

static void the_end_tells_the_signal(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "kill -9 $$");
    child_fixture_wait_for_downs(fixture, 1);
    assert_string_equal(fixture->end_text, "was killed by signal 9 (SIGKILL)");
}

static void every_line_comes_before_the_end(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "yes | head -n 200000; echo last");
    child_fixture_wait_for_downs(fixture, 1);
    assert_int_equal(fixture->lines, 200001);
    assert_true(child_fixture_has_output(fixture, "y\nlast\n"));
}

static void an_incomplete_last_line_is_dropped_and_logged(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "echo whole; printf part");
    child_fixture_wait_for_downs(fixture, 1);
    expect_output(fixture, "whole\n");
    child_fixture_wait_for_log(fixture, "warn test: dropped an incomplete last line of 4 bytes");
}

static void a_huge_line_passes_and_one_above_the_ceiling_is_dropped_alone(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exec cat");
    write_long(fixture, 1 << 20);
    write_long(fixture, (1 << 20) + 1);
    child_fixture_write(fixture, "after");
    child_fixture_wait_for_lines(fixture, 2);
    assert_int_equal(fixture->longest_line, 1 << 20);
    assert_true(child_fixture_has_output(fixture, "x\nafter\n"));
    child_fixture_wait_for_log(fixture, "dropped a line of 1048577 bytes: more than the 1048576 allowed");
}

static void stderr_goes_to_the_log_and_can_be_opened_by_name(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "echo one >&2; echo two >/dev/stderr; printf three >&2; exec cat");
    child_fixture_wait_for_log(fixture, "info test: two\n");
    close_child(fixture);
    child_fixture_wait_for_log(fixture, "info test: three\n");
    assert_true(loop_fixture_has_logged(&fixture->base, "info test: one\n"));
    assert_int_equal(fixture->lines, 0);
}

static void a_child_has_its_environment_directory_and_session(void **state)
{
    static const char *const environment[] = {"TEST_PROCESS=set", NULL};
    struct child_fixture *fixture = *state;
    fixture->command.environment = environment;
    fixture->command.directory = "/";
    child_fixture_start(fixture, "echo $$; echo $TEST_PROCESS; pwd; exec cat");
    child_fixture_wait_for_lines(fixture, 3);
    assert_true(child_fixture_has_output(fixture, "\nset\n/\n"));
    assert_int_equal(getpgid(told_pid(fixture)), told_pid(fixture));
    assert_int_equal(getsid(told_pid(fixture)), told_pid(fixture));
}

static void what_a_child_says_while_it_stops_is_heard(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "cat; echo bye");
    child_fixture_write(fixture, "last words");
    close_child(fixture);
    child_fixture_wait_for_close(fixture);
    expect_output(fixture, "last words\nbye\n");
    assert_int_equal(fixture->end.written_bytes, 11);
}

static void a_child_that_ignores_the_end_of_stdin_is_terminated(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "echo ready; exec sleep 1000");
    child_fixture_wait_for_lines(fixture, 1);
    close_child(fixture);
    loop_fixture_advance(&fixture->base, CHILD_FIXTURE_GRACE_MS - 1);
    assert_false(loop_fixture_has_logged(&fixture->base, "-> terminating"));
    loop_fixture_advance(&fixture->base, 1);
    child_fixture_wait_for_close(fixture);
    assert_string_equal(fixture->end_text, "was killed by signal 15 (SIGTERM)");
}

static void a_child_that_ignores_sigterm_is_killed(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "trap '' TERM; echo ready; exec sleep 1000");
    child_fixture_wait_for_lines(fixture, 1);
    close_child(fixture);
    loop_fixture_advance(&fixture->base, CHILD_FIXTURE_GRACE_MS);
    loop_fixture_advance(&fixture->base, CHILD_FIXTURE_GRACE_MS - 1);
    assert_true(loop_fixture_has_logged(&fixture->base, "-> terminating"));
    assert_false(loop_fixture_has_logged(&fixture->base, "-> killing"));
    loop_fixture_advance(&fixture->base, 1);
    child_fixture_wait_for_close(fixture);
    assert_string_equal(fixture->end_text, "was killed by signal 9 (SIGKILL)");
}

static void a_stopped_child_is_killed_too(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "trap : TERM; echo $$; while :; do sleep 1000; done");
    child_fixture_wait_for_lines(fixture, 1);
    assert_int_equal(kill(told_pid(fixture), SIGSTOP), 0);
    child_fixture_stop(fixture);
    assert_string_equal(fixture->end_text, "was killed by signal 9 (SIGKILL)");
}

static void a_grandchild_goes_with_the_child(void **state)
{
    struct child_fixture *fixture = *state;
    struct witness witness;
    witness_open(&witness);
    child_fixture_start(fixture, "sleep 1000 & echo ready; exec cat");
    witness_release(&witness);
    child_fixture_wait_for_lines(fixture, 1);
    close_child(fixture);
    child_fixture_wait_for_close(fixture);
    witness_wait(&witness);
    assert_string_equal(fixture->end_text, "exited with status 0");
}

static void a_grandchild_without_our_pipes_goes_too(void **state)
{
    struct child_fixture *fixture = *state;
    struct witness witness;
    witness_open(&witness);
    child_fixture_start(fixture, "trap '' TERM; sleep 1000 <&- >&- 2>&- & echo ready; exec cat");
    witness_release(&witness);
    child_fixture_wait_for_lines(fixture, 1);
    close_child(fixture);
    child_fixture_wait_for_close(fixture);
    witness_wait(&witness);
}

static void a_grandchild_that_holds_the_output_after_a_crash_is_killed_after_a_grace(void **state)
{
    struct child_fixture *fixture = *state;
    struct witness witness;
    witness_open(&witness);
    child_fixture_start(fixture, "trap '' TERM; sleep 1000 & exit 5");
    witness_release(&witness);
    child_fixture_wait_for_log(fixture, "running -> draining");
    loop_fixture_advance(&fixture->base, 499);
    assert_int_equal(fixture->downs, 0);
    assert_false(witness_is_alone(&witness));
    loop_fixture_advance(&fixture->base, 1);
    child_fixture_wait_for_downs(fixture, 1);
    witness_wait(&witness);
    assert_string_equal(fixture->end_text, "exited with status 5");
}

static void a_grandchild_in_a_session_of_its_own_does_not_hold_us(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "setsid sh -c 'echo $$; exec sleep 1000' & read line; exit 6");
    child_fixture_wait_for_lines(fixture, 1);
    child_fixture_write(fixture, "go");
    child_fixture_wait_for_log(fixture, "running -> draining");
    loop_fixture_advance(&fixture->base, 500);
    child_fixture_wait_for_downs(fixture, 1);
    assert_string_equal(fixture->end_text, "exited with status 6");
    assert_int_equal(kill(told_pid(fixture), SIGKILL), 0);
}

static void a_grandchild_may_finish_its_answer_after_the_child(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "(trap 'echo answer; exit' TERM; echo $$; while :; do sleep 0.01; done) & read line");
    child_fixture_wait_for_lines(fixture, 1);
    child_fixture_write(fixture, "go");
    child_fixture_wait_for_downs(fixture, 1);
    assert_true(child_fixture_has_output(fixture, "\nanswer\n"));
}

static void a_child_that_closes_its_output_is_stopped(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exec >&-; exec sleep 1000");
    child_fixture_wait_for_log(fixture, "running -> leaving");
    loop_fixture_advance(&fixture->base, CHILD_FIXTURE_GRACE_MS);
    child_fixture_wait_for_downs(fixture, 1);
    assert_string_equal(fixture->end_text, "was killed by signal 15 (SIGTERM)");
}

static void a_child_that_closes_its_stdin_is_stopped_when_it_is_written_to(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "exec <&-; echo ready; exec sleep 1000");
    child_fixture_wait_for_lines(fixture, 1);
    child_fixture_write(fixture, "hello?");
    child_fixture_wait_for_log(fixture, "running -> leaving");
    loop_fixture_advance(&fixture->base, CHILD_FIXTURE_GRACE_MS);
    child_fixture_wait_for_downs(fixture, 1);
    assert_int_equal(fixture->end.written_bytes, 0);
}

static void a_child_that_does_not_read_fills_its_queue_and_its_end_tells_how_far_it_came(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "echo ready; exec sleep 1000");
    child_fixture_wait_for_lines(fixture, 1);
    uint64_t first = write_long(fixture, 1000);
    assert_false(is_full(fixture));
    uint64_t last = write_long(fixture, LINE_WRITER_FULL_BYTES * 2);
    assert_true(is_full(fixture));
    child_fixture_stop(fixture);
    assert_true(fixture->end.written_bytes > first);
    assert_true(fixture->end.written_bytes < last);
    assert_int_equal(fixture->drains, 0);
}

static void a_full_queue_drains_when_the_child_reads_again(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_start(fixture, "echo $$; exec sed -n /nothing/p");
    child_fixture_wait_for_lines(fixture, 1);
    assert_int_equal(kill(told_pid(fixture), SIGSTOP), 0);
    write_long(fixture, LINE_WRITER_FULL_BYTES * 2);
    assert_true(is_full(fixture));
    assert_int_equal(kill(told_pid(fixture), SIGCONT), 0);
    child_fixture_wait_for_drains(fixture, 1);
    assert_false(is_full(fixture));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, child_fixture_set_up, child_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_go_in_and_come_out),
        TEST(the_end_tells_the_exit_status),
        TEST(the_end_tells_the_signal),
        TEST(every_line_comes_before_the_end),
        TEST(an_incomplete_last_line_is_dropped_and_logged),
        TEST(a_huge_line_passes_and_one_above_the_ceiling_is_dropped_alone),
        TEST(stderr_goes_to_the_log_and_can_be_opened_by_name),
        TEST(a_child_has_its_environment_directory_and_session),
        TEST(what_a_child_says_while_it_stops_is_heard),
        TEST(a_child_that_ignores_the_end_of_stdin_is_terminated),
        TEST(a_child_that_ignores_sigterm_is_killed),
        TEST(a_stopped_child_is_killed_too),
        TEST(a_grandchild_goes_with_the_child),
        TEST(a_grandchild_without_our_pipes_goes_too),
        TEST(a_grandchild_that_holds_the_output_after_a_crash_is_killed_after_a_grace),
        TEST(a_grandchild_in_a_session_of_its_own_does_not_hold_us),
        TEST(a_grandchild_may_finish_its_answer_after_the_child),
        TEST(a_child_that_closes_its_output_is_stopped),
        TEST(a_child_that_closes_its_stdin_is_stopped_when_it_is_written_to),
        TEST(a_child_that_does_not_read_fills_its_queue_and_its_end_tells_how_far_it_came),
        TEST(a_full_queue_drains_when_the_child_reads_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
