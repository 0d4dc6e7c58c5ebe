#include "bridge/mcp/call.h"

#include "bridge/base/buffer.h"

static void answer(struct call *call, struct buffer *message)
{
    struct slice part = buffer_slice(message);
    call->state = CALL_ENDED;
    call->events->on_answer(call, &part, 1);
    buffer_release(message);
}

void call_answer_error(struct call *call, enum reply_code code, const char *text)
{
    struct buffer error;
    buffer_init(&error, 0);
    reply_error(&error, call->id, code, text, slice_of(NULL, 0));
    answer(call, &error);
}

void call_answer_result(struct call *call, struct slice result)
{
    struct buffer message;
    buffer_init(&message, 0);
    reply_result(&message, call->id, result);
    answer(call, &message);
}
