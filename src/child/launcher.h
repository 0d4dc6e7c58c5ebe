/*
 * Children die with the bridge, however it dies. libuv has no hook between fork and exec, so the bridge starts itself
 * as a launcher: it asks the kernel to be killed with its parent, undoes what the bridge has changed for itself (the
 * signals, the limit of open files), and becomes the command.
 */
#ifndef SRC_CHILD_LAUNCHER_H
#define SRC_CHILD_LAUNCHER_H

#include <stdbool.h>

/* The first argument that makes the program a launcher: LAUNCHER_WORD PARENT_PID FILE_LIMIT -- COMMAND [ARG...] */
#define LAUNCHER_WORD "--launch-child"

/* Whether main() was called as a launcher. To be asked first of all. */
bool launcher_is_meant(int argc, char **argv);

/* Becomes the command. Returns only when that fails, with main()'s status: 127 or 126 as a shell, 125 for misuse. */
int launcher_main(int argc, char **argv);

/* The file to start as launcher; NULL where it would do nothing (no PR_SET_PDEATHSIG, no /proc). */
const char *launcher_path(void);

/* The arguments that have a launcher run `argv` as our child. Owned by the caller, to be freed with free(). */
char **launcher_arguments(char *const *argv);

#endif
