#include "src/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As read(2), again after a signal. */
static ssize_t read_some(int descriptor, char *bytes, size_t room)
{
    ssize_t result;
    do {
        result = read(descriptor, bytes, room);
    } while (result < 0 && errno == EINTR);
    return result;
}

static ssize_t read_all(int descriptor, char *bytes, size_t room)
{
    size_t size = 0;
    while (size < room) {
        ssize_t result = read_some(descriptor, bytes + size, room - size);
        if (result <= 0) {
            return result < 0 ? -1 : (ssize_t)size;
        }
        size += (size_t)result;
    }
    char more;
    ssize_t rest = read_some(descriptor, &more, 1);
    if (rest > 0) {
        errno = EFBIG;
    }
    return rest == 0 ? (ssize_t)size : -1;
}

ssize_t file_read_into(const char *path, char *bytes, size_t room)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return -1;
    }
    ssize_t size = read_all(descriptor, bytes, room);
    int reason = errno;
    close(descriptor);
    errno = reason;
    return size;
}

int file_read(const char *path, struct buffer *out, struct error *error)
{
    assert(out->ceiling > out->size);
    size_t room = out->ceiling - out->size;
    ssize_t size = file_read_into(path, buffer_reserve(out, room), room);
    if (size < 0) {
        return error_set(error, "cannot read %s: %s", path, strerror(errno));
    }
    buffer_grown(out, (size_t)size);
    return 0;
}

bool file_is_exposed(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
}
