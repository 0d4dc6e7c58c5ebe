#include "bridge/mcp/modern_relay.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/rewrite.h"
#include "bridge/mcp/hub.h"

/*
 * MCP 2026-07-28: a result names its type, a subscription ends with its id in the result, and the transport will need
 * to know the code of an error.
 */
void modern_relay_answer(struct channel *channel, struct call *call, const struct message *message)
{
    if (message->kind == MESSAGE_RESULT && !slice_exists(json_string_inside(message->result_type))) {
        channel->events->on_dropped(channel, "a result without a resultType");
        call_answer_error(call, REPLY_INTERNAL_ERROR, "The server's result is not one of the revision 2026-07-28");
        return;
    }
    struct rewrite answer;
    const struct replacement replacements[] = {{message->id, call->id}, {message->result_subscription, call->id}};
    rewrite_splice(&answer, message->bytes, replacements, 2);
    call->error_code = message->kind == MESSAGE_ERROR ? message_error_code(message) : 0;
    call->has_handler = call->error_code != 0 && handshake_has_method(&channel->handshake, call->bytes);
    call->events->on_answer(call, answer.parts, answer.count);
}

/* MCP 2026-07-28, Subscriptions: the subscription is named by the id of the request that opened it. */
void modern_relay_notification(struct channel *channel, const struct message *message)
{
    struct call *call = mux_find_token(&channel->mux, message->meta_subscription);
    if (call == NULL) {
        channel->events->on_dropped(channel, "a notification of a subscription that nobody has");
        return;
    }
    if (call->hub != NULL && message_is(message, "notifications/tools/list_changed")) {
        tool_index_outdate(&call->hub->tool_index);
    }
    struct rewrite notification;
    const struct replacement replacement = {message->meta_subscription, call->id};
    rewrite_splice(&notification, message->bytes, &replacement, 1);
    call->events->on_message(call, notification.parts, notification.count);
}

/* The child ends a subscription: over stdio it says so by cancelling the request that opened it. */
void modern_relay_cancelled(struct channel *channel, const struct message *message)
{
    struct call *call = mux_find_token(&channel->mux, message->request_id);
    if (call == NULL || !call->has_no_timeout) {
        channel->events->on_dropped(channel, "a cancellation of what is not a subscription");
        return;
    }
    mux_leave(&channel->mux, &call->entry);
    channel_forget(channel, call);
    call_answer_error(call, REPLY_CANCELLED, "The server ended the subscription");
}
