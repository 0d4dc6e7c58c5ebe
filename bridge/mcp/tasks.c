#include "bridge/mcp/tasks.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/limits.h"
#include "bridge/mcp/mux.h"
#include "bridge/mcp/session.h"

#include <stdlib.h>

struct task {
    struct map_node by_name;
    struct map_node by_token; /* in the map while `token` exists */
    struct list link;
    struct list in_session; /* in the session's, if it has one */
    struct slice name;      /* owned: the id's meaning */
    struct session *session;
    struct slice principal; /* owned: who made it without a session */
    struct slice token;     /* owned: the client's; absent when there is none, or the task is over */
    uint64_t wire_token;
    bool is_over;
};

void tasks_init(struct tasks *tasks)
{
    map_init(&tasks->by_name);
    map_init(&tasks->by_token);
    list_init(&tasks->all);
    tasks->count = tasks->open_count = 0;
}

void session_tasks_init(struct session_tasks *tasks)
{
    list_init(&tasks->list);
    tasks->count = tasks->open_count = 0;
}

static void drop_token(struct tasks *tasks, struct task *task)
{
    if (slice_exists(task->token)) {
        map_remove(&tasks->by_token, &task->by_token);
        memory_free_slice(&task->token);
    }
}

static void end(struct tasks *tasks, struct task *task)
{
    if (!task->is_over) {
        task->is_over = true;
        drop_token(tasks, task);
        tasks->open_count--;
        if (task->session != NULL) {
            task->session->tasks.open_count--;
        }
    }
}

static void forget(struct tasks *tasks, struct task *task)
{
    end(tasks, task);
    map_remove(&tasks->by_name, &task->by_name);
    list_remove(&task->link);
    tasks->count--;
    if (task->session != NULL) {
        list_remove(&task->in_session);
        task->session->tasks.count--;
    }
    memory_free_slice(&task->name);
    memory_free_slice(&task->principal);
    free(task);
}

static struct task *oldest(const struct tasks *tasks)
{
    return container_of(tasks->all.next, struct task, link);
}

static struct task *oldest_of(const struct session *session)
{
    return container_of(session->tasks.list.next, struct task, in_session);
}

void tasks_clear(struct tasks *tasks)
{
    while (tasks->count > 0) {
        forget(tasks, oldest(tasks));
    }
    map_release(&tasks->by_name);
    map_release(&tasks->by_token);
}

static bool has_name(const struct map_node *node, const void *key)
{
    return slice_equals(container_of(node, const struct task, by_name)->name, *(const struct slice *)key);
}

/* False when `id` is no JSON string, or too long to be one that we keep. */
static bool decode(struct slice id, struct buffer *name)
{
    struct slice inside = json_string_inside(id);
    buffer_init(name, LIMIT_ID_BYTES);
    return slice_exists(inside) && json_string_decode(inside, name);
}

static struct task *find(const struct tasks *tasks, struct slice id)
{
    struct buffer name;
    struct map_node *node = NULL;
    if (decode(id, &name)) {
        struct slice key = buffer_slice(&name);
        node = map_find(&tasks->by_name, map_hash_bytes(key), has_name, &key);
    }
    buffer_release(&name);
    return node != NULL ? container_of(node, struct task, by_name) : NULL;
}

static void make_room(struct tasks *tasks, const struct session *session)
{
    if (session != NULL && session->tasks.count == LIMIT_SESSION_TASKS) {
        forget(tasks, oldest_of(session));
    }
    if (tasks->count == LIMIT_TASKS) {
        forget(tasks, oldest(tasks));
    }
}

/* Progress without a session has nowhere to go. */
static void keep_token(struct tasks *tasks, struct task *task, const struct task_start *start)
{
    if (slice_exists(start->token) && start->session != NULL) {
        task->token = memory_copy(start->token);
        task->wire_token = start->wire_token;
        map_add(&tasks->by_token, &task->by_token, map_hash_number(task->wire_token));
    }
}

void tasks_add(struct tasks *tasks, const struct task_start *start)
{
    struct buffer name;
    if (decode(start->id, &name) && find(tasks, start->id) == NULL) {
        make_room(tasks, start->session);
        struct task *task = memory_new(sizeof(*task));
        task->name = memory_copy(buffer_slice(&name));
        task->session = start->session;
        task->principal = memory_copy(start->principal);
        map_add(&tasks->by_name, &task->by_name, map_hash_bytes(task->name));
        list_append(&tasks->all, &task->link);
        tasks->count++;
        tasks->open_count++;
        if (task->session != NULL) {
            list_append(&task->session->tasks.list, &task->in_session);
            task->session->tasks.count++;
            task->session->tasks.open_count++;
        }
        keep_token(tasks, task, start);
    }
    buffer_release(&name);
}

bool tasks_has(const struct tasks *tasks, const struct session *session, struct slice principal, struct slice id)
{
    const struct task *task = find(tasks, id);
    return task != NULL && task->session == session && (session != NULL || slice_equals(task->principal, principal));
}

struct session *tasks_owner(const struct tasks *tasks, struct slice id)
{
    const struct task *task = find(tasks, id);
    return task != NULL ? task->session : NULL;
}

bool tasks_has_foreign(const struct tasks *tasks, const struct session *session)
{
    return tasks->open_count > (session != NULL ? session->tasks.open_count : 0);
}

static bool has_token(const struct map_node *node, const void *key)
{
    return container_of(node, const struct task, by_token)->wire_token == *(const uint64_t *)key;
}

struct session *tasks_find_token(const struct tasks *tasks, struct slice wire_token, struct slice *token)
{
    uint64_t number;
    if (!mux_read_id(wire_token, &number)) {
        return NULL;
    }
    struct map_node *node = map_find(&tasks->by_token, map_hash_number(number), has_token, &number);
    if (node == NULL) {
        return NULL;
    }
    const struct task *task = container_of(node, const struct task, by_token);
    *token = task->token;
    return task->session;
}

void tasks_end(struct tasks *tasks, struct slice id)
{
    struct task *task = find(tasks, id);
    if (task != NULL) {
        end(tasks, task);
    }
}

void tasks_forget_session(struct tasks *tasks, struct session *session)
{
    while (session->tasks.count > 0) {
        forget(tasks, oldest_of(session));
    }
}
