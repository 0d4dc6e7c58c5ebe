/*
 * The child's answers tell what it has done, but they come in any order, and meanwhile other sessions ask for the same
 * URI. What counts is the order of the lines, which is that of their wire ids: a subscribe that was written before the
 * last unsubscribe may have been undone by it, so the child is told again. Again is no change (MCP, Resources,
 * "Subscriptions").
 */
#include "bridge/mcp/subscribing.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/limits.h"

static void tell_to_subscribe(void *context, struct slice uri_json)
{
    hub_tell_child(context, "resources/subscribe", "uri", uri_json);
}

static void tell_to_unsubscribe(void *context, struct slice uri_json)
{
    struct hub *hub = context;
    hub->last_unsubscribe = hub->channel.mux.last_wire_id;
    hub_tell_child(hub, "resources/unsubscribe", "uri", uri_json);
}

static void on_subscribed(struct call *call, const struct message *answer)
{
    (void)answer;
    struct hub *hub = call->hub;
    /* Others of the session's, under way together with this one, may have met the ceiling. */
    bool is_kept = !call->session->is_ended && subscriptions_add(&hub->subscriptions, call->session, call->argument);
    if (!is_kept) {
        /* Nobody wants it any more, unless somebody else has asked meanwhile. */
        if (!subscriptions_has(&hub->subscriptions, call->argument)) {
            tell_to_unsubscribe(hub, call->argument);
        }
        return;
    }
    /* Somebody's unsubscribe, sent meanwhile, may have been of the same URI. */
    if (hub->last_unsubscribe >= call->entry.wire_id) {
        tell_to_subscribe(hub, call->argument);
    }
}

void subscribing_begin(struct hub *hub, struct call *call, const struct message *message)
{
    if (call->session == NULL) {
        call_answer_error(call, REPLY_METHOD_NOT_FOUND,
                          "resources/subscribe needs a session: updates come on its GET stream");
    } else if (message->uri.size > LIMIT_URI_BYTES ||
               call->session->subscription_count >= LIMIT_SESSION_SUBSCRIPTIONS) {
        call_answer_error(call, REPLY_INVALID_PARAMS, "Too many subscriptions in this session, or the URI is too long");
    } else if (subscriptions_has(&hub->subscriptions, message->uri)) {
        (void)subscriptions_add(&hub->subscriptions, call->session, message->uri);
        call_answer_result(call, slice_text("{}"));
    } else {
        /* What is no URI is for the child to refuse; if it does not, there is nothing to count. */
        call->argument = message->uri;
        call->on_result = slice_exists(json_string_inside(message->uri)) ? on_subscribed : NULL;
        channel_submit(&hub->channel, call);
    }
}

static void forget_if_same(struct map_node *node, void *context)
{
    const struct slice *uri = context;
    struct call *call = container_of(node, struct call, by_id);
    if (call->on_result == on_subscribed && subscriptions_is_same(call->argument, *uri)) {
        call->on_result = NULL;
    }
}

/* The answer to a subscribe that is under way must not undo what the client has asked for since. */
static void forget_running_subscribe(const struct session *session, struct slice uri)
{
    if (session != NULL) {
        map_visit(&session->calls, forget_if_same, &uri);
    }
}

/*
 * The child obeys the line whether anybody still waits for its answer or not. Whoever subscribed while it waited to be
 * written heard of no change, or will be told by on_subscribed().
 */
static void on_unsubscribe_sent(struct call *call)
{
    struct hub *hub = call->hub;
    hub->last_unsubscribe = call->entry.wire_id;
    if (subscriptions_has(&hub->subscriptions, call->argument)) {
        tell_to_subscribe(hub, call->argument);
    }
}

/* Whoever is still subscribed keeps the child's subscription: only the last unsubscribe goes to the child. */
void subscribing_end(struct hub *hub, struct call *call, const struct message *message)
{
    struct session *session = call->session;
    forget_running_subscribe(session, message->uri);
    bool was_last = session != NULL && subscriptions_remove(&hub->subscriptions, session, message->uri);
    if (was_last || !subscriptions_has(&hub->subscriptions, message->uri)) {
        call->argument = message->uri;
        call->on_sent = on_unsubscribe_sent;
        channel_submit(&hub->channel, call);
    } else {
        call_answer_result(call, slice_text("{}"));
    }
}

void subscribing_leave(struct hub *hub, struct session *session)
{
    subscriptions_remove_all(&hub->subscriptions, session, tell_to_unsubscribe, hub);
}

void subscribing_restore(struct hub *hub)
{
    subscriptions_visit_uris(&hub->subscriptions, tell_to_subscribe, hub);
}
