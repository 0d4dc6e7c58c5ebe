#include "bridge/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return -1;
}

int error_wrap(struct error *error, const char *format, ...)
{
    char inner[sizeof(error->text)];
    memcpy(inner, error->text, sizeof(inner));
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof(error->text)) {
        snprintf(error->text + size, sizeof(error->text) - (size_t)size, ": %.*s", (int)(sizeof(inner) - 1) - size,
                 inner);
    }
    return -1;
}
