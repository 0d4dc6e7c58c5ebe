#include "src/child/launcher.h"

#include "bridge/base/memory.h"
#include "src/child/file_limit.h"
#include "tests/unit/src/child/child_fixture.h"
#include "tests/unit/src/child/witness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* This program: it is its own launcher, see main(). */
static char own_path[4096];

static int find_own_path(void **state)
{
    size_t size = sizeof(own_path);
    (void)state;
    return uv_exepath(own_path, &size);
}

/* Runs the launcher in a process of its own; returns what waitpid() says of it, and the beginning of its stderr. */
static int launch(char **argv, char *text, size_t text_size)
{
    int ends[2];
    int status = 0;
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        _exit(launcher_main(argc, argv));
    }
    close(ends[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ssize_t size = read(ends[0], text, text_size - 1);
    text[size > 0 ? size : 0] = '\0';
    close(ends[0]);
    return status;
}

static void expect_failure(char *const *command, int exit_status, const char *expected)
{
    char text[256];
    char **arguments = launcher_arguments(command);
    int status = launch(arguments, text, sizeof(text));
    free(arguments);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), exit_status);
    assert_string_equal(text, expected);
}

static void a_missing_command_ends_with_127_and_one_line(void **state)
{
    static char command[] = "/no/such/command";
    (void)state;
    expect_failure((char *[]){command, NULL}, 127,
                   "mcp-bridge: cannot run /no/such/command: no such file or directory\n");
}

static void a_command_that_is_not_executable_ends_with_126_and_one_line(void **state)
{
    static char command[] = "/dev/null";
    (void)state;
    expect_failure((char *[]){command, NULL}, 126, "mcp-bridge: cannot run /dev/null: permission denied\n");
}

static void a_launcher_whose_parent_is_another_ends_at_once(void **state)
{
    static char program[] = "mcp-bridge";
    static char word[] = LAUNCHER_WORD;
    static char parent[] = "1";
    static char limit[] = "0";
    static char dashes[] = "--";
    static char command[] = "/bin/true";
    char text[256];
    (void)state;
    int status = launch((char *[]){program, word, parent, limit, dashes, command, NULL}, text, sizeof(text));
    assert_int_equal(WEXITSTATUS(status), 125);
    assert_string_equal(text, "mcp-bridge: the bridge that wanted this child is gone\n");
}

static void a_launcher_without_a_command_says_that_it_is_not_for_people(void **state)
{
    static char program[] = "mcp-bridge";
    static char word[] = LAUNCHER_WORD;
    char text[256];
    (void)state;
    int status = launch((char *[]){program, word, NULL}, text, sizeof(text));
    assert_int_equal(WEXITSTATUS(status), 125);
    assert_string_equal(text, "mcp-bridge: " LAUNCHER_WORD " is for the bridge's own use\n");
}

static void only_the_word_in_front_makes_a_launcher(void **state)
{
    static char program[] = "mcp-bridge";
    static char word[] = LAUNCHER_WORD;
    static char other[] = "--";
    (void)state;
    assert_true(launcher_is_meant(2, (char *[]){program, word, NULL}));
    assert_false(launcher_is_meant(3, (char *[]){program, other, word, NULL}));
    assert_false(launcher_is_meant(1, (char *[]){program, NULL}));
}

/* What the bridge ignores and blocks must not reach the command. */
static void the_command_has_default_signals_and_none_blocked(void **state)
{
    static char shell[] = "/bin/sh";
    static char option[] = "-c";
    static char script[] = "kill -PIPE $$; exit 9";
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t blocked;
    sigset_t before;
    char text[256];
    (void)state;
    char **arguments = launcher_arguments((char *[]){shell, option, script, NULL});
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGPIPE);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    int status = launch(arguments, text, sizeof(text));
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(arguments);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGPIPE);
}

/* Under valgrind it is not: that has limits of its own, which no process inherits. */
static bool is_limit_inherited(rlim_t limit)
{
    char text[32];
    FILE *shell = popen("ulimit -Sn", "r");
    assert_non_null(shell);
    assert_non_null(fgets(text, sizeof(text), shell));
    pclose(shell);
    return strtoull(text, NULL, 10) == limit;
}

static void the_command_has_the_limit_of_open_files_that_was_before_ours(void **state)
{
    static char shell[] = "/bin/sh";
    static char option[] = "-c";
    static char script[] = "ulimit -Sn >&2";
    struct rlimit before;
    struct error error;
    char text[256];
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {.rlim_cur = 77, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    if (!is_limit_inherited(low.rlim_cur)) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        skip();
    }
    assert_int_equal(file_limit_raise(&error), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &low), 0);
    assert_true(low.rlim_cur > 77);
    char **arguments = launcher_arguments((char *[]){shell, option, script, NULL});
    int status = launch(arguments, text, sizeof(text));
    free(arguments);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, 0);
    assert_string_equal(text, "77\n");
}

static void a_child_runs_through_the_launcher_as_without_it(void **state)
{
    struct child_fixture fixture;
    (void)state;
    child_fixture_open(&fixture);
    fixture.settings.process.launcher = own_path;
    child_fixture_start(&fixture, "echo \"$0\"; cat; exit 7");
    child_fixture_write(&fixture, "hello");
    child_fixture_wait_for_lines(&fixture, 2);
    assert_true(child_fixture_has_output(&fixture, "/bin/sh\nhello\n"));
    fixture.child->operations->close(fixture.child);
    child_fixture_wait_for_close(&fixture);
    assert_string_equal(fixture.end_text, "exited with status 7");
    child_fixture_close(&fixture);
}

#ifdef __linux__

/* A bridge of its own, whose child is deaf to all that can be ignored. It is killed when the child says so. */
_Noreturn static void run_bridge_and_die(void)
{
    struct child_fixture fixture;
    child_fixture_open(&fixture);
    fixture.settings.process.launcher = own_path;
    child_fixture_start(&fixture, "trap '' HUP INT TERM; echo ready; exec sleep 1000");
    child_fixture_wait_for_lines(&fixture, 1);
    kill(getpid(), SIGKILL);
    _exit(1);
}

static void a_child_dies_with_a_bridge_that_is_killed(void **state)
{
    struct witness witness;
    int status = 0;
    (void)state;
    witness_open(&witness);
    pid_t bridge = fork();
    if (bridge == 0) {
        run_bridge_and_die();
    }
    witness_release(&witness);
    assert_int_equal(waitpid(bridge, &status, 0), bridge);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    witness_wait(&witness);
}

#endif

int main(int argc, char **argv)
{
    if (launcher_is_meant(argc, argv)) {
        return launcher_main(argc, argv);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_command_ends_with_127_and_one_line),
        cmocka_unit_test(a_command_that_is_not_executable_ends_with_126_and_one_line),
        cmocka_unit_test(a_launcher_whose_parent_is_another_ends_at_once),
        cmocka_unit_test(a_launcher_without_a_command_says_that_it_is_not_for_people),
        cmocka_unit_test(only_the_word_in_front_makes_a_launcher),
        cmocka_unit_test(the_command_has_default_signals_and_none_blocked),
        cmocka_unit_test(the_command_has_the_limit_of_open_files_that_was_before_ours),
        cmocka_unit_test(a_child_runs_through_the_launcher_as_without_it),
#ifdef __linux__
        cmocka_unit_test(a_child_dies_with_a_bridge_that_is_killed),
#endif
    };
    return cmocka_run_group_tests(tests, find_own_path, NULL);
}
