/*
 * Many clients' requests over one pipe. All clients count from 0, so each request goes to the child under a wire id
 * of ours: an integer that rises and is never used twice. It is the request's progress token on the wire, too, so one
 * table finds the owner of an answer and of a progress notification, in constant time.
 */
#ifndef BRIDGE_MCP_MUX_H
#define BRIDGE_MCP_MUX_H

#include "bridge/base/list.h"
#include "bridge/base/map.h"
#include "bridge/base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;

/* A wire id that the child may still use. It stands inside its call, or alone once nobody wants the answer. */
struct mux_entry {
    struct map_node node;
    uint64_t wire_id;
    struct call *call; /* NULL for one that was given up */
    struct list link;  /* among the abandoned, oldest first */
    uint64_t given_up_ms;
};

struct mux {
    struct map entries;
    struct list abandoned; /* owned */
    size_t abandoned_count;
    size_t running_count;
    uint64_t last_wire_id;
};

enum mux_owner {
    MUX_CALL,    /* a call waits for it */
    MUX_LATE,    /* it was given up: the answer is dropped */
    MUX_UNKNOWN, /* never asked, or answered before */
};

void mux_init(struct mux *mux);

/* No call may be in it. */
void mux_release(struct mux *mux);

/* A wire id that is used outside the table: the handshake's, before which nothing else is on the wire. */
uint64_t mux_take_id(struct mux *mux);

/* A wire id for a request of the bridge's own, whose answer nobody waits for. */
uint64_t mux_take_own(struct mux *mux, uint64_t now_ms);

/* Gives the call's entry a wire id. */
void mux_enter(struct mux *mux, struct mux_entry *entry, struct call *call);

/* Takes the entry out, because the call is over. */
void mux_leave(struct mux *mux, struct mux_entry *entry);

/*
 * The call is given up, but the child may still work at it: its wire id is remembered for a while. Takes the entry
 * out.
 */
void mux_abandon(struct mux *mux, struct mux_entry *entry, uint64_t now_ms);

/* The number of an id or token as the child wrote it. False when it can be none of ours. */
bool mux_read_id(struct slice id, uint64_t *wire_id);

/* Whether `id`, as the child wrote it, is this wire id. */
bool mux_is_id(struct slice id, uint64_t wire_id);

/* Whose wire id is this? `id` is as the child wrote it. Finding the answer to an abandoned one forgets it. */
enum mux_owner mux_find(struct mux *mux, struct slice id, struct call **call);

/* The call with this wire id as progress token, or NULL. */
struct call *mux_find_token(const struct mux *mux, struct slice token);

/*
 * Whether the child works at one request only, so that what it says without naming one can only belong to that:
 * one call runs beside `others` that do not count, and none was abandoned less than a minute ago.
 */
bool mux_is_certain(struct mux *mux, size_t others, uint64_t now_ms);

/* The child is gone: nothing that was abandoned will be answered. */
void mux_forget(struct mux *mux);

#endif
