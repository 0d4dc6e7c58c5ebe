/*
 * Something to send: what we compose before and after it, and in between the caller's parts, where they lie.
 */
#ifndef SRC_HTTP_PIECES_H
#define SRC_HTTP_PIECES_H

#include "bridge/base/slice.h"

#include <stddef.h>

/* Everything is borrowed. Zeroed fields are empty. */
struct http_pieces {
    struct slice before;
    const struct slice *parts;
    size_t part_count;
    struct slice after;
};

/* One after the other, `before` is number 0. */
static inline size_t http_pieces_count(const struct http_pieces *pieces)
{
    return pieces->part_count + 2;
}

static inline struct slice http_pieces_at(const struct http_pieces *pieces, size_t number)
{
    if (number == 0) {
        return pieces->before;
    }
    return number <= pieces->part_count ? pieces->parts[number - 1] : pieces->after;
}

static inline size_t http_pieces_size(const struct http_pieces *pieces)
{
    size_t size = 0;
    for (size_t i = 0; i < http_pieces_count(pieces); i++) {
        size += http_pieces_at(pieces, i).size;
    }
    return size;
}

#endif
