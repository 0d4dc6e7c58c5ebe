/*
 * An event loop for a test: with a clock that stands still until the test moves it, a log that is kept, and one
 * deadline, in real time, for whatever the test waits for.
 */
#ifndef TESTS_UNIT_SRC_CHILD_LOOP_FIXTURE_H
#define TESTS_UNIT_SRC_CHILD_LOOP_FIXTURE_H

#include "bridge/base/buffer.h"
#include "bridge/base/log.h"
#include "bridge/base/timer.h"

#include <stdbool.h>
#include <uv.h>

struct loop_fixture {
    uv_loop_t loop;
    struct timers timers;
    struct log log;
    struct buffer log_text; /* one line each: "info scope: text" */
    uv_timer_t deadline;
    bool is_late;
};

void loop_fixture_open(struct loop_fixture *fixture);

/* Requires that nothing is left open. */
void loop_fixture_close(struct loop_fixture *fixture);

/* Runs the loop, and the timers that are due, until is_done(context). Fails the test at the deadline. */
void loop_fixture_run_until(struct loop_fixture *fixture, bool (*is_done)(void *context), void *context);

/* Moves the clock. */
void loop_fixture_advance(struct loop_fixture *fixture, uint64_t delay_ms);

bool loop_fixture_has_logged(const struct loop_fixture *fixture, const char *text);

#endif
