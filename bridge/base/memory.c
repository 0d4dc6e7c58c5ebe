#include "bridge/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *require(void *block, size_t size)
{
    if (block == NULL) {
        fprintf(stderr, "mcp-bridge: out of memory (%zu bytes wanted)\n", size);
        abort();
    }
    return block;
}

void *memory_new(size_t size)
{
    return require(calloc(1, size > 0 ? size : 1), size);
}

void *memory_resize(void *block, size_t size)
{
    return require(realloc(block, size > 0 ? size : 1), size);
}

struct slice memory_copy(struct slice slice)
{
    char *copy = require(malloc(slice.size + 1), slice.size + 1);
    if (slice.size > 0) {
        memcpy(copy, slice.data, slice.size);
    }
    copy[slice.size] = '\0';
    return slice_of(copy, slice.size);
}

void memory_free_slice(struct slice *slice)
{
    free((void *)(uintptr_t)slice->data);
    *slice = slice_of(NULL, 0);
}

char *memory_copy_text(const char *text)
{
    return (char *)(uintptr_t)memory_copy(slice_text(text)).data;
}
