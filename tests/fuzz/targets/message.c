/*
 * One message: whether it is JSON and what stands in it, compared with cJSON (json_oracle.h says where they differ);
 * a splice changes the bytes that it names and no other; a flattened message is the same message on one line.
 */
#include "bridge/jsonrpc/message.h"
#include "bridge/base/buffer.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/rewrite.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

#include <stdlib.h>

struct member_path {
    size_t offset; /* of the slice in struct message */
    const char *names[4];
};

#define AT(member) offsetof(struct message, member)

static const struct member_path paths[] = {
    {AT(jsonrpc), {"jsonrpc"}},
    {AT(id), {"id"}},
    {AT(params), {"params"}},
    {AT(result), {"result"}},
    {AT(error), {"error"}},
    {AT(meta), {"params", "_meta"}},
    {AT(meta_token), {"params", "_meta", "progressToken"}},
    {AT(meta_version), {"params", "_meta", "io.modelcontextprotocol/protocolVersion"}},
    {AT(progress_token), {"params", "progressToken"}},
    {AT(request_id), {"params", "requestId"}},
    {AT(protocol_version), {"params", "protocolVersion"}},
    {AT(capabilities), {"params", "capabilities"}},
    {AT(uri), {"params", "uri"}},
    {AT(level), {"params", "level"}},
    {AT(task_id), {"params", "taskId"}},
    {AT(name), {"params", "name"}},
    {AT(arguments), {"params", "arguments"}},
    {AT(request_state), {"params", "requestState"}},
    {AT(result_version), {"result", "protocolVersion"}},
    {AT(result_task), {"result", "task"}},
    {AT(result_task_id), {"result", "task", "taskId"}},
    {AT(result_type), {"result", "resultType"}},
    {AT(result_meta), {"result", "_meta"}},
    {AT(error_code), {"error", "code"}},
};

enum { PATH_COUNT = sizeof(paths) / sizeof(paths[0]) };

static struct slice span_of(const struct message *message, size_t offset)
{
    struct slice span;
    memcpy(&span, (const char *)message + offset, sizeof(span));
    return span;
}

/* The last member of a name, as we choose; cJSON's own getter takes the first. */
static const cJSON *last_member(const cJSON *object, const char *name)
{
    const cJSON *found = NULL;
    for (const cJSON *item = cJSON_IsObject(object) ? object->child : NULL; item != NULL; item = item->next) {
        found = strcmp(item->string, name) == 0 ? item : found;
    }
    return found;
}

static const cJSON *member_at(const cJSON *tree, const struct member_path *path)
{
    for (size_t i = 0; i < 4 && path->names[i] != NULL; i++) {
        tree = last_member(tree, path->names[i]);
    }
    return tree;
}

static bool is_space(struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] == '\0' || strchr(" \t\r\n", bytes.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Whether the span holds this value and not a byte more. */
static void require_value(struct slice span, const cJSON *item)
{
    const char *end;
    cJSON *value = cJSON_ParseWithLengthOpts(span.data, span.size, &end, false);
    FUZZ_REQUIRE(value != NULL && (unsigned char)span.data[0] > ' ');
    /* In the place of a long number stands a short one. */
    struct slice rest = slice_of(end, (size_t)(span.data + span.size - end));
    FUZZ_REQUIRE(rest.size == 0 || (cJSON_IsNumber(value) && is_space(rest)));
    char *ours = cJSON_PrintUnformatted(value);
    char *theirs = cJSON_PrintUnformatted(item);
    FUZZ_REQUIRE(strcmp(ours, theirs) == 0);
    cJSON_free(ours);
    cJSON_free(theirs);
    cJSON_Delete(value);
}

static void require_same_members(const struct message *message, struct slice bytes, const struct json_oracle *oracle)
{
    for (size_t i = 0; i < PATH_COUNT; i++) {
        struct slice span = span_of(message, paths[i].offset);
        const cJSON *item = member_at(oracle->tree, &paths[i]);
        FUZZ_REQUIRE(slice_exists(span) == (item != NULL));
        if (item != NULL) {
            /* In the oracle's text, where long numbers are short ones. */
            require_value(slice_of(oracle->text + (span.data - bytes.data), span.size), item);
        }
    }
    const cJSON *method = last_member(oracle->tree, "method");
    FUZZ_REQUIRE(slice_exists(message->method) == (method != NULL));
    FUZZ_REQUIRE(method == NULL || slice_is(message->method, method->valuestring));
}

static void require_same_verdict(enum message_fault fault, struct slice bytes, const struct json_oracle *oracle)
{
    bool is_valid =
        json_oracle_approves(oracle) && is_space(slice_of(bytes.data + oracle->end, bytes.size - oracle->end));
    bool is_deep = oracle->depth > LIMIT_JSON_DEPTH;
    switch (fault) {
    case MESSAGE_FAULT_SYNTAX:
        FUZZ_REQUIRE(!is_valid);
        break;
    case MESSAGE_FAULT_DEPTH:
        FUZZ_REQUIRE(!is_valid || is_deep);
        break;
    case MESSAGE_FAULT_DUPLICATE:
        FUZZ_REQUIRE(!is_valid || oracle->has_repeated);
        break;
    case MESSAGE_FAULT_NONE:
    case MESSAGE_FAULT_OBJECT:
    case MESSAGE_FAULT_VERSION:
    case MESSAGE_FAULT_ID:
    case MESSAGE_FAULT_METHOD:
    case MESSAGE_FAULT_TOKEN:
    case MESSAGE_FAULT_PARAMS:
    case MESSAGE_FAULT_SHAPE:
        FUZZ_REQUIRE(is_valid && !is_deep);
        FUZZ_REQUIRE((fault != MESSAGE_FAULT_OBJECT) == cJSON_IsObject(oracle->tree));
        break;
    case MESSAGE_FAULT_BATCH:
    case MESSAGE_FAULT_COUNT:
        FUZZ_REQUIRE(!"a fault of a message");
    }
}

static void collect(struct buffer *out, const struct rewrite *rewrite)
{
    FUZZ_REQUIRE(rewrite->count <= REWRITE_MAX_PARTS);
    for (size_t i = 0; i < rewrite->count; i++) {
        buffer_add(out, rewrite->parts[i]);
    }
}

/* Each span is replaced by itself. */
static void require_exact_splice(const struct message *message)
{
    for (size_t i = 0; i < PATH_COUNT; i++) {
        struct slice span = span_of(message, paths[i].offset);
        struct replacement replacement = {.span = span, .with = span};
        struct rewrite rewrite;
        struct buffer out;
        buffer_init(&out, 0);
        rewrite_splice(&rewrite, message->bytes, &replacement, 1);
        collect(&out, &rewrite);
        FUZZ_REQUIRE(slice_equals(buffer_slice(&out), message->bytes));
        buffer_release(&out);
    }
}

/* Everything but the four spans that are replaced. */
static void require_same_rest(const struct message *message, const struct message *other)
{
    static const size_t kept[] = {AT(jsonrpc), AT(uri), AT(level), AT(task_id), AT(error), AT(result), AT(name)};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        struct slice span = span_of(message, kept[i]);
        FUZZ_REQUIRE(slice_exists(span) == slice_exists(span_of(other, kept[i])));
        FUZZ_REQUIRE(slice_equals(span, span_of(other, kept[i])));
    }
    FUZZ_REQUIRE(message->kind == other->kind && slice_equals(message->method, other->method));
}

/* The ids that the bridge replaces get other ones, and a member comes in front: what else is there stays. */
static void require_right_splice(const struct message *message)
{
    static const char marks[] = "[{\"";
    static const struct slice with[] = {SLICE_LITERAL("4711"), SLICE_LITERAL("\"token\""), SLICE_LITERAL("-1"),
                                        SLICE_LITERAL("0"), SLICE_LITERAL("\"x\":1, ")};
    const struct replacement replacements[] = {
        {message->meta_token, with[1]},
        {message->progress_token, with[2]},
        {message->request_id, with[3]},
        {message->id, with[0]},
        {slice_of(message->bytes.data + 1, 0), with[4]},
    };
    struct rewrite rewrite;
    struct buffer out;
    struct message other;
    buffer_init(&out, 0);
    rewrite_splice(&rewrite, message->bytes, replacements, 5);
    collect(&out, &rewrite);
    size_t size = message->bytes.size;
    for (size_t i = 0; i < 5; i++) {
        size += slice_exists(replacements[i].span) ? replacements[i].with.size - replacements[i].span.size : 0;
    }
    FUZZ_REQUIRE(out.size == size && strchr(marks, buffer_slice(&out).data[0]) != NULL);
    FUZZ_REQUIRE(message_scan_whole(&other, buffer_slice(&out)) == MESSAGE_FAULT_NONE);
    const struct slice found[] = {other.meta_token, other.progress_token, other.request_id, other.id};
    for (size_t i = 0; i < 4; i++) {
        FUZZ_REQUIRE(slice_exists(found[i]) == slice_exists(replacements[i].span));
        FUZZ_REQUIRE(!slice_exists(found[i]) || slice_equals(found[i], replacements[i].with));
    }
    require_same_rest(message, &other);
    buffer_release(&out);
}

static void require_one_line(const struct message *message)
{
    struct message other;
    char *copy = fuzz_copy(message->bytes);
    bool has_breaks =
        memchr(copy, '\n', message->bytes.size) != NULL || memchr(copy, '\r', message->bytes.size) != NULL;
    FUZZ_REQUIRE(has_breaks <= message->has_line_breaks);
    message_flatten(copy, message->bytes.size);
    FUZZ_REQUIRE(memchr(copy, '\n', message->bytes.size) == NULL);
    FUZZ_REQUIRE(memchr(copy, '\r', message->bytes.size) == NULL);
    FUZZ_REQUIRE(message_scan_whole(&other, slice_of(copy, message->bytes.size)) == MESSAGE_FAULT_NONE);
    FUZZ_REQUIRE(!other.has_line_breaks && slice_equals(message->id, other.id));
    FUZZ_REQUIRE(slice_equals(message->method, other.method) && message->kind == other.kind);
    free(copy);
}

static void require_right_refusal(const struct message *message, enum message_fault fault)
{
    struct slice id = message_refused_id(message, fault);
    FUZZ_REQUIRE(message_fault_text(fault) != NULL && message_fault_code(fault) < 0);
    if (slice_exists(id)) {
        const char *end;
        cJSON *value = cJSON_ParseWithLengthOpts(id.data, id.size, &end, false);
        FUZZ_REQUIRE(id.size <= LIMIT_ID_BYTES && (id.data[0] == '"' || id.data[0] == '-' || id.data[0] >= '0'));
        /* cJSON refuses some: see json_oracle.h. */
        FUZZ_REQUIRE(value == NULL || end == id.data + id.size);
        cJSON_Delete(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(slice_of((const char *)data, size));
    struct slice bytes = slice_of(copy, size);
    struct message message;
    struct json_oracle oracle;
    enum message_fault fault = message_scan_whole(&message, bytes);
    json_oracle_read(&oracle, bytes);
    require_same_verdict(fault, bytes, &oracle);
    if (fault == MESSAGE_FAULT_NONE) {
        if (!oracle.has_nul && !oracle.has_surrogate) {
            require_same_members(&message, bytes, &oracle);
        }
        require_exact_splice(&message);
        require_right_splice(&message);
        require_one_line(&message);
    } else {
        require_right_refusal(&message, fault);
    }
    json_oracle_release(&oracle);
    free(copy);
    return 0;
}
