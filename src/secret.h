/*
 * The secret by which we know again what we gave out: random, or from a file that restarts and replicas share.
 */
#ifndef SRC_SECRET_H
#define SRC_SECRET_H

#include "bridge/base/error.h"
#include "bridge/base/slice.h"

#include <stddef.h>
#include <stdint.h>

/* Of the file, without a line end behind it. */
enum { SECRET_MIN_BYTES = 32, SECRET_MAX_BYTES = 4096 };

struct secret {
    uint8_t key[32];
};

/* `path` may be NULL: random bytes of the system. Returns 0, or -1 with an error that names the file. */
int secret_init(struct secret *secret, const char *path, struct error *error) __attribute__((warn_unused_result));

/* Forgets the key. */
void secret_release(struct secret *secret);

/* HMAC-SHA-256 (RFC 2104) under the key, of the parts one behind the other. */
void secret_authenticate(const struct secret *secret, const struct slice *parts, size_t count, uint8_t mac[32]);

#endif
