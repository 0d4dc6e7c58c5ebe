/*
 * The children of one server, each in its hub: which are shared, which belong to one session, which are lent to one
 * call after the other, and which wait, warm, for a session to come. One ceiling holds for all of them.
 */
#ifndef BRIDGE_MCP_CHILDREN_H
#define BRIDGE_MCP_CHILDREN_H

#include "bridge/base/list.h"
#include "bridge/base/map.h"
#include "bridge/base/timer.h"
#include "bridge/mcp/caller.h"

#include <stdbool.h>

struct hub;
struct server;

struct children {
    struct server *server; /* its owner */
    struct list all;       /* of hubs, those that are closing included */
    size_t count;
    struct map shared; /* the shared hubs that are not closing, by era and environment */
    struct list warm;  /* hubs whose process runs and has not been shaken hands with; the oldest first */
    struct list free;  /* lent hubs that nobody has; the last used first */
    struct list loans; /* that wait for a child, in order of arrival */
    size_t warm_count;
    bool is_crowded; /* somebody found no room: warm ones leave some */
    bool is_closing;
};

/* A wish to have a child to oneself for a while. */
struct loan {
    struct list link;         /* among those that wait */
    struct slice key;         /* borrowed: a child is lent again only under the key that it was started for */
    struct slice initialize;  /* borrowed: the handshake of a child that is started for it */
    struct slice environment; /* borrowed */
    struct timer timer;
    /* The hub is the borrower's until children_give_back(). Its child may not be ready yet. */
    void (*on_hub)(struct loan *loan, struct hub *hub);
    /* There is none, for this reason. */
    void (*on_failure)(struct loan *loan, const char *why);
};

void children_init(struct children *children, struct server *server);

/* After children_close(), when all of them have closed. */
void children_release(struct children *children);

/* Ends all of them; nothing is started any more. */
void children_close(struct children *children);

/*
 * The child that all share who have these credentials, of the legacy or the modern era; it is started when there is
 * none. NULL at the ceiling.
 */
struct hub *children_share(struct children *children, struct slice environment, bool is_modern);

/* The hub's processes turned out to be of the modern era: if it is shared, those who look for that shall find it. */
void children_become_modern(struct children *children, struct hub *hub);

/* A child of one's own: a warm one, or one that is started. NULL at the ceiling. */
struct hub *children_own(struct children *children, struct slice environment, struct slice initialize);

/* Calls on_hub or on_failure, now or later. */
void children_borrow(struct children *children, struct loan *loan);

/* A loan that waits is not wanted any more. */
void children_take_back(struct children *children, struct loan *loan);

/* The borrower is done. A child that may still be at work for it is ended. */
void children_give_back(struct children *children, struct hub *hub, bool is_at_work);

/* For hubs: whether somebody waits for a child, and this one could be ended for that if nobody uses it. */
bool children_can_use_room(const struct children *children, const struct hub *hub);

/* Starts warm ones up to min_idle_children, as far as nobody else lacks the room. */
void children_warm_up(struct children *children);

/* For hubs: it is closing, so nobody may find it; and it has closed, and is about to be freed. */
void children_leave(struct children *children, struct hub *hub);
void children_forget(struct children *children, struct hub *hub);

#endif
