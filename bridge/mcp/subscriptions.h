/*
 * Which sessions of a server subscribed to which resources (MCP, Resources, "Subscriptions"). Counted, so that the
 * one child behind them hears the first subscribe and the last unsubscribe, and an update reaches its subscribers only.
 */
#ifndef BRIDGE_MCP_SUBSCRIPTIONS_H
#define BRIDGE_MCP_SUBSCRIPTIONS_H

#include "bridge/base/map.h"
#include "bridge/base/slice.h"

#include <stdbool.h>

struct session;

struct subscriptions {
    struct map by_uri;
};

/* Hears of a URI as the first subscriber wrote it: JSON, with quotes. */
typedef void (*subscription_uri_fn)(void *context, struct slice uri_json);
typedef void (*subscription_session_fn)(void *context, struct session *session);

void subscriptions_init(struct subscriptions *subscriptions);

/* Nobody may be subscribed. */
void subscriptions_release(struct subscriptions *subscriptions);

/* Whether two JSON strings are one URI, however each is written. */
bool subscriptions_is_same(struct slice a_json, struct slice b_json);

/* Whether anybody is subscribed to the URI, a JSON string. */
bool subscriptions_has(const struct subscriptions *subscriptions, struct slice uri_json);

/* Whether this session is. */
bool subscriptions_has_session(const struct subscriptions *subscriptions, const struct session *session,
                               struct slice uri_json);

/* Subscribes; again is no change. False when the session has LIMIT_SESSION_SUBSCRIPTIONS, or the URI is too long. */
bool subscriptions_add(struct subscriptions *subscriptions, struct session *session, struct slice uri_json);

/* Whether the session was the last subscriber, so that the child must hear of it. */
bool subscriptions_remove(struct subscriptions *subscriptions, struct session *session, struct slice uri_json);

/* Removes all of a session's, and calls `on_last` for each URI that has no subscriber any more. */
void subscriptions_remove_all(struct subscriptions *subscriptions, struct session *session, subscription_uri_fn on_last,
                              void *context);

void subscriptions_visit_sessions(const struct subscriptions *subscriptions, struct slice uri_json,
                                  subscription_session_fn visit, void *context);
void subscriptions_visit_uris(const struct subscriptions *subscriptions, subscription_uri_fn visit, void *context);

#endif
