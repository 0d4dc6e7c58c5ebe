/*
 * One client's conversation, named by Mcp-Session-Id (MCP 2025-03-26 to 2025-11-25, Transports, "Session
 * Management"). An entry in a table, not a process: it lives on when the child does not, and ends by DELETE or after
 * it was idle.
 */
#ifndef BRIDGE_MCP_SESSION_H
#define BRIDGE_MCP_SESSION_H

#include "bridge/base/list.h"
#include "bridge/base/map.h"
#include "bridge/base/timer.h"
#include "bridge/mcp/call.h"
#include "bridge/mcp/callback.h"
#include "bridge/mcp/replay.h"
#include "bridge/mcp/revision.h"
#include "bridge/mcp/tasks.h"

#include <stdbool.h>

/* A session's name stands in the header as 128 random bits in hexadecimal. */
enum { SESSION_ID_BYTES = 16, SESSION_ID_TEXT = 2 * SESSION_ID_BYTES };

/* The open GET stream of a session: where messages go that belong to no request. Implemented by the transport. */
struct session_outlet {
    void (*deliver)(struct session_outlet *outlet, const struct slice *parts, size_t count);
    /* The session ends, or another stream takes the place. The outlet is not used any more. */
    void (*close)(struct session_outlet *outlet);
};

/* Work of a session whose client is gone but may come back. */
struct session_orphan {
    struct list link;
    void (*on_session_end)(struct session_orphan *orphan); /* takes itself off the list */
};

struct session {
    struct session_table *table; /* its owner */
    struct map_node by_name;
    char name[SESSION_ID_TEXT + 1];
    struct slice principal;          /* owned: who opened it, and alone may use it; empty when callers have no names */
    const struct revision *revision; /* what initialize agreed on; NULL when that is none that we know */

    struct map calls; /* by the id that the client gave them; for cancellation */
    size_t stream_count;
    unsigned holds;    /* calls and streams; it is idle only without them */
    uint64_t heard_ms; /* when the client was last heard, or the last hold ended */
    struct timer idle;
    struct session_outlet *outlet; /* NULL while no GET stream is open; borrowed */
    struct list queue;             /* of messages that wait for a GET stream */
    size_t queue_count;
    size_t queue_bytes;

    struct list orphans; /* of session_orphan */
    struct replay replay;
    struct replay_stream *listen; /* the history of the last GET stream; NULL for none */

    /* Of its initialize, kept for a child that has to be told with each request; else absent. Owned. */
    struct slice client_capabilities;
    struct slice client_info;

    struct hub *hub; /* whose child serves it */
    struct list in_hub;
    struct callbacks callbacks;

    struct session_tasks tasks;
    struct list subscriptions; /* of struct subscriber */
    size_t subscription_count;
    enum log_severity log_level;
    bool is_ended; /* out of the table; freed when its last call is over */
};

/* Keeps what the client's initialize said of it. */
void session_keep_client(struct session *session, const struct message *initialize);

/* The session's running call with this id, the newest when the client gave one id twice; NULL when there is none. */
struct call *session_find_call(const struct session *session, struct slice id);
void session_add_call(struct session *session, struct call *call);
void session_remove_call(struct session *session, struct call *call);

/* Sends a message that belongs to no request. False when no GET stream is open: then nobody gets it. */
bool session_deliver(struct session *session, const struct slice *parts, size_t count);

/* Whether its client was promised that it can come back to a broken stream. */
bool session_has_resumption(const struct session *session);

/*
 * As session_deliver(), but keeps it for the next GET stream. False when there is no room even without older ones.
 * Older questions that had to go have failed when this returns, and so may this one, if their asker had both.
 * `question` is the id of a question to the client, by which it can be taken back; 0 for anything else.
 */
bool session_deliver_or_queue(struct session *session, const struct slice *parts, size_t count, uint64_t question);

/* Takes a question back that still waits for a GET stream. False when it does not. */
bool session_unqueue(struct session *session, uint64_t question);

/* A GET stream has opened: sends what waited for it. */
void session_flush_queue(struct session *session);

/* Forgets what waits. */
void session_clear_queue(struct session *session);

#endif
