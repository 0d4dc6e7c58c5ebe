/*
 * Reads a text/event-stream as a browser does (WHATWG HTML 9.2.6), and the chunks around it (RFC 9112 7.1), strictly.
 */
#ifndef TESTS_FUZZ_EVENT_PARSER_H
#define TESTS_FUZZ_EVENT_PARSER_H

#include "bridge/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum { EVENT_PARSER_EVENTS = 64 };

struct parsed_event {
    struct slice name; /* "message" when it has none */
    struct slice data;
    struct slice last_id; /* the stream's last id when the event was dispatched; empty for none */
};

/* The slices point into `text`, which is owned. */
struct event_parser {
    char *text;
    struct parsed_event events[EVENT_PARSER_EVENTS];
    size_t count;
    size_t comments;
    size_t retries;
    size_t retry_ms;
    struct slice last_id;
    bool is_whole; /* the stream ends behind an empty line */
};

void event_parser_read(struct event_parser *parser, struct slice stream);
void event_parser_release(struct event_parser *parser);

/* Takes a chunked body off the front of *rest and appends what is in it. False when it is not well-formed and whole. */
bool event_parser_take_chunks(struct slice *rest, struct buffer *body);

#endif
