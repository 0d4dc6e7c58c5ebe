/*
 * The smallest MCP server over stdio that does real work, faster than any bridge in front of it: all lines of one read
 * are answered in one write, and nothing is parsed that the answer does not need.
 *
 *     server [modern]   modern: of revision 2026-07-28, and no other
 *
 *     echo {text}       gives the text back, byte for byte
 *     progress {count}  tells its progress count times, then answers
 */
#include "tests/bench/view.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 18, FLUSH_BYTES = 1 << 16 };

struct bytes {
    char *data;
    size_t size;
    size_t capacity;
};

static char *reserve(struct bytes *bytes, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        bytes->capacity = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (bytes->data == NULL) {
            abort();
        }
    }
    return bytes->data + bytes->size;
}

static struct bytes out;
static bool is_modern;

static void write_all(const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, data, size);
        if (written < 0 && errno != EINTR) {
            exit(0);
        }
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
}

static void flush(void)
{
    write_all(out.data, out.size);
    out.size = 0;
}

static void add(const char *data, size_t size)
{
    if (size > FLUSH_BYTES) {
        flush();
        write_all(data, size);
        return;
    }
    memcpy(reserve(&out, size), data, size);
    out.size += size;
}

static void add_text(const char *text)
{
    add(text, strlen(text));
}

static void add_view(struct view view)
{
    add(view.data, view.size);
}

static void answer(struct view id, const char *before, struct view value, const char *behind)
{
    add_text("{\"jsonrpc\":\"2.0\",\"id\":");
    add_view(id);
    add_text(before);
    add_view(value);
    add_text(behind);
    add_text("\n");
}

static void answer_error(struct view id, const char *error)
{
    answer(id, ",\"error\":", (struct view){error, strlen(error)}, "}");
}

#define COMPLETE                                                                                         \
    "\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"bench\"," \
    "\"version\":\"1\"}},"

static void answer_text(struct view id, struct view string)
{
    const char *before = is_modern ? ",\"result\":{" COMPLETE "\"content\":[{\"type\":\"text\",\"text\":"
                                   : ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":";
    answer(id, before, string, "}]}}");
}

static void answer_fixed(struct view id, const char *result)
{
    answer(id, ",\"result\":", (struct view){result, strlen(result)}, "}");
}

static void call_progress(struct view id, struct view params)
{
    struct view token = view_member(view_member(params, "_meta"), "progressToken");
    struct view count = view_member(view_member(params, "arguments"), "count");
    long total = count.data != NULL ? strtol(count.data, NULL, 10) : 0;
    for (long i = 1; i <= total && token.data != NULL; i++) {
        char number[64];
        add_text("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":");
        add_view(token);
        snprintf(number, sizeof(number), ",\"progress\":%ld,\"total\":%ld}}\n", i, total);
        add_text(number);
    }
    answer_text(id, (struct view){"\"done\"", 6});
}

static void call_tool(struct view id, struct view params)
{
    struct view name = view_member(params, "name");
    if (view_is(name, "\"echo\"")) {
        answer_text(id, view_member(view_member(params, "arguments"), "text"));
    } else if (view_is(name, "\"progress\"")) {
        call_progress(id, params);
    } else {
        answer_error(id, "{\"code\":-32602,\"message\":\"no such tool\"}");
    }
}

#define TOOLS                                                                                                     \
    "\"tools\":[{\"name\":\"echo\",\"description\":\"Gives the text back\",\"inputSchema\":{\"type\":\"object\"," \
    "\"properties\":{\"text\":{\"type\":\"string\"}}}},"                                                          \
    "{\"name\":\"progress\",\"description\":\"Tells its progress\",\"inputSchema\":{\"type\":\"object\","         \
    "\"properties\":{\"count\":{\"type\":\"integer\"}}}}]"

#define CACHEABLE COMPLETE "\"ttlMs\":60000,\"cacheScope\":\"public\","

/* The revision that the client asked for is spoken. */
static void initialize(struct view id, struct view params)
{
    answer(id, ",\"result\":{\"protocolVersion\":", view_member(params, "protocolVersion"),
           ",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}");
}

static void take_request(struct view id, struct view method, struct view params)
{
    if (view_is(method, "\"tools/call\"")) {
        call_tool(id, params);
    } else if (view_is(method, "\"initialize\"")) {
        initialize(id, params);
    } else if (view_is(method, "\"tools/list\"")) {
        answer_fixed(id, "{" TOOLS "}");
    } else if (view_is(method, "\"ping\"")) {
        answer_fixed(id, "{}");
    } else {
        answer_error(id, "{\"code\":-32601,\"message\":\"no such method\"}");
    }
}

/* Every request names the revision. So one that nobody has translated is refused. */
static void take_modern_request(struct view id, struct view method, struct view params)
{
    struct view meta = view_member(params, "_meta");
    if (!view_is(view_member(meta, "io.modelcontextprotocol/protocolVersion"), "\"2026-07-28\"")) {
        answer_error(id, "{\"code\":-32022,\"message\":\"Unsupported protocol version\","
                         "\"data\":{\"supported\":[\"2026-07-28\"],\"requested\":\"another\"}}");
    } else if (view_is(method, "\"tools/call\"")) {
        call_tool(id, params);
    } else if (view_is(method, "\"server/discover\"")) {
        answer_fixed(id, "{" CACHEABLE "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}}}");
    } else if (view_is(method, "\"tools/list\"")) {
        answer_fixed(id, "{" CACHEABLE TOOLS "}");
    } else {
        answer_error(id, "{\"code\":-32601,\"message\":\"no such method\"}");
    }
}

static void take_line(struct view line)
{
    struct view id = view_member(line, "id");
    struct view method = view_member(line, "method");
    if (id.data == NULL) {
        return;
    }
    struct view params = view_member(line, "params");
    if (is_modern) {
        take_modern_request(id, method, params);
    } else {
        take_request(id, method, params);
    }
}

/* Answers the whole lines among the bytes, and keeps the rest. Up to `searched` no line ends. */
static void take_lines(struct bytes *in, size_t searched)
{
    char *at = in->data;
    char *end = in->data + in->size;
    char *search = in->data + searched;
    char *line_end;
    while ((line_end = memchr(search, '\n', (size_t)(end - search))) != NULL) {
        take_line((struct view){at, (size_t)(line_end - at)});
        at = line_end + 1;
        search = at;
    }
    in->size = (size_t)(end - at);
    memmove(in->data, at, in->size);
}

int main(int argc, char **argv)
{
    struct bytes in = {NULL, 0, 0};
    is_modern = argc > 1 && strcmp(argv[1], "modern") == 0;
    reserve(&out, 2 * FLUSH_BYTES);
    for (;;) {
        char *room = reserve(&in, READ_BYTES);
        ssize_t size = read(STDIN_FILENO, room, READ_BYTES);
        if (size == 0 || (size < 0 && errno != EINTR)) {
            return 0;
        }
        if (size > 0) {
            size_t searched = in.size;
            in.size += (size_t)size;
            take_lines(&in, searched);
            flush();
        }
    }
}
