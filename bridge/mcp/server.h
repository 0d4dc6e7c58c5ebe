/*
 * One named server: its child, its sessions and what they share. Everything that MCP has once a connection is here
 * once a session: a client cannot tell that it is not alone.
 */
#ifndef BRIDGE_MCP_SERVER_H
#define BRIDGE_MCP_SERVER_H

#include "bridge/mcp/channel.h"
#include "bridge/mcp/session_table.h"
#include "bridge/mcp/subscriptions.h"
#include "bridge/port.h"

struct server_settings {
    struct channel_settings channel;
    uint64_t session_timeout_ms; /* 0 is never */
    size_t max_sessions;
    size_t max_in_flight; /* calls that wait or run */
};

/* What went by since the start. */
struct server_counters {
    uint64_t calls;
    uint64_t sessions;
    uint64_t dropped; /* messages of the child's that belong to nobody */
    uint64_t restarts;
};

struct server {
    struct world *world;
    const struct server_settings *settings; /* borrowed */
    struct slice name;                      /* borrowed from the command */
    struct channel channel;                 /* the shared child */
    struct session_table sessions;
    struct subscriptions subscriptions;
    enum session_log_level child_level; /* what the child was told last; SESSION_LOG_UNSET when nothing */
    struct server_counters counters;
    bool was_ready; /* a handshake succeeded before: what the child had been told must be told again */

    void (*on_closed)(struct server *server);
};

/* Starts the child at once. `command` and `settings` must outlive the server. */
void server_open(struct server *server, struct world *world, const struct child_command *command,
                 const struct server_settings *settings);

/* Ends the sessions and the child; every call that runs gets an error. `on_closed` is called, once, from the loop. */
void server_close(struct server *server, void (*on_closed)(struct server *server));

/* A new session; NULL when there are too many. Only after its child was ready. */
struct session *server_open_session(struct server *server, const struct revision *revision);
void server_end_session(struct server *server, struct session *session);

/* Whether another call may be submitted: max_in_flight. */
bool server_has_room(const struct server *server);

/*
 * Takes a client's request, whose `session` may be NULL. Its events may come before this returns. `message` is the
 * call's, and needed during this call only.
 */
void server_submit(struct server *server, struct call *call, const struct message *message);

/*
 * The call is over, because on_answer or on_ready came. To be called once for each submitted call, or
 * server_give_up().
 */
void server_finish(struct server *server, struct call *call);

/* Nobody wants the answer any more: no event comes, and the child is told. */
void server_give_up(struct server *server, struct call *call);

/* A client's notification. `session` may be NULL. */
void server_notify(struct server *server, struct session *session, const struct message *message);

/* Whether a notification should wait for room in the child's stdin: then submit a call with CALL_WAITS_FOR_ROOM. */
bool server_is_full(const struct server *server);

/* Sends to the child what it must hear for a change of what the sessions want. Used by session state. */
void server_tell_child(struct server *server, const char *method, const char *key, struct slice value);

#endif
