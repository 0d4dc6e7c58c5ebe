/*
 * A child's command before it runs: can it be run, and in which environment.
 */
#ifndef SRC_CHILD_COMMAND_H
#define SRC_CHILD_COMMAND_H

#include "bridge/base/error.h"
#include "bridge/port.h"

/*
 * Looks argv[0] up as execvp(3) will, in the child's PATH and directory. -1 with a text such as "command not found: X"
 * and the exit status that a shell would give (127, 126 when it is not executable, 1 for the directory).
 */
int child_command_check(const struct child_command *command, struct error *error) __attribute__((warn_unused_result));

/*
 * Our environment with the command's over it, for execve(2). The array is the caller's, to be freed with free(); its
 * strings are borrowed from the command and from environ.
 */
char **child_command_environment(const struct child_command *command);

#endif
