#include "bridge/mcp/legacy_relay.h"

#include "bridge/jsonrpc/rewrite.h"

void legacy_relay_answer(struct call *call, const struct message *message)
{
    bool is_result = message->kind == MESSAGE_RESULT;
    if (is_result && call->on_result != NULL) {
        call->on_result(call, message);
    }
    struct buffer result;
    buffer_init(&result, 0);
    struct replacement replacements[] = {{message->id, call->id}, {slice_of(NULL, 0), slice_of(NULL, 0)}};
    if (is_result && call->write_result != NULL) {
        call->write_result(call, message->result, &result);
        replacements[1] = (struct replacement){message->result, buffer_slice(&result)};
    }
    struct rewrite answer;
    rewrite_splice(&answer, message->bytes, replacements, 2);
    call->events->on_answer(call, answer.parts, answer.count);
    buffer_release(&result);
}

void legacy_relay_refusal(struct call *call, const struct message *message)
{
    const struct slice parts[] = {slice_text("{\"jsonrpc\":\"2.0\",\"id\":"), call->id, slice_text(",\"error\":"),
                                  message->error, slice_text("}")};
    call->error_code = message_error_code(message);
    call_answer(call, parts, sizeof(parts) / sizeof(parts[0]));
}

void legacy_relay_progress(struct call *call, const struct message *message)
{
    struct rewrite progress;
    const struct replacement replacement = {message->progress_token, call->token};
    rewrite_splice(&progress, message->bytes, &replacement, 1);
    call->events->on_message(call, progress.parts, progress.count);
}
