/*
 * What a run came to: latencies, and the CPU time that other processes used meanwhile.
 */
#ifndef TESTS_BENCH_LOAD_METER_H
#define TESTS_BENCH_LOAD_METER_H

#include <stddef.h>
#include <stdint.h>

enum { METER_MAX_PIDS = 64 };

struct meter {
    uint64_t *latencies_ns;
    size_t count;
    size_t capacity;
    uint64_t start_ns; /* of the window that is measured */
    uint64_t end_ns;
    long pids[METER_MAX_PIDS]; /* whose CPU time is measured */
    size_t pid_count;
    uint64_t cpu_ns;     /* theirs */
    uint64_t own_cpu_ns; /* this process's */
};

uint64_t meter_now_ns(void);

/* A window begins or ends: what was recorded before is forgotten, or the sums are made. */
void meter_start(struct meter *meter);
void meter_stop(struct meter *meter);

void meter_record(struct meter *meter, uint64_t latency_ns);

/* Sorts, and prints the figures as members of a JSON object, without braces. */
void meter_print(struct meter *meter);

void meter_release(struct meter *meter);

#endif
