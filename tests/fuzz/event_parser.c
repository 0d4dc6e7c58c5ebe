#include "tests/fuzz/event_parser.h"

#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* Up to CR LF, LF or CR, each of which ends a line. */
static bool take_line(struct slice *rest, struct slice *line)
{
    size_t size = 0;
    while (size < rest->size && rest->data[size] != '\r' && rest->data[size] != '\n') {
        size++;
    }
    if (size == rest->size) {
        return false;
    }
    *line = slice_of(rest->data, size);
    size += rest->data[size] == '\r' && size + 1 < rest->size && rest->data[size + 1] == '\n' ? 2 : 1;
    *rest = slice_of(rest->data + size, rest->size - size);
    return true;
}

struct block {
    struct slice name;
    struct slice data; /* of one `data` field; a second one is an event that was split */
    size_t data_fields;
};

static void read_field(struct event_parser *parser, struct block *block, struct slice line)
{
    const char *colon = memchr(line.data, ':', line.size);
    struct slice name = slice_of(line.data, colon != NULL ? (size_t)(colon - line.data) : line.size);
    struct slice value = slice_of(line.data + line.size, 0);
    if (colon != NULL) {
        value = slice_of(colon + 1, line.size - name.size - 1);
    }
    if (slice_starts_with(value, " ")) {
        value = slice_of(value.data + 1, value.size - 1);
    }
    if (colon == line.data) {
        parser->comments++;
    } else if (slice_is(name, "event")) {
        block->name = value;
    } else if (slice_is(name, "data")) {
        block->data = value;
        block->data_fields++;
    } else if (slice_is(name, "id")) {
        parser->last_id = value;
    } else if (slice_is(name, "retry")) {
        parser->retries++;
        parser->retry_ms = strtoul(value.data, NULL, 10);
    } else {
        FUZZ_REQUIRE(!"a field that the standard has");
    }
}

static void dispatch(struct event_parser *parser, const struct block *block)
{
    FUZZ_REQUIRE(block->data_fields <= 1);
    if (block->data.size == 0) {
        return; /* no event to a browser */
    }
    FUZZ_REQUIRE(parser->count < EVENT_PARSER_EVENTS);
    parser->events[parser->count++] = (struct parsed_event){
        .name = block->name.size > 0 ? block->name : slice_text("message"),
        .data = block->data,
        .last_id = parser->last_id,
    };
}

void event_parser_read(struct event_parser *parser, struct slice stream)
{
    struct block block = {.data_fields = 0};
    struct slice line;
    *parser = (struct event_parser){.text = fuzz_copy(stream), .is_whole = true};
    struct slice rest = slice_of(parser->text, stream.size);
    while (take_line(&rest, &line)) {
        parser->is_whole = line.size == 0;
        if (parser->is_whole) {
            dispatch(parser, &block);
            block = (struct block){.data_fields = 0};
        } else {
            read_field(parser, &block, line);
        }
    }
    parser->is_whole = parser->is_whole && rest.size == 0;
}

void event_parser_release(struct event_parser *parser)
{
    free(parser->text);
}

static bool take_text(struct slice *rest, const char *text)
{
    if (!slice_starts_with(*rest, text)) {
        return false;
    }
    *rest = slice_of(rest->data + strlen(text), rest->size - strlen(text));
    return true;
}

bool event_parser_take_chunks(struct slice *rest, struct buffer *body)
{
    for (;;) {
        size_t size = 0;
        size_t digits = 0;
        static const char hex[] = "0123456789abcdef";
        for (const char *digit; digits < rest->size && digits < 8 && rest->data[digits] != '\0' &&
                                (digit = strchr(hex, rest->data[digits])) != NULL;
             digits++) {
            size = size * 16 + (size_t)(digit - hex);
        }
        *rest = slice_of(rest->data + digits, rest->size - digits);
        if (digits == 0 || !take_text(rest, "\r\n") || size > rest->size) {
            return false;
        }
        buffer_add(body, slice_of(rest->data, size));
        *rest = slice_of(rest->data + size, rest->size - size);
        if (!take_text(rest, "\r\n")) {
            return false;
        }
        if (size == 0) {
            return true;
        }
    }
}
