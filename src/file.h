/*
 * A small file that the user names, read whole, and left nowhere but where it was read to: it may hold secrets.
 */
#ifndef SRC_FILE_H
#define SRC_FILE_H

#include "bridge/base/buffer.h"
#include "bridge/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Returns the size, or -1 with errno: EFBIG when there is more than the room can take. */
ssize_t file_read_into(const char *path, char *bytes, size_t room);

/* Appends the file to the buffer, up to its ceiling, which it must have. -1 with an error that names the file. */
int file_read(const char *path, struct buffer *out, struct error *error) __attribute__((warn_unused_result));

/* Whether every user of this system may read or change it: worth a warning where it holds a secret. */
bool file_is_exposed(const char *path);

#endif
