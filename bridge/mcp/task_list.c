#include "bridge/mcp/task_list.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"

/* Parsers differ in which of two equal members they take, so each that names an id must name one of the session's. */
static bool is_own(const struct tasks *tasks, const struct session *session, struct slice task)
{
    bool has_id = false;
    struct member member;
    while (members_next(&task, &member)) {
        if (json_string_means(member.key, "taskId")) {
            if (!tasks_has(tasks, session, slice_of(NULL, 0), member.value)) {
                return false;
            }
            has_id = true;
        }
    }
    return has_id;
}

static void add_own(struct buffer *out, const struct tasks *tasks, const struct session *session, struct slice list)
{
    struct slice task;
    const char *separator = "";
    buffer_add_text(out, "[");
    while (elements_next(&list, &task)) {
        if (is_own(tasks, session, task)) {
            buffer_add_text(out, separator);
            buffer_add(out, task);
            separator = ",";
        }
    }
    buffer_add_text(out, "]");
}

void task_list_write(struct buffer *out, const struct tasks *tasks, const struct session *session, struct slice result)
{
    if (!slice_starts_with(result, "{")) {
        buffer_add_text(out, "{\"tasks\":[]}");
        return;
    }
    const char *at = result.data;
    struct slice rest = result;
    struct member member;
    while (members_next(&rest, &member)) {
        if (json_string_means(member.key, "tasks")) {
            buffer_add(out, slice_of(at, (size_t)(member.value.data - at)));
            add_own(out, tasks, session, member.value);
            at = member.value.data + member.value.size;
        }
    }
    buffer_add(out, slice_of(at, (size_t)(result.data + result.size - at)));
}

bool task_is_over(struct slice task)
{
    static const char *const states[] = {"completed", "failed", "cancelled"};
    struct slice inside = json_string_inside(members_find(task, "status"));
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (slice_exists(inside) && json_string_means(inside, states[i])) {
            return true;
        }
    }
    return false;
}
