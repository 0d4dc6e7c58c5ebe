#include "src/log.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* What a server may write in a line, and what stands around it. */
enum { LOG_RECORD_MAX = LIMIT_STDERR_LINE_BYTES + 512 };

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

static struct log_output *output_of(struct log *log)
{
    return container_of(log, struct log_output, log);
}

static bool can_write(void)
{
    struct pollfd wish = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&wish, 1, 0) == 1 && (wish.revents & POLLOUT) != 0;
}

/*
 * Returns how much of it was taken. A pipe that poll() calls writable takes PIPE_BUF bytes without blocking; what is
 * longer goes in several writes.
 */
static size_t write_bytes(const char *bytes, size_t size)
{
    size_t taken = 0;
    while (taken < size && can_write()) {
        size_t rest = size - taken;
        ssize_t written = write(STDERR_FILENO, bytes + taken, rest < PIPE_BUF ? rest : PIPE_BUF);
        if (written <= 0) {
            break;
        }
        taken += (size_t)written;
    }
    return taken;
}

bool log_write_plain(struct slice text)
{
    return write_bytes(text.data, text.size) == text.size;
}

/* When there is room again. If there is not, the loss of this line does not count. */
static void tell_loss(struct log_output *output)
{
    uint64_t count = output->lost_records;
    output->lost_records = 0;
    log_line(&output->log, LOG_LEVEL_ERROR, slice_text("log"),
             "%" PRIu64 " records are missing here, which standard error did not take", count);
    if (output->lost_records > 0) {
        output->lost_records = count;
    }
}

/*
 * One write a record, so that records of several processes do not mix. A log that cannot be written is no reason to
 * stop, and a pipe that nobody reads none to wait: meanwhile nobody would be served. (O_NONBLOCK would belong to all
 * who have the same file open.) A record of which a part was taken is lost, and its line is ended before the next.
 */
static void write_record(struct log *log, const char *record, size_t size)
{
    struct log_output *output = output_of(log);
    if (output->lost_records > 0) {
        tell_loss(output);
    }
    if (output->is_torn) {
        output->is_torn = write_bytes("\n", 1) == 0;
    }
    size_t taken = output->is_torn ? 0 : write_bytes(record, size);
    if (taken < size) {
        output->lost_records++;
        output->is_torn |= taken > 0;
    }
}

static void write_text(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
    char time[40];
    char record[LOG_RECORD_MAX];
    format_time(time);
    int size = snprintf(record, sizeof(record), "%s %-5s %.*s: %.*s\n", time, level_names[level], SLICE_PRINT(scope),
                        SLICE_PRINT(text));
    if ((size_t)size >= sizeof(record)) {
        size = (int)sizeof(record) - 1;
        record[size - 1] = '\n'; /* a name may be as long as its user likes */
    }
    write_record(log, record, (size_t)size);
}

static void add_string(cJSON *record, const char *name, struct slice value)
{
    struct slice copy = memory_copy(value);
    cJSON_AddStringToObject(record, name, copy.data);
    memory_free_slice(&copy);
}

static void write_json(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
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
    write_record(log, line, size + 1);
    cJSON_free(line);
    cJSON_Delete(record);
}

void log_output_init(struct log_output *log, enum log_level level, bool is_json)
{
    *log = (struct log_output){.log = {.level = level, .write = is_json ? write_json : write_text}, .is_json = is_json};
}
