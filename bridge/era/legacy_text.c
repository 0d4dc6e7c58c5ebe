#include "bridge/era/legacy_text.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/reply.h"
#include "bridge/mcp/revision.h"

#define SERVER_INFO_KEY "io.modelcontextprotocol/serverInfo"
#define SERVER_INFO "\"" SERVER_INFO_KEY "\":"

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

bool legacy_text_is_of_tasks(const struct message *request)
{
    return slice_starts_with(request->method, "tasks/");
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

bool legacy_text_is_modern_key(struct slice key)
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
        if (!legacy_text_is_modern_key(member.key)) {
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

/*
 * Who must not meet on one child: other principals, other credentials, and clients that may be asked other things. The
 * parts are told apart by their sizes.
 */
void legacy_text_write_key(struct buffer *out, const struct caller *caller, struct slice capabilities)
{
    buffer_add_format(out, "%zu %zu ", caller->principal.size, caller->environment.size);
    buffer_add(out, caller->principal);
    buffer_add(out, caller->environment);
    buffer_add(out, capabilities);
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

static bool has(struct slice object, const char *key)
{
    return slice_exists(members_find(object, key));
}

/* What the modern era wants in a result and this one has not, with a comma behind each member. */
static void add_result_members(struct buffer *text, const struct message *message,
                               const struct legacy_question *question)
{
    struct slice info = question->handshake->server_info;
    if (!slice_exists(message->result_type)) {
        buffer_add_text(text, "\"resultType\":\"complete\",");
    }
    if (question->is_cacheable && !has(message->result, "ttlMs")) {
        buffer_add_text(text, "\"ttlMs\":0,");
    }
    if (question->is_cacheable && !has(message->result, "cacheScope")) {
        buffer_add_text(text, "\"cacheScope\":\"private\",");
    }
    if (slice_exists(info) && !slice_exists(message->result_meta)) {
        buffer_add_text(text, "\"_meta\":{" SERVER_INFO);
        buffer_add(text, info);
        buffer_add_text(text, "},");
    }
}

/* The same for the result's own _meta. */
static void add_meta_members(struct buffer *text, const struct message *message, const struct handshake *handshake)
{
    bool has_meta = slice_exists(message->result_meta) && message->result_meta.data[0] == '{';
    if (has_meta && slice_exists(handshake->server_info) && !has(message->result_meta, SERVER_INFO_KEY)) {
        buffer_add_text(text, SERVER_INFO);
        buffer_add(text, handshake->server_info);
        buffer_add_text(text, ",");
    }
}

/* What was written to the buffer from `start` on goes in front of the object's own members; nothing is no change. */
static struct replacement put_in_front(struct slice object, struct buffer *text, size_t start)
{
    struct member member;
    struct slice own = object;
    if (text->size == start) {
        return (struct replacement){slice_of(NULL, 0), slice_of(NULL, 0)};
    }
    if (!members_next(&own, &member)) {
        buffer_truncate(text, text->size - 1);
    }
    return (struct replacement){slice_of(object.data + 1, 0), slice_of(NULL, text->size - start)};
}

static void write_result(struct legacy_answer *answer, const struct message *message, struct slice id,
                         const struct legacy_question *question)
{
    struct buffer *text = &answer->text;
    add_result_members(text, message, question);
    struct replacement in_result = put_in_front(message->result, text, 0);
    size_t start = text->size;
    add_meta_members(text, message, question->handshake);
    struct replacement in_meta = put_in_front(message->result_meta, text, start);
    /* Nothing moves the text any more. */
    const char *data = text->size > 0 ? buffer_slice(text).data : "";
    in_result.with.data = data;
    in_meta.with.data = data + start;
    const struct replacement replacements[] = {{message->id, id}, in_result, in_meta};
    rewrite_splice(&answer->parts, message->bytes, replacements, 3);
}

/* Whether it can be a result of the modern era: an object, of no type or of the one that needs nothing else. */
static bool is_complete(const struct message *message)
{
    struct slice type = json_string_inside(message->result_type);
    return message->result.data[0] == '{' &&
           (!slice_exists(message->result_type) || (slice_exists(type) && json_string_means(type, "complete")));
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
    } else if (is_complete(message)) {
        write_result(answer, message, id, question);
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
