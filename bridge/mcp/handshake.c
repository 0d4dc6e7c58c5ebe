#include "bridge/mcp/handshake.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/reply.h"
#include "bridge/mcp/revision.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>

void handshake_release(struct handshake *handshake)
{
    memory_free_slice(&handshake->result);
}

void handshake_write_initialize(struct buffer *out, struct slice id, const char *program_version)
{
    struct buffer params;
    buffer_init(&params, 0);
    /* No capability: on a shared child nobody could say whom a question of the server's is for. */
    buffer_add_format(&params,
                      "{\"protocolVersion\":\"%.*s\",\"capabilities\":{},"
                      "\"clientInfo\":{\"name\":\"mcp-bridge\",\"version\":\"%s\"}}",
                      SLICE_PRINT(revision_newest()->name), program_version);
    reply_call(out, id, "initialize", buffer_slice(&params));
    buffer_release(&params);
}

void handshake_write_initialized(struct buffer *out)
{
    reply_call(out, slice_of(NULL, 0), "notifications/initialized", slice_of(NULL, 0));
}

static void read_capabilities(struct handshake *handshake)
{
    cJSON *result = cJSON_ParseWithLength(handshake->result.data, handshake->result.size);
    const cJSON *capabilities = cJSON_GetObjectItemCaseSensitive(result, "capabilities");
    static const char *const lists[] = {"tools", "prompts", "resources"};
    handshake->has_list_changes = 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(capabilities, lists[i]);
        bool changes = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(list, "listChanged"));
        handshake->has_list_changes |= (unsigned)changes << i;
    }
    handshake->has_logging = cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(capabilities, "logging"));
    cJSON_Delete(result);
}

/* The message of a JSON-RPC error, for people. */
static void describe_error(const struct message *answer, char *why, size_t why_size)
{
    cJSON *error = cJSON_ParseWithLength(answer->error.data, answer->error.size);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
    snprintf(why, why_size, "the server refused initialize: %.200s", text != NULL ? text : "no reason given");
    cJSON_Delete(error);
}

bool handshake_accept(struct handshake *handshake, const struct message *answer, char *why, size_t why_size)
{
    if (answer->kind == MESSAGE_ERROR) {
        describe_error(answer, why, why_size);
        return false;
    }
    bool is_version = answer->result_version.size > 2 && answer->result_version.size < HANDSHAKE_VERSION_TEXT &&
                      slice_exists(json_string_inside(answer->result_version));
    if (!is_version || answer->result.data[0] != '{' || answer->result.size > LIMIT_HANDSHAKE_BYTES) {
        snprintf(why, why_size, "the server's answer to initialize is not an InitializeResult");
        return false;
    }
    size_t offset = (size_t)(answer->result_version.data - answer->result.data);
    memory_free_slice(&handshake->result);
    handshake->result = memory_copy(answer->result);
    handshake->version = slice_of(handshake->result.data + offset, answer->result_version.size);
    read_capabilities(handshake);
    return true;
}

struct slice handshake_answer(const struct handshake *handshake, struct slice requested, struct rewrite *parts,
                              char version_text[HANDSHAKE_VERSION_TEXT])
{
    assert(slice_exists(handshake->result));
    struct slice version = revision_negotiate(requested, json_string_inside(handshake->version));
    int size = snprintf(version_text, HANDSHAKE_VERSION_TEXT, "\"%.*s\"", SLICE_PRINT(version));
    struct replacement replacement = {handshake->version, slice_of(version_text, (size_t)size)};
    rewrite_splice(parts, handshake->result, &replacement, 1);
    return version;
}
