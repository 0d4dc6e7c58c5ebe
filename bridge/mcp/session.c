#include "bridge/mcp/session.h"

#include "bridge/jsonrpc/json.h"

static bool has_id(const struct map_node *node, const void *key)
{
    return slice_equals(container_of(node, const struct call, by_id)->id, *(const struct slice *)key);
}

struct call *session_find_call(const struct session *session, struct slice id)
{
    struct map_node *node = map_find(&session->calls, map_hash_bytes(id), has_id, &id);
    return node != NULL ? container_of(node, struct call, by_id) : NULL;
}

void session_add_call(struct session *session, struct call *call)
{
    map_add(&session->calls, &call->by_id, map_hash_bytes(call->id));
}

void session_remove_call(struct session *session, struct call *call)
{
    map_remove(&session->calls, &call->by_id);
}

bool session_deliver(struct session *session, const struct slice *parts, size_t count)
{
    if (session->outlet == NULL) {
        return false;
    }
    session->outlet->deliver(session->outlet, parts, count);
    return true;
}

static const char *const level_names[] = {
    [SESSION_LOG_DEBUG] = "debug",     [SESSION_LOG_INFO] = "info",           [SESSION_LOG_NOTICE] = "notice",
    [SESSION_LOG_WARNING] = "warning", [SESSION_LOG_ERROR] = "error",         [SESSION_LOG_CRITICAL] = "critical",
    [SESSION_LOG_ALERT] = "alert",     [SESSION_LOG_EMERGENCY] = "emergency",
};

enum session_log_level session_log_level_read(struct slice value)
{
    struct slice inside = json_string_inside(value);
    for (int level = 0; level < SESSION_LOG_UNSET; level++) {
        if (slice_exists(inside) && json_string_means(inside, level_names[level])) {
            return (enum session_log_level)level;
        }
    }
    return SESSION_LOG_UNSET;
}

const char *session_log_level_name(enum session_log_level level)
{
    return level_names[level];
}
