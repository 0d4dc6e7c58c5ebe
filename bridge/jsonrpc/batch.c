#include "bridge/jsonrpc/batch.h"

#include "bridge/jsonrpc/json.h"

bool batch_is_array(struct slice body)
{
    body = json_skip_space(body);
    return body.size > 0 && body.data[0] == '[';
}

static bool take(struct slice *bytes, char c)
{
    *bytes = json_skip_space(*bytes);
    if (bytes->size == 0 || bytes->data[0] != c) {
        return false;
    }
    *bytes = slice_of(bytes->data + 1, bytes->size - 1);
    return true;
}

/* The array's end, with nothing behind it. */
static enum message_fault check_end(struct slice rest, size_t count)
{
    if (!take(&rest, ']') || json_skip_space(rest).size > 0) {
        return MESSAGE_FAULT_SYNTAX;
    }
    return count > 0 && count <= LIMIT_BATCH_MESSAGES ? MESSAGE_FAULT_NONE : MESSAGE_FAULT_BATCH;
}

enum message_fault batch_check(struct slice body, size_t *count)
{
    struct slice rest = body;
    struct message message;
    *count = 0;
    if (!take(&rest, '[')) {
        return MESSAGE_FAULT_OBJECT;
    }
    rest = json_skip_space(rest);
    if (rest.size > 0 && rest.data[0] == ']') {
        return check_end(rest, 0);
    }
    do {
        enum message_fault fault = message_scan(&message, rest, &rest);
        if (fault != MESSAGE_FAULT_NONE) {
            return fault;
        }
        ++*count;
    } while (take(&rest, ','));
    return check_end(rest, *count);
}

bool batch_next(struct slice *rest, struct message *message)
{
    if (!take(rest, '[') && !take(rest, ',')) {
        return false;
    }
    return message_scan(message, *rest, rest) == MESSAGE_FAULT_NONE;
}
