/*
 * What happened last in a simulation, one line an event.
 */
#ifndef TESTS_SIMULATION_TRACE_H
#define TESTS_SIMULATION_TRACE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum { TRACE_KEPT = 48, TRACE_TEXT = 480 };

struct trace {
    uint64_t count;
    bool is_shown; /* each line is printed at once */
    char lines[TRACE_KEPT][TRACE_TEXT];
};

void trace_add(struct trace *trace, uint64_t step, uint64_t now_ms, const char *format, va_list arguments)
    __attribute__((format(printf, 4, 0)));

/* Prints what is kept to standard error. */
void trace_print(const struct trace *trace);

#endif
