#include "bridge/transport/listen_stream.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "bridge/mcp/server.h"
#include "bridge/transport/resume.h"

#include <stdlib.h>

struct listen_stream {
    struct session_outlet outlet;
    struct listen_owner *owner; /* borrowed */
    struct exchange *exchange;
    struct session *session; /* held */
    struct timer heartbeat;
    struct list link;
};

/* The exchange is over, or about to be. The history stays, for a client that comes back. */
static void release(struct listen_stream *stream)
{
    timer_stop(stream->owner->world->timers, &stream->heartbeat);
    list_remove(&stream->link);
    server_stream_closed(stream->session->hub->server, stream->session);
    if (stream->session->outlet == &stream->outlet) {
        stream->session->outlet = NULL;
    }
    session_table_let_go(stream->session);
    free(stream);
}

static void on_client_gone(struct exchange *exchange)
{
    release(exchange->handler);
}

static void close_outlet(struct session_outlet *outlet)
{
    struct listen_stream *stream = container_of(outlet, struct listen_stream, outlet);
    struct exchange *exchange = stream->exchange;
    release(stream);
    exchange->operations->close_stream(exchange);
}

static void deliver(struct session_outlet *outlet, const struct slice *parts, size_t count)
{
    struct listen_stream *stream = container_of(outlet, struct listen_stream, outlet);
    struct exchange *exchange = stream->exchange;
    struct replay_stream *history = stream->session->listen;
    struct server *server = stream->session->hub->server;
    struct event_id id;
    const struct event event = {
        .id = history != NULL ? replay_add(history, &id, parts, count) : slice_of(NULL, 0),
        .data = parts,
        .data_count = count,
    };
    /* A reader that does not read loses its stream, and only that. */
    if (server_is_slow_reader(server, exchange->operations->queued(exchange))) {
        server->counters.slow_streams++;
        close_outlet(outlet);
    } else {
        exchange->operations->send_event(exchange, &event);
    }
}

static void on_heartbeat(struct timer *timer)
{
    struct listen_stream *stream = container_of(timer, struct listen_stream, heartbeat);
    stream->exchange->operations->send_comment(stream->exchange, "heartbeat");
    timer_start(stream->owner->world->timers, timer, stream->owner->heartbeat_ms, on_heartbeat);
}

/*
 * Makes it the session's stream; its head goes out at once. Some proxies hold it back until the first byte of the
 * body.
 */
static void attach(struct listen_owner *owner, struct exchange *exchange, struct session *session)
{
    if (session->outlet != NULL) {
        session->outlet->close(session->outlet);
    }
    struct listen_stream *stream = memory_new(sizeof(*stream));
    *stream = (struct listen_stream){
        .outlet = {deliver, close_outlet}, .owner = owner, .exchange = exchange, .session = session};
    session_table_hold(session);
    session->outlet = &stream->outlet;
    server_stream_opened(session->hub->server, session);
    list_append(&owner->streams, &stream->link);
    exchange->handler = stream;
    exchange->on_closed = on_client_gone;
    exchange->operations->open_stream(exchange, NULL, 0);
    exchange->operations->send_comment(exchange, "open");
    if (owner->heartbeat_ms > 0) {
        timer_start(owner->world->timers, &stream->heartbeat, owner->heartbeat_ms, on_heartbeat);
    }
}

void listen_stream_open(struct listen_owner *owner, struct exchange *exchange, struct session *session)
{
    attach(owner, exchange, session);
    if (session_has_resumption(session)) {
        struct event_id id;
        if (session->listen != NULL) {
            replay_end(session->listen);
        }
        session->listen = replay_open(&session->replay, true);
        const struct event event = {.id = replay_first_id(session->listen, &id), .retry_ms = LIMIT_RETRY_MS};
        exchange->operations->send_event(exchange, &event);
    }
    session_flush_queue(session);
}

void listen_stream_resume(struct listen_owner *owner, struct exchange *exchange, struct session *session,
                          uint64_t number)
{
    attach(owner, exchange, session);
    replay_visit(session->listen, number, resume_send, exchange);
    session_flush_queue(session);
}

void listen_stream_close_all(struct listen_owner *owner)
{
    while (!list_is_empty(&owner->streams)) {
        close_outlet(&container_of(owner->streams.next, struct listen_stream, link)->outlet);
    }
}
