#include "src/http/request.h"

#include "bridge/base/memory.h"

#include <stdlib.h>

/* What a spare request keeps: above it, a few large requests would hold their memory for ever. */
enum { REQUEST_KEPT_BYTES = 64 << 10 };

struct http_request *http_request_new(void)
{
    struct http_request *request = memory_new(sizeof(*request));
    list_init(&request->link);
    buffer_init(&request->head, LIMIT_HTTP_TARGET_BYTES + LIMIT_HTTP_HEADER_BYTES);
    buffer_init(&request->body, 0);
    http_request_clear(request);
    return request;
}

void http_request_free(struct http_request *request)
{
    if (request == NULL) {
        return;
    }
    buffer_release(&request->head);
    buffer_release(&request->body);
    free(request);
}

void http_request_clear(struct http_request *request)
{
    request->method = EXCHANGE_OTHER;
    request->minor_version = 1;
    request->is_persistent = false;
    request->expects_continue = false;
    request->drops_body = false;
    request->dropped_bytes = 0;
    request->path = slice_of(NULL, 0);
    request->query = slice_of(NULL, 0);
    request->target_size = 0;
    request->field_count = 0;
    buffer_clear(&request->head, REQUEST_KEPT_BYTES);
    buffer_clear(&request->body, REQUEST_KEPT_BYTES);
}

void http_request_drop_body(struct http_request *request)
{
    request->drops_body = true;
    request->dropped_bytes += request->body.size;
    buffer_clear(&request->body, 0);
}

static bool has_name(const struct http_request *request, const struct http_field *field, const char *name)
{
    const char *head = buffer_slice(&request->head).data;
    return slice_is(slice_of(head + field->name_at, field->name_size), name);
}

size_t http_request_field(const struct http_request *request, const char *name, struct slice *value)
{
    const char *head = buffer_slice(&request->head).data;
    struct slice wanted = slice_text(name);
    struct slice first = slice_of(NULL, 0);
    size_t count = 0;
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->name_size != wanted.size || memcmp(head + field->name_at, wanted.data, wanted.size) != 0) {
            continue;
        }
        if (count++ == 0) {
            first = slice_of(head + field->value_at, field->value_size);
        }
    }
    if (value != NULL) {
        *value = first;
    }
    return count;
}

/* Writes both values behind the head, as the value of `into`. False at the head's ceiling. */
static bool join(struct http_request *request, struct http_field *into, const struct http_field *field)
{
    size_t size = into->value_size + 2 + field->value_size;
    size_t at = request->head.size;
    char *room = buffer_reserve(&request->head, size);
    if (room == NULL) {
        return false;
    }
    const char *head = buffer_slice(&request->head).data;
    memcpy(room, head + into->value_at, into->value_size);
    memcpy(room + into->value_size, ", ", 2);
    memcpy(room + into->value_size + 2, head + field->value_at, field->value_size);
    buffer_grown(&request->head, size);
    into->value_at = (uint32_t)at;
    into->value_size = (uint32_t)size;
    return true;
}

void http_request_combine(struct http_request *request, const char *name)
{
    struct http_field *into = NULL;
    size_t kept = 0;
    if (http_request_field(request, name, NULL) < 2) {
        return;
    }
    for (size_t i = 0; i < request->field_count; i++) {
        struct http_field *field = &request->fields[i];
        bool is_joined = into != NULL && has_name(request, field, name) && join(request, into, field);
        if (is_joined) {
            continue;
        }
        request->fields[kept] = *field;
        if (into == NULL && has_name(request, field, name)) {
            into = &request->fields[kept];
        }
        kept++;
    }
    request->field_count = kept;
}

struct slice http_request_target(const struct http_request *request)
{
    return slice_of(buffer_slice(&request->head).data, request->target_size);
}
