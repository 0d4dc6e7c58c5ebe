#include "src/http/event_stream.h"

/* Room at the front of the scratch for the chunk's size, which is known only when the rest is composed. */
enum { CHUNK_LINE_BYTES = sizeof("ffffffffffffffff\r\n") - 1 };

const struct header http_event_stream_headers[HTTP_EVENT_STREAM_HEADER_COUNT] = {
    {"Content-Type", SLICE_LITERAL("text/event-stream")},
    /* no-transform: a proxy that compresses also collects. */
    {"Cache-Control", SLICE_LITERAL("no-cache, no-transform")},
    {"X-Accel-Buffering", SLICE_LITERAL("no")},
};

static void start(struct buffer *scratch)
{
    buffer_clear(scratch, SIZE_MAX);
    buffer_reserve(scratch, CHUNK_LINE_BYTES);
    buffer_grown(scratch, CHUNK_LINE_BYTES);
}

/* The line with a chunk's size (RFC 9112 7.1), up to `end`; returns its length. Not snprintf(): each event has one. */
static size_t write_chunk_line(char *end, size_t size)
{
    char *at = end;
    *--at = '\n';
    *--at = '\r';
    do {
        *--at = "0123456789abcdef"[size % 16];
        size /= 16;
    } while (size > 0);
    return (size_t)(end - at);
}

/* Puts the chunk around the pieces: its size right before the text, its line end behind. */
static void finish(const struct buffer *scratch, struct http_pieces *pieces, bool is_chunked)
{
    size_t line_size = 0;
    struct slice composed = buffer_slice(scratch);
    pieces->before = slice_of(composed.data + CHUNK_LINE_BYTES, composed.size - CHUNK_LINE_BYTES);
    pieces->after = slice_text("\n\n");
    if (is_chunked) {
        char *text = scratch->data + scratch->start + CHUNK_LINE_BYTES;
        line_size = write_chunk_line(text, http_pieces_size(pieces));
        pieces->after = slice_text("\n\n\r\n");
    }
    pieces->before = slice_of(pieces->before.data - line_size, pieces->before.size + line_size);
}

static bool has_data(const struct event *event)
{
    for (size_t i = 0; i < event->data_count; i++) {
        if (event->data[i].size > 0) {
            return true;
        }
    }
    return false;
}

/* Some clients hear only events named "message"; an event without data is none to them, and carries its id alone. */
struct http_pieces http_event_stream_event(struct buffer *scratch, const struct event *event, bool is_chunked)
{
    start(scratch);
    if (has_data(event)) {
        buffer_add_text(scratch, "event: ");
        buffer_add_text(scratch, event->name != NULL ? event->name : "message");
        buffer_add_text(scratch, "\n");
    }
    if (slice_exists(event->id)) {
        buffer_add_text(scratch, "id: ");
        buffer_add(scratch, event->id);
        buffer_add_text(scratch, "\n");
    }
    if (event->retry_ms > 0) {
        buffer_add_format(scratch, "retry: %d\n", event->retry_ms);
    }
    buffer_add_text(scratch, "data: ");
    struct http_pieces pieces = {.parts = event->data, .part_count = event->data_count};
    finish(scratch, &pieces, is_chunked);
    return pieces;
}

struct http_pieces http_event_stream_comment(struct buffer *scratch, const char *text, bool is_chunked)
{
    start(scratch);
    buffer_add_text(scratch, ": ");
    buffer_add_text(scratch, text);
    struct http_pieces pieces = {.part_count = 0};
    finish(scratch, &pieces, is_chunked);
    return pieces;
}

struct http_pieces http_event_stream_end(bool is_chunked)
{
    return (struct http_pieces){.before = slice_text(is_chunked ? "0\r\n\r\n" : "")};
}
