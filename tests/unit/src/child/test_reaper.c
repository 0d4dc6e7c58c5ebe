#include "src/child/reaper.h"

#include "bridge/base/memory.h"
#include "tests/unit/src/child/child_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 100 };

struct fixture {
    struct loop_fixture base;
    struct reaper reaper;
    uint64_t wanted;
    pid_t last;
    unsigned ended; /* processes of libuv's */
};

static void keep_last(struct reaper *reaper, pid_t pid)
{
    container_of(reaper, struct fixture, reaper)->last = pid;
}

/* A process that libuv knows nothing of, as one that was inherited. */
static pid_t start_foreign(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    assert_true(pid > 0);
    return pid;
}

static void open_all(struct fixture *fixture)
{
    loop_fixture_open(&fixture->base);
    reaper_open(&fixture->reaper, &fixture->base.loop, &fixture->base.log);
    fixture->reaper.on_reaped = keep_last;
    fixture->wanted = 0;
    fixture->ended = 0;
}

static void close_all(struct fixture *fixture)
{
    reaper_close(&fixture->reaper);
    reaper_close(&fixture->reaper);
    loop_fixture_close(&fixture->base);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static bool is_all_reaped(void *context)
{
    const struct fixture *fixture = context;
    return fixture->reaper.reaped == fixture->wanted && fixture->ended == fixture->wanted;
}

static void on_exit_of_libuvs(uv_process_t *process, int64_t exit_status, int signal)
{
    struct fixture *fixture = process->data;
    assert_int_equal(exit_status, 3);
    assert_int_equal(signal, 0);
    fixture->ended++;
    uv_close((uv_handle_t *)process, NULL);
}

static void start_libuvs(struct fixture *fixture, uv_process_t *process)
{
    static char *arguments[] = {(char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c", (char *)(uintptr_t)"exit 3", NULL};
    const uv_process_options_t options = {.exit_cb = on_exit_of_libuvs, .file = "/bin/sh", .args = arguments};
    process->data = fixture;
    assert_int_equal(uv_spawn(&fixture->base.loop, process, &options), 0);
}

/* Were one of libuv's reaped here, its exit would never be reported; were a foreign one left, close_all() finds it. */
static void inherited_processes_are_reaped_and_libuvs_are_left_to_libuv(void **state)
{
    static uv_process_t processes[MANY];
    struct fixture fixture;
    (void)state;
    open_all(&fixture);
    for (size_t i = 0; i < MANY; i++) {
        start_foreign();
        start_libuvs(&fixture, &processes[i]);
    }
    fixture.wanted = MANY;
    loop_fixture_run_until(&fixture.base, is_all_reaped, &fixture);
    close_all(&fixture);
}

static bool is_one_reaped(void *context)
{
    const struct fixture *fixture = context;
    return fixture->reaper.reaped == 1;
}

static void one_that_had_ended_before_is_reaped_and_told(void **state)
{
    struct fixture fixture;
    siginfo_t info;
    (void)state;
    pid_t pid = start_foreign();
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    open_all(&fixture);
    loop_fixture_run_until(&fixture.base, is_one_reaped, &fixture);
    assert_int_equal(fixture.last, pid);
    close_all(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inherited_processes_are_reaped_and_libuvs_are_left_to_libuv),
        cmocka_unit_test(one_that_had_ended_before_is_reaped_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
