/*
 * Files and folders that a test makes for itself: below TMPDIR, or in the system's place where that is not set. Whoever
 * makes one removes it.
 */
#ifndef TESTS_UNIT_SRC_SCRATCH_H
#define TESTS_UNIT_SRC_SCRATCH_H

#include <stddef.h>

enum {
    SCRATCH_PATH = 128,
    /* What leaves room in the address of a Unix socket (108 bytes) for a name in the folder. */
    SCRATCH_SOCKET_PATH = 64,
};

/*
 * Makes a folder that is called `name` and something random, and writes its path. `size` is one of the two above; a
 * TMPDIR that is too long for it is passed over.
 */
void scratch_folder(char *path, size_t size, const char *name);

/* The same, an empty file. Returns its descriptor, open for reading and writing. */
int scratch_file(char *path, size_t size, const char *name);

#endif
