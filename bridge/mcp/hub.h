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
#include "bridge/mcp/tool_index.h"

struct server;

struct hub {
    struct server *server;   /* its owner */
    struct list link;        /* among all of the server's */
    struct list in_children; /* among those that are warm, or free to be lent */
    struct map_node by_key;  /* among those that are shared */
    struct channel channel;
    struct child_command command; /* the server's, with the credentials in its environment */
    const char **variables;       /* owned: the command's environment */
    struct slice environment;     /* owned: the credentials, as in struct caller */
    struct slice key;             /* owned: of a lent one, for whom it was started */
    struct list sessions;         /* by in_hub */
    unsigned users;               /* sessions, calls and borrowers */
    struct timer idle;            /* while it has none, where an idle child is ended */
    struct subscriptions subscriptions;
    struct tasks tasks;
    struct tool_index tool_index;  /* for clients of the modern era */
    enum log_severity child_level; /* what the child was told last; SEVERITY_UNSET when that is not certain */
    uint64_t last_level;           /* the wire id under which it was told */
    uint64_t last_unsubscribe;     /* the wire id of what told the child to unsubscribe last, or the one before it */
    unsigned call_levels[SEVERITY_UNSET]; /* how many running calls asked for log messages, by severity */
    bool is_own;                          /* the child is one session's alone: whatever it says is for that session */
    bool is_lent;                         /* the child is lent to one call at a time: what it asks is for that call */
    bool is_shared;                       /* it can be found by its environment */
    bool is_shared_modern;                /* it was started for clients of the modern era */
    void *translation;                    /* the translator's own */
    bool is_warm;                         /* it waits for hub_begin() */
    bool was_ready; /* a handshake succeeded before: what the child had been told must be told again */
};

/* Borrowed during the call. */
struct hub_options {
    struct slice environment;
    struct slice initialize; /* the handshake but for its id; absent for a child that the bridge introduces itself to */
    struct slice key;
    bool is_own;
    bool is_lent;
    bool is_modern;
    bool is_held; /* start the process only: hub_begin() follows */
};

/* Starts a child. The hub frees itself after hub_close(). */
struct hub *hub_open(struct server *server, const struct hub_options *options);
void hub_begin(struct hub *hub, const struct hub_options *options);
void hub_close(struct hub *hub);
bool hub_is_closing(const struct hub *hub);

/* Somebody uses it, and does so no more: a hub that nobody uses for long may be ended. */
void hub_hold(struct hub *hub);
void hub_let_go(struct hub *hub);

/* The same for one that nobody has used yet: its time begins now. */
void hub_end_when_idle(struct hub *hub);

void hub_add_session(struct hub *hub, struct session *session);

/* The session has ended: takes back what the child was told for its sake. */
void hub_remove_session(struct hub *hub, struct session *session);

/* Takes a client's call; `message` is its request, if it sends one. Its events may come before this returns. */
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
