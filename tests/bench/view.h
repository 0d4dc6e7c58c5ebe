/*
 * Looks into JSON that is known to be valid, without a tree and without a copy: fast enough that the benchmark's own
 * programs do not hide what they measure. Not for hostile input.
 */
#ifndef TESTS_BENCH_VIEW_H
#define TESTS_BENCH_VIEW_H

#include <stdbool.h>
#include <stddef.h>

/* A value as it is written; data is NULL when there is none. */
struct view {
    const char *data;
    size_t size;
};

/* The value at the front of `text`. */
struct view view_value(struct view text);

/* The value of an object's member with this name. */
struct view view_member(struct view object, const char *name);

/* The first element of an array. */
struct view view_first(struct view array);

/* A string's inside. */
struct view view_inside(struct view string);

bool view_is(struct view value, const char *text);

#endif
