/*
 * Bytes that grow at the end and are taken from the front, up to a ceiling that the owner sets.
 */
#ifndef BRIDGE_BASE_BUFFER_H
#define BRIDGE_BASE_BUFFER_H

#include "bridge/base/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data;      /* owned; the first byte in use stands at data + start */
    size_t start;    /* bytes already taken from the front */
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
    size_t ceiling;  /* size never exceeds it; 0 is no ceiling, for contents that we author */
};

void buffer_init(struct buffer *buffer, size_t ceiling);
void buffer_release(struct buffer *buffer);

/* Releases the buffer, and returns its bytes in a block of their own, which the caller frees. */
struct slice buffer_take(struct buffer *buffer);

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return slice_of(buffer->data != NULL ? buffer->data + buffer->start : "", buffer->size);
}

/* Appends; false, with nothing changed, when the ceiling would be exceeded. */
bool buffer_append(struct buffer *buffer, struct slice bytes);

/* buffer_add() where there is no room yet, or a ceiling. */
void buffer_add_slowly(struct buffer *buffer, struct slice bytes);

/* For contents that we author, which cannot meet the ceiling: appends, and asserts that it fitted. */
static inline void buffer_add(struct buffer *buffer, struct slice bytes)
{
    size_t end = buffer->start + buffer->size;
    if (buffer->ceiling > 0 || bytes.size == 0 || buffer->capacity - end < bytes.size) {
        buffer_add_slowly(buffer, bytes);
        return;
    }
    memcpy(buffer->data + end, bytes.data, bytes.size);
    buffer->size += bytes.size;
}

static inline void buffer_add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, slice_text(text));
}
void buffer_add_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Room for at least `size` more bytes, to be written by the caller and then counted with buffer_grown(). NULL when the
 * ceiling forbids.
 */
char *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_grown(struct buffer *buffer, size_t size);

/* Whether these bytes have been written to where buffer_reserve() gave room, and only need to be counted. */
static inline bool buffer_has_room_at(const struct buffer *buffer, const char *bytes, size_t size)
{
    size_t end = buffer->start + buffer->size;
    return buffer->data != NULL && bytes == buffer->data + end && size <= buffer->capacity - end;
}

/* Takes `size` bytes off the front. */
void buffer_consume(struct buffer *buffer, size_t size);

/* Takes off the end what lies beyond the first `size` bytes. */
static inline void buffer_truncate(struct buffer *buffer, size_t size)
{
    buffer->size = size < buffer->size ? size : buffer->size;
}

/* Empties it, and gives back the memory when it is more than `keep` bytes. */
void buffer_clear(struct buffer *buffer, size_t keep);

#endif
