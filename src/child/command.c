#include "src/child/command.h"

#include "bridge/base/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#ifdef __APPLE__
extern char **environ; /* which no header of theirs declares */
#endif

enum {
    STATUS_NOT_FOUND = 127,
    STATUS_NOT_EXECUTABLE = 126,
};

/* What execvp(3) searches when there is no PATH at all. */
static const char default_path[] = "/bin:/usr/bin";

static size_t name_size(const char *assignment)
{
    return strcspn(assignment, "=");
}

static bool is_same_name(const char *a, const char *b)
{
    size_t size = name_size(a);
    return size == name_size(b) && memcmp(a, b, size) == 0;
}

static size_t count_of(const char *const *strings)
{
    size_t count = 0;
    while (strings != NULL && strings[count] != NULL) {
        count++;
    }
    return count;
}

/* Replaces the entry of the same name, or adds one. */
static void assign(const char **environment, size_t *count, const char *assignment)
{
    size_t place = 0;
    while (place < *count && !is_same_name(environment[place], assignment)) {
        place++;
    }
    environment[place] = assignment;
    if (place == *count) {
        *count += 1;
    }
}

char **child_command_environment(const struct child_command *command)
{
    size_t ours = count_of((const char *const *)environ);
    size_t added = count_of(command->environment);
    const char **environment = memory_new((ours + added + 1) * sizeof(*environment));
    if (ours > 0) {
        memcpy(environment, environ, ours * sizeof(*environment));
    }
    size_t count = ours;
    for (size_t i = 0; i < added; i++) {
        assign(environment, &count, command->environment[i]);
    }
    return (char **)(uintptr_t)environment;
}

static struct slice search_path(const struct child_command *command)
{
    char **environment = child_command_environment(command);
    struct slice path = slice_text(default_path);
    for (size_t i = 0; environment[i] != NULL; i++) {
        if (strncmp(environment[i], "PATH=", 5) == 0) {
            path = slice_text(environment[i] + 5);
            break;
        }
    }
    free(environment);
    return path;
}

/* 0 when `file`, seen from the command's directory, can be run; else ENOENT, EACCES or EISDIR. */
static int check_file(const struct child_command *command, const char *file)
{
    char path[PATH_MAX];
    bool is_relative = file[0] != '/' && command->directory != NULL;
    int size =
        snprintf(path, sizeof(path), "%s%s%s", is_relative ? command->directory : "", is_relative ? "/" : "", file);
    if (size < 0 || (size_t)size >= sizeof(path)) {
        return ENOENT;
    }
    struct stat status;
    if (stat(path, &status) < 0) {
        return errno == EACCES ? EACCES : ENOENT;
    }
    if (S_ISDIR(status.st_mode)) {
        return EISDIR;
    }
    return access(path, X_OK) == 0 ? 0 : EACCES;
}

/* As check_file(), in each directory of PATH until one has it. */
static int check_in_path(const struct child_command *command, const char *file)
{
    struct slice rest = search_path(command);
    struct slice directory;
    int worst = ENOENT;
    while (slice_split(&rest, ':', &directory)) {
        char path[PATH_MAX];
        if (directory.size == 0) {
            /* An empty entry is the working directory. */
            directory = slice_of(".", 1);
        }
        int size = snprintf(path, sizeof(path), "%.*s/%s", SLICE_PRINT(directory), file);
        if (size < 0 || (size_t)size >= sizeof(path)) {
            continue;
        }
        int result = check_file(command, path);
        if (result == 0) {
            return 0;
        }
        worst = result == EACCES ? EACCES : worst;
    }
    return worst;
}

static int check_directory(const char *directory, struct error *error)
{
    struct stat status;
    if (directory == NULL) {
        return 0;
    }
    if (stat(directory, &status) < 0) {
        return error_set(error, "cannot enter directory %s: %s", directory, uv_strerror(uv_translate_sys_error(errno)));
    }
    if (!S_ISDIR(status.st_mode)) {
        return error_set(error, "not a directory: %s", directory);
    }
    if (access(directory, X_OK) < 0) {
        return error_set(error, "cannot enter directory %s: %s", directory, uv_strerror(uv_translate_sys_error(errno)));
    }
    return 0;
}

static int refuse(struct error *error, const char *why, const char *file, int exit_status)
{
    error->exit_status = exit_status;
    return error_set(error, "%s: %s", why, file);
}

int child_command_check(const struct child_command *command, struct error *error)
{
    const char *file = command->argv[0];
    if (check_directory(command->directory, error) < 0) {
        return -1;
    }
    if (file == NULL || file[0] == '\0') {
        return refuse(error, "command not found", "the command is empty", STATUS_NOT_FOUND);
    }
    bool is_path = strchr(file, '/') != NULL;
    switch (is_path ? check_file(command, file) : check_in_path(command, file)) {
    case 0:
        return 0;
    case EISDIR:
        return refuse(error, "not executable, but a directory", file, STATUS_NOT_EXECUTABLE);
    case EACCES:
        return refuse(error, "not executable", file, STATUS_NOT_EXECUTABLE);
    default:
        return refuse(error, "command not found", file, STATUS_NOT_FOUND);
    }
}
