#include "bridge/jsonrpc/reply.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"

#include <cjson/cJSON.h>

/* Texts about what a peer sent may have been cut in the middle of a character. */
static void repair(char *text, size_t size)
{
    const char *end = text + size;
    while (text < end) {
        size_t character = json_character_size(text, end);
        if (character == 0) {
            *text = '?';
            character = 1;
        }
        text += character;
    }
}

void reply_add_string(struct buffer *out, struct slice text)
{
    struct slice copy = memory_copy(text);
    repair((char *)(uintptr_t)copy.data, copy.size);
    cJSON *string = cJSON_CreateString(copy.data);
    char *json = cJSON_PrintUnformatted(string);
    buffer_add_text(out, json);
    cJSON_free(json);
    cJSON_Delete(string);
    memory_free_slice(&copy);
}

static void add_head(struct buffer *out, struct slice id)
{
    buffer_add_text(out, "{\"jsonrpc\":\"2.0\"");
    if (slice_exists(id)) {
        buffer_add_text(out, ",\"id\":");
        buffer_add(out, id);
    }
}

void reply_error(struct buffer *out, struct slice id, enum reply_code code, const char *text, struct slice data)
{
    add_head(out, slice_exists(id) ? id : slice_text("null"));
    buffer_add_format(out, ",\"error\":{\"code\":%d,\"message\":", (int)code);
    reply_add_string(out, slice_text(text));
    if (slice_exists(data)) {
        buffer_add_text(out, ",\"data\":");
        buffer_add(out, data);
    }
    buffer_add_text(out, "}}");
}

void reply_result(struct buffer *out, struct slice id, struct slice result)
{
    add_head(out, id);
    buffer_add_text(out, ",\"result\":");
    buffer_add(out, result);
    buffer_add_text(out, "}");
}

void reply_call(struct buffer *out, struct slice id, const char *method, struct slice params)
{
    add_head(out, id);
    buffer_add_text(out, ",\"method\":");
    reply_add_string(out, slice_text(method));
    if (slice_exists(params)) {
        buffer_add_text(out, ",\"params\":");
        buffer_add(out, params);
    }
    buffer_add_text(out, "}");
}
