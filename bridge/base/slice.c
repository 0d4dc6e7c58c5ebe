#include "bridge/base/slice.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool slice_equals_ignoring_case(struct slice a, struct slice b)
{
    if (a.size != b.size) {
        return false;
    }
    /* Mostly both are written alike. */
    if (a.size == 0 || memcmp(a.data, b.data, a.size) == 0) {
        return true;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice slice)
{
    while (slice.size > 0 && is_blank(slice.data[0])) {
        slice.data++;
        slice.size--;
    }
    while (slice.size > 0 && is_blank(slice.data[slice.size - 1])) {
        slice.size--;
    }
    return slice;
}

bool slice_split(struct slice *rest, char separator, struct slice *part)
{
    if (!slice_exists(*rest)) {
        return false;
    }
    const char *found = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
    if (found == NULL) {
        *part = *rest;
        *rest = slice_of(NULL, 0);
        return true;
    }
    *part = slice_of(rest->data, (size_t)(found - rest->data));
    *rest = slice_of(found + 1, rest->size - part->size - 1);
    return true;
}
