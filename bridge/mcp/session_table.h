/*
 * The sessions of one server: by name, bounded, each ended when it was idle for too long.
 */
#ifndef BRIDGE_MCP_SESSION_TABLE_H
#define BRIDGE_MCP_SESSION_TABLE_H

#include "bridge/mcp/session.h"
#include "bridge/port.h"

struct session_table {
    struct world *world;
    struct replay_store *replay_store; /* borrowed */
    struct map sessions;
    size_t max_sessions;
    uint64_t idle_timeout_ms; /* 0 is never */
    /* A session was idle for too long: to be ended with session_table_end(). */
    void (*on_idle)(struct session_table *table, struct session *session);
    /* An ended session is held by nothing any more, and about to be freed. May be NULL. */
    void (*on_free)(struct session_table *table, struct session *session);
};

void session_table_init(struct session_table *table, struct world *world);

/* No session may be in it. */
void session_table_release(struct session_table *table);

/* A name that nobody can guess: of a session, or of an HTTP+SSE connection. */
void session_make_name(struct world *world, char name[SESSION_ID_TEXT + 1]);

/* A new session, owned by the table; NULL when there are max_sessions. Copies the principal. */
struct session *session_table_open(struct session_table *table, const struct revision *revision,
                                   struct slice principal);

/* The session with this name, NULL when there is none or it has ended. */
struct session *session_table_find(const struct session_table *table, struct slice name);

/* Takes it out of its table and closes its stream. It is freed when nothing holds it. */
void session_table_end(struct session *session);

/* A call or a stream keeps the session from being idle, and from being freed. */
void session_table_hold(struct session *session);
void session_table_let_go(struct session *session);

/* The client was heard: the idle time begins anew. */
void session_table_touch(struct session *session);

#endif
