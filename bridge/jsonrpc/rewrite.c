#include "bridge/jsonrpc/rewrite.h"

#include <assert.h>

static void add_part(struct rewrite *rewrite, const char *from, const char *to)
{
    if (to > from) {
        rewrite->parts[rewrite->count++] = slice_of(from, (size_t)(to - from));
    }
}

/* The replacement whose span is the first behind `last`, NULL when there is none. */
static const struct replacement *next_behind(const char *last, const struct replacement *replacements, size_t count)
{
    const struct replacement *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *at = replacements[i].span.data;
        if (at != NULL && (last == NULL || at > last) && (first == NULL || at < first->span.data)) {
            first = &replacements[i];
        }
    }
    return first;
}

void rewrite_splice(struct rewrite *rewrite, struct slice bytes, const struct replacement *replacements, size_t count)
{
    assert(count <= REWRITE_MAX_REPLACEMENTS);
    rewrite->count = 0;
    const char *at = bytes.data;
    const char *end = bytes.data + bytes.size;
    const struct replacement *next = NULL;
    while ((next = next_behind(next != NULL ? next->span.data : NULL, replacements, count)) != NULL) {
        assert(next->span.data >= at && next->span.data <= end && next->span.size <= (size_t)(end - next->span.data));
        add_part(rewrite, at, next->span.data);
        rewrite->parts[rewrite->count++] = next->with;
        at = next->span.data + next->span.size;
    }
    add_part(rewrite, at, end);
}

struct slice number_write(struct number_text *text, uint64_t number)
{
    char *at = text->digits + sizeof(text->digits);
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return slice_of(at, (size_t)(text->digits + sizeof(text->digits) - at));
}
