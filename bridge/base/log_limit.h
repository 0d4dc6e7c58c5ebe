/*
 * Keeps what a peer can cause at will from flooding the log: so many lines in a window, and at its end one that counts
 * the rest.
 */
#ifndef BRIDGE_BASE_LOG_LIMIT_H
#define BRIDGE_BASE_LOG_LIMIT_H

#include "bridge/base/log.h"
#include "bridge/base/timer.h"

#include <stdbool.h>

enum { LOG_LIMIT_WINDOW_MS = 10 * 1000 };

struct log_limit {
    struct log *log;       /* borrowed, as are the next three */
    struct timers *timers; /* NULL before init and after release */
    struct slice scope;
    const char *subject; /* of the line that counts: "%u more lines <subject> dropped" */
    unsigned max_lines;  /* in a window */
    unsigned lines;      /* wanted in this window */
    struct timer window; /* runs from a window's first line to its end */
};

/* Log, timers, scope and subject must outlive it. */
void log_limit_init(struct log_limit *limit, struct log *log, struct timers *timers, struct slice scope,
                    const char *subject);

/* Logs the count of the window that is open. Idempotent; a zeroed one may be released. */
void log_limit_release(struct log_limit *limit);

/* Whether one more line may be logged. Counts it, so it is asked once a line. */
bool log_limit_take(struct log_limit *limit);

#endif
