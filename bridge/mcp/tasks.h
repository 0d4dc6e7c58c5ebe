/*
 * Whose is a task, and where does its progress go (MCP 2025-11-25, Tasks)? On a child that sessions share, a task
 * belongs to the session that made it: for any other it is not there. The progress token of the request that made it
 * stays valid until the task ends.
 *
 * A task that was made without a session belongs to its principal, who may ask for it without a session. Where
 * callers are not told apart, that is whoever knows its id, which is the child's to make unguessable.
 */
#ifndef BRIDGE_MCP_TASKS_H
#define BRIDGE_MCP_TASKS_H

#include "bridge/base/list.h"
#include "bridge/base/map.h"

#include <stdint.h>

struct session;

/* The tasks of one child. */
struct tasks {
    struct map by_name;
    struct map by_token; /* those whose progress may come */
    struct list all;     /* the oldest first; owned */
    size_t count;
    size_t open_count; /* of those that are not known to be over */
};

/* A session's part of them. */
struct session_tasks {
    struct list list; /* the oldest first */
    size_t count;
    size_t open_count;
};

/* What there is to know of a new task. */
struct task_start {
    struct slice id;         /* its JSON string */
    struct session *session; /* NULL for a request without a session */
    struct slice principal;  /* who sent such a request; empty where nobody is told apart */
    struct slice token;      /* the client's progress token, as it was written; absent when it gave none */
    uint64_t wire_token;     /* the same as the child knows it */
};

void tasks_init(struct tasks *tasks);
void session_tasks_init(struct session_tasks *tasks);

/* Forgets all: the child that had them is gone. */
void tasks_clear(struct tasks *tasks);

/* A task was made. At a ceiling the oldest is forgotten: the session's own, or of all. */
void tasks_add(struct tasks *tasks, const struct task_start *start);

/* Whether the task is there for this session; without one (NULL), for this principal. */
bool tasks_has(const struct tasks *tasks, const struct session *session, struct slice principal, struct slice id);

/* The session that made it; NULL when nobody did, or one without a session. */
struct session *tasks_owner(const struct tasks *tasks, struct slice id);

/*
 * Whether a task may still be worked at that is not this session's (NULL for a request without one): what the child
 * says without naming anything may be about that.
 */
bool tasks_has_foreign(const struct tasks *tasks, const struct session *session);

/* The session whose task reports progress under this token, and *token as that client knows it; NULL when none does. */
struct session *tasks_find_token(const struct tasks *tasks, struct slice wire_token, struct slice *token);

/* The task is over: nothing comes for it any more. */
void tasks_end(struct tasks *tasks, struct slice id);

/* The session has ended. */
void tasks_forget_session(struct tasks *tasks, struct session *session);

#endif
