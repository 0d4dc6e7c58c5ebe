/*
 * One child as the bridge talks to it: the handshake, the wire ids, the requests that run and those that wait. It
 * outlives the child's processes: when one ends, its running requests fail, and the next is shaken hands with.
 */
#ifndef BRIDGE_MCP_CHANNEL_H
#define BRIDGE_MCP_CHANNEL_H

#include "bridge/jsonrpc/reply.h"
#include "bridge/mcp/call.h"
#include "bridge/mcp/counters.h"
#include "bridge/mcp/handshake.h"
#include "bridge/mcp/mux.h"
#include "bridge/port.h"

enum channel_state {
    CHANNEL_STARTING, /* the first process is on its way */
    CHANNEL_SHAKING,  /* a process runs; its answer to initialize has not come */
    CHANNEL_READY,    /* requests go through */
    CHANNEL_DOWN,     /* the process ended; the next one starts after the back-off */
    CHANNEL_CLOSING,  /* the process is being ended for good */
    CHANNEL_CLOSED,   /* nothing comes any more */
};

struct channel_settings {
    uint64_t start_timeout_ms;   /* for the answer to initialize, and for a request that waits; 0 is none */
    uint64_t request_timeout_ms; /* from a request's line, or its last progress, to its answer; 0 is none */
};

struct channel_events {
    void (*on_ready)(struct channel *channel);
    /* The child reads again, after channel_is_full(). Calls that wait for that go on when this returns. */
    void (*on_drained)(struct channel *channel);
    /* The process ended. Its running requests have failed. */
    void (*on_down)(struct channel *channel);
    /* A notification that no wire id or token of a call claims. The message is valid during the call only. */
    void (*on_notification)(struct channel *channel, const struct message *message);
    /* The child asks something: to be answered with channel_send(), sooner or later. */
    void (*on_request)(struct channel *channel, const struct message *message);
    /*
     * The handshake was refused with this answer, or with silence (NULL): the process is ended, and another one is
     * started, unless the owner closes the channel here.
     */
    void (*on_refused)(struct channel *channel, const struct message *answer);
    /* A line was dropped: not a message, or an answer that nobody waits for. */
    void (*on_dropped)(struct channel *channel, const char *why);
    void (*on_closed)(struct channel *channel);
};

struct channel {
    struct world *world;
    const struct channel_settings *settings; /* borrowed */
    const struct channel_events *events;
    struct server_counters *counters; /* borrowed */
    struct slice name;                /* borrowed: the server's, for logs */

    enum channel_state state;
    struct child *child; /* NULL once closed */
    struct handshake handshake;
    struct mux mux;
    struct list waiting; /* of calls, in order of arrival */
    struct list running; /* of calls, in order of their lines */
    size_t call_count;   /* in both */
    size_t listen_count; /* of those that run to stay: nothing is said for them that does not name them */

    struct slice initialize; /* owned: a client's, for a child of its own; absent for the bridge's */
    uint64_t initialize_id;  /* the wire id of the handshake in progress */
    struct timer timer;      /* for the handshake */
    uint64_t up_ms;          /* when the process was started */
    uint64_t shaking_ms;     /* what the last handshake took, from the start of the process on */
    bool is_modern;          /* the processes are spoken to in the modern era: the handshake is server/discover */
    bool is_held;            /* the process waits for channel_begin() */
    bool is_failing;         /* starts fail one after the other: requests do not wait */
    bool is_refused;         /* the running process failed the handshake and is being ended for that */
    char failure[256];       /* why it is not ready, for people; empty when there was no failure */
};

/* Everything is borrowed as long as the channel; only `initialize` is copied. */
struct channel_options {
    struct world *world;
    const struct child_command *command;
    const struct channel_settings *settings;
    const struct channel_events *events;
    struct server_counters *counters;
    struct slice initialize; /* a client's request, to be the handshake but for its id; absent: the bridge's own */
    bool is_modern;
    bool is_held; /* start the process, and leave the handshake to channel_begin() */
};

/* Starts the child. */
void channel_open(struct channel *channel, const struct channel_options *options);

/* For a held one: whose handshake it is to be, as in the options. */
void channel_begin(struct channel *channel, struct slice initialize);

/*
 * Speaks to the processes from the next one on in the modern era. One that has been sent initialize is ended: no
 * process is spoken to in two eras.
 */
void channel_become_modern(struct channel *channel);

/* Ends the child; what runs and what waits fails. on_closed comes later; idempotent. */
void channel_close(struct channel *channel);

/*
 * Sends the call to the child, now or when the child can take it. Its events may come before this returns. The call
 * is borrowed until on_answer, on_ready or channel_give_up().
 */
void channel_submit(struct channel *channel, struct call *call);

/* Something was heard of a call that runs: its time begins anew. */
void channel_extend(struct channel *channel, struct call *call);

/* A call that is on no list of the channel's any more becomes one that was never submitted. */
void channel_forget(struct channel *channel, struct call *call);

/* Nobody wants the answer any more: no event comes. A child that works at it is told (notifications/cancelled). */
void channel_give_up(struct channel *channel, struct call *call);

/* Ends a call with an error of ours: on_answer comes with it, and a child that works at it is told. */
void channel_fail(struct channel *channel, struct call *call, enum reply_code code, const char *text);

/*
 * Writes a line that is a notification, an answer to the child, or a request of our own. Dropped when no process
 * hears.
 */
void channel_send(struct channel *channel, const struct slice *parts, size_t count);

/* Whether a process runs that does not read what it is sent: what can wait or be left out should be. */
bool channel_is_full(const struct channel *channel);

/* The first call that runs, or NULL: for a child that is lent to one at a time. */
static inline struct call *channel_first_call(const struct channel *channel)
{
    return list_is_empty(&channel->running) ? NULL : container_of(channel->running.next, struct call, link);
}

/* The one call that the child can be talking about when it names none, or NULL when that is not certain. */
struct call *channel_only_call(struct channel *channel);

const char *channel_state_name(enum channel_state state);

#endif
