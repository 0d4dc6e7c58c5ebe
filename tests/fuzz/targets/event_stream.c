/*
 * A stream of events and comments: what is written parses back, by the standard's rules, to the same events, whatever
 * their data is; and what a child says on a line, CR and LF between its tokens included, is one event.
 *
 * Input: bit 0 of the first byte: chunked. Then one event after the other: a byte of wishes, and data up to a NUL.
 */
#include "src/http/event_stream.h"

#include "bridge/jsonrpc/message.h"
#include "tests/fuzz/event_parser.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

enum { WISH_NAME = 1, WISH_ID = 2, WISH_RETRY = 4, WISH_COMMENT = 8, WISH_PARTS = 16, WISH_CR = 32 };

struct sent {
    struct slice name;
    struct slice id; /* the last that was sent */
    char *data;      /* owned */
    size_t size;
};

struct writer {
    struct buffer scratch;
    struct buffer out;
    bool is_chunked;
    struct sent sent[EVENT_PARSER_EVENTS];
    size_t count;
    size_t comments;
    size_t retries;
    struct slice last_id;
};

static void write_pieces(struct writer *writer, const struct http_pieces *pieces)
{
    size_t before = writer->out.size;
    for (size_t i = 0; i < http_pieces_count(pieces); i++) {
        buffer_add(&writer->out, http_pieces_at(pieces, i));
    }
    FUZZ_REQUIRE(writer->out.size - before == http_pieces_size(pieces));
}

/* Each of the line breaks that a browser knows should be tried where one of them stands. */
static void exchange_line_breaks(char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\r' || data[i] == '\n') {
            data[i] = data[i] == '\r' ? '\n' : '\r';
        }
    }
}

/* As the bridge does it: a message is put on one line; anything else could not come here with a line break in it. */
static size_t make_line(char *data, size_t size)
{
    struct message message;
    if (message_scan_whole(&message, slice_of(data, size)) == MESSAGE_FAULT_NONE) {
        if (message.has_line_breaks) {
            message_flatten(data, size);
        }
        return size;
    }
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\r' && data[i] != '\n') {
            data[kept++] = data[i];
        }
    }
    return kept;
}

static void write_event(struct writer *writer, uint8_t wishes, struct slice bytes)
{
    char *data = fuzz_copy(bytes);
    if ((wishes & WISH_CR) != 0) {
        exchange_line_breaks(data, bytes.size);
    }
    size_t size = make_line(data, bytes.size);
    size_t half = (wishes & WISH_PARTS) != 0 ? size / 2 : size;
    const struct slice parts[] = {slice_of(data, half), SLICE_LITERAL(""), slice_of(data + half, size - half)};
    struct event event = {.data = parts, .data_count = 3};
    event.name = (wishes & WISH_NAME) != 0 ? "endpoint" : NULL;
    if ((wishes & WISH_ID) != 0) {
        event.id = slice_text((wishes & WISH_PARTS) != 0 ? "L4294967295-18446744073709551615" : "1-0");
        writer->last_id = event.id;
    }
    if ((wishes & WISH_RETRY) != 0) {
        event.retry_ms = 1000;
        writer->retries++;
    }
    struct http_pieces pieces = http_event_stream_event(&writer->scratch, &event, writer->is_chunked);
    write_pieces(writer, &pieces);
    if (size == 0) {
        free(data);
        return;
    }
    writer->sent[writer->count++] = (struct sent){
        .name = slice_text(event.name != NULL ? event.name : "message"),
        .id = writer->last_id,
        .data = data,
        .size = size,
    };
}

static void write_comment(struct writer *writer)
{
    struct http_pieces pieces = http_event_stream_comment(&writer->scratch, "keep-alive", writer->is_chunked);
    write_pieces(writer, &pieces);
    writer->comments++;
}

static void require_same(const struct writer *writer, struct slice stream)
{
    struct event_parser parser;
    event_parser_read(&parser, stream);
    FUZZ_REQUIRE(parser.is_whole && parser.count == writer->count);
    FUZZ_REQUIRE(parser.comments == writer->comments && parser.retries == writer->retries);
    FUZZ_REQUIRE(parser.retries == 0 || parser.retry_ms == 1000);
    FUZZ_REQUIRE(slice_equals(parser.last_id, writer->last_id));
    for (size_t i = 0; i < writer->count; i++) {
        const struct sent *sent = &writer->sent[i];
        FUZZ_REQUIRE(slice_equals(parser.events[i].data, slice_of(sent->data, sent->size)));
        FUZZ_REQUIRE(slice_equals(parser.events[i].name, sent->name));
        FUZZ_REQUIRE(slice_equals(parser.events[i].last_id, sent->id));
    }
    event_parser_release(&parser);
}

static void finish(struct writer *writer)
{
    struct buffer body;
    struct slice stream = buffer_slice(&writer->out);
    buffer_init(&body, 0);
    if (writer->is_chunked) {
        FUZZ_REQUIRE(event_parser_take_chunks(&stream, &body) && stream.size == 0);
        stream = buffer_slice(&body);
    }
    require_same(writer, stream);
    buffer_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    struct writer writer = {.is_chunked = (fuzz_take_byte(&rest) & 1) != 0};
    buffer_init(&writer.scratch, 0);
    buffer_init(&writer.out, 0);
    while (rest.size > 0 && writer.count < EVENT_PARSER_EVENTS) {
        uint8_t wishes = fuzz_take_byte(&rest);
        const char *nul = rest.size > 0 ? memchr(rest.data, '\0', rest.size) : NULL;
        size_t taken = nul != NULL ? (size_t)(nul - rest.data) : rest.size;
        if ((wishes & WISH_COMMENT) != 0) {
            write_comment(&writer);
        }
        write_event(&writer, wishes, slice_of(rest.data, taken));
        taken += nul != NULL;
        rest = slice_of(rest.data + taken, rest.size - taken);
    }
    struct http_pieces end = http_event_stream_end(writer.is_chunked);
    write_pieces(&writer, &end);
    finish(&writer);
    for (size_t i = 0; i < writer.count; i++) {
        free(writer.sent[i].data);
    }
    buffer_release(&writer.scratch);
    buffer_release(&writer.out);
    return 0;
}
