#include "bridge/transport/param_headers.h"

#include "bridge/jsonrpc/decimal.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/transport/header_value.h"

#include <stdio.h>

/* The argument at the header's path; absent when there is none, or it is null. */
static struct slice find_argument(const struct tool_header *header, struct slice arguments)
{
    const char *end = header->path + header->path_size;
    struct slice value = arguments;
    for (const char *key = header->path; key < end && slice_exists(value); key += strlen(key) + 1) {
        value = members_find(value, key);
    }
    return slice_exists(value) && !slice_is(value, "null") ? value : slice_of(NULL, 0);
}

/* What the body holds decides how it is compared: the tool refuses what is not of the type that it wants. */
static bool is_value(struct slice text, struct slice argument)
{
    switch (argument.data[0]) {
    case '"':
        return header_value_is_string(text, argument);
    case 't':
    case 'f':
        return slice_equals(text, argument);
    case '{':
    case '[':
        return false;
    default:
        return decimal_equals(text, argument);
    }
}

/* NULL when the header is what it should be. */
static const char *find_problem(const struct tool_header *header, const struct exchange *exchange,
                                struct slice arguments)
{
    struct slice value;
    struct slice argument = find_argument(header, arguments);
    size_t count = exchange->operations->header(exchange, header->field, &value);
    if (!slice_exists(argument)) {
        return count == 0 ? NULL : "stands for an argument that is not there";
    }
    if (count != 1) {
        return count == 0 ? "is missing" : "appears more than once";
    }
    struct buffer text;
    buffer_init(&text, 0);
    const char *problem = !header_value_decode(value, &text)         ? "cannot be decoded"
                          : !is_value(buffer_slice(&text), argument) ? "is not what its argument says"
                                                                     : NULL;
    buffer_release(&text);
    return problem;
}

bool param_headers_check(const struct tool_headers *headers, const struct exchange *exchange,
                         const struct message *message, char *why, size_t size)
{
    const struct tool *tool;
    if (tool_headers_find(headers, message->name, &tool) != TOOL_HAS_HEADERS) {
        return true;
    }
    for (size_t i = 0; i < tool->header_count; i++) {
        const char *problem = find_problem(&tool->headers[i], exchange, message->arguments);
        if (problem != NULL) {
            snprintf(why, size, "the %s header %s", tool->headers[i].field, problem);
            return false;
        }
    }
    return true;
}
