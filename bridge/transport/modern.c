#include "bridge/transport/modern.h"

#include "bridge/base/memory.h"
#include "bridge/transport/param_headers.h"
#include "bridge/transport/refusal.h"
#include "bridge/transport/streamable.h"

/*
 * MCP 2026-07-28, Streamable HTTP: 404 is for a method that nobody has. What a handler says of a tool or a prompt that
 * it does not find is an answer like any other, whichever code it has: clients read errors in a 200, not all in a 404.
 */
int modern_status(const struct call *call)
{
    switch (call->error_code) {
    case REPLY_METHOD_NOT_FOUND:
        return call->has_handler ? 200 : 404;
    case REPLY_PARSE_ERROR:
    case REPLY_INVALID_REQUEST:
    case REPLY_HEADER_MISMATCH:
    case REPLY_MISSING_CAPABILITY:
    case REPLY_UNSUPPORTED_VERSION:
        return 400;
    default:
        return 200;
    }
}

bool modern_check(struct call *call, const struct message *message, const struct tool_headers *headers, char *why,
                  size_t size)
{
    const struct post *post = container_of(call, struct post_call, call)->post;
    return param_headers_check(headers, post->exchange, message, why, size);
}

static bool check(const struct incoming *incoming, const struct message *message, bool is_listen)
{
    if (is_listen && !incoming->accept.stream) {
        refuse(incoming->exchange, REFUSAL_ACCEPT_STREAM, message->id, NULL);
        return false;
    }
    if (!server_has_room(incoming->streamable->server, 1)) {
        refuse(incoming->exchange, REFUSAL_CALL_CEILING, message->id, NULL);
        return false;
    }
    return true;
}

void modern_take(struct incoming *incoming, const struct message *message)
{
    struct streamable *streamable = incoming->streamable;
    bool is_listen = message_is(message, "subscriptions/listen");
    if (!check(incoming, message, is_listen)) {
        memory_free_slice(&incoming->copy);
        return;
    }
    struct post *post = post_new(&streamable->posts, incoming->exchange, incoming->accept, 1);
    post->body = incoming->copy;
    post->must_stream = is_listen;
    post_set_call(post, 0, NULL, NULL, message);
    struct call *call = &post->calls[0].call;
    call->is_modern = true;
    call->level = log_severity_read(message->meta_level);
    era_submit(&streamable->era, call, message, incoming->caller);
}
