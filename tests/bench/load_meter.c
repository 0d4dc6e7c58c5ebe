#include "tests/bench/load_meter.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t meter_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* The first number of a thread's schedstat: nanoseconds on a processor. */
static uint64_t thread_cpu_ns(long pid, const char *thread)
{
    char path[320];
    char text[128];
    snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", pid, thread);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    uint64_t cpu_ns = fgets(text, sizeof(text), file) != NULL ? strtoull(text, NULL, 10) : 0;
    fclose(file);
    return cpu_ns;
}

static uint64_t process_cpu_ns(long pid)
{
    char path[64];
    uint64_t cpu_ns = 0;
    snprintf(path, sizeof(path), "/proc/%ld/task", pid);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            cpu_ns += thread_cpu_ns(pid, entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return cpu_ns;
}

static uint64_t watched_cpu_ns(const struct meter *meter)
{
    uint64_t cpu_ns = 0;
    for (size_t i = 0; i < meter->pid_count; i++) {
        cpu_ns += process_cpu_ns(meter->pids[i]);
    }
    return cpu_ns;
}

void meter_start(struct meter *meter)
{
    meter->count = 0;
    meter->cpu_ns = watched_cpu_ns(meter);
    meter->own_cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    meter->start_ns = meter_now_ns();
}

void meter_stop(struct meter *meter)
{
    meter->end_ns = meter_now_ns();
    meter->own_cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID) - meter->own_cpu_ns;
    meter->cpu_ns = watched_cpu_ns(meter) - meter->cpu_ns;
}

void meter_record(struct meter *meter, uint64_t latency_ns)
{
    if (meter->count == meter->capacity) {
        meter->capacity = meter->capacity > 0 ? 2 * meter->capacity : 1 << 16;
        meter->latencies_ns = realloc(meter->latencies_ns, meter->capacity * sizeof(uint64_t));
        if (meter->latencies_ns == NULL) {
            abort();
        }
    }
    meter->latencies_ns[meter->count++] = latency_ns;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(const struct meter *meter, double part)
{
    size_t place = (size_t)((double)meter->count * part);
    place = place < meter->count ? place : meter->count - 1;
    return meter->count > 0 ? (double)meter->latencies_ns[place] / 1000 : 0;
}

void meter_print(struct meter *meter)
{
    double seconds = (double)(meter->end_ns - meter->start_ns) / 1e9;
    double count = meter->count > 0 ? (double)meter->count : 1;
    if (meter->count > 0) {
        qsort(meter->latencies_ns, meter->count, sizeof(uint64_t), compare);
    }
    printf("\"count\": %zu, \"seconds\": %.4f, \"per_second\": %.2f, ", meter->count, seconds,
           (double)meter->count / seconds);
    printf("\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, ", percentile_us(meter, 0.5),
           percentile_us(meter, 0.9), percentile_us(meter, 0.99), percentile_us(meter, 1));
    printf("\"cpu_us\": %.2f, \"client_cpu_us\": %.2f", (double)meter->cpu_ns / 1000 / count,
           (double)meter->own_cpu_ns / 1000 / count);
}

void meter_release(struct meter *meter)
{
    free(meter->latencies_ns);
    meter->latencies_ns = NULL;
}
