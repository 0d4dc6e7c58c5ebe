#include "src/log.h"

#include "bridge/base/memory.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LOG_RECORD_MAX = 8192 };

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

/* RFC 3339, UTC, with milliseconds. */
static void format_time(char text[40])
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t size = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + size, 40 - size, ".%03ldZ", now.tv_nsec / 1000000);
}

/*
 * One write a record, so that records of several processes do not mix. A log that cannot be written is no reason to
 * stop.
 */
static void write_record(const char *record, size_t size)
{
    ssize_t written = write(STDERR_FILENO, record, size);
    (void)written;
}

static void write_text(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
    (void)log;
    char time[40];
    char record[LOG_RECORD_MAX];
    format_time(time);
    int size = snprintf(record, sizeof(record), "%s %-5s %.*s: %.*s\n", time, level_names[level], SLICE_PRINT(scope),
                        SLICE_PRINT(text));
    write_record(record, (size_t)size < sizeof(record) ? (size_t)size : sizeof(record) - 1);
}

static void add_string(cJSON *record, const char *name, struct slice value)
{
    struct slice copy = memory_copy(value);
    cJSON_AddStringToObject(record, name, copy.data);
    memory_free_slice(&copy);
}

static void write_json(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
    (void)log;
    char time[40];
    format_time(time);
    cJSON *record = cJSON_CreateObject();
    cJSON_AddStringToObject(record, "time", time);
    cJSON_AddStringToObject(record, "level", level_names[level]);
    add_string(record, "scope", scope);
    add_string(record, "message", text);
    char *line = cJSON_PrintUnformatted(record);
    size_t size = strlen(line);
    line[size] = '\n'; /* where its NUL stood: one write for both */
    write_record(line, size + 1);
    cJSON_free(line);
    cJSON_Delete(record);
}

void log_output_init(struct log_output *log, enum log_level level, bool is_json)
{
    log->is_json = is_json;
    log->log.level = level;
    log->log.write = is_json ? write_json : write_text;
}
