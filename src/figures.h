/*
 * The table of all numbers that /metrics and /status show, and where each stands.
 */
#ifndef SRC_FIGURES_H
#define SRC_FIGURES_H

#include "bridge/mcp/server.h"
#include "src/http/listener.h"
#include "src/monitor/figure.h"

/* Everything is borrowed. */
struct figures {
    const struct server *server;
    struct http_listener *const *listener; /* *listener is NULL once it is closed */
    uv_loop_t *loop;
    uint64_t started_ms;
};

/* For a struct figure_source whose context is a struct figures. */
void figures_visit(void *context, figure_fn visit, void *to);

#endif
