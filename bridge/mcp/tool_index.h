/*
 * What a child's tools want in headers, asked of the child when the first client of the modern era calls one. It is
 * asked again when the list has changed, when a new process runs, and when a tool is not on it.
 *
 * What cannot be found out is not checked: a child that does not answer must not keep its own tools from being called.
 */
#ifndef BRIDGE_MCP_TOOL_INDEX_H
#define BRIDGE_MCP_TOOL_INDEX_H

#include "bridge/base/buffer.h"
#include "bridge/base/list.h"
#include "bridge/base/timer.h"
#include "bridge/limits.h"
#include "bridge/mcp/call.h"
#include "bridge/mcp/tool_headers.h"

#include <stdbool.h>
#include <stdint.h>

struct hub;

enum tool_index_state {
    TOOL_INDEX_STALE,   /* nothing is known, or it may have changed */
    TOOL_INDEX_LISTING, /* the child is being asked */
    TOOL_INDEX_FRESH,   /* it has answered, or has failed to */
};

/* Somebody who waits for the list; it stands in its owner, zeroed. */
struct tool_wait {
    struct list link;
    void (*on_known)(struct tool_wait *wait); /* comes once, off every list: the owner may free it */
};

struct tool_index {
    struct hub *hub; /* its owner */
    enum tool_index_state state;
    struct tool_headers headers; /* what may be checked; read while tool_index_look() has said so */
    struct list waiting;         /* of struct tool_wait */
    uint64_t listed_ms;          /* when the list was had, or could not be had */

    /* While it is listing. */
    bool is_outdated;         /* the list has changed meanwhile */
    struct tool_headers next; /* the pages so far */
    struct call call;
    struct buffer request;
    struct timer timer;                 /* for the whole list */
    uint64_t cursors[LIMIT_TOOL_PAGES]; /* hashes of those that the child gave */
    size_t page_count;
};

/* `hub` must outlive it. */
void tool_index_init(struct tool_index *index, struct hub *hub);

/* Nothing may wait; the hub's channel is closed. */
void tool_index_release(struct tool_index *index);

/*
 * True when index->headers can be looked at for the tool `name` (a JSON string) now. Else `wait` is on the list, and
 * on_known comes later: then they can be looked at, whatever they know.
 */
bool tool_index_look(struct tool_index *index, struct slice name, struct tool_wait *wait);

/* The owner waits no more. Allowed on a zeroed one, and after on_known. */
void tool_index_give_up(struct tool_wait *wait);

/* The child is to be spoken to in the other era: a list that it has not been asked for is asked for in that. */
void tool_index_ask_again(struct tool_index *index);

/* The child's list may have changed. */
void tool_index_outdate(struct tool_index *index);

/*
 * A call did not have the headers that it should, so its client may know a newer list than we: the next look asks
 * again, unless the list is new.
 */
void tool_index_doubt(struct tool_index *index);

#endif
