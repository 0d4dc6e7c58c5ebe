#include "bridge/mcp/children.h"

#include "bridge/mcp/server.h"

#include <assert.h>
#include <stdio.h>

void children_init(struct children *children, struct server *server)
{
    *children = (struct children){.server = server};
    list_init(&children->all);
    list_init(&children->warm);
    list_init(&children->free);
    list_init(&children->loans);
    map_init(&children->shared);
}

void children_release(struct children *children)
{
    assert(list_is_empty(&children->all) && list_is_empty(&children->loans));
    map_release(&children->shared);
}

/* ---- Room ---- */

static struct timers *timers_of(const struct children *children)
{
    return children->server->world->timers;
}

static bool has_room(const struct children *children)
{
    return !children->is_closing && children->count < children->server->settings->max_children;
}

/* One place stays free for somebody who found none and was told to come again. */
static bool has_room_for_warm(const struct children *children)
{
    size_t kept = children->is_crowded ? 1 : 0;
    return !children->is_closing && children->count + kept < children->server->settings->max_children;
}

static struct hub *hub_at(struct list *link)
{
    return container_of(link, struct hub, in_children);
}

/* A hub that those with certain credentials share, and nobody uses just now. */
static struct hub *find_unused(const struct children *children)
{
    LIST_FOR_EACH(link, &children->all) {
        struct hub *hub = container_of(link, struct hub, link);
        if (hub->is_shared && hub->users == 0 && hub->environment.size > 0) {
            return hub;
        }
    }
    return NULL;
}

/* Whether there will be room soon anyway. */
static bool has_closing(const struct children *children)
{
    LIST_FOR_EACH(link, &children->all) {
        if (hub_is_closing(container_of(link, struct hub, link))) {
            return true;
        }
    }
    return false;
}

/*
 * Ends a child that nobody uses, so that there is room soon: a warm one, the one that was lent longest ago, or one that
 * is shared by nobody just now. One after the other: who waits, or comes again, asks for each.
 */
static void make_room(struct children *children)
{
    if (has_closing(children)) {
        return;
    }
    if (!list_is_empty(&children->warm)) {
        hub_close(hub_at(children->warm.next));
    } else if (!list_is_empty(&children->free)) {
        hub_close(hub_at(children->free.previous));
    } else {
        struct hub *unused = find_unused(children);
        if (unused != NULL) {
            hub_close(unused);
        }
    }
}

static struct hub *start(struct children *children, const struct hub_options *options)
{
    struct hub *hub = hub_open(children->server, options);
    list_append(&children->all, &hub->link);
    children->count++;
    return hub;
}

/* NULL at the ceiling, after an attempt to make room for the one who comes again. */
static struct hub *start_if_room(struct children *children, const struct hub_options *options)
{
    if (has_room(children)) {
        children->is_crowded = false;
        return start(children, options);
    }
    if (!children->is_closing) {
        children->is_crowded = true;
        make_room(children);
    }
    return NULL;
}

/* ---- Shared ---- */

struct shared_key {
    struct slice environment;
    bool is_modern;
};

static uint64_t hash_key(const struct shared_key *key)
{
    return map_hash_bytes(key->environment) ^ (uint64_t)key->is_modern;
}

static bool has_key(const struct map_node *node, const void *key)
{
    const struct hub *hub = container_of(node, const struct hub, by_key);
    const struct shared_key *wanted = key;
    return hub->is_shared_modern == wanted->is_modern && slice_equals(hub->environment, wanted->environment);
}

static struct hub *find_shared(const struct children *children, const struct shared_key *key)
{
    struct map_node *node = map_find(&children->shared, hash_key(key), has_key, key);
    return node != NULL ? container_of(node, struct hub, by_key) : NULL;
}

void children_become_modern(struct children *children, struct hub *hub)
{
    const struct shared_key key = {hub->environment, true};
    if (hub->is_shared && find_shared(children, &key) == NULL) {
        map_remove(&children->shared, &hub->by_key);
        hub->is_shared_modern = true;
        map_add(&children->shared, &hub->by_key, hash_key(&key));
    }
}

struct hub *children_share(struct children *children, struct slice environment, bool is_modern)
{
    const struct shared_key key = {environment, is_modern};
    struct hub *known = find_shared(children, &key);
    if (known != NULL) {
        return known;
    }
    const struct hub_options options = {.environment = environment, .is_modern = is_modern};
    struct hub *hub = start_if_room(children, &options);
    if (hub != NULL) {
        hub->is_shared = true;
        map_add(&children->shared, &hub->by_key, hash_key(&key));
        /* Whoever asked for it may not use it: a notification is not waited for, and at the start nobody asks. */
        hub_end_when_idle(hub);
    }
    return hub;
}

/* ---- Own and warm ---- */

void children_warm_up(struct children *children)
{
    struct hub_options options = {.is_held = true};
    options.is_modern = children->server->era == SERVER_ERA_MODERN;
    while (children->warm_count < children->server->settings->min_idle_children && has_room_for_warm(children)) {
        struct hub *hub = start(children, &options);
        hub->is_warm = true;
        list_append(&children->warm, &hub->in_children);
        children->warm_count++;
    }
}

/*
 * One that is warm already, if it can be: the process knows no credentials, and is not to hear initialize where it was
 * started for the modern era.
 */
static struct hub *take_warm(struct children *children, const struct hub_options *options)
{
    if (options->environment.size > 0 || list_is_empty(&children->warm) ||
        (hub_at(children->warm.next)->channel.is_modern && !options->is_modern)) {
        return NULL;
    }
    struct hub *hub = hub_at(list_take_first(&children->warm));
    hub->is_warm = false;
    children->warm_count--;
    return hub;
}

/* A child that is used by one at a time. */
static struct hub *start_alone(struct children *children, const struct hub_options *options)
{
    struct hub *hub = take_warm(children, options);
    if (hub == NULL) {
        return start_if_room(children, options);
    }
    hub_begin(hub, options);
    children_warm_up(children);
    return hub;
}

struct hub *children_own(struct children *children, struct slice environment, struct slice initialize)
{
    struct hub_options options = {.environment = environment, .is_own = true};
    options.is_modern = children->server->era == SERVER_ERA_MODERN;
    options.initialize = options.is_modern ? slice_of(NULL, 0) : initialize;
    return start_alone(children, &options);
}

/* ---- Lent ---- */

static struct hub *find_free(const struct children *children, struct slice key)
{
    LIST_FOR_EACH(link, &children->free) {
        struct hub *hub = hub_at(link);
        if (slice_equals(hub->key, key) && !hub->channel.is_modern) {
            return hub;
        }
    }
    return NULL;
}

/* Lends a child that is free, or a new one. NULL when neither can be had now. */
static struct hub *try_to_lend(struct children *children, const struct loan *loan)
{
    struct hub *hub = find_free(children, loan->key);
    if (hub != NULL) {
        list_remove(&hub->in_children);
        return hub;
    }
    const struct hub_options options = {
        .environment = loan->environment, .initialize = loan->initialize, .key = loan->key, .is_lent = true};
    return start_alone(children, &options);
}

static void on_loan_timeout(struct timer *timer)
{
    struct loan *loan = container_of(timer, struct loan, timer);
    list_remove(&loan->link);
    loan->on_failure(loan, "All children of the server are in use");
}

void children_borrow(struct children *children, struct loan *loan)
{
    list_init(&loan->link);
    loan->timer = (struct timer){0};
    if (children->is_closing) {
        loan->on_failure(loan, "The bridge is shutting down");
        return;
    }
    if (children->server->era == SERVER_ERA_MODERN) {
        /* Some process has taken the handshake, and another has refused it: a child of this one's would, too. */
        loan->on_failure(loan, "The server speaks the modern era only, as it said last");
        return;
    }
    struct hub *hub = list_is_empty(&children->loans) ? try_to_lend(children, loan) : NULL;
    if (hub != NULL) {
        hub_hold(hub);
        loan->on_hub(loan, hub);
        return;
    }
    uint64_t timeout_ms = children->server->settings->channel.start_timeout_ms;
    list_append(&children->loans, &loan->link);
    if (timeout_ms > 0) {
        timer_start(timers_of(children), &loan->timer, timeout_ms, on_loan_timeout);
    }
}

void children_take_back(struct children *children, struct loan *loan)
{
    timer_stop(timers_of(children), &loan->timer);
    list_remove(&loan->link);
}

/* Something has changed: those who wait may have what they wait for, the first one first. */
static void serve_loans(struct children *children)
{
    while (!list_is_empty(&children->loans)) {
        struct loan *loan = container_of(children->loans.next, struct loan, link);
        struct hub *hub = try_to_lend(children, loan);
        if (hub == NULL) {
            return;
        }
        children_take_back(children, loan);
        hub_hold(hub);
        loan->on_hub(loan, hub);
    }
}

bool children_can_use_room(const struct children *children, const struct hub *hub)
{
    return !list_is_empty(&children->loans) && hub->is_shared && hub->environment.size > 0;
}

void children_give_back(struct children *children, struct hub *hub, bool is_at_work)
{
    hub_let_go(hub);
    bool is_useless = hub->channel.is_modern; /* All share what is of the modern era. */
    if (is_at_work || is_useless || children->is_closing || hub_is_closing(hub)) {
        hub_close(hub);
        return;
    }
    /* In front: the next call of the same client meets the process, and the state, that its last one has left. */
    list_append(children->free.next, &hub->in_children);
    serve_loans(children);
}

/* ---- The end ---- */

void children_leave(struct children *children, struct hub *hub)
{
    if (hub->is_shared) {
        hub->is_shared = false;
        map_remove(&children->shared, &hub->by_key);
    }
    if (hub->is_warm) {
        hub->is_warm = false;
        children->warm_count--;
    }
    list_remove(&hub->in_children);
}

void children_forget(struct children *children, struct hub *hub)
{
    list_remove(&hub->link);
    children->count--;
    if (children->is_closing) {
        return;
    }
    serve_loans(children);
    children_warm_up(children);
}

void children_close(struct children *children)
{
    children->is_closing = true;
    while (!list_is_empty(&children->loans)) {
        struct loan *loan = container_of(children->loans.next, struct loan, link);
        children_take_back(children, loan);
        loan->on_failure(loan, "The bridge is shutting down");
    }
    LIST_FOR_EACH(link, &children->all) {
        hub_close(container_of(link, struct hub, link));
    }
}
