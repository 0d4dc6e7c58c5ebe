#include "bridge/mcp/replay.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/limits.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct replay_event {
    struct list in_stream;
    struct list in_session;
    struct list in_store;
    struct replay_stream *stream;
    uint64_t number;
    uint64_t kept_ms; /* since when */
    size_t size;      /* in memory */
    size_t data_size;
    char data[];
};

static struct replay_event *oldest(const struct replay_store *store)
{
    return container_of(store->events.next, struct replay_event, in_store);
}

static void free_stream(struct replay_stream *stream)
{
    list_remove(&stream->link);
    free(stream);
}

static void drop_event(struct replay_event *event)
{
    struct replay_stream *stream = event->stream;
    list_remove(&event->in_stream);
    list_remove(&event->in_session);
    list_remove(&event->in_store);
    stream->replay->bytes -= event->size;
    stream->replay->store->bytes -= event->size;
    /* One that was too long to be kept may have been lost before it. */
    if (stream->last_lost < event->number) {
        stream->last_lost = event->number;
    }
    free(event);
}

/* An event whose time has come, and with it a stream that nobody can come back to. */
static void expire_event(struct replay_event *event)
{
    struct replay_stream *stream = event->stream;
    drop_event(event);
    if (stream->is_over && list_is_empty(&stream->events)) {
        free_stream(stream);
    }
}

static void on_age(struct timer *timer)
{
    struct replay_store *store = container_of(timer, struct replay_store, timer);
    uint64_t now_ms = timers_now(store->timers);
    while (!list_is_empty(&store->events) && oldest(store)->kept_ms + store->max_age_ms <= now_ms) {
        expire_event(oldest(store));
    }
    if (!list_is_empty(&store->events)) {
        timer_start(store->timers, timer, oldest(store)->kept_ms + store->max_age_ms - now_ms, on_age);
    }
}

void replay_store_init(struct replay_store *store, struct timers *timers, size_t max_session_bytes, uint64_t max_age_ms)
{
    *store = (struct replay_store){.timers = timers, .max_session_bytes = max_session_bytes, .max_age_ms = max_age_ms};
    list_init(&store->events);
}

void replay_store_release(struct replay_store *store)
{
    assert(list_is_empty(&store->events));
    timer_stop(store->timers, &store->timer);
}

void replay_init(struct replay *replay, struct replay_store *store)
{
    *replay = (struct replay){.store = store};
    list_init(&replay->streams);
    list_init(&replay->events);
}

void replay_release(struct replay *replay)
{
    LIST_FOR_EACH(link, &replay->streams) {
        struct replay_stream *stream = container_of(link, struct replay_stream, link);
        LIST_FOR_EACH(event, &stream->events) {
            drop_event(container_of(event, struct replay_event, in_stream));
        }
        free_stream(stream);
    }
}

struct replay_stream *replay_open(struct replay *replay, bool is_listen)
{
    struct replay_stream *stream = memory_new(sizeof(*stream));
    stream->replay = replay;
    stream->number = ++replay->last_stream;
    stream->is_listen = is_listen;
    list_init(&stream->events);
    list_append(&replay->streams, &stream->link);
    return stream;
}

void replay_end(struct replay_stream *stream)
{
    stream->is_over = true;
    stream->live = NULL;
    if (list_is_empty(&stream->events)) {
        free_stream(stream);
    }
}

static struct slice write_id(struct event_id *id, const struct replay_stream *stream, uint64_t number)
{
    int size = snprintf(id->text, sizeof(id->text), "%s%" PRIu32 "-%" PRIu64, stream->is_listen ? "L" : "",
                        stream->number, number);
    return slice_of(id->text, (size_t)size);
}

struct slice replay_first_id(const struct replay_stream *stream, struct event_id *id)
{
    return write_id(id, stream, 0);
}

/* The session's own oldest events go first, then anybody's. */
static void make_room(struct replay *replay, size_t size)
{
    struct replay_store *store = replay->store;
    while (replay->bytes + size > store->max_session_bytes) {
        store->evicted++;
        expire_event(container_of(replay->events.next, struct replay_event, in_session));
    }
    while (store->max_bytes > 0 && store->bytes + size > store->max_bytes) {
        store->evicted++;
        expire_event(oldest(store));
    }
}

static void keep(struct replay_stream *stream, const struct slice *parts, size_t count, size_t size)
{
    struct replay_store *store = stream->replay->store;
    struct replay_event *event = memory_new(sizeof(*event) + size);
    event->stream = stream;
    event->number = stream->last_event;
    event->kept_ms = timers_now(store->timers);
    event->size = sizeof(*event) + size;
    event->data_size = size;
    char *at = event->data;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    list_append(&stream->events, &event->in_stream);
    list_append(&stream->replay->events, &event->in_session);
    list_append(&store->events, &event->in_store);
    stream->replay->bytes += event->size;
    store->bytes += event->size;
    if (store->max_age_ms > 0 && !timer_is_running(&store->timer)) {
        timer_start(store->timers, &store->timer, store->max_age_ms, on_age);
    }
}

struct slice replay_add(struct replay_stream *stream, struct event_id *id, const struct slice *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += parts[i].size;
    }
    stream->last_event++;
    size_t kept_size = sizeof(struct replay_event) + size;
    const struct replay_store *store = stream->replay->store;
    bool fits = store->max_bytes == 0 || kept_size <= store->max_bytes;
    if (kept_size <= store->max_session_bytes && fits) {
        make_room(stream->replay, kept_size);
        keep(stream, parts, count, size);
    } else {
        /* Nobody's history makes way for what cannot be kept. */
        stream->last_lost = stream->last_event;
    }
    return write_id(id, stream, stream->last_event);
}

bool replay_is_listen_id(struct slice id)
{
    return slice_starts_with(id, "L");
}

struct replay_stream *replay_find(const struct replay *replay, struct slice id, uint64_t *number)
{
    struct slice stream_text;
    uint64_t stream_number;
    bool is_listen = replay_is_listen_id(id);
    id = is_listen ? slice_of(id.data + 1, id.size - 1) : id;
    if (!slice_split(&id, '-', &stream_text) || !json_parse_id(stream_text, &stream_number) ||
        !json_parse_id(id, number)) {
        return NULL;
    }
    LIST_FOR_EACH(link, &replay->streams) {
        struct replay_stream *stream = container_of(link, struct replay_stream, link);
        if (stream->number == stream_number && stream->is_listen == is_listen) {
            return *number >= stream->last_lost && *number <= stream->last_event ? stream : NULL;
        }
    }
    return NULL;
}

void replay_visit(const struct replay_stream *stream, uint64_t number,
                  void (*visit)(void *context, struct slice id, struct slice data), void *context)
{
    LIST_FOR_EACH(link, &stream->events) {
        const struct replay_event *event = container_of(link, struct replay_event, in_stream);
        if (event->number > number) {
            struct event_id id;
            visit(context, write_id(&id, stream, event->number), slice_of(event->data, event->data_size));
        }
    }
}
