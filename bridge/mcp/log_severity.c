#include "bridge/mcp/log_severity.h"

#include "bridge/jsonrpc/json.h"

static const char *const names[] = {
    [SEVERITY_DEBUG] = "debug",     [SEVERITY_INFO] = "info",           [SEVERITY_NOTICE] = "notice",
    [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error",         [SEVERITY_CRITICAL] = "critical",
    [SEVERITY_ALERT] = "alert",     [SEVERITY_EMERGENCY] = "emergency",
};

enum log_severity log_severity_read(struct slice value)
{
    struct slice inside = json_string_inside(value);
    for (int severity = 0; severity < SEVERITY_UNSET; severity++) {
        if (slice_exists(inside) && json_string_means(inside, names[severity])) {
            return (enum log_severity)severity;
        }
    }
    return SEVERITY_UNSET;
}

const char *log_severity_name(enum log_severity severity)
{
    return names[severity];
}
