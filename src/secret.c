#include "src/secret.h"

#include "src/file.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* A content of the greatest size, and its line end. */
enum { ROOM_BYTES = SECRET_MAX_BYTES + 2 };

/* Editors and `echo` leave a line end behind. */
static size_t without_line_end(const char *bytes, size_t size)
{
    if (size > 0 && bytes[size - 1] == '\n') {
        size--;
        size -= size > 0 && bytes[size - 1] == '\r';
    }
    return size;
}

static int init_from_file(struct secret *secret, const char *path, struct error *error)
{
    char bytes[ROOM_BYTES];
    int result = 0;
    ssize_t count = file_read_into(path, bytes, sizeof(bytes));
    if (count < 0 && errno != EFBIG) {
        return error_set(error, "the key file %s cannot be read: %s", path, strerror(errno));
    }
    size_t size = count >= 0 ? without_line_end(bytes, (size_t)count) : SIZE_MAX;
    if (size < SECRET_MIN_BYTES) {
        result = error_set(error, "the key file %s is too short: %zu bytes, and a secret takes at least %d", path, size,
                           SECRET_MIN_BYTES);
    } else if (size > SECRET_MAX_BYTES) {
        result = error_set(error, "the key file %s is too long: more than %d bytes", path, SECRET_MAX_BYTES);
    } else {
        _Static_assert(crypto_hash_sha256_BYTES == sizeof(secret->key), "a digest is a key");
        crypto_hash_sha256(secret->key, (const unsigned char *)bytes, size);
    }
    sodium_memzero(bytes, sizeof(bytes));
    return result;
}

int secret_init(struct secret *secret, const char *path, struct error *error)
{
    *secret = (struct secret){.key = {0}};
    if (sodium_init() < 0) {
        return error_set(error, "libsodium finds no source of randomness");
    }
    if (path != NULL) {
        return init_from_file(secret, path, error);
    }
    randombytes_buf(secret->key, sizeof(secret->key));
    return 0;
}

void secret_release(struct secret *secret)
{
    if (secret != NULL) {
        sodium_memzero(secret, sizeof(*secret));
    }
}

void secret_authenticate(const struct secret *secret, const struct slice *parts, size_t count, uint8_t mac[32])
{
    _Static_assert(crypto_auth_hmacsha256_BYTES == 32, "the size of a MAC in bridge/port.h");
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, secret->key, sizeof(secret->key));
    for (size_t i = 0; i < count; i++) {
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)parts[i].data, parts[i].size);
    }
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof(state));
}
