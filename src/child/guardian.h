/*
 * A tiny process beside the bridge that ends what the children have started (npx starts node) when the bridge dies
 * without doing so. It learns the children's process groups through a pipe whose end tells it that the bridge is gone.
 */
#ifndef SRC_CHILD_GUARDIAN_H
#define SRC_CHILD_GUARDIAN_H

#include "bridge/base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct guardian {
    int pipe; /* owned, does not block; -1 when there is no guardian */
    pid_t pid;
};

/* Forks it: before the event loop, any thread and any child exists. SIGPIPE must be ignored by the caller. */
int guardian_start(struct guardian *guardian, struct error *error) __attribute__((warn_unused_result));

/* A process group has been started; it is gone, or killed as a whole. NULL for `guardian` is allowed. */
void guardian_watch(struct guardian *guardian, pid_t group);
void guardian_forget(struct guardian *guardian, pid_t group);

/* True when the process that was reaped was the guardian: it is told nothing any more. */
bool guardian_is_reaped(struct guardian *guardian, pid_t reaped);

/* Ends it, and waits for that: at once when every group is forgotten. Idempotent. */
void guardian_stop(struct guardian *guardian);

#endif
