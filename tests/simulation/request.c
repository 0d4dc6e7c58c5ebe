#include "tests/simulation/request.h"

#include "bridge/base/memory.h"

#include <stdlib.h>

static const char *const level_names[REQUEST_LEVELS] = {"debug", "info",     "notice", "warning",
                                                        "error", "critical", "alert",  "emergency"};

struct request *requests_add(struct requests *requests, enum request_kind kind)
{
    if (requests->count % 64 == 0) {
        requests->all = memory_resize(requests->all, (requests->count + 64) * sizeof(requests->all[0]));
    }
    struct request *request = memory_new(sizeof(*request));
    requests->all[requests->count++] = request;
    request->number = (uint32_t)requests->count;
    request->kind = kind;
    return request;
}

void requests_release(struct requests *requests)
{
    for (size_t i = 0; i < requests->count; i++) {
        memory_free_slice(&requests->all[i]->sent);
        memory_free_slice(&requests->all[i]->again);
        free(requests->all[i]);
    }
    free(requests->all);
}

void request_leave(struct request *request, enum request_state state, uint64_t now_ms)
{
    if (request->state == REQUEST_OPEN && !request->was_left) {
        request->left_ms = now_ms;
    }
    if (request->state != REQUEST_ENDED) {
        request->state = state;
    }
}

struct request *requests_find(const struct requests *requests, struct slice bytes)
{
    uint32_t number = said_number(bytes, "\"secret\":\"R");
    return number > 0 && number <= requests->count ? requests->all[number - 1] : NULL;
}

const char *request_level_name(unsigned level)
{
    return level_names[level];
}

unsigned request_level(struct slice name)
{
    unsigned level = 0;
    while (level < REQUEST_LEVELS && !slice_is(name, level_names[level])) {
        level++;
    }
    return level;
}

static const char *method_of(const struct request *request)
{
    static const char *const methods[REQUEST_KIND_COUNT] = {
        [REQUEST_CALL] = "tools/call",
        [REQUEST_INITIALIZE] = "initialize",
        [REQUEST_SUBSCRIBE] = "resources/subscribe",
        [REQUEST_UNSUBSCRIBE] = "resources/unsubscribe",
        [REQUEST_SET_LEVEL] = "logging/setLevel",
        [REQUEST_TASK] = "tasks/get",
    };
    return methods[request->kind];
}

static void write_argument(const struct request *request, struct buffer *out)
{
    switch (request->kind) {
    case REQUEST_CALL:
        buffer_add_text(out, "\"name\":\"t\",\"arguments\":{\"n\":9007199254740993,\"z\":\"\\u0000\\/\",\"e\":1e400}");
        break;
    case REQUEST_INITIALIZE:
        buffer_add_format(out, "\"protocolVersion\":\"%s\",\"capabilities\":{%s},\"clientInfo\":{}", request->version,
                          request->has_callbacks ? "\"sampling\":{},\"roots\":{}" : "");
        break;
    case REQUEST_SUBSCRIBE:
    case REQUEST_UNSUBSCRIBE:
        /* The same URI in two ways of writing. */
        buffer_add_format(out, request->number % 2 ? "\"uri\":\"u:\\/%u\"" : "\"uri\":\"u:/%u\"", request->argument);
        break;
    case REQUEST_SET_LEVEL:
        buffer_add_format(out, "\"level\":\"%s\"", level_names[request->argument]);
        break;
    case REQUEST_TASK:
        buffer_add_format(out, "\"taskId\":\"T%u\"", request->argument);
        break;
    case REQUEST_KIND_COUNT:
        break;
    }
}

static void write_params(const struct request *request, struct buffer *out, const char *token)
{
    buffer_add_text(out, "{");
    write_argument(request, out);
    buffer_add_format(out, ",\"secret\":\"R%u\"", request->number);
    if (token[0] != '\0') {
        buffer_add_format(out, ",\"_meta\":{\"x\":[],\"progressToken\":%s}", token);
    }
    buffer_add_text(out, "}");
}

void request_write(const struct request *request, struct buffer *out, const char *id, const char *token, bool is_line)
{
    const char *method = method_of(request);
    const char *line_end = is_line ? "  " : "\r\n";
    switch (request->number % 4) {
    case 0:
        buffer_add_format(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\",\"params\":", id, method);
        write_params(request, out, token);
        buffer_add_text(out, "}");
        break;
    case 1:
        buffer_add_text(out, "{\"params\":");
        write_params(request, out, token);
        buffer_add_format(out, ",\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\"}", id, method);
        break;
    case 2:
        buffer_add_format(out, "{%s\"id\" : %s ,\"jsonrpc\":\"2.0\",%s\"params\":", line_end, id, line_end);
        write_params(request, out, token);
        buffer_add_format(out, ",\"method\":\"%s\"%s}", method, line_end);
        break;
    default:
        buffer_add_format(out, "{\"method\":\"%s\",\"x\":[-0.0,{\"id\":7}],\"params\":", method);
        write_params(request, out, token);
        buffer_add_format(out, ",\"id\":%s,\"jsonrpc\":\"2.0\"}", id);
        break;
    }
}
