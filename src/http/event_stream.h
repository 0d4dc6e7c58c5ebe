/*
 * The bytes of a text/event-stream (WHATWG HTML 9.2), each event a chunk of its own (RFC 9112 7.1). No sockets.
 */
#ifndef SRC_HTTP_EVENT_STREAM_H
#define SRC_HTTP_EVENT_STREAM_H

#include "bridge/base/buffer.h"
#include "bridge/port.h"
#include "src/http/pieces.h"

#include <stdbool.h>

/* The headers that every stream has: its type, and that nobody on the way may keep, change or collect it. */
extern const struct header http_event_stream_headers[3];
enum { HTTP_EVENT_STREAM_HEADER_COUNT = 3 };

/*
 * An event, or a comment, to be sent. What stands around the data is composed in `scratch`, which is emptied first; the
 * pieces borrow from it and from the event.
 */
struct http_pieces http_event_stream_event(struct buffer *scratch, const struct event *event, bool is_chunked);
struct http_pieces http_event_stream_comment(struct buffer *scratch, const char *text, bool is_chunked);

/* What ends the stream; empty when the end of the connection does. */
struct http_pieces http_event_stream_end(bool is_chunked);

#endif
