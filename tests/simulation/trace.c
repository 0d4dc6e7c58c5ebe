#include "tests/simulation/trace.h"

#include <inttypes.h>
#include <stdio.h>

void trace_add(struct trace *trace, uint64_t step, uint64_t now_ms, const char *format, va_list arguments)
{
    char *line = trace->lines[trace->count++ % TRACE_KEPT];
    int used = snprintf(line, TRACE_TEXT, "%5" PRIu64 " %9" PRIu64 " ms  ", step, now_ms);
    vsnprintf(line + used, (size_t)(TRACE_TEXT - used), format, arguments);
    for (char *at = line; *at != '\0'; at++) {
        *at = *at == '\r' || *at == '\n' ? ' ' : *at;
    }
    if (trace->is_shown) {
        printf("%s\n", line);
    }
}

void trace_print(const struct trace *trace)
{
    uint64_t first = trace->count > TRACE_KEPT ? trace->count - TRACE_KEPT : 0;
    for (uint64_t i = first; i < trace->count; i++) {
        fprintf(stderr, "# %s\n", trace->lines[i % TRACE_KEPT]);
    }
}
