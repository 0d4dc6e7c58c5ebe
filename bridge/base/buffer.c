#include "bridge/base/buffer.h"

#include "bridge/base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_FIRST_CAPACITY = 256, BUFFER_LARGE_CAPACITY = 1 << 20 };

void buffer_init(struct buffer *buffer, size_t ceiling)
{
    *buffer = (struct buffer){.ceiling = ceiling};
}

void buffer_release(struct buffer *buffer)
{
    if (buffer == NULL) {
        return;
    }
    free(buffer->data);
    *buffer = (struct buffer){.ceiling = buffer->ceiling};
}

struct slice buffer_take(struct buffer *buffer)
{
    struct slice bytes = memory_copy(buffer_slice(buffer));
    buffer_release(buffer);
    return bytes;
}

static void move_to_front(struct buffer *buffer)
{
    if (buffer->start > 0) {
        memmove(buffer->data, buffer->data + buffer->start, buffer->size);
        buffer->start = 0;
    }
}

/* Doubling keeps the cost of many appends linear. Where it would waste megabytes, half as much again does, too. */
static size_t larger_capacity(size_t capacity, size_t wanted)
{
    if (wanted >= BUFFER_LARGE_CAPACITY) {
        return wanted + wanted / 2;
    }
    capacity = capacity > 0 ? capacity : BUFFER_FIRST_CAPACITY;
    while (capacity < wanted) {
        capacity *= 2;
    }
    return capacity;
}

/* The wanted size has no room behind what is there. */
static void make_room(struct buffer *buffer, size_t wanted)
{
    if (buffer->capacity - buffer->start < wanted) {
        move_to_front(buffer);
    }
    if (buffer->capacity < wanted || buffer->data == NULL) {
        size_t capacity = larger_capacity(buffer->capacity, wanted);
        buffer->data = memory_resize(buffer->data, capacity);
        buffer->capacity = capacity;
    }
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
    size_t wanted = buffer->size + size;
    if (wanted < size || (buffer->ceiling > 0 && wanted > buffer->ceiling)) {
        return NULL;
    }
    if (buffer->capacity - buffer->start < wanted || buffer->data == NULL) {
        make_room(buffer, wanted);
    }
    return buffer->data + buffer->start + buffer->size;
}

void buffer_grown(struct buffer *buffer, size_t size)
{
    assert(buffer->start + buffer->size + size <= buffer->capacity);
    buffer->size += size;
}

bool buffer_append(struct buffer *buffer, struct slice bytes)
{
    char *room = buffer_reserve(buffer, bytes.size);
    if (room == NULL) {
        return false;
    }
    if (bytes.size > 0) {
        memcpy(room, bytes.data, bytes.size);
    }
    buffer->size += bytes.size;
    return true;
}

void buffer_add_slowly(struct buffer *buffer, struct slice bytes)
{
    bool fitted = buffer_append(buffer, bytes);
    assert(fitted);
    (void)fitted;
}

void buffer_add_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    char *room = buffer_reserve(buffer, (size_t)size + 1);
    assert(room != NULL);
    va_start(arguments, format);
    vsnprintf(room, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)size;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    assert(size <= buffer->size);
    buffer->start += size;
    buffer->size -= size;
    if (buffer->size == 0) {
        buffer->start = 0;
    }
}

void buffer_clear(struct buffer *buffer, size_t keep)
{
    buffer->start = 0;
    buffer->size = 0;
    if (buffer->capacity > keep) {
        buffer_release(buffer);
    }
}
