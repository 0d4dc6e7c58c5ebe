#include "src/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int read_all(FILE *file, struct buffer *out)
{
    char bytes[4096];
    size_t size;
    while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        if (!buffer_append(out, slice_of(bytes, size))) {
            return EFBIG;
        }
    }
    return ferror(file) != 0 ? errno : 0;
}

int file_read(const char *path, struct buffer *out, struct error *error)
{
    FILE *file = fopen(path, "re");
    int reason = file != NULL ? read_all(file, out) : errno;
    if (file != NULL) {
        fclose(file);
    }
    return reason == 0 ? 0 : error_set(error, "cannot read %s: %s", path, strerror(reason));
}

bool file_is_exposed(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
}
