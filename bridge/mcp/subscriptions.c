/*
 *     session.subscriptions ----- subscriber ----- subscriber
 *                                     |                |
 *     by_uri: subscription "a" -------+                |
 *             subscription "b" ------------------------+
 *
 * A subscription exists as long as it has a subscriber.
 */
#include "bridge/mcp/subscriptions.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/limits.h"
#include "bridge/mcp/session.h"

#include <stdlib.h>

struct subscription {
    struct map_node by_uri;
    struct slice uri;      /* owned: its meaning, which is the key */
    struct slice uri_json; /* owned: as the first subscriber wrote it */
    struct list subscribers;
};

struct subscriber {
    struct subscription *subscription;
    struct session *session;
    struct list in_subscription;
    struct list in_session;
};

void subscriptions_init(struct subscriptions *subscriptions)
{
    map_init(&subscriptions->by_uri);
}

void subscriptions_release(struct subscriptions *subscriptions)
{
    map_release(&subscriptions->by_uri);
}

static bool has_uri(const struct map_node *node, const void *key)
{
    return slice_equals(container_of(node, const struct subscription, by_uri)->uri, *(const struct slice *)key);
}

static struct subscription *find_decoded(const struct subscriptions *subscriptions, struct slice uri)
{
    struct map_node *node = map_find(&subscriptions->by_uri, map_hash_bytes(uri), has_uri, &uri);
    return node != NULL ? container_of(node, struct subscription, by_uri) : NULL;
}

/*
 * Clients escape differently ("\/"), so URIs are compared by their meaning. False when `json` is no string or too
 * long.
 */
static bool decode(struct slice json, struct buffer *uri)
{
    buffer_init(uri, LIMIT_URI_BYTES);
    struct slice inside = json_string_inside(json);
    return slice_exists(inside) && json_string_decode(inside, uri);
}

bool subscriptions_is_same(struct slice a_json, struct slice b_json)
{
    struct buffer a;
    struct buffer b;
    bool is_same = decode(a_json, &a);
    is_same = decode(b_json, &b) && is_same && slice_equals(buffer_slice(&a), buffer_slice(&b));
    buffer_release(&a);
    buffer_release(&b);
    return is_same;
}

static struct subscription *find(const struct subscriptions *subscriptions, struct slice uri_json)
{
    struct buffer uri;
    bool is_uri = decode(uri_json, &uri);
    struct subscription *subscription = is_uri ? find_decoded(subscriptions, buffer_slice(&uri)) : NULL;
    buffer_release(&uri);
    return subscription;
}

/* Through the session's list, which has a ceiling; a subscription's has none. */
static struct subscriber *find_subscriber(const struct subscription *subscription, const struct session *session)
{
    LIST_FOR_EACH(link, &session->subscriptions) {
        struct subscriber *subscriber = container_of(link, struct subscriber, in_session);
        if (subscriber->subscription == subscription) {
            return subscriber;
        }
    }
    return NULL;
}

bool subscriptions_has(const struct subscriptions *subscriptions, struct slice uri_json)
{
    return find(subscriptions, uri_json) != NULL;
}

bool subscriptions_has_session(const struct subscriptions *subscriptions, const struct session *session,
                               struct slice uri_json)
{
    const struct subscription *subscription = find(subscriptions, uri_json);
    return subscription != NULL && find_subscriber(subscription, session) != NULL;
}

static struct subscription *find_or_make(struct subscriptions *subscriptions, struct slice uri, struct slice uri_json)
{
    struct subscription *subscription = find_decoded(subscriptions, uri);
    if (subscription == NULL) {
        subscription = memory_new(sizeof(*subscription));
        subscription->uri = memory_copy(uri);
        subscription->uri_json = memory_copy(uri_json);
        list_init(&subscription->subscribers);
        map_add(&subscriptions->by_uri, &subscription->by_uri, map_hash_bytes(uri));
    }
    return subscription;
}

/* The session is not subscribed yet. */
static void subscribe(struct subscription *subscription, struct session *session)
{
    struct subscriber *subscriber = memory_new(sizeof(*subscriber));
    subscriber->subscription = subscription;
    subscriber->session = session;
    list_append(&subscription->subscribers, &subscriber->in_subscription);
    list_append(&session->subscriptions, &subscriber->in_session);
    session->subscription_count++;
}

bool subscriptions_add(struct subscriptions *subscriptions, struct session *session, struct slice uri_json)
{
    struct buffer uri;
    const struct subscription *known = find(subscriptions, uri_json);
    bool is_again = known != NULL && find_subscriber(known, session) != NULL;
    bool is_allowed = decode(uri_json, &uri) && (is_again || session->subscription_count < LIMIT_SESSION_SUBSCRIPTIONS);
    if (is_allowed && !is_again) {
        subscribe(find_or_make(subscriptions, buffer_slice(&uri), uri_json), session);
    }
    buffer_release(&uri);
    return is_allowed;
}

/* Frees the subscriber; true when it was the last, and then its subscription waits to be freed. */
static bool unsubscribe(struct subscriber *subscriber)
{
    struct subscription *subscription = subscriber->subscription;
    list_remove(&subscriber->in_subscription);
    list_remove(&subscriber->in_session);
    subscriber->session->subscription_count--;
    free(subscriber);
    return list_is_empty(&subscription->subscribers);
}

static void free_subscription(struct subscriptions *subscriptions, struct subscription *subscription)
{
    map_remove(&subscriptions->by_uri, &subscription->by_uri);
    memory_free_slice(&subscription->uri);
    memory_free_slice(&subscription->uri_json);
    free(subscription);
}

bool subscriptions_remove(struct subscriptions *subscriptions, struct session *session, struct slice uri_json)
{
    struct subscription *subscription = find(subscriptions, uri_json);
    struct subscriber *subscriber = subscription != NULL ? find_subscriber(subscription, session) : NULL;
    if (subscriber == NULL || !unsubscribe(subscriber)) {
        return false;
    }
    free_subscription(subscriptions, subscription);
    return true;
}

void subscriptions_remove_all(struct subscriptions *subscriptions, struct session *session, subscription_uri_fn on_last,
                              void *context)
{
    LIST_FOR_EACH(link, &session->subscriptions) {
        struct subscriber *subscriber = container_of(link, struct subscriber, in_session);
        struct subscription *subscription = subscriber->subscription;
        if (unsubscribe(subscriber)) {
            on_last(context, subscription->uri_json);
            free_subscription(subscriptions, subscription);
        }
    }
}

void subscriptions_visit_sessions(const struct subscriptions *subscriptions, struct slice uri_json,
                                  subscription_session_fn visit, void *context)
{
    const struct subscription *subscription = find(subscriptions, uri_json);
    if (subscription == NULL) {
        return;
    }
    LIST_FOR_EACH(link, &subscription->subscribers) {
        visit(context, container_of(link, struct subscriber, in_subscription)->session);
    }
}

struct uri_visit {
    subscription_uri_fn visit;
    void *context;
};

static void visit_uri(struct map_node *node, void *context)
{
    const struct uri_visit *visit = context;
    visit->visit(visit->context, container_of(node, struct subscription, by_uri)->uri_json);
}

void subscriptions_visit_uris(const struct subscriptions *subscriptions, subscription_uri_fn visit, void *context)
{
    struct uri_visit pair = {visit, context};
    map_visit(&subscriptions->by_uri, visit_uri, &pair);
}
