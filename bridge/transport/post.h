/*
 * The answer to one POST: one JSON body when that is the first thing to say, an event stream as soon as something
 * comes before it or it takes long (MCP, Transports, "Sending Messages to the Server"). It carries the messages of
 * its own requests and nothing else.
 */
#ifndef BRIDGE_TRANSPORT_POST_H
#define BRIDGE_TRANSPORT_POST_H

#include "bridge/mcp/server.h"
#include "bridge/port.h"
#include "bridge/transport/accept.h"

#include <stdbool.h>

enum post_state {
    POST_SILENT,    /* nothing was sent: the answer may be JSON */
    POST_STREAMING, /* the head of an event stream was sent */
    POST_ORPHANED,  /* the client is gone, and its session is not: the calls go on, for nobody */
};

struct post_settings {
    bool json_only;           /* never a stream, if the client takes JSON */
    uint64_t stream_after_ms; /* silence after which a stream is opened; 0 is never */
    uint64_t heartbeat_ms;    /* between comments that keep a stream open; 0 is none */
};

/* What the posts of one endpoint have in common. */
struct post_owner {
    struct server *server;
    struct post_settings settings;
    size_t count; /* of posts that are not over */
};

struct post;

struct post_call {
    struct call call;
    struct post *post;
};

struct post {
    struct post_owner *owner;  /* borrowed */
    struct exchange *exchange; /* NULL once orphaned */
    struct accept accept;
    enum post_state state;
    struct session *session;      /* of the calls; held; NULL for stateless requests */
    struct session_orphan orphan; /* on the session's list while the client is gone */
    struct replay_stream *stream; /* the history of what was streamed; NULL when nobody can come back to it */
    struct timer timer;           /* until the stream opens, then for its heartbeat */
    bool must_stream;             /* the answer is nothing without a stream */
    struct slice principal;       /* owned: who sent it, if no session says that; absent for nobody in particular */
    bool is_batch;                /* the answer is an array */
    struct buffer answers;        /* of a batch, collected for JSON */
    struct slice body;            /* owned: the calls' bytes, when they are not the exchange's own; else absent */
    void (*on_ready)(struct post *post); /* of post_wait_for_child() */
    size_t open_calls;
    size_t open_notifications; /* of them, those that wait for room in the child's stdin */
    size_t call_count;
    struct post_call calls[];
};

/* For `call_count` requests and notifications that wait, to be filled in with post_set_call(). */
struct post *post_new(struct post_owner *owner, struct exchange *exchange, struct accept accept, size_t call_count);

/*
 * The call at `index` is this request, for the hub's child; in a session that is the session's. Its bytes must live as
 * long as the exchange, or as post->body.
 */
void post_set_call(struct post *post, size_t index, struct hub *hub, struct session *session,
                   const struct message *message);

/* Submits the call at `index`. After the last one the post may be over and freed. */
void post_submit(struct post *post, size_t index, const struct message *message);

/*
 * The same for a notification, which is delivered as soon as the child takes lines; those of one post are submitted
 * before its requests. It has no answer: a post of nothing else answers 202, also when waiting fails.
 */
void post_submit_notification(struct post *post, size_t index);

/*
 * For a post with one call: waits for the child, and then calls on_ready, which must answer the exchange and call
 * post_free(). When waiting fails, the answer is the error.
 */
void post_wait_for_child(struct post *post, void (*on_ready)(struct post *post));

/* Frees a post whose exchange has been answered. */
void post_free(struct post *post);

#endif
