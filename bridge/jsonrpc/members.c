#include "bridge/jsonrpc/members.h"

#include "bridge/jsonrpc/json.h"

#include <assert.h>

static void skip(struct slice *rest, size_t size)
{
    rest->data += size;
    rest->size -= size;
}

/* The size of the container at the front: brackets balance, and those inside strings do not count. */
static size_t container_size(struct slice text)
{
    const char *end = text.data + text.size;
    const char *at = text.data;
    size_t depth = 0;
    do {
        bool has_escapes;
        assert(at < end);
        switch (*at) {
        case '"':
            at = json_end_of_string(at, end, &has_escapes) - 1;
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            depth--;
            break;
        default:
            break;
        }
        at++;
    } while (depth > 0);
    return (size_t)(at - text.data);
}

static size_t scalar_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && memchr(",}] \t\r\n", text.data[size], 7) == NULL) {
        size++;
    }
    return size;
}

static struct slice take_value(struct slice *rest)
{
    bool has_escapes;
    size_t size;
    *rest = json_skip_space(*rest);
    assert(rest->size > 0);
    switch (rest->data[0]) {
    case '{':
    case '[':
        size = container_size(*rest);
        break;
    case '"':
        size = (size_t)(json_end_of_string(rest->data, rest->data + rest->size, &has_escapes) - rest->data);
        break;
    default:
        size = scalar_size(*rest);
        break;
    }
    struct slice value = slice_of(rest->data, size);
    skip(rest, size);
    *rest = json_skip_space(*rest);
    return value;
}

/* Steps over the opening bracket or the comma before the next value. False when there is no next. */
static bool step(struct slice *rest, char opener)
{
    *rest = json_skip_space(*rest);
    if (rest->size == 0 || (rest->data[0] != opener && rest->data[0] != ',')) {
        return false;
    }
    skip(rest, 1);
    *rest = json_skip_space(*rest);
    return rest->size > 0 && rest->data[0] != '}' && rest->data[0] != ']';
}

bool members_next(struct slice *rest, struct member *member)
{
    if (!step(rest, '{')) {
        return false;
    }
    member->key = json_string_inside(take_value(rest));
    skip(rest, 1); /* the colon */
    member->value = take_value(rest);
    return true;
}

bool elements_next(struct slice *rest, struct slice *value)
{
    if (!step(rest, '[')) {
        return false;
    }
    *value = take_value(rest);
    return true;
}

struct slice members_find(struct slice object, const char *name)
{
    struct slice found = {NULL, 0};
    struct member member;
    while (members_next(&object, &member)) {
        if (json_string_means(member.key, name)) {
            found = member.value;
        }
    }
    return found;
}
