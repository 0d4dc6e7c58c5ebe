#include "bridge/mcp/session_table.h"

#include "bridge/base/memory.h"

#include <assert.h>
#include <stdlib.h>

void session_table_init(struct session_table *table, struct world *world)
{
    *table = (struct session_table){.world = world};
    map_init(&table->sessions);
}

void session_table_release(struct session_table *table)
{
    map_release(&table->sessions);
}

/* MCP 2025-03-26, Transports, "Session Management" 1: globally unique, cryptographically secure, visible ASCII. */
void session_make_name(struct world *world, char name[SESSION_ID_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[SESSION_ID_BYTES];
    world->random(world, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        name[2 * i] = digits[bytes[i] >> 4];
        name[2 * i + 1] = digits[bytes[i] & 15];
    }
    name[SESSION_ID_TEXT] = '\0';
}

static bool has_name(const struct map_node *node, const void *key)
{
    return slice_is(*(const struct slice *)key, container_of(node, const struct session, by_name)->name);
}

struct session *session_table_find(const struct session_table *table, struct slice name)
{
    if (name.size != SESSION_ID_TEXT) {
        return NULL;
    }
    struct map_node *node = map_find(&table->sessions, map_hash_bytes(name), has_name, &name);
    return node != NULL ? container_of(node, struct session, by_name) : NULL;
}

/*
 * Being heard costs nothing but a note of the time: the timer looks at it when it fires, and goes on for what is left.
 */
static void on_idle_timer(struct timer *timer)
{
    struct session *session = container_of(timer, struct session, idle);
    struct session_table *table = session->table;
    struct timers *timers = table->world->timers;
    uint64_t idle_ms = session->holds > 0 ? 0 : timers_now(timers) - session->heard_ms;
    if (idle_ms < table->idle_timeout_ms) {
        timer_start(timers, timer, table->idle_timeout_ms - idle_ms, on_idle_timer);
    } else {
        table->on_idle(table, session);
    }
}

void session_table_touch(struct session *session)
{
    session->heard_ms = timers_now(session->table->world->timers);
}

struct session *session_table_open(struct session_table *table, const struct revision *revision, struct slice principal)
{
    if (table->sessions.count >= table->max_sessions) {
        return NULL;
    }
    struct session *session = memory_new(sizeof(*session));
    session->table = table;
    session->principal = memory_copy(principal);
    session->revision = revision;
    session->log_level = SEVERITY_UNSET;
    map_init(&session->calls);
    list_init(&session->subscriptions);
    session_tasks_init(&session->tasks);
    list_init(&session->queue);
    list_init(&session->orphans);
    list_init(&session->in_hub);
    callbacks_init(&session->callbacks);
    replay_init(&session->replay, table->replay_store);
    session_make_name(table->world, session->name);
    map_add(&table->sessions, &session->by_name, map_hash_bytes(slice_text(session->name)));
    session_table_touch(session);
    if (table->idle_timeout_ms > 0) {
        timer_start(table->world->timers, &session->idle, table->idle_timeout_ms, on_idle_timer);
    }
    return session;
}

void session_table_end(struct session *session)
{
    assert(!session->is_ended && list_is_empty(&session->subscriptions));
    session->is_ended = true;
    timer_stop(session->table->world->timers, &session->idle);
    map_remove(&session->table->sessions, &session->by_name);
    session_table_hold(session);
    if (session->outlet != NULL) {
        session->outlet->close(session->outlet);
    }
    session_table_let_go(session);
}

void session_table_hold(struct session *session)
{
    session->holds++;
}

void session_table_let_go(struct session *session)
{
    assert(session->holds > 0);
    session->holds--;
    session_table_touch(session);
    if (session->is_ended && session->holds == 0) {
        if (session->table->on_free != NULL) {
            session->table->on_free(session->table, session);
        }
        session_clear_queue(session);
        memory_free_slice(&session->client_capabilities);
        memory_free_slice(&session->client_info);
        replay_release(&session->replay);
        map_release(&session->calls);
        memory_free_slice(&session->principal);
        free(session);
    }
}
