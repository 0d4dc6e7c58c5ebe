/*
 * /metrics: the numbers for Prometheus (text format 0.0.4).
 */
#ifndef SRC_MONITOR_METRICS_H
#define SRC_MONITOR_METRICS_H

#include "bridge/port.h"
#include "src/monitor/figure.h"

/* A handler for the router; the context is a struct figure_source. */
void metrics_handle(void *context, struct exchange *exchange);

#endif
