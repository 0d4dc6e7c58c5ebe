/*
 * The members of a JSON object, one after the other, as spans of its bytes. For texts that message_scan() has proved
 * valid: nothing is checked here.
 */
#ifndef BRIDGE_JSONRPC_MEMBERS_H
#define BRIDGE_JSONRPC_MEMBERS_H

#include "bridge/base/slice.h"

#include <stdbool.h>

struct member {
    struct slice key; /* what stands between the quotes, as it is written */
    struct slice value;
};

/* Takes the next member of an object: *rest is the object at first. False at the end, and when it is no object. */
bool members_next(struct slice *rest, struct member *member);

/* As members_next(), for the values of an array. */
bool elements_next(struct slice *rest, struct slice *value);

/* The value of the last member whose key means `name`, as most parsers choose; absent when there is none. */
struct slice members_find(struct slice object, const char *name);

#endif
