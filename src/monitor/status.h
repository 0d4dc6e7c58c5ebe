/*
 * /status: how the server is and what went by, as JSON or, for a browser, as a page.
 */
#ifndef SRC_MONITOR_STATUS_H
#define SRC_MONITOR_STATUS_H

#include "bridge/port.h"
#include "src/monitor/figure.h"
#include "src/monitor/health.h"

struct status_subject {
    const struct health_subject *health;
    const struct figure_source *figures;
    const char *version;
};

/* A handler for the router; the context is a struct status_subject. */
void status_handle(void *context, struct exchange *exchange);

#endif
