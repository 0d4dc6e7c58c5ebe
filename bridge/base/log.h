/*
 * Where log lines go. The bridge writes; who keeps them (src/log, a test) fills in the function. No payload of a
 * message is ever written to a log.
 */
#ifndef BRIDGE_BASE_LOG_H
#define BRIDGE_BASE_LOG_H

#include "bridge/base/slice.h"

enum log_level {
    LOG_LEVEL_DEBUG, /* each change of a state, each request */
    LOG_LEVEL_INFO,  /* what an operator wants to see once */
    LOG_LEVEL_WARN,  /* something was refused, dropped or repeated */
    LOG_LEVEL_ERROR, /* something does not work */
};

struct log {
    enum log_level level; /* lines below it are not made */
    /* `scope` names the part or the server that speaks. Both slices are valid during the call only. */
    void (*write)(struct log *log, enum log_level level, struct slice scope, struct slice text);
};

/* One line; it is cut at 1 KiB and bytes that could forge another line are replaced. */
void log_line(struct log *log, enum log_level level, struct slice scope, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
