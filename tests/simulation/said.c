#include "tests/simulation/said.h"

#include "bridge/base/memory.h"

#include <stdlib.h>

struct saying *sayings_add(struct sayings *sayings)
{
    if (sayings->count % 64 == 0) {
        sayings->all = memory_resize(sayings->all, (sayings->count + 64) * sizeof(sayings->all[0]));
    }
    struct saying *saying = memory_new(sizeof(*saying));
    sayings->all[sayings->count++] = saying;
    saying->number = (uint32_t)sayings->count;
    return saying;
}

void sayings_release(struct sayings *sayings)
{
    for (size_t i = 0; i < sayings->count; i++) {
        memory_free_slice(&sayings->all[i]->before);
        memory_free_slice(&sayings->all[i]->after);
        free(sayings->all[i]);
    }
    free(sayings->all);
}

uint32_t said_number(struct slice bytes, const char *key)
{
    size_t size = strlen(key);
    const char *at = bytes.size > 0 ? memmem(bytes.data, bytes.size, key, size) : NULL;
    uint32_t number = 0;
    if (at != NULL) {
        for (at += size; at < bytes.data + bytes.size && *at >= '0' && *at <= '9'; at++) {
            number = number * 10 + (uint32_t)(*at - '0');
        }
    }
    return number;
}

struct saying *sayings_find(const struct sayings *sayings, struct slice bytes)
{
    uint32_t number = said_number(bytes, "\"m\":");
    return number > 0 && number <= sayings->count ? sayings->all[number - 1] : NULL;
}

void saying_set(struct saying *saying, struct slice text, size_t hole)
{
    saying->before = memory_copy(slice_of(text.data, hole));
    saying->after = memory_copy(slice_of(text.data + hole, text.size - hole));
}

bool saying_is(const struct saying *saying, struct slice bytes, struct slice middle)
{
    size_t before = saying->before.size;
    return bytes.size == before + middle.size + saying->after.size &&
           slice_equals(slice_of(bytes.data, before), saying->before) &&
           slice_equals(slice_of(bytes.data + before, middle.size), middle) &&
           slice_equals(slice_of(bytes.data + before + middle.size, saying->after.size), saying->after);
}
