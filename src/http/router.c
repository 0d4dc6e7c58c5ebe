#include "src/http/router.h"

#include "bridge/base/memory.h"

#include <assert.h>
#include <stdlib.h>

void http_router_init(struct http_router *router)
{
    *router = (struct http_router){.routes = NULL};
}

void http_router_release(struct http_router *router)
{
    if (router == NULL) {
        return;
    }
    free(router->routes);
    http_router_init(router);
}

static struct slice without_slash(struct slice path)
{
    if (path.size > 1 && path.data[path.size - 1] == '/') {
        path.size--;
    }
    return path;
}

void http_router_add(struct http_router *router, const char *path, http_handler_fn handler, void *context)
{
    assert(path[0] == '/' && !http_router_has(router, slice_text(path)));
    router->routes = memory_resize(router->routes, (router->count + 1) * sizeof(*router->routes));
    router->routes[router->count++] = (struct http_route){.path = path, .handler = handler, .context = context};
}

void http_router_add_other(struct http_router *router, http_handler_fn handler, void *context)
{
    router->other = (struct http_route){.path = NULL, .handler = handler, .context = context};
}

/* One after the other: there are a few, and a path is compared by its size first. */
static const struct http_route *find_own(const struct http_router *router, struct slice path)
{
    for (size_t i = 0; i < router->count; i++) {
        if (slice_equals(without_slash(slice_text(router->routes[i].path)), without_slash(path))) {
            return &router->routes[i];
        }
    }
    return NULL;
}

bool http_router_has(const struct http_router *router, struct slice path)
{
    return find_own(router, path) != NULL;
}

const struct http_route *http_router_find(const struct http_router *router, struct slice path)
{
    const struct http_route *route = find_own(router, path);
    return route != NULL || router->other.handler == NULL ? route : &router->other;
}
