/*
 * The stdin queue of a process: lines that are handed over in one turn of the loop go out in one write(2) at its end,
 * and what the pipe does not take waits here.
 */
#ifndef SRC_CHILD_LINE_WRITER_H
#define SRC_CHILD_LINE_WRITER_H

#include "bridge/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct line_writer;

/* All come from the loop, never from within a call. */
struct line_writer_events {
    /* The queue fell below a quarter of full_bytes after it had been above full_bytes. */
    void (*on_drained)(struct line_writer *writer);
    /* Nobody reads the pipe any more. The writer should be closed. */
    void (*on_broken)(struct line_writer *writer);
    void (*on_closed)(struct line_writer *writer);
};

struct line_writer {
    const struct line_writer_events *events; /* borrowed */
    int pipe;                                /* owned, does not block; -1 once closed */
    uv_idle_t gathering;                     /* active while the queue waits for the end of the loop's turn */
    uv_poll_t writable;                      /* active while the queue waits for room in the pipe */
    unsigned open_handles;
    struct buffer queue;
    size_t full_bytes;  /* when the queue is full; it still takes what must be written */
    bool is_enlarged;   /* the pipe, for long lines */
    bool is_drain_owed; /* the queue went above its high mark, and on_drained has not been called since */
    uint64_t handed_bytes;
    uint64_t written_bytes; /* what the pipe took; the queue is the rest */
};

/* Takes the pipe in any case. A negative libuv code when it cannot be watched: then there is nothing to close. */
int line_writer_open(struct line_writer *writer, uv_loop_t *loop, int pipe, const struct line_writer_events *events)
    __attribute__((warn_unused_result));

enum { LINE_WRITER_FULL_BYTES = 1 << 20 }; /* full_bytes, unless it is set after the opening */

/* Writes of the queue what the pipe takes now, rather than at the end of the turn. */
void line_writer_push(struct line_writer *writer);

/* Drops the queue and closes the pipe. Idempotent. */
void line_writer_close(struct line_writer *writer);

/* Queues one line, given in parts, and a line end; returns handed_bytes. A closed writer counts it, and drops it. */
uint64_t line_writer_write(struct line_writer *writer, const struct slice *parts, size_t count);

bool line_writer_is_full(const struct line_writer *writer);

#endif
