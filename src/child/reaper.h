/*
 * Reaps the processes that the bridge inherits: as PID 1 of a container, or after an exec in place of a shell that had
 * started something. libuv reaps only what it has started itself.
 */
#ifndef SRC_CHILD_REAPER_H
#define SRC_CHILD_REAPER_H

#include "bridge/base/log.h"

#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct reaper {
    struct log *log; /* borrowed */
    uv_signal_t sigchld;
    uv_idle_t turn;
    uint64_t reaped; /* since the start */
    /* Of a process that libuv does not know: inherited, or the guardian. May be NULL. */
    void (*on_reaped)(struct reaper *reaper, pid_t pid);
};

/* Starts at once, and looks for those that have ended before. The loop is borrowed. */
void reaper_open(struct reaper *reaper, uv_loop_t *loop, struct log *log);

/* The handles are closed in the loop's next turn. Idempotent. */
void reaper_close(struct reaper *reaper);

#endif
