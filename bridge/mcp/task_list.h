/*
 * The answer to tasks/list from a child that sessions share: it lists everybody's tasks, and each session gets its own
 * (MCP 2025-11-25, Tasks, "Task Isolation and Access Control"). The pages and their cursors stay the child's: a page
 * may be empty and another follow.
 */
#ifndef BRIDGE_MCP_TASK_LIST_H
#define BRIDGE_MCP_TASK_LIST_H

#include "bridge/base/buffer.h"
#include "bridge/mcp/tasks.h"

/* Appends `result`, the child's ListTasksResult, without the tasks that are not the session's. */
void task_list_write(struct buffer *out, const struct tasks *tasks, const struct session *session, struct slice result);

/* Whether a Task, or the params of notifications/tasks/status, says that the task is completed, failed or cancelled. */
bool task_is_over(struct slice task);

#endif
