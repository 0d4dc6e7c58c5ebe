/*
 * A child that a test plays: it keeps the lines that the bridge writes, and says, does and suffers what the test wants.
 * Every line must be one valid message, and every request's id must be greater than all before it.
 */
#ifndef TESTS_UNIT_BRIDGE_FAKE_CHILD_H
#define TESTS_UNIT_BRIDGE_FAKE_CHILD_H

#include "tests/unit/bridge/fake_world.h"

enum fake_child_state {
    FAKE_CHILD_DOWN,   /* no process runs */
    FAKE_CHILD_UP,     /* one does */
    FAKE_CHILD_CLOSED, /* on_closed was told: nothing may be asked of it any more */
};

/* A line that the bridge wrote. */
struct fake_line {
    char *text;           /* owned, NUL-terminated */
    uint64_t written_end; /* where it ends in the process's input */
};

struct fake_child {
    struct child child;
    struct fake_world *world;
    struct list link; /* in the world's children */
    const struct child_command *command;
    const struct child_events *events;
    void *owner;

    enum fake_child_state state;
    bool is_closing;         /* close() was called */
    bool is_full;            /* what is_full() says; set by the test */
    uint64_t fills_at;       /* is_full from so many bytes written on, after each line; 0 is never; set by the test */
    bool was_full;           /* the bridge has seen it: it may expect on_drained */
    unsigned ups;            /* processes so far */
    unsigned settles;        /* calls of settled() */
    unsigned restarts;       /* calls of restart() */
    char why[512];           /* the last one's reason */
    uint64_t written;        /* bytes handed to the running process, or to the last one */
    uint64_t last_id;        /* the greatest id of a request so far, over all processes */
    struct fake_line *lines; /* owned: of the running process, or the last one */
    size_t line_count;
    size_t lines_read; /* by fake_child_take() */
};

/* The world's child_open. */
struct child *fake_child_open(struct world *port, const struct child_command *command,
                              const struct child_events *events, void *owner);

/* The one that was opened last. */
struct fake_child *fake_child_of(struct fake_world *world);

/* How many were ever opened, and the one with this number, the first being 0. */
size_t fake_child_count(const struct fake_world *world);
struct fake_child *fake_child_at(const struct fake_world *world, size_t number);

/* Requires that it was closed. */
void fake_child_free(struct fake_child *child);

/* A process starts. */
void fake_child_up(struct fake_child *child);

/* The process writes a line. */
void fake_child_say(struct fake_child *child, const char *line);
void fake_child_say_format(struct fake_child *child, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fake_child_say_bytes(struct fake_child *child, struct slice line);

/* The process ends, or its start fails, having taken `written_bytes` of its input. */
void fake_child_down(struct fake_child *child, const char *text, uint64_t written_bytes, unsigned failures_in_a_row);

/* It ends as it had read everything. */
void fake_child_die(struct fake_child *child);

/* Its input has room again. */
void fake_child_drain(struct fake_child *child);

/* After close(): the process, if any, ends, and on_closed comes. */
void fake_child_finish(struct fake_child *child);

/* The next line that was written and not yet looked at; NULL when there is none. */
const char *fake_child_take(struct fake_child *child);

/* How many lines were written and not looked at. */
size_t fake_child_unread(const struct fake_child *child);

/* Requires that the next line is this one. */
void fake_child_expect(struct fake_child *child, const char *line);
void fake_child_expect_format(struct fake_child *child, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Requires that no line is left to look at. */
void fake_child_expect_silence(const struct fake_child *child);

#endif
