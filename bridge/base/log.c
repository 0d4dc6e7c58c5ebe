#include "bridge/base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { LOG_LINE_MAX = 1024 };

void log_line(struct log *log, enum log_level level, struct slice scope, const char *format, ...)
{
    if (level < log->level) {
        return;
    }
    char text[LOG_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert(size >= 0);
    size_t used = (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1;
    for (size_t i = 0; i < used; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            text[i] = ' ';
        }
    }
    log->write(log, level, scope, slice_of(text, used));
}
