/*
 * Values on the command line: durations and sizes with units, counts, choices.
 */
#ifndef SRC_OPTION_VALUE_H
#define SRC_OPTION_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "30s", "500ms", "5min", "2h", "1d"; a number without a unit is seconds; "0" is 0. */
bool option_read_duration(const char *text, uint64_t *milliseconds);

/* "4MiB", "64KiB", "1GiB", "512B"; a number without a unit is bytes. MB and the like mean powers of 1000. */
bool option_read_size(const char *text, uint64_t *bytes);

/* A decimal number up to `max`. */
bool option_read_count(const char *text, uint64_t max, uint64_t *count);

/* Permissions in octal, as chmod(1) takes them: "0660". */
bool option_read_mode(const char *text, uint64_t *mode);

/* Whether it is an origin as browsers send it: "https://app.example", "http://127.0.0.1:3000" (RFC 6454 6.2). */
bool option_is_origin(const char *text);

/* The index of `text` in a list of words with commas, "text,json"; -1 when it is not there. */
int option_read_choice(const char *text, const char *choices);

/* How many letters must be added, removed or changed to make one of the other: for "did you mean". */
size_t option_distance(const char *a, const char *b);

#endif
