#include "tests/simulation/modern_text.h"

#include <stdio.h>

static void write_meta(const struct request *request, struct buffer *out, const char *token)
{
    buffer_add_format(out, "\"" MODERN_KEY "protocolVersion\":\"2026-07-28\",\"" MODERN_KEY "clientCapabilities\":%s,",
                      request->capabilities);
    if (request->level < REQUEST_LEVELS) {
        buffer_add_format(out, "\"" MODERN_KEY "logLevel\":\"%s\",", request_level_name(request->level));
    }
    buffer_add_format(out, "\"x\":[-0.0]%s%s", token[0] != '\0' ? ",\"progressToken\":" : "", token);
}

static void write_params(const struct request *request, struct buffer *out)
{
    buffer_add_format(out, "%s%s\"secret\":\"R%u\"", request->params, request->params[0] != '\0' ? "," : "",
                      request->number);
}

void modern_text_write(const struct request *request, struct buffer *out, const char *id, const char *token)
{
    buffer_add_format(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\",\"params\":{\"_meta\":{", id,
                      request->method);
    write_meta(request, out, token);
    buffer_add_text(out, "},");
    write_params(request, out);
    if (slice_exists(request->again)) {
        buffer_add(out, request->again);
    }
    buffer_add_text(out, "}}");
}

void modern_text_write_legacy(const struct request *request, struct buffer *out, const char *id, const char *token)
{
    buffer_add_format(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\",\"params\":{\"_meta\":{\"x\":[-0.0]%s%s},",
                      id, request->method, token[0] != '\0' ? ",\"progressToken\":" : "", token);
    write_params(request, out);
    buffer_add_text(out, "}}");
}

/* Appends `text` with `more` behind the first place where `key` stands. */
static void insert(struct buffer *text, const char *key, const char *more)
{
    struct buffer whole;
    struct slice old = buffer_slice(text);
    const char *at = memmem(old.data, old.size, key, strlen(key));
    size_t before = at != NULL ? (size_t)(at - old.data) + strlen(key) : 0;
    buffer_init(&whole, 0);
    buffer_add(&whole, slice_of(old.data, before));
    buffer_add_text(&whole, more);
    buffer_add(&whole, slice_of(old.data + before, old.size - before));
    buffer_release(text);
    *text = whole;
}

static bool is_cacheable(const struct request *request)
{
    return strcmp(request->method, "tools/list") == 0 || strcmp(request->method, "resources/read") == 0;
}

void modern_text_write_answer(const struct saying *saying, const struct request *request, const char *id,
                              struct buffer *out)
{
    static const char info[] = "\"" MODERN_KEY "serverInfo\":{\"name\":\"s\",\"version\":\"1\",\"opener\":0}";
    char more[256];
    bool has_meta = memmem(saying->after.data, saying->after.size, "\"_meta\":{", 9) != NULL;
    buffer_add(out, saying->before);
    buffer_add_text(out, id);
    buffer_add(out, saying->after);
    if (memmem(saying->after.data, saying->after.size, "\"result\":{", 10) == NULL) {
        return;
    }
    if (has_meta) {
        snprintf(more, sizeof(more), "%s,", info);
        insert(out, "\"_meta\":{", more);
    }
    snprintf(more, sizeof(more), "\"resultType\":\"complete\"%s%s%s%s,",
             is_cacheable(request) ? ",\"ttlMs\":0,\"cacheScope\":\"private\"" : "", has_meta ? "" : ",\"_meta\":{",
             has_meta ? "" : info, has_meta ? "" : "}");
    insert(out, "\"result\":{", more);
}

void modern_text_write_change(const struct saying *saying, const char *id, struct buffer *out)
{
    char more[160];
    snprintf(more, sizeof(more), "\"_meta\":{\"" MODERN_KEY "subscriptionId\":%s},", id);
    buffer_add(out, saying->before);
    buffer_add(out, saying->after);
    insert(out, "\"params\":{", more);
}
