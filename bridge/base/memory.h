/*
 * Allocation that does not fail: out of memory ends the program with a message. So nothing above has a path
 * for it, and every size that a peer controls must have met a ceiling (bridge/limits.h) before it comes here.
 */
#ifndef BRIDGE_BASE_MEMORY_H
#define BRIDGE_BASE_MEMORY_H

#include "bridge/base/slice.h"

#include <stddef.h>

/* The object of type `type` whose member `member` stands at `pointer`. */
#define container_of(pointer, type, member) ((type *)((uintptr_t)(pointer) - offsetof(type, member)))

/* Zeroed memory; the caller frees it with free(). */
void *memory_new(size_t size);

/* As realloc(): the new part is not zeroed. */
void *memory_resize(void *block, size_t size);

/* A copy with a NUL behind it that is not part of the slice; the caller owns `data` (memory_free_slice). */
struct slice memory_copy(struct slice slice);

/* Frees what memory_copy() made and makes the slice absent. */
void memory_free_slice(struct slice *slice);

/* A copy as a NUL-terminated string, owned by the caller. */
char *memory_copy_text(const char *text);

#endif
