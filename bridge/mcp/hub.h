/*
 * One child and the sessions that it serves: all that share it, or the one that has it alone. Everything that MCP has
 * once a connection is here once a session, so that a client cannot tell that it is not alone.
 */
#ifndef BRIDGE_MCP_HUB_H
#define BRIDGE_MCP_HUB_H

#include "bridge/mcp/channel.h"
#include "bridge/mcp/session.h"
#include "bridge/mcp/subscriptions.h"
#include "bridge/mcp/tasks.h"

struct server;

struct hub {
    struct server *server; /* its owner */
    struct list link;      /* among the server's */
    struct channel channel;
    struct list sessions; /* by in_hub */
    struct subscriptions subscriptions;
    struct tasks tasks;                 /* of a shared child */
    enum session_log_level child_level; /* what the child was told last; SESSION_LOG_UNSET when nothing */
    uint64_t last_unsubscribe;          /* the last wire id that was taken when the child was told to unsubscribe */
    bool is_own;                        /* the child is one session's alone: whatever it says is for that session */
    bool was_ready; /* a handshake succeeded before: what the child had been told must be told again */
};

/*
 * A hub with a child of its own. `initialize` is the client's request, sent to the child as it is but for its id; it
 * is absent for the shared child, which the bridge introduces itself to. Frees itself after hub_close().
 */
struct hub *hub_open(struct server *server, struct slice initialize);
void hub_close(struct hub *hub);

void hub_add_session(struct hub *hub, struct session *session);

/* The session has ended: takes back what the child was told for its sake. */
void hub_remove_session(struct hub *hub, struct session *session);

/* Takes a client's request; `message` is the call's. Its events may come before this returns. */
void hub_submit(struct hub *hub, struct call *call, const struct message *message);

/*
 * A client's notification. `session` is NULL for one without a session. It is dropped when there is no child to hear
 * it, and when its stdin is full: so ask hub_is_full() first, and wait.
 */
void hub_notify(struct hub *hub, struct session *session, const struct message *message);

/* Whether notifications should wait for room in the child's stdin. */
bool hub_is_full(const struct hub *hub);

/* Sends the child a request of ours with one parameter: what it must hear for what its sessions want. */
void hub_tell_child(struct hub *hub, const char *method, const char *key, struct slice value);

#endif
