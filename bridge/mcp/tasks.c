#include "bridge/mcp/tasks.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/limits.h"

#include <stdlib.h>

struct task {
    struct map_node by_name;
    struct list link;
    struct slice name; /* owned: the id's meaning */
    struct session *session;
};

void tasks_init(struct tasks *tasks)
{
    map_init(&tasks->by_name);
    list_init(&tasks->all);
    tasks->count = 0;
}

static void forget(struct tasks *tasks, struct task *task)
{
    map_remove(&tasks->by_name, &task->by_name);
    list_remove(&task->link);
    tasks->count--;
    memory_free_slice(&task->name);
    free(task);
}

static struct task *oldest(const struct tasks *tasks)
{
    return container_of(tasks->all.next, struct task, link);
}

void tasks_clear(struct tasks *tasks)
{
    while (tasks->count > 0) {
        forget(tasks, oldest(tasks));
    }
    map_release(&tasks->by_name);
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

void tasks_add(struct tasks *tasks, struct session *session, struct slice id)
{
    struct buffer name;
    if (decode(id, &name) && find(tasks, id) == NULL) {
        if (tasks->count == LIMIT_TASKS) {
            forget(tasks, oldest(tasks));
        }
        struct task *task = memory_new(sizeof(*task));
        task->name = memory_copy(buffer_slice(&name));
        task->session = session;
        map_add(&tasks->by_name, &task->by_name, map_hash_bytes(task->name));
        list_append(&tasks->all, &task->link);
        tasks->count++;
    }
    buffer_release(&name);
}

bool tasks_has(const struct tasks *tasks, const struct session *session, struct slice id)
{
    const struct task *task = find(tasks, id);
    return task != NULL && task->session == session;
}

struct session *tasks_owner(const struct tasks *tasks, struct slice id)
{
    const struct task *task = find(tasks, id);
    return task != NULL ? task->session : NULL;
}

void tasks_forget_session(struct tasks *tasks, const struct session *session)
{
    LIST_FOR_EACH(link, &tasks->all) {
        struct task *task = container_of(link, struct task, link);
        if (task->session == session) {
            forget(tasks, task);
        }
    }
}
