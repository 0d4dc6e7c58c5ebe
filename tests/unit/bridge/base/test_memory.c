#include "bridge/base/memory.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* More than any machine has. Sanitizers then refuse as malloc() does. */
static volatile size_t too_much = (size_t)1 << 60;

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* What the sanitizer says of it is no finding, and does not go where findings go. */
void __sanitizer_set_report_path(const char *path) __attribute__((weak));

static void want_new(void)
{
    free(memory_new(too_much));
}

static void want_more(void)
{
    free(memory_resize(NULL, too_much));
}

/* Runs it in a process that must end with the one line that says why. */
static void expect_end(void (*want)(void))
{
    int ends[2];
    char text[4096];
    size_t size = 0;
    ssize_t got;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        if (__sanitizer_set_report_path != NULL) {
            __sanitizer_set_report_path("stderr");
        }
        want();
        _exit(0);
    }
    close(ends[1]);
    while ((got = read(ends[0], text + size, sizeof(text) - 1 - size)) > 0) {
        size += (size_t)got;
    }
    text[size] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "mcp-bridge: out of memory (1152921504606846976 bytes wanted)\n"));
}

static void without_memory_the_program_ends_with_a_message(void **state)
{
    (void)state;
    expect_end(want_new);
    expect_end(want_more);
}

static void new_memory_is_zeroed_and_nothing_is_something(void **state)
{
    (void)state;
    const char zeros[64] = {0};
    char *block = memory_new(sizeof(zeros));
    assert_memory_equal(block, zeros, sizeof(zeros));
    free(block);
    block = memory_new(0);
    assert_non_null(block);
    block = memory_resize(block, 0);
    assert_non_null(block);
    free(block);
}

static void a_copy_of_nothing_exists(void **state)
{
    (void)state;
    struct slice copy = memory_copy(slice_of("", 0));
    assert_true(slice_exists(copy));
    assert_int_equal(copy.size, 0);
    memory_free_slice(&copy);
    assert_false(slice_exists(copy));
    memory_free_slice(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_the_program_ends_with_a_message),
        cmocka_unit_test(new_memory_is_zeroed_and_nothing_is_something),
        cmocka_unit_test(a_copy_of_nothing_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
