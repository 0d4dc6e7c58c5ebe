/*
 * Syslog severities as MCP names them (MCP, Logging, "Log Levels").
 */
#ifndef BRIDGE_MCP_LOG_SEVERITY_H
#define BRIDGE_MCP_LOG_SEVERITY_H

#include "bridge/base/slice.h"

/* The most verbose first. */
enum log_severity {
    SEVERITY_DEBUG,
    SEVERITY_INFO,
    SEVERITY_NOTICE,
    SEVERITY_WARNING,
    SEVERITY_ERROR,
    SEVERITY_CRITICAL,
    SEVERITY_ALERT,
    SEVERITY_EMERGENCY,
    SEVERITY_UNSET, /* nobody asked */
};

/* The level that a string names, SEVERITY_UNSET when it names none. `value` is JSON, with quotes. */
enum log_severity log_severity_read(struct slice value);
const char *log_severity_name(enum log_severity severity);

#endif
