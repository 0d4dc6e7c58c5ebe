/*
 * The revisions of the protocol that name themselves by a date, and what each has. One table; nothing else in the
 * bridge knows or compares dates.
 */
#ifndef BRIDGE_MCP_REVISION_H
#define BRIDGE_MCP_REVISION_H

#include "bridge/base/buffer.h"
#include "bridge/base/slice.h"

#include <stdbool.h>

enum revision_era {
    REVISION_LEGACY, /* with initialize */
    REVISION_MODERN, /* without: every request says of what revision it is */
};

struct revision {
    struct slice name;
    enum revision_era era;
    bool has_resumption; /* streams open with an event that has an id (2025-11-25, Transports, "Sending Messages" 6) */
    bool has_batches;    /* a body may be an array of messages: until 2025-06-18 took it away */
};

/* A legacy-era revision by its name; NULL when we do not know it. */
const struct revision *revision_find(struct slice name);

/* As revision_find(), of the modern era. */
const struct revision *revision_find_modern(struct slice name);

/* The newest of the legacy era: what the bridge asks a child for. */
const struct revision *revision_newest(void);

/* The newest of the modern era. */
const struct revision *revision_modern(void);

/* Whether `name` is a revision of the modern era, known to us or not: the date of its first one, or a later. */
bool revision_is_modern(struct slice name);

/* Appends the names of all revisions of an era, newest first, as a JSON array. */
void revision_add_json_list(struct buffer *out, enum revision_era era);

/* Appends them for people: with commas between them. */
void revision_add_text_list(struct buffer *out, enum revision_era era);

/*
 * MCP, Lifecycle, "Version Negotiation": what an initialize that asks for `requested` is answered. The requested
 * revision when we know it and the child has it too, else the child's own.
 */
struct slice revision_negotiate(struct slice requested, struct slice child_revision);

#endif
