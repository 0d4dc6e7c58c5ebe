#include "tests/bench/load_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *reserve(struct text *text, size_t size)
{
    if (text->capacity - text->size < size) {
        text->capacity = (text->size + size) * 2;
        text->data = realloc(text->data, text->capacity);
        if (text->data == NULL) {
            abort();
        }
    }
    return text->data + text->size;
}

void text_add(struct text *text, const char *data, size_t size)
{
    memcpy(reserve(text, size), data, size);
    text->size += size;
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *room = reserve(text, 1024);
    int size = vsnprintf(room, 1024, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
}

void text_release(struct text *text)
{
    free(text->data);
    *text = (struct text){NULL, 0, 0};
}

/* ---- Requests ---- */

static void add_head(struct text *request, const struct message_target *target, const char *method, const char *session)
{
    request->size = 0;
    text_add_format(request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", method, target->path, target->port);
    text_add_format(request, "Accept: %s\r\n",
                    strcmp(method, "GET") == 0 ? "text/event-stream" : "application/json, text/event-stream");
    if (session[0] != '\0') {
        text_add_format(request, "Mcp-Session-Id: %s\r\n", session);
    }
}

/* Revision 2026-07-28 says in the head what the body says, too. */
static const char modern_head[] = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: echo\r\n";

static void add_post(struct text *request, const struct message_target *target, const char *session, size_t size)
{
    add_head(request, target, "POST", session);
    if (target->is_modern) {
        text_add(request, modern_head, sizeof(modern_head) - 1);
    }
    text_add_format(request, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", size);
}

static void post(struct text *request, const struct message_target *target, const char *session, const char *body)
{
    add_post(request, target, session, strlen(body));
    text_add(request, body, strlen(body));
}

void message_initialize(struct text *request, const struct message_target *target)
{
    post(request, target, "",
         "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\","
         "\"capabilities\":{},\"clientInfo\":{\"name\":\"load\",\"version\":\"1\"}}}");
}

void message_initialized(struct text *request, const struct message_target *target, const char *session)
{
    post(request, target, session, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

void message_end(struct text *request, const struct message_target *target, const char *session)
{
    add_head(request, target, "DELETE", session);
    text_add(request, "\r\n", 2);
}

void message_listen(struct text *request, const struct message_target *target, const char *session)
{
    add_head(request, target, "GET", session);
    text_add(request, "\r\n", 2);
}

static const char call_start[] = "{\"jsonrpc\":\"2.0\",\"id\":";
static const char echo_middle[] = ",\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{\"text\":\"";
static const char echo_end[] = "\"}}}";
static const char modern_echo_end[] = "\"},\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                                      "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"load\",\"version\":\"1\"},"
                                      "\"io.modelcontextprotocol/clientCapabilities\":{}}}}";

enum {
    ID_AT = sizeof(call_start) - 1,
    TEXT_AT = ID_AT + MESSAGE_ID_DIGITS + sizeof(echo_middle) - 1,
};

static const char *echo_end_of(const struct message_target *target)
{
    return target->is_modern ? modern_echo_end : echo_end;
}

static size_t echo_size(const struct message_target *target)
{
    return TEXT_AT + target->payload_bytes + strlen(echo_end_of(target));
}

/* The payload begins with the id, so that no two are the same. */
static void add_echo(struct text *text, const struct message_target *target)
{
    size_t payload_bytes = target->payload_bytes;
    text_add(text, call_start, sizeof(call_start) - 1);
    text_add_format(text, "%u", MESSAGE_FIRST_ID);
    text_add(text, echo_middle, sizeof(echo_middle) - 1);
    char *payload = reserve(text, payload_bytes);
    memset(payload, 'x', payload_bytes);
    text->size += payload_bytes;
    text_add(text, echo_end_of(target), strlen(echo_end_of(target)));
}

static const char progress_format[] =
    ",\"method\":\"tools/call\",\"params\":{\"name\":\"progress\",\"arguments\":{\"count\":%u},"
    "\"_meta\":{\"progressToken\":";

static void add_progress(struct text *text, unsigned count)
{
    text_add(text, call_start, sizeof(call_start) - 1);
    text_add_format(text, "%u", MESSAGE_FIRST_ID);
    text_add_format(text, progress_format, count);
    text_add_format(text, "%u}}}", MESSAGE_FIRST_ID);
}

void message_call(struct text *request, const struct message_target *target, const char *session)
{
    if (target->progress > 0) {
        struct text body = {NULL, 0, 0};
        add_progress(&body, target->progress);
        add_post(request, target, session, body.size);
        text_add(request, body.data, body.size);
        text_release(&body);
    } else {
        add_post(request, target, session, echo_size(target));
        add_echo(request, target);
    }
}

void message_line(struct text *line, size_t payload_bytes)
{
    const struct message_target target = {.path = "", .payload_bytes = payload_bytes};
    line->size = 0;
    add_echo(line, &target);
    text_add(line, "\n", 1);
}

static void write_digits(char *at, uint32_t number)
{
    for (int i = MESSAGE_ID_DIGITS - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

void message_renumber(struct text *request, const struct message_target *target, uint32_t id)
{
    char *end = request->data + request->size;
    if (target->progress > 0) {
        char middle[256];
        int size = snprintf(middle, sizeof(middle), progress_format, target->progress);
        char *token = end - 3 - MESSAGE_ID_DIGITS;
        write_digits(token, id);
        write_digits(token - size - MESSAGE_ID_DIGITS, id);
        return;
    }
    char *body = end - echo_size(target);
    write_digits(body + ID_AT, id);
    write_digits(body + TEXT_AT, id);
}

/* ---- Answers ---- */

static bool is_number(struct view value, uint32_t number)
{
    return value.data != NULL && value.size < 12 && strtoul(value.data, NULL, 10) == number;
}

static struct view result_text(struct view message)
{
    struct view content = view_first(view_member(view_member(message, "result"), "content"));
    return view_inside(view_member(content, "text"));
}

const char *message_check_echo(struct view message, size_t payload_bytes, uint32_t id)
{
    char digits[MESSAGE_ID_DIGITS];
    if (!is_number(view_member(message, "id"), id)) {
        return "another id";
    }
    struct view text = result_text(message);
    write_digits(digits, id);
    if (text.size != payload_bytes || memcmp(text.data, digits, sizeof(digits)) != 0) {
        return "another payload";
    }
    for (size_t i = sizeof(digits); i < text.size; i += 61) {
        if (text.data[i] != 'x') {
            return "a changed payload";
        }
    }
    return NULL;
}

static const char *check_done(struct view message, uint32_t id)
{
    if (!is_number(view_member(message, "id"), id)) {
        return "another id";
    }
    return view_is(result_text(message), "done") ? NULL : "another result";
}

static const char *check_answer(struct view message, const struct message_target *target, uint32_t id)
{
    return target->progress > 0 ? check_done(message, id) : message_check_echo(message, target->payload_bytes, id);
}

static const char *check_progress(struct view message, uint32_t id, unsigned number)
{
    struct view params = view_member(message, "params");
    if (!is_number(view_member(params, "progressToken"), id)) {
        return "another progress token";
    }
    return is_number(view_member(params, "progress"), number) ? NULL : "progress out of order";
}

/* Takes the next event's data; data of several lines is nobody's here. */
static bool next_event(struct view *stream, struct view *data)
{
    while (stream->size > 0) {
        const char *end = memchr(stream->data, '\n', stream->size);
        size_t size = end != NULL ? (size_t)(end - stream->data) : stream->size;
        struct view line = {stream->data, size};
        stream->data += size + (end != NULL);
        stream->size -= size + (end != NULL);
        if (line.size > 5 && memcmp(line.data, "data:", 5) == 0) {
            *data = view_value((struct view){line.data + 5, line.size - 5});
            if (data->size > 0) {
                return true;
            }
        }
    }
    return false;
}

static const char *check_stream(struct view stream, const struct message_target *target, uint32_t id)
{
    struct view message;
    unsigned events = 0;
    const char *fault = "no answer on the stream";
    while (next_event(&stream, &message)) {
        if (view_member(message, "method").data != NULL) {
            fault = check_progress(message, id, ++events);
            if (fault != NULL) {
                return fault;
            }
            fault = "no answer on the stream";
        } else {
            fault = check_answer(message, target, id);
        }
    }
    return fault == NULL && events != target->progress ? "progress is missing" : fault;
}

const char *message_check(struct view body, bool is_stream, const struct message_target *target, uint32_t id)
{
    if (is_stream) {
        return check_stream(body, target, id);
    }
    return target->progress > 0 ? "no stream" : check_answer(view_value(body), target, id);
}
