/*
 * A number about the running program, as /metrics and /status show it.
 */
#ifndef SRC_MONITOR_FIGURE_H
#define SRC_MONITOR_FIGURE_H

#include "bridge/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct figure {
    const char *name; /* of the metric, whole: figures of one name stand together */
    const char *help;
    bool is_counter;     /* it only rises; else a gauge */
    struct slice server; /* whose; absent for the program's own */
    const char *reason;  /* NULL for none */
    uint64_t value;
};

typedef void (*figure_fn)(void *context, const struct figure *figure);

/* Whoever knows the numbers: calls `visit` with each. */
struct figure_source {
    void *context;
    void (*visit)(void *context, figure_fn visit, void *to);
};

#endif
