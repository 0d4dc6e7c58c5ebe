/*
 * The revisions of the protocol that name themselves by a date, and what each has. One table; nothing else in the
 * bridge compares dates.
 */
#ifndef BRIDGE_MCP_REVISION_H
#define BRIDGE_MCP_REVISION_H

#include "bridge/base/slice.h"

#include <stdbool.h>

struct revision {
    struct slice name;
    bool has_resumption; /* streams open with an event that has an id (2025-11-25, Transports, "Sending Messages" 6) */
    bool has_batches;    /* a body may be an array of messages: until 2025-06-18 took it away */
};

/* A legacy-era revision by its name; NULL when we do not know it. */
const struct revision *revision_find(struct slice name);

/* The newest of the legacy era: what the bridge asks a child for. */
const struct revision *revision_newest(void);

/* The newest revision of the modern era that we know. */
const struct revision *revision_modern(void);

/* Whether `name` is a revision of the modern era, known to us or not: 2026-07-28 or later. */
bool revision_is_modern(struct slice name);

/* The names of all legacy revisions, newest first, as a JSON array. */
struct slice revision_list_json(void);

/*
 * MCP, Lifecycle, "Version Negotiation": what an initialize that asks for `requested` is answered. The requested
 * revision when we know it and the child has it too, else the child's own.
 */
struct slice revision_negotiate(struct slice requested, struct slice child_revision);

#endif
