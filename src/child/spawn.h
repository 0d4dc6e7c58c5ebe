/*
 * A process started with three pipes of our own, without a shell, in a session and process group of its own.
 */
#ifndef SRC_CHILD_SPAWN_H
#define SRC_CHILD_SPAWN_H

#include "bridge/port.h"

#include <uv.h>

/* Zeroed is not a valid value: spawn_pipes_open() comes first. */
struct spawn_pipes {
    uv_file ours[3];   /* owned; do not block; -1 once taken */
    uv_file theirs[3]; /* owned */
};

struct spawn_options {
    const struct child_command *command;
    const char *launcher; /* launcher_path(); NULL starts the command directly */
    const struct spawn_pipes *pipes;
    uv_exit_cb on_exit;
};

/* A negative libuv code when there are too many descriptors. To be closed in any case. */
int spawn_pipes_open(struct spawn_pipes *pipes) __attribute__((warn_unused_result));
void spawn_pipes_close(struct spawn_pipes *pipes);

/* Our end of the pipe to or from the process's `descriptor`, which becomes the caller's. */
uv_file spawn_pipes_take(struct spawn_pipes *pipes, int descriptor);

/* The handle is to be closed also after a negative libuv code. Nothing is borrowed beyond the call. */
int spawn(uv_loop_t *loop, uv_process_t *handle, const struct spawn_options *options)
    __attribute__((warn_unused_result));

#endif
