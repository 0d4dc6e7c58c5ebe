/*
 * The bridge between the eras: requests of clients that speak the revision 2026-07-28, and requests of older clients
 * to children that speak nothing else. It finds out what a server speaks, and takes each request the way that it
 * needs:
 *
 *     client     child
 *     modern     modern     relayed (bridge/mcp)
 *     modern     legacy     translated (legacy_child), parked while the client is asked (questions)
 *     legacy     modern     translated (modern_child)
 *     legacy     legacy     never comes here
 */
#ifndef BRIDGE_ERA_ERA_H
#define BRIDGE_ERA_ERA_H

#include "bridge/base/list.h"
#include "bridge/base/map.h"
#include "bridge/mcp/server.h"

struct era {
    struct server *server; /* borrowed */
    struct list probes;    /* that run: to find out what the server speaks */
    struct list listens;   /* of open subscriptions/listen */
    struct list calls;     /* of translated calls, the parked ones included */
    struct map parked;     /* by the handle in their requestState */
    size_t late_bytes;     /* of parked calls that are over: what is kept of them until their clients come again */
    bool is_draining;      /* who is told to come again would come too late */
};

/* Becomes the server's translator. */
void era_init(struct era *era, struct server *server);

/* After the server has closed. */
void era_release(struct era *era);

/*
 * Takes a modern client's request, which nobody knows but its owner. Its events may come before this returns;
 * server_finish() or server_give_up() follows as for any other call. `message` is the call's, and needed during this
 * call only, as is `caller`.
 */
void era_submit(struct era *era, struct call *call, const struct message *message, const struct caller *caller);

/* As era_submit(), for a call that was admitted already: it comes back from waiting. */
void era_take(struct era *era, struct call *call, const struct message *message, const struct caller *caller);

/* As era_take(), for a call that goes to this hub's child whatever else is found out. */
void era_serve(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
               struct hub *hub);

/* As era_take(), for a call whose message has to be read anew: it took another way first. */
void era_take_again(struct era *era, struct call *call, const struct caller *caller);

/* As era_take(), for a call that was checked, with the hub that serves it. */
void era_carry(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
               struct hub *hub);

/*
 * Ends the subscriptions, which would never end by themselves, and the calls whose clients would have to come again.
 */
void era_drain(struct era *era);

#endif
