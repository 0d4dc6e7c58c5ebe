#include "bridge/mcp/session.h"

#include "bridge/base/buffer.h"
#include "bridge/jsonrpc/members.h"

#include <stdlib.h>

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

void session_keep_client(struct session *session, const struct message *initialize)
{
    struct slice info = members_find(initialize->params, "clientInfo");
    if (slice_exists(initialize->capabilities)) {
        session->client_capabilities = memory_copy(initialize->capabilities);
    }
    if (slice_exists(info)) {
        session->client_info = memory_copy(info);
    }
}

bool session_deliver(struct session *session, const struct slice *parts, size_t count)
{
    if (session->outlet == NULL) {
        return false;
    }
    session->outlet->deliver(session->outlet, parts, count);
    return true;
}

bool session_has_resumption(const struct session *session)
{
    return session->revision != NULL && session->revision->has_resumption;
}

struct queued_message {
    struct list link;
    struct buffer bytes;
    uint64_t question; /* 0 for none */
};

static void drop(struct session *session, struct queued_message *message)
{
    list_remove(&message->link);
    session->queue_count--;
    session->queue_bytes -= message->bytes.size;
    buffer_release(&message->bytes);
    free(message);
}

static void drop_oldest(struct session *session)
{
    drop(session, container_of(session->queue.next, struct queued_message, link));
}

bool session_unqueue(struct session *session, uint64_t question)
{
    LIST_FOR_EACH(link, &session->queue) {
        struct queued_message *message = container_of(link, struct queued_message, link);
        if (message->question == question) {
            drop(session, message);
            return true;
        }
    }
    return false;
}

/* The oldest goes. A question whose time that is was not asked, and its child must hear of it. */
static void make_queue_room(struct session *session)
{
    uint64_t question = container_of(session->queue.next, struct queued_message, link)->question;
    drop_oldest(session);
    if (question != 0) {
        callback_lost(session, question);
    }
}

static bool is_queue_over(const struct session *session)
{
    return session->queue_count > LIMIT_SESSION_QUEUE_MESSAGES || session->queue_bytes > LIMIT_SESSION_QUEUE_BYTES;
}

static size_t size_of(const struct slice *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += parts[i].size;
    }
    return size;
}

bool session_deliver_or_queue(struct session *session, const struct slice *parts, size_t count, uint64_t question)
{
    if (session_deliver(session, parts, count)) {
        return true;
    }
    if (size_of(parts, count) > LIMIT_SESSION_QUEUE_BYTES) {
        return false;
    }
    struct queued_message *message = memory_new(sizeof(*message));
    message->question = question;
    buffer_init(&message->bytes, 0);
    for (size_t i = 0; i < count; i++) {
        buffer_add(&message->bytes, parts[i]);
    }
    list_append(&session->queue, &message->link);
    session->queue_count++;
    session->queue_bytes += message->bytes.size;
    /* Who asked what goes may take back more of it, this message included. */
    while (is_queue_over(session)) {
        make_queue_room(session);
    }
    return true;
}

void session_flush_queue(struct session *session)
{
    while (session->queue_count > 0 && session->outlet != NULL) {
        const struct queued_message *message = container_of(session->queue.next, struct queued_message, link);
        struct slice part = buffer_slice(&message->bytes);
        session_deliver(session, &part, 1);
        drop_oldest(session);
    }
}

void session_clear_queue(struct session *session)
{
    while (session->queue_count > 0) {
        drop_oldest(session);
    }
}
