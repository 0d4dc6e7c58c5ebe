#include "src/child/line_reader.h"

#include <assert.h>
#include <string.h>

enum {
    /* What stays allocated between lines: most lines that come in several reads then need no allocation. */
    LINE_READER_KEEP_BYTES = 256 << 10,
    /* The least that is worth a read. */
    LINE_READER_ROOM_BYTES = 64 << 10,
    /* From here on a line is taken for a sign of how long the next will be. */
    LINE_READER_LONG_BYTES = 256 << 10,
    /* What is read of such a line at once: more goes through the processor's cache before it is searched. */
    LINE_READER_READ_BYTES = 256 << 10,
};

void line_reader_init(struct line_reader *reader, size_t max_line_bytes, const struct line_reader_events *events)
{
    assert(max_line_bytes > 0);
    assert((events->on_long_line == NULL) == (events->on_incomplete_line == NULL));
    *reader = (struct line_reader){.events = events, .max_line_bytes = max_line_bytes};
    buffer_init(&reader->pending, 0);
}

void line_reader_release(struct line_reader *reader)
{
    if (reader != NULL) {
        buffer_release(&reader->pending);
    }
}

static bool is_blank(const char *line, size_t size)
{
    size_t i = 0;
    while (i < size && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r')) {
        i++;
    }
    return i == size;
}

static void hand_out(struct line_reader *reader, char *line, size_t size)
{
    if (!is_blank(line, size)) {
        reader->events->on_line(reader, line, size);
    }
}

/* A line to be measured: without the CR that may stand before the LF. */
static size_t content_size(const char *line, size_t size)
{
    return size > 0 && line[size - 1] == '\r' ? size - 1 : size;
}

static void deliver(struct line_reader *reader, char *line, size_t size)
{
    size_t max = reader->max_line_bytes;
    size_t content = content_size(line, size);
    if (content > max && reader->events->on_long_line != NULL) {
        reader->events->on_long_line(reader, size);
        return;
    }
    while (content > max) {
        hand_out(reader, line, max);
        line += max;
        content -= max;
    }
    hand_out(reader, line, content);
}

static char *pending_bytes(const struct line_reader *reader)
{
    return reader->pending.data + reader->pending.start;
}

static bool drops_long_lines(const struct line_reader *reader)
{
    return reader->events->on_long_line != NULL;
}

/*
 * A line is known to be too long when two bytes more than the ceiling are there without an LF: of one byte more,
 * the last may be the CR of the line end.
 */
static bool drop_if_long(struct line_reader *reader, size_t size)
{
    if (!drops_long_lines(reader) || size <= reader->max_line_bytes + 1) {
        return false;
    }
    reader->dropped_bytes = size;
    buffer_clear(&reader->pending, LINE_READER_KEEP_BYTES);
    return true;
}

static void hold(struct line_reader *reader, const char *bytes, size_t size)
{
    size_t max = reader->max_line_bytes;
    if (reader->dropped_bytes > 0) {
        reader->dropped_bytes += size;
        return;
    }
    if (drop_if_long(reader, reader->pending.size + size)) {
        return;
    }
    buffer_add(&reader->pending, slice_of(bytes, size));
    while (reader->pending.size > max + 1) {
        hand_out(reader, pending_bytes(reader), max);
        buffer_consume(&reader->pending, max);
    }
}

static void expect(struct line_reader *reader, size_t size)
{
    reader->expected_bytes = size < reader->max_line_bytes ? size : reader->max_line_bytes;
}

static void finish_held(struct line_reader *reader)
{
    if (reader->dropped_bytes > 0) {
        size_t size = reader->dropped_bytes;
        reader->dropped_bytes = 0;
        reader->events->on_long_line(reader, size);
    } else if (reader->pending.size > 0) {
        expect(reader, reader->pending.size);
        deliver(reader, pending_bytes(reader), reader->pending.size);
        buffer_clear(&reader->pending, LINE_READER_KEEP_BYTES);
    }
}

static void finish_line(struct line_reader *reader, char *bytes, size_t size)
{
    if (reader->pending.size == 0 && reader->dropped_bytes == 0) {
        deliver(reader, bytes, size);
        return;
    }
    hold(reader, bytes, size);
    finish_held(reader);
}

/*
 * A child's lines are often about as long as the last. Room for a whole one at once saves copying it as it grows; and
 * not much more than that, as the beginning of the next line, which is read with it, is moved to the front.
 */
static bool expects_long_line(const struct line_reader *reader)
{
    return reader->expected_bytes >= LINE_READER_LONG_BYTES && reader->expected_bytes > reader->pending.size;
}

char *line_reader_room(struct line_reader *reader, size_t *size)
{
    struct buffer *pending = &reader->pending;
    if (!drops_long_lines(reader) || reader->dropped_bytes > 0) {
        return NULL;
    }
    if (expects_long_line(reader)) {
        size_t missing = reader->expected_bytes - pending->size + LINE_READER_ROOM_BYTES;
        *size = missing < LINE_READER_READ_BYTES ? missing : LINE_READER_READ_BYTES;
        return buffer_reserve(pending, missing);
    }
    if (pending->size == 0) {
        return NULL;
    }
    char *room = buffer_reserve(pending, LINE_READER_ROOM_BYTES);
    *size = pending->capacity - pending->start - pending->size;
    return room;
}

/* The bytes stand where room was given: the lines are handed out from there. */
static void feed_in_place(struct line_reader *reader, char *bytes, size_t size)
{
    struct buffer *pending = &reader->pending;
    char *line_end;
    buffer_grown(pending, size);
    while ((line_end = memchr(bytes, '\n', size)) != NULL) {
        char *line = pending_bytes(reader);
        size_t line_size = (size_t)(line_end - line);
        expect(reader, line_size);
        deliver(reader, line, line_size);
        buffer_consume(pending, line_size + 1);
        bytes = line_end + 1;
        size = pending->size;
    }
    if (pending->size == 0) {
        buffer_clear(pending, LINE_READER_KEEP_BYTES);
    } else {
        (void)drop_if_long(reader, pending->size);
    }
}

void line_reader_feed(struct line_reader *reader, char *bytes, size_t size)
{
    if (buffer_has_room_at(&reader->pending, bytes, size)) {
        feed_in_place(reader, bytes, size);
        return;
    }
    char *end = bytes + size;
    while (bytes < end) {
        char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
        if (line_end == NULL) {
            hold(reader, bytes, (size_t)(end - bytes));
            return;
        }
        finish_line(reader, bytes, (size_t)(line_end - bytes));
        bytes = line_end + 1;
    }
}

static bool holds_incomplete_line(const struct line_reader *reader)
{
    size_t size = reader->pending.size;
    return size > 0 && content_size(pending_bytes(reader), size) <= reader->max_line_bytes;
}

void line_reader_end(struct line_reader *reader)
{
    if (reader->events->on_incomplete_line == NULL || !holds_incomplete_line(reader)) {
        finish_held(reader);
        return;
    }
    if (!is_blank(pending_bytes(reader), reader->pending.size)) {
        reader->events->on_incomplete_line(reader, reader->pending.size);
    }
    buffer_clear(&reader->pending, LINE_READER_KEEP_BYTES);
}
