/*
 * What the options mean for the bridge: its settings. They point into the options, which must outlive them.
 */
#ifndef SRC_SETTINGS_H
#define SRC_SETTINGS_H

#include "bridge/mcp/server.h"
#include "bridge/transport/legacy_sse.h"
#include "bridge/transport/streamable.h"
#include "src/options.h"

struct settings {
    struct server_settings server;
    struct streamable_settings streamable;
    struct legacy_sse_settings sse;
    struct credential *credentials; /* owned; those before borrow it */
};

/* What `gate` points to is borrowed. */
void settings_init(struct settings *settings, const struct options *options, const struct gate *gate);
void settings_release(struct settings *settings);

#endif
