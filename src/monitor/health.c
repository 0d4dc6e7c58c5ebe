#include "src/monitor/health.h"

#include "bridge/base/memory.h"

#include <cjson/cJSON.h>

/* Probes use GET and HEAD. False when another method has been refused. */
static bool check_method(struct exchange *exchange)
{
    if (exchange->method == EXCHANGE_GET || exchange->method == EXCHANGE_HEAD) {
        return true;
    }
    const struct header allow = {"Allow", SLICE_LITERAL("GET, HEAD")};
    const struct response response = {.status = 405, .headers = &allow, .header_count = 1};
    exchange->operations->respond(exchange, &response);
    return false;
}

/* Ends the exchange with `object`, which is freed. */
static void respond(struct exchange *exchange, int status, cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    struct slice body = slice_text(text);
    const struct header headers[] = {
        {"Content-Type", SLICE_LITERAL("application/json")},
        {"Cache-Control", SLICE_LITERAL("no-store")},
    };
    const struct response response = {
        .status = status, .headers = headers, .header_count = 2, .body = &body, .body_count = 1};
    exchange->operations->respond(exchange, &response);
    cJSON_free(text);
    cJSON_Delete(object);
}

void health_handle_live(void *context, struct exchange *exchange)
{
    (void)context;
    if (!check_method(exchange)) {
        return;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "status", "ok");
    respond(exchange, 200, object);
}

void health_handle_ready(void *context, struct exchange *exchange)
{
    if (!check_method(exchange)) {
        return;
    }
    const struct health_subject *subject = context;
    struct slice name;
    const char *state;
    const char *reason;
    bool is_ready = subject->is_ready(subject->context, &name, &state, &reason);
    struct slice name_copy = memory_copy(name);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "status", is_ready ? "ready" : "unavailable");
    cJSON_AddStringToObject(object, "server", name_copy.data);
    cJSON_AddStringToObject(object, "state", state);
    if (*reason != '\0') {
        cJSON_AddStringToObject(object, "reason", reason);
    }
    memory_free_slice(&name_copy);
    respond(exchange, is_ready ? 200 : 503, object);
}
