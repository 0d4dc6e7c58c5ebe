/*
 * What was sent on event streams, kept for a while so that a client whose connection broke can go on where it was
 * (MCP 2025-11-25, Transports, "Resumability and Redelivery"). Bounded in bytes, a session and in all, and in age.
 *
 * An event's id is "STREAM-NUMBER", unique in its session, with an "L" in front on a GET stream; number 0 is the event
 * that opens the stream.
 */
#ifndef BRIDGE_MCP_REPLAY_H
#define BRIDGE_MCP_REPLAY_H

#include "bridge/base/list.h"
#include "bridge/base/slice.h"
#include "bridge/base/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;

/* One for all sessions of a server. */
struct replay_store {
    struct timers *timers;
    size_t max_session_bytes;
    size_t max_bytes;    /* of all sessions together; 0 is no ceiling */
    uint64_t max_age_ms; /* 0 is no limit */
    struct list events;  /* of all sessions, the oldest first */
    size_t bytes;
    uint64_t evicted;   /* events that made room for others, since the start */
    struct timer timer; /* to the end of the oldest one's age */
};

/* One a session. */
struct replay {
    struct replay_store *store; /* borrowed */
    struct list streams;        /* owned */
    struct list events;         /* of all its streams, the oldest first */
    size_t bytes;
    uint32_t last_stream;
};

/* One event stream of a session, open or not, as long as somebody may come back to it. */
struct replay_stream {
    struct replay *replay;
    struct list link;
    struct list events; /* owned, in order */
    uint32_t number;
    bool is_listen; /* a GET stream */
    uint64_t last_event;
    uint64_t last_lost; /* the newest event that is not kept any more; 0 for none */
    bool is_over;       /* nothing comes any more */
    void *live;         /* whoever goes on filling it; NULL for nobody. Borrowed */
    /* Hands the connection that came back to `live`, in place of what it has. */
    void (*resume)(void *live, struct exchange *exchange);
};

struct event_id {
    char text[40];
};

void replay_store_init(struct replay_store *store, struct timers *timers, size_t max_session_bytes,
                       uint64_t max_age_ms);
void replay_store_release(struct replay_store *store);

void replay_init(struct replay *replay, struct replay_store *store);
void replay_release(struct replay *replay);

/* A new stream. It is forgotten when it is over and its events are gone, or with its session. */
struct replay_stream *replay_open(struct replay *replay, bool is_listen);

/* Nobody fills it any more. */
void replay_end(struct replay_stream *stream);

/* Keeps a copy of an event, and gives it its id. */
struct slice replay_add(struct replay_stream *stream, struct event_id *id, const struct slice *parts, size_t count);

/* The id of the event that opens the stream. */
struct slice replay_first_id(const struct replay_stream *stream, struct event_id *id);

/* Whether an id is of a GET stream, known or not. */
bool replay_is_listen_id(struct slice id);

/* The stream that the id is of, if every event after it is still kept; else NULL. *number is the event's. */
struct replay_stream *replay_find(const struct replay *replay, struct slice id, uint64_t *number);

/* Calls `visit` for every event after `number`, in order. */
void replay_visit(const struct replay_stream *stream, uint64_t number,
                  void (*visit)(void *context, struct slice id, struct slice data), void *context);

#endif
