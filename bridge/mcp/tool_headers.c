/*
 * Only the schemas that mention x-mcp-header are parsed; of the others the name is kept. A declaration that is not
 * right makes the whole tool invalid for its clients, which leave it out: so nothing is expected of whoever calls it
 * all the same.
 */
#include "bridge/mcp/tool_headers.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/limits.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static const char keyword[] = "x-mcp-header";

void tool_headers_init(struct tool_headers *headers)
{
    *headers = (struct tool_headers){.bytes = 0};
}

static void free_headers(struct tool *tool)
{
    for (size_t i = 0; i < tool->header_count; i++) {
        free(tool->headers[i].field);
        free(tool->headers[i].path);
    }
    free(tool->headers);
    tool->headers = NULL;
    tool->header_count = 0;
}

static void free_tool(struct tool *tool)
{
    free_headers(tool);
    memory_free_slice(&tool->name);
    free(tool);
}

void tool_headers_release(struct tool_headers *headers)
{
    if (headers == NULL) {
        return;
    }
    struct map_node *node;
    while ((node = map_any(&headers->tools)) != NULL) {
        map_remove(&headers->tools, node);
        free_tool(container_of(node, struct tool, by_name));
    }
    map_release(&headers->tools);
    tool_headers_init(headers);
}

/* ---- A schema ---- */

struct reading {
    struct tool *tool;
    struct buffer path; /* of the schema that is being read */
    size_t bytes;       /* of what the tool keeps */
};

/* RFC 9110 5.6.2. */
static bool is_token(const char *text)
{
    static const char letters[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t size = strlen(text);
    return size > 0 && size <= LIMIT_NAME_BYTES && strspn(text, letters) == size;
}

static char *field_of(const char *name)
{
    struct buffer field;
    buffer_init(&field, 0);
    buffer_add_text(&field, "mcp-param-");
    for (; *name != '\0'; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name + ('a' - 'A')) : *name;
        buffer_add(&field, slice_of(&c, 1));
    }
    char *copy = (char *)(uintptr_t)memory_copy(buffer_slice(&field)).data;
    buffer_release(&field);
    return copy;
}

static bool is_taken(const struct tool *tool, const char *field)
{
    for (size_t i = 0; i < tool->header_count; i++) {
        if (strcmp(tool->headers[i].field, field) == 0) {
            return true;
        }
    }
    return false;
}

/* MCP 2026-07-28, Streamable HTTP, "Schema Extension": of all types only these three. */
static bool has_simple_type(const cJSON *schema)
{
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(schema, "type"));
    return type != NULL &&
           (strcmp(type, "string") == 0 || strcmp(type, "integer") == 0 || strcmp(type, "boolean") == 0);
}

/* Takes the declaration at the property whose path is being read. False when it is not right. */
static bool add_header(struct reading *reading, const cJSON *schema, const cJSON *declaration)
{
    struct tool *tool = reading->tool;
    const char *name = cJSON_GetStringValue(declaration);
    if (name == NULL || !is_token(name) || reading->path.size == 0 || !has_simple_type(schema) ||
        tool->header_count == LIMIT_TOOL_HEADERS) {
        return false;
    }
    char *field = field_of(name);
    if (is_taken(tool, field)) {
        free(field);
        return false;
    }
    tool->headers = memory_resize(tool->headers, (tool->header_count + 1) * sizeof(tool->headers[0]));
    tool->headers[tool->header_count++] = (struct tool_header){
        .field = field,
        .path = (char *)(uintptr_t)memory_copy(buffer_slice(&reading->path)).data,
        .path_size = reading->path.size,
    };
    reading->bytes += strlen(field) + reading->path.size + sizeof(struct tool_header);
    return true;
}

/*
 * Whether a part of a schema declares a header anywhere. Among the keys of `properties` the word is a property's name.
 */
static bool declares(const cJSON *value, bool has_names)
{
    const cJSON *child;
    cJSON_ArrayForEach(child, value)
    {
        bool is_declaration = child->string != NULL && !has_names && strcmp(child->string, keyword) == 0;
        bool has_inner_names = child->string != NULL && !has_names && strcmp(child->string, "properties") == 0;
        if (is_declaration || declares(child, has_inner_names)) {
            return true;
        }
    }
    return false;
}

static bool read_schema(struct reading *reading, const cJSON *schema);

static bool read_properties(struct reading *reading, const cJSON *properties)
{
    const cJSON *property;
    cJSON_ArrayForEach(property, properties)
    {
        struct slice key = slice_text(property->string);
        size_t size = reading->path.size;
        buffer_add(&reading->path, slice_of(key.data, key.size + 1));
        bool is_right = read_schema(reading, property);
        reading->path.size = size;
        if (!is_right) {
            return false;
        }
    }
    return true;
}

/* False when a declaration in it is not right, or stands where no chain of `properties` leads. */
static bool read_schema(struct reading *reading, const cJSON *schema)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, schema)
    {
        bool is_right = true;
        const char *key = member->string != NULL ? member->string : "";
        if (strcmp(key, keyword) == 0) {
            is_right = add_header(reading, schema, member);
        } else if (strcmp(key, "properties") == 0 && cJSON_IsObject(member)) {
            is_right = read_properties(reading, member);
        } else {
            is_right = !declares(member, false);
        }
        if (!is_right) {
            return false;
        }
    }
    return true;
}

/* Whether bytes of JSON may hold the keyword: as it is, or hidden behind escapes. */
static bool mentions_headers(struct slice schema)
{
    static const char escape[] = "\\u00";
    for (size_t at = 0; at < schema.size; at++) {
        struct slice rest = slice_of(schema.data + at, schema.size - at);
        if ((rest.data[0] == 'x' && slice_starts_with(rest, keyword)) ||
            (rest.data[0] == '\\' && slice_starts_with(rest, escape))) {
            return true;
        }
    }
    return false;
}

/* Returns the bytes that the tool keeps for its headers. */
static size_t read_input_schema(struct tool *tool, struct slice schema)
{
    struct reading reading = {.tool = tool};
    if (!slice_exists(schema) || schema.size > LIMIT_TOOL_SCHEMA_BYTES || !mentions_headers(schema)) {
        return 0;
    }
    cJSON *tree = cJSON_ParseWithLength(schema.data, schema.size);
    buffer_init(&reading.path, 0);
    if (!cJSON_IsObject(tree) || !read_schema(&reading, tree)) {
        free_headers(tool);
        reading.bytes = 0;
    }
    buffer_release(&reading.path);
    cJSON_Delete(tree);
    return reading.bytes;
}

/* ---- The tools ---- */

static bool has_name(const struct map_node *node, const void *key)
{
    return slice_equals(container_of(node, struct tool, by_name)->name, *(const struct slice *)key);
}

static struct tool *find(const struct tool_headers *headers, struct slice name)
{
    struct map_node *node = map_find(&headers->tools, map_hash_bytes(name), has_name, &name);
    return node != NULL ? container_of(node, struct tool, by_name) : NULL;
}

static void add_tool(struct tool_headers *headers, struct slice name, struct slice schema)
{
    if (find(headers, name) != NULL) {
        return;
    }
    struct tool *tool = memory_new(sizeof(*tool));
    tool->name = memory_copy(name);
    size_t bytes = sizeof(*tool) + name.size + read_input_schema(tool, schema);
    if (bytes > LIMIT_TOOL_INDEX_BYTES - headers->bytes) {
        headers->is_full = true;
        free_tool(tool);
        return;
    }
    headers->bytes += bytes;
    map_add(&headers->tools, &tool->by_name, map_hash_bytes(tool->name));
}

/* False when `json` is no string, or is longer than a name is allowed to be. */
static bool decode_name(struct slice json, struct buffer *name)
{
    buffer_init(name, LIMIT_TOOL_NAME_BYTES);
    struct slice inside = json_string_inside(json);
    return slice_exists(inside) && json_string_decode(inside, name);
}

static void read_tool(struct tool_headers *headers, struct slice json)
{
    struct buffer name;
    struct member member;
    struct slice name_json = {NULL, 0};
    struct slice schema = {NULL, 0};
    while (members_next(&json, &member)) {
        if (json_string_means(member.key, "name")) {
            name_json = member.value;
        } else if (json_string_means(member.key, "inputSchema")) {
            schema = member.value;
        }
    }
    if (decode_name(name_json, &name)) {
        add_tool(headers, buffer_slice(&name), schema);
    }
    buffer_release(&name);
}

void tool_headers_read(struct tool_headers *headers, struct slice result)
{
    struct slice tools = members_find(result, "tools");
    struct slice tool;
    while (!headers->is_full && elements_next(&tools, &tool)) {
        read_tool(headers, tool);
    }
}

enum tool_knowledge tool_headers_find(const struct tool_headers *headers, struct slice name, const struct tool **tool)
{
    struct buffer text;
    const struct tool *found = decode_name(name, &text) ? find(headers, buffer_slice(&text)) : NULL;
    /* A tool that cannot be in the list, or had no room in it, is not worth asking for again. */
    bool is_hopeless = headers->is_full || !slice_exists(json_string_inside(name)) ||
                       json_string_inside(name).size > LIMIT_TOOL_NAME_BYTES;
    buffer_release(&text);
    if (found == NULL) {
        return is_hopeless ? TOOL_PLAIN : TOOL_UNKNOWN;
    }
    *tool = found;
    return found->header_count > 0 ? TOOL_HAS_HEADERS : TOOL_PLAIN;
}
