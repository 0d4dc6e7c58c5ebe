/*
 * Lines: what comes out depends on the bytes, never on how they were cut into reads, and is what a reader that has all
 * of them at once would say.
 *
 * Input: the ceiling, the seed of the cuts, whether long and incomplete lines are dropped (bit 0) or handed out in
 * pieces, the bytes.
 */
#include "src/child/line_reader.h"

#include "bridge/base/memory.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

struct record {
    struct line_reader reader;
    struct buffer text; /* what was heard, in words */
};

static void add_line(struct buffer *text, const char *line, size_t size)
{
    buffer_add_format(text, "line %zu ", size);
    buffer_add(text, slice_of(line, size));
}

static void on_line(struct line_reader *reader, char *line, size_t size)
{
    add_line(&container_of(reader, struct record, reader)->text, line, size);
    memset(line, '!', size); /* as is allowed */
}

static void on_long_line(struct line_reader *reader, size_t size)
{
    buffer_add_format(&container_of(reader, struct record, reader)->text, "long %zu ", size);
}

static void on_incomplete_line(struct line_reader *reader, size_t size)
{
    buffer_add_format(&container_of(reader, struct record, reader)->text, "incomplete %zu ", size);
}

/* ---- What is right: one line at a time, with all bytes at hand ---- */

struct expectation {
    size_t max;
    bool drops;
    struct buffer text;
};

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (strchr(" \t\r", line.data[i]) == NULL || line.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static void expect_piece(struct expectation *expectation, struct slice piece)
{
    if (!is_blank(piece)) {
        add_line(&expectation->text, piece.data, piece.size);
    }
}

static void expect_line(struct expectation *expectation, struct slice line, bool is_complete)
{
    bool has_cr = line.size > 0 && line.data[line.size - 1] == '\r';
    struct slice content = slice_of(line.data, line.size - has_cr);
    bool is_long = content.size > expectation->max;
    if (is_long && expectation->drops) {
        buffer_add_format(&expectation->text, "long %zu ", line.size);
        return;
    }
    while (content.size > expectation->max) {
        expect_piece(expectation, slice_of(content.data, expectation->max));
        content = slice_of(content.data + expectation->max, content.size - expectation->max);
        line = slice_of(line.data + expectation->max, line.size - expectation->max);
    }
    if (!is_complete && expectation->drops) {
        if (!is_blank(content)) {
            buffer_add_format(&expectation->text, "incomplete %zu ", line.size);
        }
        return;
    }
    expect_piece(expectation, content);
}

static void expect_lines(struct expectation *expectation, struct slice bytes)
{
    while (bytes.size > 0) {
        const char *feed = memchr(bytes.data, '\n', bytes.size);
        size_t size = feed != NULL ? (size_t)(feed - bytes.data) : bytes.size;
        expect_line(expectation, slice_of(bytes.data, size), feed != NULL);
        size += feed != NULL;
        bytes = slice_of(bytes.data + size, bytes.size - size);
    }
}

static void read_lines(const struct expectation *expectation, struct slice bytes, struct fuzz_dice *dice)
{
    const struct line_reader_events events = {
        .on_line = on_line,
        .on_long_line = expectation->drops ? on_long_line : NULL,
        .on_incomplete_line = expectation->drops ? on_incomplete_line : NULL,
    };
    struct record record;
    buffer_init(&record.text, 0);
    line_reader_init(&record.reader, expectation->max, &events);
    while (bytes.size > 0) {
        struct slice part = bytes;
        if (dice != NULL) {
            part = fuzz_take_part(dice, &bytes);
        } else {
            bytes.size = 0;
        }
        char *read = fuzz_copy(part);
        line_reader_feed(&record.reader, read, part.size);
        free(read);
    }
    line_reader_end(&record.reader);
    FUZZ_REQUIRE(slice_equals(buffer_slice(&record.text), buffer_slice(&expectation->text)));
    line_reader_release(&record.reader);
    buffer_release(&record.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    struct expectation expectation = {.max = (size_t)fuzz_take_byte(&bytes) + 1};
    struct fuzz_dice dice = fuzz_dice_of(fuzz_take_byte(&bytes));
    expectation.drops = (fuzz_take_byte(&bytes) & 1) != 0;
    buffer_init(&expectation.text, 0);
    expect_lines(&expectation, bytes);
    read_lines(&expectation, bytes, NULL);
    read_lines(&expectation, bytes, &dice);
    buffer_release(&expectation.text);
    return 0;
}
