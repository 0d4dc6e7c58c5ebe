#include "bridge/era/legacy_text.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/reply.h"
#include "bridge/mcp/revision.h"

static bool is_one_of(const struct message *message, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (message_is(message, names[i])) {
            return true;
        }
    }
    return false;
}

#define IS_ONE_OF(message, names) is_one_of(message, names, sizeof(names) / sizeof((names)[0]))

bool legacy_text_is_removed(const struct message *request)
{
    static const char *const removed[] = {
        "initialize", "ping",         "logging/setLevel", "resources/subscribe", "resources/unsubscribe",
        "tasks/get",  "tasks/result", "tasks/cancel",     "tasks/list",          "tasks/update",
    };
    return IS_ONE_OF(request, removed);
}

bool legacy_text_may_ask(const struct message *request)
{
    static const char *const asking[] = {"tools/call", "prompts/get", "resources/read"};
    return IS_ONE_OF(request, asking);
}

bool legacy_text_is_cacheable(const struct message *request)
{
    static const char *const cacheable[] = {"tools/list", "prompts/list", "resources/list", "resources/templates/list",
                                            "resources/read"};
    return IS_ONE_OF(request, cacheable);
}

/* ---- Requests ---- */

static bool is_modern_key(struct slice key)
{
    static const char *const keys[] = {
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
        "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/logLevel",
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (json_string_means(key, keys[i])) {
            return true;
        }
    }
    return false;
}

static void add_member(struct buffer *out, const char **separator, const struct member *member)
{
    buffer_add_text(out, *separator);
    buffer_add_text(out, "\"");
    buffer_add(out, member->key);
    buffer_add_text(out, "\":");
    buffer_add(out, member->value);
    *separator = ",";
}

static void add_meta(struct buffer *out, struct slice meta)
{
    struct member member;
    const char *separator = "";
    buffer_add_text(out, "{");
    while (members_next(&meta, &member)) {
        if (!is_modern_key(member.key)) {
            add_member(out, &separator, &member);
        }
    }
    buffer_add_text(out, "}");
}

static void add_params(struct buffer *out, struct slice params)
{
    struct member member;
    const char *separator = "";
    buffer_add_text(out, "{");
    while (members_next(&params, &member)) {
        if (json_string_means(member.key, "_meta")) {
            buffer_add_text(out, separator);
            buffer_add_text(out, "\"_meta\":");
            add_meta(out, member.value);
            separator = ",";
        } else if (!json_string_means(member.key, "inputResponses") && !json_string_means(member.key, "requestState")) {
            add_member(out, &separator, &member);
        }
    }
    buffer_add_text(out, "}");
}

void legacy_text_write_request(struct buffer *out, const struct message *request)
{
    buffer_add_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    buffer_add(out, request->id);
    buffer_add_text(out, ",\"method\":");
    reply_add_string(out, request->method);
    buffer_add_text(out, ",\"params\":");
    add_params(out, request->params);
    buffer_add_text(out, "}");
}

/* ---- The client's capabilities ---- */

void legacy_text_write_capabilities(struct buffer *out, struct slice capabilities)
{
    static const char *const names[] = {"sampling", "elicitation", "roots"};
    const char *separator = "";
    buffer_add_text(out, "{");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct slice value = members_find(capabilities, names[i]);
        if (slice_exists(value) && value.data[0] == '{') {
            const struct member member = {slice_text(names[i]), value};
            add_member(out, &separator, &member);
        }
    }
    buffer_add_text(out, "}");
}

void legacy_text_write_initialize(struct buffer *out, struct slice capabilities, const char *program_version)
{
    struct buffer params;
    buffer_init(&params, 0);
    buffer_add_format(&params, "{\"protocolVersion\":\"%.*s\",\"capabilities\":", SLICE_PRINT(revision_newest()->name));
    legacy_text_write_capabilities(&params, capabilities);
    buffer_add_format(&params, ",\"clientInfo\":{\"name\":\"mcp-bridge\",\"version\":\"%s\"}}", program_version);
    reply_call(out, slice_text("0"), "initialize", buffer_slice(&params));
    buffer_release(&params);
}

/* MCP, Elicitation, "Capabilities": an empty object stands for forms. */
static bool may_elicit(struct slice elicitation, struct slice params)
{
    struct slice mode = json_string_inside(members_find(params, "mode"));
    bool has_url = slice_exists(members_find(elicitation, "url"));
    bool has_form = slice_exists(members_find(elicitation, "form")) || !has_url;
    return slice_exists(mode) && json_string_means(mode, "url") ? has_url : has_form;
}

bool legacy_text_may_be_asked(struct slice capabilities, const struct message *question)
{
    struct slice elicitation = members_find(capabilities, "elicitation");
    if (message_is(question, "elicitation/create")) {
        return slice_exists(elicitation) && may_elicit(elicitation, question->params);
    }
    if (message_is(question, "sampling/createMessage")) {
        return slice_exists(members_find(capabilities, "sampling"));
    }
    return message_is(question, "roots/list") && slice_exists(members_find(capabilities, "roots"));
}

/* ---- Answers ---- */

/* MCP 2026-07-28, Error Codes: what the modern era must not send any more. */
static int map_error_code(int code)
{
    enum { RESOURCE_NOT_FOUND = -32002 };
    return code == RESOURCE_NOT_FOUND ? REPLY_INVALID_PARAMS : code;
}

static void take_text(struct legacy_answer *answer)
{
    answer->parts.parts[0] = buffer_slice(&answer->text);
    answer->parts.count = 1;
}

/* The questions that a client of these capabilities can be asked for an error that wants pages visited; or none. */
static size_t write_url_requests(struct buffer *out, const struct message *message, struct slice capabilities)
{
    struct slice rest = members_find(members_find(message->error, "data"), "elicitations");
    struct slice elicitation;
    size_t count = 0;
    if (!slice_exists(members_find(members_find(capabilities, "elicitation"), "url"))) {
        return 0;
    }
    while (elements_next(&rest, &elicitation)) {
        if (elicitation.data[0] == '{') {
            buffer_add_format(out, "%s\"u%zu\":{\"method\":\"elicitation/create\",\"params\":", count > 0 ? "," : "",
                              count + 1);
            buffer_add(out, elicitation);
            buffer_add_text(out, "}");
            count++;
        }
    }
    return count;
}

/*
 * MCP 2025-11-25, Elicitation, "URL Elicitation Required Error": the modern era has not the error, but a result that
 * says the same. No call waits for the client to come again, so there is no state: the child is asked anew.
 */
static void write_url_required(struct legacy_answer *answer, const struct message *message, struct slice id,
                               struct slice capabilities)
{
    struct buffer requests;
    buffer_init(&requests, 0);
    if (write_url_requests(&requests, message, capabilities) > 0) {
        buffer_add_text(&answer->text, "{\"jsonrpc\":\"2.0\",\"id\":");
        buffer_add(&answer->text, id);
        buffer_add_text(&answer->text, ",\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{");
        buffer_add(&answer->text, buffer_slice(&requests));
        buffer_add_text(&answer->text, "}}}");
    } else {
        answer->error_code = REPLY_MISSING_CAPABILITY;
        reply_error(&answer->text, id, REPLY_MISSING_CAPABILITY, "The server wants the client to visit a page first",
                    slice_text("{\"requiredCapabilities\":{\"elicitation\":{\"url\":{}}}}"));
    }
    buffer_release(&requests);
    take_text(answer);
}

static void write_error(struct legacy_answer *answer, const struct message *message, struct slice id)
{
    int code = message_error_code(message);
    struct replacement replacements[] = {{message->id, id}, {{NULL, 0}, {NULL, 0}}};
    answer->error_code = map_error_code(code);
    if (answer->error_code != code) {
        buffer_add_format(&answer->text, "%d", answer->error_code);
        replacements[1] = (struct replacement){message->error_code, buffer_slice(&answer->text)};
    }
    rewrite_splice(&answer->parts, message->bytes, replacements, 2);
}

static struct slice behind_bracket(struct slice object)
{
    return slice_of(object.data + 1, 0);
}

static bool is_empty(struct slice object)
{
    struct member member;
    return !members_next(&object, &member);
}

static void write_result(struct legacy_answer *answer, const struct message *message, struct slice id,
                         const struct handshake *handshake, bool is_cacheable)
{
    struct buffer *text = &answer->text;
    bool has_meta = slice_exists(message->result_meta) && message->result_meta.data[0] == '{';
    bool has_info = slice_exists(handshake->server_info);
    buffer_add_format(text, "\"resultType\":\"complete\"%s",
                      is_cacheable ? ",\"ttlMs\":0,\"cacheScope\":\"private\"" : "");
    if (has_info && !has_meta) {
        buffer_add_text(text, ",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":");
        buffer_add(text, handshake->server_info);
        buffer_add_text(text, "}");
    }
    buffer_add_text(text, is_empty(message->result) ? "" : ",");
    size_t in_result = text->size;
    if (has_info && has_meta) {
        buffer_add_text(text, "\"io.modelcontextprotocol/serverInfo\":");
        buffer_add(text, handshake->server_info);
        buffer_add_text(text, is_empty(message->result_meta) ? "" : ",");
    }
    const char *data = buffer_slice(text).data;
    const struct replacement replacements[] = {
        {message->id, id},
        {behind_bracket(message->result), slice_of(data, in_result)},
        {has_meta ? behind_bracket(message->result_meta) : slice_of(NULL, 0),
         slice_of(data + in_result, text->size - in_result)},
    };
    rewrite_splice(&answer->parts, message->bytes, replacements, 3);
}

/* What the modern era needs and the child may not have: an object, and not one with a type of its own. */
static bool can_be_typed(const struct message *message)
{
    return message->result.data[0] == '{' && !slice_exists(message->result_type);
}

void legacy_answer_write(struct legacy_answer *answer, const struct message *message, struct slice id,
                         const struct legacy_question *question)
{
    enum { URL_ELICITATION_REQUIRED = -32042 };
    *answer = (struct legacy_answer){.error_code = 0};
    buffer_init(&answer->text, 0);
    if (message->kind == MESSAGE_ERROR && message_error_code(message) == URL_ELICITATION_REQUIRED) {
        write_url_required(answer, message, id, question->capabilities);
    } else if (message->kind == MESSAGE_ERROR) {
        write_error(answer, message, id);
    } else if (can_be_typed(message)) {
        write_result(answer, message, id, question->handshake, question->is_cacheable);
    } else {
        answer->error_code = REPLY_INTERNAL_ERROR;
        reply_error(&answer->text, id, REPLY_INTERNAL_ERROR,
                    "The server's result cannot be one of the revision 2026-07-28", slice_of(NULL, 0));
        take_text(answer);
    }
}

void legacy_answer_release(struct legacy_answer *answer)
{
    buffer_release(&answer->text);
}
