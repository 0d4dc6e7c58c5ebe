#include "src/child/line_reader.h"

#include "bridge/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What the reader said, as text: "[line]", "(size of a line too long)", "{size of an incomplete line}". */
struct fixture {
    struct line_reader reader;
    struct buffer heard;
};

static struct fixture *fixture_of(struct line_reader *reader)
{
    return container_of(reader, struct fixture, reader);
}

static void on_line(struct line_reader *reader, char *line, size_t size)
{
    buffer_add_format(&fixture_of(reader)->heard, "[%.*s]", (int)size, line);
    memset(line, '#', size);
}

static void on_long_line(struct line_reader *reader, size_t size)
{
    buffer_add_format(&fixture_of(reader)->heard, "(%zu)", size);
}

static void on_incomplete_line(struct line_reader *reader, size_t size)
{
    buffer_add_format(&fixture_of(reader)->heard, "{%zu}", size);
}

static const struct line_reader_events dropping = {on_line, on_long_line, on_incomplete_line};
static const struct line_reader_events cutting = {on_line, NULL, NULL};

/* As a process does: into the room that the reader gives, where it gives any. */
static void feed_into_room(struct line_reader *reader, char *bytes, size_t size)
{
    size_t room_size;
    char *room = line_reader_room(reader, &room_size);
    if (room != NULL) {
        assert_true(room_size >= size);
        memcpy(room, bytes, size);
        bytes = room;
    }
    line_reader_feed(reader, bytes, size);
}

typedef void (*feed_fn)(struct line_reader *reader, char *bytes, size_t size);

/* Feeds `input`, with a cut behind byte i when bit i of `cuts` is set, and says what was heard. The caller frees it. */
static char *hear(const struct line_reader_events *events, const char *input, uint64_t cuts, feed_fn feed)
{
    struct fixture fixture;
    char *bytes = memory_copy_text(input);
    size_t size = strlen(bytes);
    size_t start = 0;
    buffer_init(&fixture.heard, 0);
    line_reader_init(&fixture.reader, 4, events);
    for (size_t i = 0; i < size; i++) {
        if (i + 1 == size || (i < 64 && (cuts >> i & 1) != 0)) {
            feed(&fixture.reader, bytes + start, i + 1 - start);
            start = i + 1;
        }
    }
    line_reader_end(&fixture.reader);
    line_reader_release(&fixture.reader);
    free(bytes);
    buffer_add(&fixture.heard, slice_of("", 1));
    return fixture.heard.data;
}

static void expect(const struct line_reader_events *events, const char *input, const char *expected)
{
    size_t size = strlen(input);
    uint64_t chunkings = size < 14 ? UINT64_C(1) << size : UINT64_C(1) << 14;
    for (uint64_t cuts = 0; cuts < chunkings; cuts++) {
        char *heard = hear(events, input, cuts, line_reader_feed);
        assert_string_equal(heard, expected);
        free(heard);
        heard = hear(events, input, cuts, feed_into_room);
        assert_string_equal(heard, expected);
        free(heard);
    }
}

static void lines_come_whole_however_they_are_chunked(void **state)
{
    (void)state;
    expect(&dropping, "a\nbc\ndefg\n", "[a][bc][defg]");
    expect(&dropping, "a\nb\nc\nd\ne\nf\n", "[a][b][c][d][e][f]");
}

static void one_carriage_return_before_the_line_feed_is_stripped(void **state)
{
    (void)state;
    expect(&dropping, "a\r\nb\r\r\nc\rd\n", "[a][b\r][c\rd]");
}

static void blank_lines_are_skipped(void **state)
{
    (void)state;
    expect(&dropping, "\n\r\n \t\n\r\r\na\n\n", "[a]");
}

static void a_line_of_the_ceiling_passes_and_one_above_is_dropped_whole(void **state)
{
    (void)state;
    expect(&dropping, "1234\n12345\na\n", "[1234](5)[a]");
    expect(&dropping, "1234\r\n12345\r\n", "[1234](6)");
    expect(&dropping, "123456789\nab\n", "(9)[ab]");
    expect(&dropping, "1234\r5\nab\n", "(6)[ab]");
}

static void a_blank_line_above_the_ceiling_is_reported_too(void **state)
{
    (void)state;
    expect(&dropping, "      \nab\n", "(6)[ab]");
}

static void a_last_line_without_line_feed_is_reported_as_incomplete(void **state)
{
    (void)state;
    expect(&dropping, "a\nbc", "[a]{2}");
    expect(&dropping, "a\n1234\r", "[a]{5}");
    expect(&dropping, "a\n12345", "[a](5)");
    expect(&dropping, "a\n1234567", "[a](7)");
    expect(&dropping, "a\n  ", "[a]");
    expect(&dropping, "", "");
}

static void without_listeners_long_lines_are_cut_and_the_last_one_is_handed_out(void **state)
{
    (void)state;
    expect(&cutting, "12345678901\na\n", "[1234][5678][901][a]");
    expect(&cutting, "1234\r\n12345\n", "[1234][1234][5]");
    expect(&cutting, "12345678", "[1234][5678]");
    expect(&cutting, "12345678\r\n", "[1234][5678]");
    expect(&cutting, "123456", "[1234][56]");
}

static void a_reader_takes_another_stream_after_the_end_of_one(void **state)
{
    struct fixture fixture;
    char first[] = "1234567";
    char second[] = "ab\n";
    (void)state;
    buffer_init(&fixture.heard, 0);
    line_reader_init(&fixture.reader, 4, &dropping);
    line_reader_feed(&fixture.reader, first, strlen(first));
    line_reader_end(&fixture.reader);
    line_reader_feed(&fixture.reader, second, strlen(second));
    line_reader_end(&fixture.reader);
    assert_true(slice_is(buffer_slice(&fixture.heard), "(7)[ab]"));
    buffer_release(&fixture.heard);
    line_reader_release(&fixture.reader);
}

static void keep_place(struct line_reader *reader, char *line, size_t size)
{
    (void)size;
    buffer_add(&fixture_of(reader)->heard, slice_of((const char *)&line, sizeof(line)));
}

static void a_line_that_lies_whole_in_the_input_is_not_copied(void **state)
{
    static const struct line_reader_events events = {keep_place, on_long_line, on_incomplete_line};
    struct fixture fixture;
    char input[] = "a\nb\n";
    char *places[2];
    (void)state;
    buffer_init(&fixture.heard, 0);
    line_reader_init(&fixture.reader, 4, &events);
    line_reader_feed(&fixture.reader, input, strlen(input));
    assert_int_equal(fixture.heard.size, sizeof(places));
    memcpy(places, fixture.heard.data, sizeof(places));
    assert_ptr_equal(places[0], input);
    assert_ptr_equal(places[1], input + 2);
    assert_null(fixture.reader.pending.data);
    buffer_release(&fixture.heard);
    line_reader_release(&fixture.reader);
}

/* ---- Long lines, read as a process reads them ---- */

enum { LONG_CEILING = 400 << 10, STREAM_LINES = 60, STATIC_BYTES = 256 << 10 };

struct stream {
    struct line_reader reader;
    struct buffer bytes;
    size_t sizes[STREAM_LINES]; /* of its lines */
    size_t heard;
    size_t in_room; /* reads that needed no copy */
};

static char letter_of(size_t line)
{
    return (char)('a' + line % 26);
}

/* A line begins and ends with a byte of its own. */
static void hear_long_line(struct line_reader *reader, char *line, size_t size)
{
    struct stream *stream = container_of(reader, struct stream, reader);
    assert_true(stream->heard < STREAM_LINES);
    assert_int_equal(size, stream->sizes[stream->heard]);
    assert_int_equal(line[0], letter_of(stream->heard));
    assert_int_equal(line[size - 1], letter_of(stream->heard));
    assert_true(size <= LONG_CEILING);
    stream->heard++;
}

static void hear_dropped_line(struct line_reader *reader, size_t size)
{
    struct stream *stream = container_of(reader, struct stream, reader);
    assert_true(stream->heard < STREAM_LINES);
    assert_int_equal(size, stream->sizes[stream->heard]);
    assert_true(size > LONG_CEILING);
    stream->heard++;
}

static const struct line_reader_events long_lines = {hear_long_line, hear_dropped_line, on_incomplete_line};

static void open_stream(struct stream *stream)
{
    *stream = (struct stream){.heard = 0};
    buffer_init(&stream->bytes, 0);
    line_reader_init(&stream->reader, LONG_CEILING, &long_lines);
}

static void close_stream(struct stream *stream)
{
    line_reader_end(&stream->reader);
    line_reader_release(&stream->reader);
    buffer_release(&stream->bytes);
}

static void add_line(struct stream *stream, size_t number, size_t size)
{
    stream->sizes[number] = size;
    char *line = buffer_reserve(&stream->bytes, size + 1);
    memset(line, '.', size);
    line[0] = line[size - 1] = letter_of(number);
    line[size] = '\n';
    buffer_grown(&stream->bytes, size + 1);
}

/* One read of at most `most` bytes, to where a process would read them. */
static void read_some(struct stream *stream, size_t most)
{
    static char shared[STATIC_BYTES];
    size_t room_size = sizeof(shared);
    char *room = line_reader_room(&stream->reader, &room_size);
    assert_true(room_size > 0);
    size_t size = stream->bytes.size < most ? stream->bytes.size : most;
    size = size < room_size ? size : room_size;
    stream->in_room += room != NULL;
    room = room != NULL ? room : shared;
    memcpy(room, buffer_slice(&stream->bytes).data, size);
    buffer_consume(&stream->bytes, size);
    line_reader_feed(&stream->reader, room, size);
}

static void lines_around_the_ceiling_come_whole_whatever_the_last_was_like(void **state)
{
    (void)state;
    static const size_t sizes[] = {
        5, 100 << 10, 256 << 10, 300 << 10, LONG_CEILING, LONG_CEILING + 1, LONG_CEILING + 2, 470 << 10, 1 << 20};
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct stream stream;
        unsigned random = seed;
        open_stream(&stream);
        for (size_t i = 0; i < STREAM_LINES; i++) {
            random = random * 1103515245 + 12345;
            add_line(&stream, i, sizes[(random >> 16) % (sizeof(sizes) / sizeof(sizes[0]))]);
        }
        while (stream.bytes.size > 0) {
            random = random * 1103515245 + 12345;
            read_some(&stream, seed % 2 == 0 ? SIZE_MAX : (random >> 12) % (512 << 10));
        }
        assert_int_equal(stream.heard, STREAM_LINES);
        assert_int_equal(stream.reader.pending.size, 0);
        close_stream(&stream);
    }
}

static void the_line_after_a_long_one_stays_where_it_is_read_to(void **state)
{
    (void)state;
    struct stream stream;
    open_stream(&stream);
    add_line(&stream, 0, 300 << 10);
    add_line(&stream, 1, 300 << 10);
    read_some(&stream, 200 << 10);
    read_some(&stream, (100 << 10) + 1);
    assert_int_equal(stream.heard, 1);
    assert_int_equal(stream.in_room, 1);
    read_some(&stream, 64 << 10);
    assert_int_equal(stream.in_room, 2);
    const char *place = stream.reader.pending.data;
    while (stream.heard < 2) {
        assert_ptr_equal(stream.reader.pending.data, place);
        read_some(&stream, 64 << 10);
    }
    assert_null(stream.reader.pending.data);
    close_stream(&stream);
}

static void room_that_is_not_needed_is_given_back(void **state)
{
    (void)state;
    struct stream stream;
    open_stream(&stream);
    add_line(&stream, 0, 300 << 10);
    while (stream.heard < 1) {
        read_some(&stream, 200 << 10);
    }
    read_some(&stream, SIZE_MAX); /* of nothing */
    assert_true(stream.in_room > 1);
    assert_null(stream.reader.pending.data);
    close_stream(&stream);
}

static void lines_above_the_ceiling_do_not_make_the_room_grow(void **state)
{
    (void)state;
    struct stream stream;
    open_stream(&stream);
    for (size_t i = 0; i < 40; i++) {
        add_line(&stream, i, LONG_CEILING + (i * 32 << 10));
    }
    while (stream.bytes.size > 0) {
        read_some(&stream, SIZE_MAX);
        assert_true(stream.reader.pending.capacity <= 2 * LONG_CEILING);
    }
    assert_int_equal(stream.heard, 40);
    close_stream(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_however_they_are_chunked),
        cmocka_unit_test(one_carriage_return_before_the_line_feed_is_stripped),
        cmocka_unit_test(blank_lines_are_skipped),
        cmocka_unit_test(a_line_of_the_ceiling_passes_and_one_above_is_dropped_whole),
        cmocka_unit_test(a_blank_line_above_the_ceiling_is_reported_too),
        cmocka_unit_test(a_last_line_without_line_feed_is_reported_as_incomplete),
        cmocka_unit_test(without_listeners_long_lines_are_cut_and_the_last_one_is_handed_out),
        cmocka_unit_test(a_reader_takes_another_stream_after_the_end_of_one),
        cmocka_unit_test(a_line_that_lies_whole_in_the_input_is_not_copied),
        cmocka_unit_test(lines_around_the_ceiling_come_whole_whatever_the_last_was_like),
        cmocka_unit_test(the_line_after_a_long_one_stays_where_it_is_read_to),
        cmocka_unit_test(room_that_is_not_needed_is_given_back),
        cmocka_unit_test(lines_above_the_ceiling_do_not_make_the_room_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
