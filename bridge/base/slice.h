/*
 * A view of bytes that somebody else owns. It need not end in NUL and may hold any byte.
 */
#ifndef BRIDGE_BASE_SLICE_H
#define BRIDGE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *data; /* borrowed; NULL means absent, which differs from empty */
    size_t size;
};

/* A slice of a string literal, usable in initializers. */
#define SLICE_LITERAL(text) {(text), sizeof(text) - 1}

/* For "%.*s": the two arguments that printf wants. */
#define SLICE_PRINT(slice) (int)(slice).size, (slice).data ? (slice).data : ""

static inline struct slice slice_of(const char *data, size_t size)
{
    return (struct slice){data, size};
}

static inline struct slice slice_text(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_exists(struct slice slice)
{
    return slice.data != NULL;
}

static inline bool slice_equals(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_is(struct slice slice, const char *text)
{
    return slice_equals(slice, slice_text(text));
}

static inline bool slice_starts_with(struct slice slice, const char *prefix)
{
    size_t size = strlen(prefix);
    return slice.size >= size && memcmp(slice.data, prefix, size) == 0;
}

/* Compares ASCII letters without regard to case, as HTTP field names are compared (RFC 9110 5.1). */
bool slice_equals_ignoring_case(struct slice a, struct slice b);

/* Without spaces and tabs at both ends: HTTP's optional white space (RFC 9110 5.6.3). */
struct slice slice_trim(struct slice slice);

/* Takes what stands before `separator` off the front of *rest; the whole rest when there is none. False at the end. */
bool slice_split(struct slice *rest, char separator, struct slice *part);

#endif
