#include "bridge/era/modern_text.h"

#include "bridge/era/legacy_text.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/reply.h"
#include "bridge/mcp/revision.h"

#define KEY(name) "\"io.modelcontextprotocol/" name "\":"

static void add_member(struct buffer *out, struct slice key, struct slice value)
{
    buffer_add_text(out, "\"");
    buffer_add(out, key);
    buffer_add_text(out, "\":");
    buffer_add(out, value);
    buffer_add_text(out, ",");
}

/* The client's own keys, with a comma behind each, but for those that are the bridge's to write. */
static void add_own_meta(struct buffer *out, struct slice meta)
{
    struct member member;
    while (members_next(&meta, &member)) {
        if (!legacy_text_is_modern_key(member.key)) {
            add_member(out, member.key, member.value);
        }
    }
}

static void add_meta(struct buffer *out, struct slice meta, const struct session *session)
{
    buffer_add_text(out, "\"_meta\":{");
    add_own_meta(out, meta);
    if (session != NULL && session->log_level != SEVERITY_UNSET) {
        buffer_add_format(out, KEY("logLevel") "\"%s\",", log_severity_name(session->log_level));
    }
    if (session != NULL && slice_exists(session->client_info)) {
        buffer_add_text(out, KEY("clientInfo"));
        buffer_add(out, session->client_info);
        buffer_add_text(out, ",");
    }
    buffer_add_text(out, KEY("clientCapabilities"));
    legacy_text_write_capabilities(out, session != NULL ? session->client_capabilities : slice_of(NULL, 0));
    buffer_add_format(out, "," KEY("protocolVersion") "\"%.*s\"}", SLICE_PRINT(revision_modern()->name));
}

static bool is_written_here(struct slice key)
{
    return json_string_means(key, "_meta") || json_string_means(key, "inputResponses") ||
           json_string_means(key, "requestState");
}

void modern_text_write_request(struct buffer *out, const struct message *request, const struct session *session,
                               const struct modern_retry *retry)
{
    struct slice params = slice_exists(request->params) ? request->params : slice_text("{}");
    struct member member;
    buffer_add_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    buffer_add(out, request->id);
    buffer_add_text(out, ",\"method\":");
    reply_add_string(out, request->method);
    buffer_add_text(out, ",\"params\":{");
    while (members_next(&params, &member)) {
        if (!is_written_here(member.key)) {
            add_member(out, member.key, member.value);
        }
    }
    if (slice_exists(retry->responses)) {
        add_member(out, slice_text("inputResponses"), retry->responses);
    }
    if (slice_exists(retry->state)) {
        add_member(out, slice_text("requestState"), retry->state);
    }
    add_meta(out, request->meta, session);
    buffer_add_text(out, "}}");
}

/* The members of an object, with a comma before each but the first, without the one key. */
static void add_members_but(struct buffer *out, struct slice object, const char *key)
{
    struct member member;
    const char *separator = "";
    while (members_next(&object, &member)) {
        if (!json_string_means(member.key, key)) {
            buffer_add_format(out, "%s\"", separator);
            buffer_add(out, member.key);
            buffer_add_text(out, "\":");
            buffer_add(out, member.value);
            separator = ",";
        }
    }
}

void modern_text_write_notification(struct buffer *out, const struct message *message)
{
    struct buffer meta;
    struct buffer params;
    buffer_init(&meta, 0);
    buffer_init(&params, 0);
    buffer_add_text(&params, "{");
    add_members_but(&params, message->params, "_meta");
    add_members_but(&meta, message->meta, "io.modelcontextprotocol/subscriptionId");
    if (meta.size > 0) {
        buffer_add_text(&params, params.size > 1 ? ",\"_meta\":{" : "\"_meta\":{");
        buffer_add(&params, buffer_slice(&meta));
        buffer_add_text(&params, "}");
    }
    buffer_add_text(&params, "}");
    buffer_add_text(out, "{\"jsonrpc\":\"2.0\",\"method\":");
    reply_add_string(out, message->method);
    if (params.size > 2) {
        buffer_add_text(out, ",\"params\":");
        buffer_add(out, buffer_slice(&params));
    }
    buffer_add_text(out, "}");
    buffer_release(&meta);
    buffer_release(&params);
}

void modern_text_write_listen(struct buffer *out, unsigned list_changes, struct slice uris)
{
    static const char *const lists[] = {"toolsListChanged", "promptsListChanged", "resourcesListChanged"};
    struct message none = {.method = slice_text("subscriptions/listen"), .id = slice_text("0")};
    struct buffer params;
    buffer_init(&params, 0);
    buffer_add_text(&params, "{\"notifications\":{");
    const char *separator = "";
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if ((list_changes & (1u << i)) != 0) {
            buffer_add_format(&params, "%s\"%s\":true", separator, lists[i]);
            separator = ",";
        }
    }
    if (uris.size > 0) {
        buffer_add_format(&params, "%s\"resourceSubscriptions\":[", separator);
        buffer_add(&params, uris);
        buffer_add_text(&params, "]");
    }
    buffer_add_text(&params, "}}");
    none.params = buffer_slice(&params);
    const struct modern_retry first = {{NULL, 0}, {NULL, 0}};
    modern_text_write_request(out, &none, NULL, &first);
    buffer_release(&params);
}
