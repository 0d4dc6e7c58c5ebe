#include "tests/bench/view.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at)) {
        at++;
    }
    return at;
}

/* Behind the closing quote. A quote behind an odd number of backslashes does not close. */
static const char *skip_string(const char *at, const char *end)
{
    const char *start = ++at;
    while (at < end) {
        at = memchr(at, '"', (size_t)(end - at));
        if (at == NULL) {
            return end;
        }
        size_t backslashes = 0;
        while (at - backslashes > start && at[-1 - (long)backslashes] == '\\') {
            backslashes++;
        }
        at++;
        if (backslashes % 2 == 0) {
            return at;
        }
    }
    return end;
}

static const char *skip_container(const char *at, const char *end)
{
    int depth = 0;
    while (at < end) {
        char c = *at;
        if (c == '"') {
            at = skip_string(at, end);
            continue;
        }
        at++;
        if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at;
        }
    }
    return end;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at < end && *at == '"') {
        return skip_string(at, end);
    }
    if (at < end && (*at == '{' || *at == '[')) {
        return skip_container(at, end);
    }
    while (at < end && *at != ',' && *at != '}' && *at != ']' && !is_space(*at)) {
        at++;
    }
    return at;
}

struct view view_value(struct view text)
{
    if (text.data == NULL) {
        return text;
    }
    const char *end = text.data + text.size;
    const char *at = skip_space(text.data, end);
    const char *behind = skip_value(at, end);
    return (struct view){behind > at ? at : NULL, (size_t)(behind - at)};
}

struct view view_member(struct view object, const char *name)
{
    size_t name_size = strlen(name);
    const char *end = object.data + object.size;
    const char *at = object.data;
    if (object.size < 2 || *at != '{') {
        return (struct view){NULL, 0};
    }
    at = skip_space(at + 1, end);
    while (at < end && *at == '"') {
        const char *key = at + 1;
        const char *behind = skip_string(at, end);
        size_t key_size = (size_t)(behind - 1 - key);
        at = skip_space(skip_space(behind, end) + 1, end);
        const char *value_end = skip_value(at, end);
        if (key_size == name_size && memcmp(key, name, name_size) == 0) {
            return (struct view){at, (size_t)(value_end - at)};
        }
        at = skip_space(value_end, end);
        at = at < end ? skip_space(at + 1, end) : end;
    }
    return (struct view){NULL, 0};
}

struct view view_first(struct view array)
{
    if (array.size < 2 || array.data[0] != '[') {
        return (struct view){NULL, 0};
    }
    return view_value((struct view){array.data + 1, array.size - 2});
}

struct view view_inside(struct view string)
{
    if (string.size < 2 || string.data[0] != '"') {
        return (struct view){NULL, 0};
    }
    return (struct view){string.data + 1, string.size - 2};
}

bool view_is(struct view value, const char *text)
{
    return value.data != NULL && value.size == strlen(text) && memcmp(value.data, text, value.size) == 0;
}
