#include "bridge/mcp/mux.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/limits.h"

#include <assert.h>
#include <stdlib.h>

/* A child that was told of a cancellation need not answer, so waiting for the answer has an end. */
enum { ABANDONED_MS = 60 * 1000 };

void mux_init(struct mux *mux)
{
    *mux = (struct mux){0};
    map_init(&mux->entries);
    list_init(&mux->abandoned);
}

void mux_release(struct mux *mux)
{
    mux_forget(mux);
    map_release(&mux->entries);
}

uint64_t mux_take_id(struct mux *mux)
{
    return ++mux->last_wire_id;
}

static void add(struct mux *mux, struct mux_entry *entry)
{
    map_add(&mux->entries, &entry->node, map_hash_number(entry->wire_id));
}

void mux_enter(struct mux *mux, struct mux_entry *entry, struct call *call)
{
    assert(call != NULL);
    entry->wire_id = mux_take_id(mux);
    entry->call = call;
    add(mux, entry);
    mux->running_count++;
}

void mux_leave(struct mux *mux, struct mux_entry *entry)
{
    map_remove(&mux->entries, &entry->node);
    mux->running_count--;
}

static void forget(struct mux *mux, struct mux_entry *entry)
{
    map_remove(&mux->entries, &entry->node);
    list_remove(&entry->link);
    mux->abandoned_count--;
    free(entry);
}

static struct mux_entry *oldest_abandoned(struct mux *mux)
{
    assert(!list_is_empty(&mux->abandoned));
    return container_of(mux->abandoned.next, struct mux_entry, link);
}

static void remember(struct mux *mux, uint64_t wire_id, uint64_t now_ms)
{
    if (mux->abandoned_count == LIMIT_ABANDONED_CALLS) {
        forget(mux, oldest_abandoned(mux));
    }
    struct mux_entry *entry = memory_new(sizeof(*entry));
    entry->wire_id = wire_id;
    entry->given_up_ms = now_ms;
    add(mux, entry);
    list_append(&mux->abandoned, &entry->link);
    mux->abandoned_count++;
}

void mux_abandon(struct mux *mux, struct mux_entry *entry, uint64_t now_ms)
{
    mux_leave(mux, entry);
    remember(mux, entry->wire_id, now_ms);
}

uint64_t mux_take_own(struct mux *mux, uint64_t now_ms)
{
    uint64_t wire_id = mux_take_id(mux);
    remember(mux, wire_id, now_ms);
    return wire_id;
}

static bool has_wire_id(const struct map_node *node, const void *key)
{
    return container_of(node, const struct mux_entry, node)->wire_id == *(const uint64_t *)key;
}

/* Some servers hand back the id 7 as "7". */
bool mux_read_id(struct slice id, uint64_t *wire_id)
{
    struct slice inside = json_string_inside(id);
    return json_parse_id(slice_exists(inside) ? inside : id, wire_id);
}

bool mux_is_id(struct slice id, uint64_t wire_id)
{
    uint64_t parsed;
    return mux_read_id(id, &parsed) && parsed == wire_id;
}

static struct mux_entry *find(const struct mux *mux, struct slice id)
{
    uint64_t wire_id;
    if (!mux_read_id(id, &wire_id)) {
        return NULL;
    }
    struct map_node *node = map_find(&mux->entries, map_hash_number(wire_id), has_wire_id, &wire_id);
    return node != NULL ? container_of(node, struct mux_entry, node) : NULL;
}

enum mux_owner mux_find(struct mux *mux, struct slice id, struct call **call)
{
    struct mux_entry *entry = find(mux, id);
    if (entry == NULL) {
        return MUX_UNKNOWN;
    }
    *call = entry->call;
    if (entry->call != NULL) {
        return MUX_CALL;
    }
    forget(mux, entry);
    return MUX_LATE;
}

struct call *mux_find_token(const struct mux *mux, struct slice token)
{
    const struct mux_entry *entry = find(mux, token);
    return entry != NULL ? entry->call : NULL;
}

bool mux_is_certain(struct mux *mux, size_t others, uint64_t now_ms)
{
    while (mux->abandoned_count > 0 && oldest_abandoned(mux)->given_up_ms + ABANDONED_MS <= now_ms) {
        forget(mux, oldest_abandoned(mux));
    }
    return mux->running_count == others + 1 && mux->abandoned_count == 0;
}

void mux_forget(struct mux *mux)
{
    while (mux->abandoned_count > 0) {
        forget(mux, oldest_abandoned(mux));
    }
}
