#include "src/child/stderr_log.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"

#include <string.h>

static void on_stderr_line(struct line_reader *reader, char *line, size_t size);

static const struct line_reader_events reader_events = {
    .on_line = on_stderr_line,
};

void stderr_log_init(struct stderr_log *stderr_log, struct log *log, struct timers *timers, struct slice name)
{
    *stderr_log = (struct stderr_log){.last_size = 0};
    log_limit_init(&stderr_log->limit, log, timers, name, "of stderr");
    stderr_log->limit.max_lines = STDERR_LOG_WINDOW_LINES;
    line_reader_init(&stderr_log->reader, LIMIT_STDERR_LINE_BYTES, &reader_events);
}

void stderr_log_release(struct stderr_log *stderr_log)
{
    if (stderr_log != NULL && stderr_log->limit.timers != NULL) {
        log_limit_release(&stderr_log->limit);
        line_reader_release(&stderr_log->reader);
    }
}

void stderr_log_feed(struct stderr_log *stderr_log, char *bytes, size_t size)
{
    line_reader_feed(&stderr_log->reader, bytes, size);
}

void stderr_log_end(struct stderr_log *stderr_log)
{
    line_reader_end(&stderr_log->reader);
}

struct slice stderr_log_last(const struct stderr_log *stderr_log)
{
    return slice_of(stderr_log->last, stderr_log->last_size);
}

void stderr_log_forget(struct stderr_log *stderr_log)
{
    stderr_log->last_size = 0;
}

/* The length that the first byte of a UTF-8 character promises (RFC 3629 3); 0 when none begins so. */
static size_t promised_size(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if ((first & 0xf0) == 0xe0) {
        return 3;
    }
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Second bytes that a first byte forbids: overlong forms, surrogates, what lies above U+10FFFF (RFC 3629 4). */
static bool is_second_allowed(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

/* The length of the character at the front; 0 when it is none. */
static size_t character_size(const unsigned char *text, size_t size)
{
    size_t promised = promised_size(text[0]);
    if (promised > size || (promised > 1 && !is_second_allowed(text[0], text[1]))) {
        return 0;
    }
    for (size_t i = 1; i < promised; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return promised;
}

/* C0 and C1 controls and DEL: they move cursors, set titles and forge lines. */
static bool is_control(const unsigned char *character)
{
    return character[0] < ' ' || character[0] == 0x7f || (character[0] == 0xc2 && character[1] < 0xa0);
}

/* In place: a control becomes spaces, a byte that is not UTF-8 a question mark. */
static void make_harmless(char *line, size_t size)
{
    unsigned char *text = (unsigned char *)line;
    for (size_t i = 0; i < size;) {
        size_t length = character_size(text + i, size - i);
        if (length == 0) {
            text[i++] = '?';
            continue;
        }
        if (is_control(text + i)) {
            memset(text + i, ' ', length);
        }
        i += length;
    }
}

static void on_stderr_line(struct line_reader *reader, char *line, size_t size)
{
    struct stderr_log *stderr_log = container_of(reader, struct stderr_log, reader);
    make_harmless(line, size);
    stderr_log->last_size = size < STDERR_LOG_LAST_BYTES ? size : STDERR_LOG_LAST_BYTES;
    memcpy(stderr_log->last, line, stderr_log->last_size);
    struct log *log = stderr_log->limit.log;
    if (log_limit_take(&stderr_log->limit) && log->level <= LOG_LEVEL_INFO) {
        /* Past log_line(), which would cut it shorter. */
        log->write(log, LOG_LEVEL_INFO, stderr_log->limit.scope, slice_of(line, size));
    }
}
