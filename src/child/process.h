/*
 * One process on libuv: started without a shell in a session and process group of its own, its stdin fed line by line,
 * its stdout read line by line, ended with all that it started.
 */
#ifndef SRC_CHILD_PROCESS_H
#define SRC_CHILD_PROCESS_H

#include "bridge/base/log_limit.h"
#include "bridge/base/timer.h"
#include "bridge/port.h"
#include "src/child/guardian.h"
#include "src/child/line_reader.h"
#include "src/child/line_writer.h"
#include "src/child/process_end.h"
#include "src/child/stderr_log.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* The same for all processes; everything is borrowed. */
struct process_settings {
    uv_loop_t *loop;
    struct timers *timers;
    struct log *log;
    struct guardian *guardian; /* told of each process group; may be NULL */
    const char *launcher;      /* launcher_path(); NULL starts the command directly */
    size_t max_line_bytes;     /* of stdout; a longer line is dropped and logged */
    size_t max_queue_bytes;    /* of stdin, before it counts as full; 0 is the line writer's own */
    uint64_t stop_grace_ms;    /* for each step of the stop ladder */
};

enum process_state {
    PROCESS_CLOSED,      /* There is no process and no handle; it may be started. */
    PROCESS_RUNNING,     /* It runs, and takes lines. */
    PROCESS_LEAVING,     /* Its stdin was closed, upon which it should exit. */
    PROCESS_TERMINATING, /* Its group was sent SIGTERM. */
    PROCESS_KILLING,     /* Its group was sent SIGKILL. */
    PROCESS_DRAINING,    /* It has exited; what is left of its output is read. */
    PROCESS_CLOSING,     /* Nothing is left of its group; the handles are being closed. */
};

struct process;

/* All come from the loop, never from within a call. */
struct process_events {
    void (*on_line)(struct process *process, char *line, size_t size);
    /* See line_writer_events. */
    void (*on_drained)(struct process *process);
    /* It has exited, or could not be started; its output has ended; it is CLOSED, and may be started again or freed. */
    void (*on_ended)(struct process *process, const struct process_end *end);
};

struct process {
    enum process_state state;
    const struct process_settings *settings; /* borrowed */
    const struct process_events *events;     /* borrowed */
    struct stderr_log *stderr_log;           /* borrowed */
    struct slice name;                       /* the server's; borrowed */
    pid_t group;                             /* the process and what it started; 0 when no member is left */
    uv_process_t handle;
    struct line_writer input;
    uv_pipe_t output;
    uv_pipe_t errors;
    unsigned open_handles; /* of the four above */
    struct line_reader reader;
    struct timer timer; /* to the next step of the ladder, or to the end of DRAINING */
    struct process_end end;
    struct log_limit drop_log; /* it can have us drop lines at will */
};

void process_init(struct process *process, const struct process_settings *settings, const struct process_events *events,
                  struct stderr_log *stderr_log);

/* It must be CLOSED. */
void process_release(struct process *process);

/*
 * Starts the command, with SIGPIPE ignored by the caller. Its strings are borrowed until on_ended, which comes in any
 * case: also after a negative libuv code, which says that there is no process.
 */
int process_start(struct process *process, const struct child_command *command) __attribute__((warn_unused_result));

/* Queues a line while the process is not CLOSED; see line_writer_write(). */
uint64_t process_write(struct process *process, const struct slice *parts, size_t count);

/* Begins the stop ladder: stdin closed, SIGTERM, SIGKILL. Idempotent; its output is read until the end. */
void process_stop(struct process *process);

#endif
