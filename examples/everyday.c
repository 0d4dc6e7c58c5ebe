/* A small MCP server over stdio: one JSON-RPC message a line in, one a line out, until its stdin ends.
 *
 * It shows the whole of what a useful server needs: the handshake, tools, resources, a prompt, progress and
 * cancellation. It has one thread. What takes long (the tool `count`) stands in a table with the time of its next
 * step, and poll() waits for either the next line or the next step; so a slow call never holds up another request.
 *
 * Logs belong on stderr: stdout carries messages and nothing else.
 */
#include "stdio_rpc.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    COUNTS_MAX = 64,
    COUNT_STEPS_MAX = 100000,
    COUNT_INTERVAL_MAX_MS = 60000,
};

struct request {
    const cJSON *id;     /* borrowed; NULL for a notification */
    const cJSON *params; /* borrowed; NULL if there are none */
};

/* One running call of `count`. */
struct count {
    cJSON *id;    /* owned; NULL while the place is free */
    cJSON *token; /* owned; the progress token, NULL if the client wants no progress */
    int done;
    int total;
    int interval_ms;
    int64_t next_ms;
};

static struct count counts[COUNTS_MAX];

/* The result of a tool call: one piece of text. A failure inside a tool is a result too, for the model to read. */
static void reply_text(const cJSON *id, const char *text, bool is_error)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *content = cJSON_AddArrayToObject(result, "content");
    cJSON *piece = cJSON_CreateObject();

    cJSON_AddStringToObject(piece, "type", "text");
    cJSON_AddStringToObject(piece, "text", text);
    cJSON_AddItemToArray(content, piece);
    if (is_error) {
        cJSON_AddTrueToObject(result, "isError");
    }
    rpc_reply(id, result);
}

static const char *string_member(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* The whole number of that name; the fallback where it is absent, -1 where it is something else or out of 1..most. */
static int count_member(const cJSON *object, const char *name, int fallback, int most)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (item == NULL) {
        return fallback;
    }
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1 && item->valuedouble <= most)) {
        return -1;
    }
    return (int)item->valuedouble;
}

static void call_add(const struct request *request, const cJSON *arguments)
{
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(arguments, "a");
    const cJSON *b = cJSON_GetObjectItemCaseSensitive(arguments, "b");
    char text[64];

    if (!cJSON_IsNumber(a) || !cJSON_IsNumber(b)) {
        reply_text(request->id, "add needs two numbers, a and b", true);
        return;
    }
    snprintf(text, sizeof(text), "%.15g", a->valuedouble + b->valuedouble);
    reply_text(request->id, text, false);
}

static void call_echo(const struct request *request, const cJSON *arguments)
{
    const char *text = string_member(arguments, "text");

    reply_text(request->id, text != NULL ? text : "echo needs a string, text", text == NULL);
}

static void call_now(const struct request *request, const cJSON *arguments)
{
    time_t seconds = time(NULL);
    struct tm utc;
    char text[32];

    (void)arguments;
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    reply_text(request->id, text, false);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct count *find_free_count(void)
{
    for (int i = 0; i < COUNTS_MAX; i++) {
        if (counts[i].id == NULL) {
            return &counts[i];
        }
    }
    return NULL;
}

/* Only enters the count into the table; run_counts() does the rest. */
static void call_count(const struct request *request, const cJSON *arguments)
{
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(request->params, "_meta");
    const cJSON *token = cJSON_GetObjectItemCaseSensitive(meta, "progressToken");
    int total = count_member(arguments, "n", -1, COUNT_STEPS_MAX);
    int interval_ms = count_member(arguments, "interval_ms", 100, COUNT_INTERVAL_MAX_MS);
    struct count *count = find_free_count();

    if (total < 0 || interval_ms < 0) {
        reply_text(request->id, "count needs n from 1 to 100000 and interval_ms from 1 to 60000", true);
        return;
    }
    if (count == NULL) {
        reply_text(request->id, "too many counts are running", true);
        return;
    }
    *count = (struct count){
        .id = cJSON_Duplicate(request->id, true),
        .token = cJSON_Duplicate(token, true),
        .total = total,
        .interval_ms = interval_ms,
        .next_ms = now_ms() + interval_ms,
    };
}

static void free_count(struct count *count)
{
    cJSON_Delete(count->id);
    cJSON_Delete(count->token);
    *count = (struct count){0};
}

static void send_progress(const struct count *count)
{
    cJSON *params = cJSON_CreateObject();

    cJSON_AddItemToObject(params, "progressToken", cJSON_Duplicate(count->token, true));
    cJSON_AddNumberToObject(params, "progress", count->done);
    cJSON_AddNumberToObject(params, "total", count->total);
    rpc_notify("notifications/progress", params);
}

static void step_count(struct count *count)
{
    char text[64];

    count->done++;
    count->next_ms += count->interval_ms;
    if (count->token != NULL) {
        send_progress(count);
    }
    if (count->done < count->total) {
        return;
    }
    snprintf(text, sizeof(text), "counted to %d", count->total);
    reply_text(count->id, text, false);
    free_count(count);
}

/* Does the steps that are due. Returns the milliseconds until the next one, -1 if nothing is running. */
static int run_counts(void)
{
    int64_t now = now_ms();
    int64_t wait = -1;

    for (int i = 0; i < COUNTS_MAX; i++) {
        int64_t left;

        while (counts[i].id != NULL && counts[i].next_ms <= now) {
            step_count(&counts[i]);
        }
        if (counts[i].id == NULL) {
            continue;
        }
        left = counts[i].next_ms - now;
        if (wait < 0 || left < wait) {
            wait = left;
        }
    }
    return (int)wait;
}

static const struct tool {
    const char *name;
    const char *description;
    const char *input_schema;
    void (*call)(const struct request *request, const cJSON *arguments);
} tools[] = {
    {"add", "Adds two numbers",
     "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"},\"b\":{\"type\":\"number\"}},"
     "\"required\":[\"a\",\"b\"]}",
     call_add},
    {"echo", "Returns its text",
     "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}", call_echo},
    {"now", "Tells the time, in UTC", "{\"type\":\"object\"}", call_now},
    {"count", "Counts slowly to n, with progress",
     "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1},"
     "\"interval_ms\":{\"type\":\"integer\",\"minimum\":1,\"default\":100}},\"required\":[\"n\"]}",
     call_count},
};
enum { TOOLS = sizeof(tools) / sizeof(tools[0]) };

static void on_tools_list(const struct request *request)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(result, "tools");

    for (int i = 0; i < TOOLS; i++) {
        cJSON *tool = cJSON_CreateObject();

        cJSON_AddStringToObject(tool, "name", tools[i].name);
        cJSON_AddStringToObject(tool, "description", tools[i].description);
        cJSON_AddItemToObject(tool, "inputSchema", cJSON_Parse(tools[i].input_schema));
        cJSON_AddItemToArray(list, tool);
    }
    rpc_reply(request->id, result);
}

static void on_tools_call(const struct request *request)
{
    const char *name = string_member(request->params, "name");

    for (int i = 0; name != NULL && i < TOOLS; i++) {
        if (strcmp(tools[i].name, name) == 0) {
            tools[i].call(request, cJSON_GetObjectItemCaseSensitive(request->params, "arguments"));
            return;
        }
    }
    rpc_reply_error(request->id, RPC_INVALID_PARAMS, "Unknown tool");
}

static const struct resource {
    const char *uri;
    const char *name;
    const char *mime_type;
    const char *text;
} resources[] = {
    {"everyday://about", "about", "text/plain", "A small MCP server, written to be read."},
    {"everyday://units", "units", "application/json", "{\"inch\":0.0254,\"foot\":0.3048,\"mile\":1609.344}"},
};
enum { RESOURCES = sizeof(resources) / sizeof(resources[0]) };

static const char greeting_prefix[] = "everyday://greeting/";

static void on_resources_list(const struct request *request)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(result, "resources");

    for (int i = 0; i < RESOURCES; i++) {
        cJSON *resource = cJSON_CreateObject();

        cJSON_AddStringToObject(resource, "uri", resources[i].uri);
        cJSON_AddStringToObject(resource, "name", resources[i].name);
        cJSON_AddStringToObject(resource, "mimeType", resources[i].mime_type);
        cJSON_AddItemToArray(list, resource);
    }
    rpc_reply(request->id, result);
}

static void reply_contents(const cJSON *id, const char *uri, const char *mime_type, const char *text)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *contents = cJSON_AddArrayToObject(result, "contents");
    cJSON *piece = cJSON_CreateObject();

    cJSON_AddStringToObject(piece, "uri", uri);
    cJSON_AddStringToObject(piece, "mimeType", mime_type);
    cJSON_AddStringToObject(piece, "text", text);
    cJSON_AddItemToArray(contents, piece);
    rpc_reply(id, result);
}

static void on_resources_read(const struct request *request)
{
    const char *uri = string_member(request->params, "uri");
    char greeting[256];

    for (int i = 0; uri != NULL && i < RESOURCES; i++) {
        if (strcmp(resources[i].uri, uri) == 0) {
            reply_contents(request->id, uri, resources[i].mime_type, resources[i].text);
            return;
        }
    }
    if (uri != NULL && strlen(uri) < sizeof(greeting) && strncmp(uri, greeting_prefix, strlen(greeting_prefix)) == 0) {
        snprintf(greeting, sizeof(greeting), "Hello, %s!", uri + strlen(greeting_prefix));
        reply_contents(request->id, uri, "text/plain", greeting);
        return;
    }
    rpc_reply_error(request->id, RPC_INVALID_PARAMS, "Unknown resource");
}

static void on_prompts_get(const struct request *request)
{
    const char *name = string_member(request->params, "name");
    const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(request->params, "arguments");
    const char *topic = string_member(arguments, "topic");
    cJSON *result, *message, *content;
    char text[512];

    if (name == NULL || strcmp(name, "explain") != 0 || topic == NULL || strlen(topic) > 400) {
        rpc_reply_error(request->id, RPC_INVALID_PARAMS, "The prompt is explain, and it needs a short topic");
        return;
    }
    snprintf(text, sizeof(text), "Explain %s in three plain sentences.", topic);
    result = cJSON_CreateObject();
    message = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(result, "messages"), message);
    cJSON_AddStringToObject(message, "role", "user");
    content = cJSON_AddObjectToObject(message, "content");
    cJSON_AddStringToObject(content, "type", "text");
    cJSON_AddStringToObject(content, "text", text);
    rpc_reply(request->id, result);
}

/* Agrees to a revision it knows, and offers the newest one otherwise. */
static void on_initialize(const struct request *request)
{
    static const char *const revisions[] = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
    const char *asked = string_member(request->params, "protocolVersion");
    const char *agreed = revisions[0];
    cJSON *result = cJSON_Parse("{\"capabilities\":{\"tools\":{},\"resources\":{},\"prompts\":{}},"
                                "\"serverInfo\":{\"name\":\"everyday\",\"version\":\"1.0.0\"},"
                                "\"instructions\":\"Small tools for every day: add, echo, now and count.\"}");

    for (size_t i = 0; asked != NULL && i < sizeof(revisions) / sizeof(revisions[0]); i++) {
        if (strcmp(revisions[i], asked) == 0) {
            agreed = revisions[i];
        }
    }
    cJSON_AddStringToObject(result, "protocolVersion", agreed);
    rpc_reply(request->id, result);
}

/* A request that is cancelled gets no answer. */
static void on_cancelled(const struct request *request)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request->params, "requestId");

    for (int i = 0; i < COUNTS_MAX; i++) {
        if (counts[i].id != NULL && cJSON_Compare(counts[i].id, id, true)) {
            free_count(&counts[i]);
        }
    }
}

static const char templates_list[] = "{\"resourceTemplates\":[{\"uriTemplate\":\"everyday://greeting/{name}\","
                                     "\"name\":\"greeting\",\"mimeType\":\"text/plain\"}]}";
static const char prompts_list[] = "{\"prompts\":[{\"name\":\"explain\",\"description\":\"Explains a topic simply\","
                                   "\"arguments\":[{\"name\":\"topic\",\"required\":true}]}]}";

static const struct method {
    const char *name;
    bool is_notification;
    void (*on)(const struct request *request); /* NULL where the result is always the same */
    const char *result;
} methods[] = {
    {"initialize", false, on_initialize, NULL},         {"ping", false, NULL, "{}"},
    {"tools/list", false, on_tools_list, NULL},         {"tools/call", false, on_tools_call, NULL},
    {"resources/list", false, on_resources_list, NULL}, {"resources/templates/list", false, NULL, templates_list},
    {"resources/read", false, on_resources_read, NULL}, {"prompts/list", false, NULL, prompts_list},
    {"prompts/get", false, on_prompts_get, NULL},       {"notifications/cancelled", true, on_cancelled, NULL},
};

/* A notification that we do not know is nobody's error. */
static void dispatch(const char *name, const struct request *request)
{
    bool is_notification = request->id == NULL;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (methods[i].is_notification == is_notification && strcmp(methods[i].name, name) == 0) {
            if (methods[i].on != NULL) {
                methods[i].on(request);
            } else {
                rpc_reply(request->id, cJSON_Parse(methods[i].result));
            }
            return;
        }
    }
    if (!is_notification) {
        rpc_reply_error(request->id, RPC_METHOD_NOT_FOUND, "Method not found");
    }
}

static void on_message(const cJSON *message)
{
    const char *version = string_member(message, "jsonrpc");
    const char *method = string_member(message, "method");
    struct request request = {
        .id = cJSON_GetObjectItemCaseSensitive(message, "id"),
        .params = cJSON_GetObjectItemCaseSensitive(message, "params"),
    };
    bool is_good_id = request.id == NULL || cJSON_IsString(request.id) || cJSON_IsNumber(request.id);

    if (version == NULL || strcmp(version, "2.0") != 0 || !is_good_id) {
        rpc_reply_error(NULL, RPC_INVALID_REQUEST, "Invalid request");
    } else if (method != NULL) {
        dispatch(method, &request);
    }
    /* What is left is an answer, and we never ask anything. */
}

static void on_line(const char *line, size_t length)
{
    cJSON *message;

    if (length == 0 || (length == 1 && line[0] == '\r')) {
        return;
    }
    message = cJSON_ParseWithLength(line, length);
    if (message == NULL) {
        rpc_reply_error(NULL, RPC_PARSE_ERROR, "Parse error");
    } else {
        on_message(message);
    }
    cJSON_Delete(message);
}

int main(void)
{
    static struct rpc_input input; /* too large for the stack */
    struct pollfd stdin_poll = {.fd = STDIN_FILENO, .events = POLLIN};
    bool is_open = true;

    while (is_open) {
        int ready = poll(&stdin_poll, 1, run_counts());

        if (ready < 0 && errno != EINTR) {
            return EXIT_FAILURE;
        }
        if (ready > 0) {
            is_open = rpc_read(&input, on_line);
        }
    }
    for (int i = 0; i < COUNTS_MAX; i++) {
        free_count(&counts[i]);
    }
    return EXIT_SUCCESS;
}
