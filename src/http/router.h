/*
 * Which handler serves a path. A trailing slash makes no difference, and is never answered with a redirect: clients
 * lose headers and bodies on those.
 */
#ifndef SRC_HTTP_ROUTER_H
#define SRC_HTTP_ROUTER_H

#include "bridge/base/slice.h"
#include "bridge/port.h"

#include <stddef.h>

/* Must answer the exchange, or keep it with on_closed set, before it returns. */
typedef void (*http_handler_fn)(void *context, struct exchange *exchange);

struct http_route {
    const char *path; /* borrowed; begins with "/" */
    http_handler_fn handler;
    void *context; /* borrowed; goes to the handler */
};

/* Read by the listeners that were given it, so it must outlive them. */
struct http_router {
    struct http_route *routes; /* owned */
    size_t count;
    struct http_route other; /* for every other path; its handler is NULL when nothing is served there */
};

void http_router_init(struct http_router *router);
void http_router_release(struct http_router *router);

/* The path must not be there yet. */
void http_router_add(struct http_router *router, const char *path, http_handler_fn handler, void *context);

/* What serves every path that has no route of its own. */
void http_router_add_other(struct http_router *router, http_handler_fn handler, void *context);

/* Whether the path has a route of its own. */
bool http_router_has(const struct http_router *router, struct slice path);

/* NULL when nothing is served at this path. */
const struct http_route *http_router_find(const struct http_router *router, struct slice path);

#endif
