#include "bridge/mcp/call.h"

void call_answer(struct call *call, const struct slice *parts, size_t count)
{
    call->state = CALL_ENDED;
    call->events->on_answer(call, parts, count);
}

static void answer_buffer(struct call *call, struct buffer *message)
{
    struct slice part = buffer_slice(message);
    call_answer(call, &part, 1);
    buffer_release(message);
}

void call_answer_error(struct call *call, enum reply_code code, const char *text)
{
    struct buffer error;
    buffer_init(&error, 0);
    reply_error(&error, call->id, code, text, slice_of(NULL, 0));
    call->error_code = (int)code;
    answer_buffer(call, &error);
}

void call_answer_busy(struct call *call, const char *text)
{
    call->is_busy = true;
    call_answer_error(call, REPLY_INTERNAL_ERROR, text);
}

void call_answer_result(struct call *call, struct slice result)
{
    struct buffer message;
    buffer_init(&message, 0);
    reply_result(&message, call->id, result);
    answer_buffer(call, &message);
}
