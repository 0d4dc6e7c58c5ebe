/*
 * A child that runs a shell script, and all that it has told its owner. The clock stands still: see loop_fixture.h.
 */
#ifndef TESTS_UNIT_SRC_CHILD_CHILD_FIXTURE_H
#define TESTS_UNIT_SRC_CHILD_CHILD_FIXTURE_H

#include "src/child/supervisor.h"
#include "tests/unit/src/child/loop_fixture.h"

enum { CHILD_FIXTURE_GRACE_MS = 2000 };

struct child_fixture {
    struct loop_fixture base;
    struct supervisor_settings settings;
    struct child_command command;
    char *argv[4];
    struct child *child; /* NULL before the start and after on_closed */
    unsigned ups;
    unsigned downs;
    unsigned drains;
    unsigned lines;
    struct buffer output; /* of all processes, with an LF behind each line */
    size_t longest_line;
    char end_text[256];
    struct child_end end;                           /* the last one; its text is end_text */
    void (*on_down)(struct child_fixture *fixture); /* what the owner does at an end; may be NULL */
};

void child_fixture_open(struct child_fixture *fixture);

/* Requires that the child is closed, or was never started. */
void child_fixture_close(struct child_fixture *fixture);

/* Opens the child with `sh -c script` and waits until it is up. */
void child_fixture_start(struct child_fixture *fixture, const char *script);

/* Opens it with whatever command the fixture holds; waits for nothing. */
void child_fixture_start_command(struct child_fixture *fixture);

/* Hands one line over; returns what write() does. */
uint64_t child_fixture_write(struct child_fixture *fixture, const char *line);

void child_fixture_wait_for_ups(struct child_fixture *fixture, unsigned count);
void child_fixture_wait_for_lines(struct child_fixture *fixture, unsigned count);
void child_fixture_wait_for_downs(struct child_fixture *fixture, unsigned count);
void child_fixture_wait_for_drains(struct child_fixture *fixture, unsigned count);
void child_fixture_wait_for_log(struct child_fixture *fixture, const char *text);
void child_fixture_wait_for_close(struct child_fixture *fixture);

/* Closes the child and climbs the whole stop ladder at once. */
void child_fixture_stop(struct child_fixture *fixture);

/* For cmocka: an open fixture. The tear-down stops its child. */
int child_fixture_set_up(void **state);
int child_fixture_tear_down(void **state);

bool child_fixture_has_output(const struct child_fixture *fixture, const char *text);

#endif
