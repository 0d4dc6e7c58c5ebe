#include "bridge/transport/initialize.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/mcp/revision.h"

static struct slice read_handshake(const struct call *call, struct rewrite *result,
                                   char version_text[HANDSHAKE_VERSION_TEXT])
{
    const struct handshake *handshake = &call->hub->channel.handshake;
    if (!call->hub->is_own || call->hub->channel.is_modern) {
        return handshake_answer(handshake, json_string_inside(call->argument), result, version_text);
    }
    result->parts[0] = handshake->result;
    result->count = 1;
    return json_string_inside(handshake->version);
}

void initialize_answer_write(struct initialize_answer *answer, const struct call *call)
{
    struct rewrite result;
    struct slice version = read_handshake(call, &result, answer->version_text);
    answer->revision = revision_find(version);
    answer->count = 0;
    answer->parts[answer->count++] = slice_text("{\"jsonrpc\":\"2.0\",\"id\":");
    answer->parts[answer->count++] = call->id;
    answer->parts[answer->count++] = slice_text(",\"result\":");
    for (size_t i = 0; i < result.count; i++) {
        answer->parts[answer->count++] = result.parts[i];
    }
    answer->parts[answer->count++] = slice_text("}");
}

struct session *initialize_open_session(struct server *server, const struct initialize_answer *answer,
                                        const struct call *call, struct slice principal)
{
    struct session *session = server_open_session(server, call->hub, answer->revision, principal);
    struct message message;
    if (session != NULL && call->hub->channel.is_modern &&
        message_scan_whole(&message, call->bytes) == MESSAGE_FAULT_NONE) {
        session_keep_client(session, &message);
    }
    return session;
}
