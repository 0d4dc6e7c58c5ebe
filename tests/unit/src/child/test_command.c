#include "src/child/command.h"

#include "bridge/base/memory.h"
#include "tests/unit/src/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A directory with `bin/tool`, which can be run, and `bin/text`, which cannot. */
struct fixture {
    char directory[SCRATCH_PATH];
    char *argv[2];
    const char *environment[2];
    char path[SCRATCH_PATH + 32];
    struct child_command command;
};

static void make_file(const struct fixture *fixture, const char *name, mode_t mode)
{
    char path[SCRATCH_PATH + 32];
    snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    assert_int_equal(fchmod(file, mode), 0);
    close(file);
}

static void remove_file(const struct fixture *fixture, const char *name)
{
    char path[SCRATCH_PATH + 32];
    snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
    assert_int_equal(remove(path), 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    scratch_folder(fixture->directory, sizeof(fixture->directory), "command");
    char path[SCRATCH_PATH + 32];
    snprintf(path, sizeof(path), "%s/bin", fixture->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    make_file(fixture, "bin/tool", 0700);
    make_file(fixture, "bin/text", 0600);
    snprintf(fixture->path, sizeof(fixture->path), "PATH=/nowhere:%s/bin", fixture->directory);
    fixture->environment[0] = fixture->path;
    fixture->command = (struct child_command){
        .name = SLICE_LITERAL("test"),
        .argv = fixture->argv,
        .environment = fixture->environment,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    remove_file(fixture, "bin/tool");
    remove_file(fixture, "bin/text");
    remove_file(fixture, "bin");
    remove_file(fixture, "");
    free(fixture);
    return 0;
}

static void expect_found(struct fixture *fixture, const char *file)
{
    struct error error = {0};
    fixture->argv[0] = (char *)(uintptr_t)file;
    assert_int_equal(child_command_check(&fixture->command, &error), 0);
    assert_string_equal(error.text, "");
}

static void expect_refused(struct fixture *fixture, const char *file, const char *text, int exit_status)
{
    struct error error = {0};
    fixture->argv[0] = (char *)(uintptr_t)file;
    assert_int_equal(child_command_check(&fixture->command, &error), -1);
    assert_string_equal(error.text, text);
    assert_int_equal(error.exit_status, exit_status);
}

static void a_command_is_found_in_the_path_of_its_environment(void **state)
{
    expect_found(*state, "tool");
}

static void a_command_that_is_in_no_directory_is_not_found(void **state)
{
    expect_refused(*state, "no-such-tool", "command not found: no-such-tool", 127);
    expect_refused(*state, "./no-such-tool", "command not found: ./no-such-tool", 127);
    expect_refused(*state, "", "command not found: the command is empty", 127);
}

static void a_file_without_permission_is_not_executable(void **state)
{
    struct fixture *fixture = *state;
    expect_refused(fixture, "text", "not executable: text", 126);
    fixture->command.directory = fixture->directory;
    expect_refused(fixture, "bin/text", "not executable: bin/text", 126);
    expect_refused(fixture, "./bin", "not executable, but a directory: ./bin", 126);
}

static void a_relative_command_is_looked_up_from_the_directory(void **state)
{
    struct fixture *fixture = *state;
    expect_refused(fixture, "bin/tool", "command not found: bin/tool", 127);
    fixture->command.directory = fixture->directory;
    expect_found(fixture, "bin/tool");
}

static void a_relative_path_is_searched_from_the_directory(void **state)
{
    struct fixture *fixture = *state;
    fixture->environment[0] = "PATH=nowhere:bin";
    fixture->command.directory = fixture->directory;
    expect_found(fixture, "tool");
}

static void an_empty_entry_of_the_path_is_the_directory(void **state)
{
    struct fixture *fixture = *state;
    make_file(fixture, "here", 0700);
    fixture->command.directory = fixture->directory;
    fixture->environment[0] = "PATH=/nowhere::/nowhere-else";
    expect_found(fixture, "here");
    fixture->environment[0] = "PATH=/nowhere:/nowhere-else";
    expect_refused(fixture, "here", "command not found: here", 127);
    remove_file(fixture, "here");
}

static void what_is_longer_than_any_path_is_not_found(void **state)
{
    enum { LONG = 5000 };
    static char long_path[LONG + SCRATCH_PATH + 32];
    struct fixture *fixture = *state;
    struct error error = {0};
    snprintf(long_path, sizeof(long_path), "PATH=/%0*d:%s/bin", LONG, 1, fixture->directory);
    fixture->environment[0] = long_path;
    expect_found(fixture, "tool");
    snprintf(long_path, sizeof(long_path), "/%0*d", LONG, 1);
    fixture->argv[0] = long_path;
    assert_int_equal(child_command_check(&fixture->command, &error), -1);
    assert_int_equal(error.exit_status, 127);
}

static void a_missing_directory_is_named(void **state)
{
    struct fixture *fixture = *state;
    fixture->command.directory = "/no/such/directory";
    expect_refused(fixture, "tool", "cannot enter directory /no/such/directory: no such file or directory", 0);
    fixture->command.directory = "/dev/null";
    expect_refused(fixture, "tool", "not a directory: /dev/null", 0);
}

static size_t count_named(char **environment, const char *name, const char **value)
{
    size_t count = 0;
    for (size_t i = 0; environment[i] != NULL; i++) {
        if (strncmp(environment[i], name, strlen(name)) == 0) {
            *value = environment[i];
            count++;
        }
    }
    return count;
}

static void the_commands_environment_is_stronger_than_ours(void **state)
{
    static const char *const added[] = {"TEST_COMMAND_A=theirs", "TEST_COMMAND_C=1", "TEST_COMMAND_C=2", NULL};
    struct fixture *fixture = *state;
    const char *value = NULL;
    setenv("TEST_COMMAND_A", "ours", 1);
    setenv("TEST_COMMAND_AB", "kept", 1);
    fixture->command.environment = added;
    char **environment = child_command_environment(&fixture->command);
    assert_int_equal(count_named(environment, "TEST_COMMAND_A=", &value), 1);
    assert_string_equal(value, "TEST_COMMAND_A=theirs");
    assert_int_equal(count_named(environment, "TEST_COMMAND_AB=", &value), 1);
    assert_int_equal(count_named(environment, "TEST_COMMAND_C=", &value), 1);
    assert_string_equal(value, "TEST_COMMAND_C=2");
    assert_int_equal(count_named(environment, "PATH=", &value), 1);
    free(environment);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_is_found_in_the_path_of_its_environment),
        TEST(a_command_that_is_in_no_directory_is_not_found),
        TEST(a_file_without_permission_is_not_executable),
        TEST(a_relative_command_is_looked_up_from_the_directory),
        TEST(a_relative_path_is_searched_from_the_directory),
        TEST(what_is_longer_than_any_path_is_not_found),
        TEST(an_empty_entry_of_the_path_is_the_directory),
        TEST(a_missing_directory_is_named),
        TEST(the_commands_environment_is_stronger_than_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
