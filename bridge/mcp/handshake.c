#include "bridge/mcp/handshake.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/reply.h"
#include "bridge/mcp/revision.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>

void handshake_release(struct handshake *handshake)
{
    memory_free_slice(&handshake->result);
    memory_free_slice(&handshake->discover);
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

void handshake_add_meta(struct buffer *out, const char *program_version)
{
    buffer_add_format(out,
                      "{\"io.modelcontextprotocol/protocolVersion\":\"%.*s\","
                      "\"io.modelcontextprotocol/clientCapabilities\":{},"
                      "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"mcp-bridge\",\"version\":\"%s\"}}",
                      SLICE_PRINT(revision_modern()->name), program_version);
}

void handshake_write_discover(struct buffer *out, struct slice id, const char *program_version)
{
    struct buffer params;
    buffer_init(&params, 0);
    buffer_add_text(&params, "{\"_meta\":");
    handshake_add_meta(&params, program_version);
    buffer_add_text(&params, "}");
    reply_call(out, id, "server/discover", buffer_slice(&params));
    buffer_release(&params);
}

void handshake_write_initialized(struct buffer *out)
{
    reply_call(out, slice_of(NULL, 0), "notifications/initialized", slice_of(NULL, 0));
}

static void read_capabilities(struct handshake *handshake)
{
    static const char *const lists[] = {"tools", "prompts", "resources"};
    handshake->has_list_changes = 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct slice list = members_find(handshake->capabilities, lists[i]);
        bool changes = slice_is(members_find(list, "listChanged"), "true");
        handshake->has_list_changes |= (unsigned)changes << i;
    }
    handshake->has_logging = slice_starts_with(members_find(handshake->capabilities, "logging"), "{");
}

/* The message of a JSON-RPC error, for people. */
static void describe_error(const struct message *answer, const char *method, char *why, size_t why_size)
{
    cJSON *error = cJSON_ParseWithLength(answer->error.data, answer->error.size);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
    snprintf(why, why_size, "the server refused %s: %.200s", method, text != NULL ? text : "no reason given");
    cJSON_Delete(error);
}

static void keep_result(struct handshake *handshake, struct slice result)
{
    memory_free_slice(&handshake->result);
    handshake->result = memory_copy(result);
    handshake->version = members_find(handshake->result, "protocolVersion");
    handshake->server_info = members_find(handshake->result, "serverInfo");
    handshake->capabilities = members_find(handshake->result, "capabilities");
    read_capabilities(handshake);
}

bool handshake_accept(struct handshake *handshake, const struct message *answer, char *why, size_t why_size)
{
    if (answer->kind == MESSAGE_ERROR) {
        describe_error(answer, "initialize", why, why_size);
        return false;
    }
    bool is_version = answer->result_version.size > 2 && answer->result_version.size < HANDSHAKE_VERSION_TEXT &&
                      slice_exists(json_string_inside(answer->result_version));
    if (!is_version || answer->result.data[0] != '{' || answer->result.size > LIMIT_HANDSHAKE_BYTES) {
        snprintf(why, why_size, "the server's answer to initialize is not an InitializeResult");
        return false;
    }
    keep_result(handshake, answer->result);
    return true;
}

bool handshake_has_method(const struct handshake *handshake, struct slice request)
{
    static const struct {
        const char *method;
        const char *feature; /* in the child's capabilities */
    } essentials[] = {
        {"tools/call", "tools"},
        {"prompts/get", "prompts"},
        {"resources/read", "resources"},
        {"completion/complete", "completions"},
    };
    struct message message;
    if (message_scan_whole(&message, request) != MESSAGE_FAULT_NONE) {
        return false;
    }
    for (size_t i = 0; i < sizeof(essentials) / sizeof(essentials[0]); i++) {
        if (message_is(&message, essentials[i].method)) {
            return slice_exists(members_find(handshake->capabilities, essentials[i].feature));
        }
    }
    return false;
}

/* Whether the child serves a revision of the modern era that we know. */
static bool lists_modern(struct slice versions)
{
    struct slice version;
    while (elements_next(&versions, &version)) {
        if (slice_equals(json_string_inside(version), revision_modern()->name)) {
            return true;
        }
    }
    return false;
}

static bool lists_legacy(struct slice versions)
{
    struct slice version;
    while (elements_next(&versions, &version)) {
        if (revision_find(json_string_inside(version)) != NULL) {
            return true;
        }
    }
    return false;
}

/*
 * MCP 2026-07-28, Versioning; some servers just do not have the method. A client of a child of its own may have asked
 * for a revision that nobody has: then the server of both eras lists what it has of the legacy one, too.
 */
bool handshake_is_for_modern_only(const struct message *answer)
{
    if (answer->kind != MESSAGE_ERROR) {
        return false;
    }
    int code = message_error_code(answer);
    return (code == REPLY_UNSUPPORTED_VERSION || code == REPLY_METHOD_NOT_FOUND) &&
           !lists_legacy(members_find(members_find(answer->error, "data"), "supported"));
}

static void add_member(struct buffer *object, const char *key, struct slice value)
{
    if (slice_exists(value)) {
        buffer_add_format(object, ",\"%s\":", key);
        buffer_add(object, value);
    }
}

/* What a client of the legacy era is told of a modern child. */
static void write_initialize_result(struct buffer *out, struct slice discover)
{
    struct slice info = members_find(members_find(discover, "_meta"), "io.modelcontextprotocol/serverInfo");
    struct slice capabilities = members_find(discover, "capabilities");
    buffer_add_format(out, "{\"protocolVersion\":\"%.*s\"", SLICE_PRINT(revision_newest()->name));
    add_member(out, "capabilities", slice_exists(capabilities) ? capabilities : slice_text("{}"));
    add_member(out, "serverInfo", slice_exists(info) ? info : slice_text("{\"name\":\"server\",\"version\":\"0\"}"));
    add_member(out, "instructions", members_find(discover, "instructions"));
    buffer_add_text(out, "}");
}

bool handshake_accept_discover(struct handshake *handshake, const struct message *answer, char *why, size_t why_size)
{
    if (answer->kind == MESSAGE_ERROR) {
        describe_error(answer, "server/discover", why, why_size);
        return false;
    }
    bool is_object = answer->result.data[0] == '{' && answer->result.size <= LIMIT_HANDSHAKE_BYTES;
    if (!is_object || !lists_modern(members_find(answer->result, "supportedVersions"))) {
        snprintf(why, why_size, "the server's answer to server/discover names no revision that the bridge knows");
        return false;
    }
    memory_free_slice(&handshake->discover);
    handshake->discover = memory_copy(answer->result);
    struct buffer result;
    buffer_init(&result, 0);
    write_initialize_result(&result, handshake->discover);
    keep_result(handshake, buffer_slice(&result));
    buffer_release(&result);
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
