/*
 * What a server writes to stderr, line by line into the log under the server's name: harmless to a terminal, and not
 * more of it than a log can bear. It outlives the single process, and so does the bound.
 */
#ifndef SRC_CHILD_STDERR_LOG_H
#define SRC_CHILD_STDERR_LOG_H

#include "bridge/base/log_limit.h"
#include "src/child/line_reader.h"

#include <stddef.h>

enum {
    /* Lines in a window of the log's limit: a server may say much when it starts. */
    STDERR_LOG_WINDOW_LINES = 1000,
    STDERR_LOG_WINDOW_MS = LOG_LIMIT_WINDOW_MS,
    /* What is kept of the last line. */
    STDERR_LOG_LAST_BYTES = 200,
};

struct stderr_log {
    struct line_reader reader;
    struct log_limit limit;
    char last[STDERR_LOG_LAST_BYTES];
    size_t last_size;
};

void stderr_log_init(struct stderr_log *stderr_log, struct log *log, struct timers *timers, struct slice name);
void stderr_log_release(struct stderr_log *stderr_log);

/* Takes the next bytes; they may be changed. */
void stderr_log_feed(struct stderr_log *stderr_log, char *bytes, size_t size);

/* A process has ended its stderr: a last line without a line end is logged. Another process may follow. */
void stderr_log_end(struct stderr_log *stderr_log);

/* The beginning of the last line, to be logged with an end; empty when there was none since stderr_log_forget(). */
struct slice stderr_log_last(const struct stderr_log *stderr_log);
void stderr_log_forget(struct stderr_log *stderr_log);

#endif
