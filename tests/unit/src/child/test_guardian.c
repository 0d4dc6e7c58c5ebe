#include "src/child/guardian.h"

#include "tests/unit/src/child/child_fixture.h"
#include "tests/unit/src/child/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * A bridge with a guardian and one child that runs `script`, without a launcher. It sends the guardian what a terminal
 * or a service manager may send to all processes, and is killed when the child says that it runs.
 */
_Noreturn static void run_bridge_and_die(const char *script)
{
    struct guardian guardian;
    struct error error = {0};
    struct child_fixture fixture;
    if (guardian_start(&guardian, &error) < 0) {
        _exit(1);
    }
    child_fixture_open(&fixture);
    fixture.settings.process.guardian = &guardian;
    child_fixture_start(&fixture, script);
    child_fixture_wait_for_lines(&fixture, 1);
    kill(guardian.pid, SIGINT);
    kill(guardian.pid, SIGHUP);
    kill(guardian.pid, SIGTERM);
    kill(getpid(), SIGKILL);
    _exit(1);
}

static void expect_nothing_left(const char *script)
{
    struct witness witness;
    int status = 0;
    witness_open(&witness);
    pid_t bridge = fork();
    if (bridge == 0) {
        run_bridge_and_die(script);
    }
    witness_release(&witness);
    assert_int_equal(waitpid(bridge, &status, 0), bridge);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    witness_wait(&witness);
}

static void the_group_of_a_killed_bridge_is_terminated(void **state)
{
    (void)state;
    expect_nothing_left("sleep 1000 & echo ready; exec sleep 1000");
}

static void a_group_that_ignores_sigterm_is_killed(void **state)
{
    (void)state;
    expect_nothing_left("trap '' TERM; sleep 1000 & echo ready; exec sleep 1000");
}

static void start(struct guardian *guardian)
{
    struct error error = {0};
    assert_int_equal(guardian_start(guardian, &error), 0);
}

/* A process group of one process; the caller kills it. */
static pid_t start_group(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        execl("/bin/sleep", "sleep", "1000", (char *)NULL);
        _exit(127);
    }
    setpgid(pid, pid);
    return pid;
}

static void end_group(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_stopped_guardian_ends_what_it_still_watches_and_nothing_else(void **state)
{
    struct guardian guardian;
    int status = 0;
    (void)state;
    start(&guardian);
    pid_t watched = start_group();
    pid_t forgotten = start_group();
    guardian_watch(&guardian, watched);
    guardian_watch(&guardian, forgotten);
    guardian_forget(&guardian, forgotten);
    close(guardian.pipe);
    guardian.pipe = -1;
    assert_int_equal(waitpid(watched, &status, 0), watched);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_int_equal(waitpid(guardian.pid, &status, 0), guardian.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(waitpid(forgotten, NULL, WNOHANG), 0);
    end_group(forgotten);
}

static void an_idle_guardian_stops_at_once(void **state)
{
    struct guardian guardian;
    (void)state;
    start(&guardian);
    pid_t pid = guardian.pid;
    guardian_stop(&guardian);
    guardian_stop(&guardian);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* Else it would be waited for until the alarm. */
static void a_guardian_that_somebody_has_stopped_ends_all_the_same(void **state)
{
    struct guardian guardian;
    int status = 0;
    (void)state;
    start(&guardian);
    kill(guardian.pid, SIGSTOP);
    assert_int_equal(waitpid(guardian.pid, &status, WUNTRACED), guardian.pid);
    assert_true(WIFSTOPPED(status));
    alarm(30);
    guardian_stop(&guardian);
    alarm(0);
}

static void a_guardian_holds_none_of_our_descriptors(void **state)
{
    struct guardian guardian;
    struct witness witness;
    (void)state;
    witness_open(&witness);
    start(&guardian);
    witness_wait(&witness);
    guardian_stop(&guardian);
}

static void a_dead_guardian_does_no_harm(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct guardian guardian;
    (void)state;
    sigaction(SIGPIPE, &ignore, NULL);
    start(&guardian);
    end_group(guardian.pid);
    guardian_watch(&guardian, 12345);
    guardian_watch(NULL, 12345);
    guardian_forget(NULL, 12345);
    guardian_stop(&guardian);
}

static void a_guardian_that_somebody_has_reaped_is_not_waited_for(void **state)
{
    struct guardian guardian;
    (void)state;
    start(&guardian);
    assert_false(guardian_is_reaped(&guardian, guardian.pid + 1));
    assert_false(guardian_is_reaped(NULL, 1));
    end_group(guardian.pid);
    assert_true(guardian_is_reaped(&guardian, guardian.pid));
    assert_false(guardian_is_reaped(&guardian, guardian.pid));
    guardian_watch(&guardian, 12345);
    guardian_stop(&guardian);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_group_of_a_killed_bridge_is_terminated),
        cmocka_unit_test(a_group_that_ignores_sigterm_is_killed),
        cmocka_unit_test(a_stopped_guardian_ends_what_it_still_watches_and_nothing_else),
        cmocka_unit_test(an_idle_guardian_stops_at_once),
        cmocka_unit_test(a_guardian_that_somebody_has_stopped_ends_all_the_same),
        cmocka_unit_test(a_guardian_holds_none_of_our_descriptors),
        cmocka_unit_test(a_dead_guardian_does_no_harm),
        cmocka_unit_test(a_guardian_that_somebody_has_reaped_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
