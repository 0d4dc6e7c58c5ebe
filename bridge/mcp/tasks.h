/*
 * Whose is a task (MCP 2025-11-25, Tasks)? On a child that sessions share, a task belongs to the session that made it:
 * for any other it is not there.
 */
#ifndef BRIDGE_MCP_TASKS_H
#define BRIDGE_MCP_TASKS_H

#include "bridge/base/list.h"
#include "bridge/base/map.h"

struct session;

/* The tasks of one child. */
struct tasks {
    struct map by_name;
    struct list all; /* the oldest first; owned */
    size_t count;
};

void tasks_init(struct tasks *tasks);

/* Forgets all: the child that had them is gone. */
void tasks_clear(struct tasks *tasks);

/*
 * The session made a task; `id` is its JSON string. NULL stands for requests without a session. The oldest is
 * forgotten at the ceiling.
 */
void tasks_add(struct tasks *tasks, struct session *session, struct slice id);

/* Whether the task is there for this session. */
bool tasks_has(const struct tasks *tasks, const struct session *session, struct slice id);

/* The session that made it; NULL when nobody did, or one without a session. */
struct session *tasks_owner(const struct tasks *tasks, struct slice id);

/* The session has ended. */
void tasks_forget_session(struct tasks *tasks, const struct session *session);

#endif
