/*
 * The child of bridge/port.h on real processes: one after the other, with back-off between them.
 */
#ifndef SRC_CHILD_SUPERVISOR_H
#define SRC_CHILD_SUPERVISOR_H

#include "bridge/port.h"
#include "src/child/process.h"

#include <stddef.h>

/* The same for all children; everything is borrowed. */
struct supervisor_settings {
    struct process_settings process;
    /* Fills with bytes from the system's random source; never fails. */
    void (*random)(void *context, void *bytes, size_t size);
    void *random_context;
};

enum supervisor_state {
    SUPERVISOR_WAITING,    /* There is no process; the next start is due when the timer fires. */
    SUPERVISOR_FAILING,    /* A start has failed; what there was of it is being closed. */
    SUPERVISOR_UP,         /* A process runs. */
    SUPERVISOR_RESTARTING, /* The process is being stopped, to be followed by another. */
    SUPERVISOR_CLOSING,    /* close() was called; the process, if any, is being stopped. */
    SUPERVISOR_CLOSED,     /* The owner is told, and then it is freed. */
};

/*
 * A child that runs `command`, from the loop's next turn on, until it is closed. `command` is copied, its strings and
 * everything else are borrowed until on_closed, which comes before the child is freed. SIGPIPE must be ignored.
 */
struct child *supervisor_open(const struct supervisor_settings *settings, const struct child_command *command,
                              const struct child_events *events, void *owner);

#endif
