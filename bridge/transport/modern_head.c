/*
 * A request of the modern era climbs a ladder, and the first rung that does not hold answers it:
 *
 *     the envelope in _meta -> headers that are there say what the body says -> the revision is one of ours
 *     -> no required header is missing
 *
 * A client that finds out which revisions are served sends none of our headers right yet: so the revision comes before
 * what is missing.
 */
#include "bridge/transport/modern_head.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/mcp/log_severity.h"
#include "bridge/mcp/revision.h"
#include "bridge/transport/header_value.h"
#include "bridge/transport/refusal.h"

#include <stddef.h>
#include <stdio.h>

#define META_KEY(name) "io.modelcontextprotocol/" name

static const char version_header[] = "mcp-protocol-version";
static const char method_header[] = "mcp-method";
static const char name_header[] = "mcp-name";

static size_t read_header(const struct exchange *exchange, const char *name, struct slice *value)
{
    return exchange->operations->header(exchange, name, value);
}

static bool refuse_header(struct exchange *exchange, const struct message *message, const char *detail)
{
    refuse(exchange, REFUSAL_HEADER, message->id, detail);
    return false;
}

bool modern_head_is_named(const struct exchange *exchange)
{
    struct slice version;
    return read_header(exchange, version_header, &version) > 0 && revision_is_modern(version);
}

/* ---- The envelope ---- */

static bool is_string(struct slice json)
{
    return slice_exists(json_string_inside(json));
}

static const char *version_problem(const struct message *message)
{
    if (!slice_exists(message->meta_version)) {
        return META_KEY("protocolVersion") ": missing";
    }
    return is_string(message->meta_version) ? NULL : META_KEY("protocolVersion") ": not a string";
}

/* MCP 2026-07-28, Overview, "_meta": what every request must carry. NULL when it does. */
static const char *envelope_problem(const struct message *message)
{
    const char *problem = version_problem(message);
    if (problem != NULL) {
        return problem;
    }
    if (!slice_exists(message->meta_capabilities)) {
        return META_KEY("clientCapabilities") ": missing";
    }
    if (message->meta_capabilities.data[0] != '{') {
        return META_KEY("clientCapabilities") ": not an object";
    }
    if (slice_exists(message->meta_level) && log_severity_read(message->meta_level) == SEVERITY_UNSET) {
        return META_KEY("logLevel") ": not a level";
    }
    return NULL;
}

static bool check_envelope(struct exchange *exchange, const struct message *message)
{
    const char *problem = envelope_problem(message);
    if (problem != NULL) {
        refuse(exchange, REFUSAL_ENVELOPE, message->id, problem);
    }
    return problem == NULL;
}

/* The revision that the request claims, when it is one that `is_one` knows. */
static bool claims(const struct message *message, bool (*is_one)(struct slice name))
{
    struct buffer name;
    buffer_init(&name, LIMIT_NAME_BYTES);
    bool is_known = json_string_decode(json_string_inside(message->meta_version), &name) && is_one(buffer_slice(&name));
    buffer_release(&name);
    return is_known;
}

static bool is_served(struct slice name)
{
    return revision_find_modern(name) != NULL;
}

/* ---- Headers that are there ---- */

static bool check_version_header(struct exchange *exchange, const struct message *message)
{
    struct slice version;
    size_t count = read_header(exchange, version_header, &version);
    if (count > 1) {
        return refuse_header(exchange, message, "the MCP-Protocol-Version header appears more than once");
    }
    if (count == 1 && slice_exists(message->meta_version) && !header_value_is_string(version, message->meta_version)) {
        return refuse_header(exchange, message,
                             "the MCP-Protocol-Version header is not what _meta says in " META_KEY("protocolVersion"));
    }
    return true;
}

static bool check_method_header(struct exchange *exchange, const struct message *message)
{
    struct slice method;
    size_t count = read_header(exchange, method_header, &method);
    if (count > 1) {
        return refuse_header(exchange, message, "the Mcp-Method header appears more than once");
    }
    if (count == 1 && !slice_equals(method, message->method)) {
        return refuse_header(exchange, message, "the Mcp-Method header is not the body's method");
    }
    return true;
}

/* ---- What is asked for ---- */

static bool check_revision(struct exchange *exchange, const struct message *message)
{
    if (!claims(message, is_served)) {
        refuse_revision(exchange, message->id, message->meta_version, REVISION_MODERN);
        return false;
    }
    return true;
}

/* ---- Headers that must be there ---- */

static bool check_presence(struct exchange *exchange, const struct message *message)
{
    struct slice value;
    if (read_header(exchange, version_header, &value) == 0) {
        return refuse_header(exchange, message, "the MCP-Protocol-Version header is missing");
    }
    if (read_header(exchange, method_header, &value) == 0) {
        return refuse_header(exchange, message, "the Mcp-Method header is missing");
    }
    return true;
}

/* Where a request has what its Mcp-Name repeats (2026-07-28, Streamable HTTP, and for tasks the extension's own). */
static const struct {
    const char *method;
    size_t offset; /* in struct message */
} named_methods[] = {
    {"tools/call", offsetof(struct message, name)},      {"prompts/get", offsetof(struct message, name)},
    {"resources/read", offsetof(struct message, uri)},   {"tasks/get", offsetof(struct message, task_id)},
    {"tasks/update", offsetof(struct message, task_id)}, {"tasks/cancel", offsetof(struct message, task_id)},
};

static const struct slice *find_name(const struct message *message)
{
    for (size_t i = 0; i < sizeof(named_methods) / sizeof(named_methods[0]); i++) {
        if (message_is(message, named_methods[i].method)) {
            return (const struct slice *)(const void *)((const char *)message + named_methods[i].offset);
        }
    }
    return NULL;
}

/* NULL when the header is what it should be. A body without a name is for the server to refuse, if it needs one. */
static const char *name_problem(const struct exchange *exchange, struct slice name)
{
    struct slice value;
    size_t count = read_header(exchange, name_header, &value);
    if (count > 1) {
        return "the Mcp-Name header appears more than once";
    }
    if (count == 0) {
        return is_string(name) ? "the Mcp-Name header is missing" : NULL;
    }
    struct buffer text;
    buffer_init(&text, 0);
    const char *problem = !header_value_decode(value, &text) ? "the Mcp-Name header cannot be decoded"
                          : !header_value_is_string(buffer_slice(&text), name)
                              ? "the Mcp-Name header is not what the body's params name"
                              : NULL;
    buffer_release(&text);
    return problem;
}

static bool check_name_header(struct exchange *exchange, const struct message *message)
{
    const struct slice *name = find_name(message);
    const char *problem = name != NULL ? name_problem(exchange, *name) : NULL;
    return problem == NULL || refuse_header(exchange, message, problem);
}

/* ---- The ladder ---- */

typedef bool (*rung_fn)(struct exchange *exchange, const struct message *message);

/* Each answers the exchange when it returns false. */
static const rung_fn rungs[] = {
    check_envelope, check_version_header, check_method_header, check_revision, check_presence, check_name_header,
};

static enum modern_kind classify_request(struct exchange *exchange, const struct message *message)
{
    bool is_named = modern_head_is_named(exchange);
    if (message_is(message, "initialize") &&
        (envelope_problem(message) != NULL || !claims(message, revision_is_modern))) {
        if (!is_named) {
            return MODERN_NOT;
        }
        refuse_header(exchange, message, "initialize is not of the era that the MCP-Protocol-Version header names");
        return MODERN_REFUSED;
    }
    if (!slice_exists(message->meta_version) && !is_named) {
        return MODERN_NOT;
    }
    for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]); i++) {
        if (!rungs[i](exchange, message)) {
            return MODERN_REFUSED;
        }
    }
    return MODERN_REQUEST;
}

/* The revision defines no client's notification over HTTP, nor headers for one: only what contradicts is refused. */
static enum modern_kind classify_notification(struct exchange *exchange, const struct message *message)
{
    bool has_claim = slice_exists(message->meta_version);
    if (!has_claim && !modern_head_is_named(exchange)) {
        return MODERN_NOT;
    }
    if (has_claim && version_problem(message) != NULL) {
        refuse(exchange, REFUSAL_ENVELOPE, message->id, version_problem(message));
        return MODERN_REFUSED;
    }
    bool is_right = check_version_header(exchange, message) && check_method_header(exchange, message);
    return is_right ? MODERN_NOTIFICATION : MODERN_REFUSED;
}

enum modern_kind modern_head_classify(struct exchange *exchange, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_REQUEST:
        return classify_request(exchange, message);
    case MESSAGE_NOTIFICATION:
        return classify_notification(exchange, message);
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        break;
    }
    return MODERN_NOT;
}
