#include "src/monitor/health.h"

#include "bridge/base/memory.h"
#include "src/monitor/page.h"

#include <cjson/cJSON.h>

/* Ends the exchange with `object`, which is freed. */
static void respond(struct exchange *exchange, int status, cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    page_respond(exchange, status, "application/json", slice_text(text));
    cJSON_free(text);
    cJSON_Delete(object);
}

/* Probes use GET and HEAD. */
void health_handle_live(void *context, struct exchange *exchange)
{
    (void)context;
    if (!page_check_method(exchange)) {
        return;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "status", "ok");
    respond(exchange, 200, object);
}

struct cJSON *health_describe(const struct health_subject *subject, bool *is_ready)
{
    struct slice name;
    const char *state;
    const char *reason;
    bool answer = subject->is_ready(subject->context, &name, &state, &reason);
    struct slice name_copy = memory_copy(name);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "status", answer ? "ready" : "unavailable");
    cJSON_AddStringToObject(object, "server", name_copy.data);
    cJSON_AddStringToObject(object, "state", state);
    if (*reason != '\0') {
        cJSON_AddStringToObject(object, "reason", reason);
    }
    memory_free_slice(&name_copy);
    if (is_ready != NULL) {
        *is_ready = answer;
    }
    return object;
}

void health_handle_ready(void *context, struct exchange *exchange)
{
    if (!page_check_method(exchange)) {
        return;
    }
    bool is_ready;
    cJSON *object = health_describe(context, &is_ready);
    respond(exchange, is_ready ? 200 : 503, object);
}
