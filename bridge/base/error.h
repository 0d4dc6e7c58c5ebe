/*
 * An error of start-up, on its way up: text that names the thing, wrapped by each caller, printed once in main.
 */
#ifndef BRIDGE_BASE_ERROR_H
#define BRIDGE_BASE_ERROR_H

struct error {
    char text[1024]; /* truncated when longer; empty when there is no error */
    int exit_status; /* what main returns; 0 stands for 1 */
};

/* Writes the text. Returns -1, so that a function can end with `return error_set(...)`. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<text>: " in front. Returns -1. */
int error_wrap(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
