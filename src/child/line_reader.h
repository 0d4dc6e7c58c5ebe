/*
 * Cuts a stream of bytes into lines. What comes out depends on the bytes alone, never on how they were chunked.
 */
#ifndef SRC_CHILD_LINE_READER_H
#define SRC_CHILD_LINE_READER_H

#include "bridge/base/buffer.h"

#include <stddef.h>

struct line_reader;

/*
 * Lines come without their LF or CR LF and are never blank (empty, or nothing but spaces and tabs). Their bytes may
 * be changed, and are valid during the call only. Of the last two functions both are given or none.
 */
struct line_reader_events {
    void (*on_line)(struct line_reader *reader, char *line, size_t size);
    /* A line above the ceiling was dropped whole; `size` is what stood before its LF. NULL: it is cut into several. */
    void (*on_long_line)(struct line_reader *reader, size_t size);
    /* The stream ended within a line, which was dropped. NULL: it is handed out as any other. */
    void (*on_incomplete_line)(struct line_reader *reader, size_t size);
};

struct line_reader {
    const struct line_reader_events *events; /* borrowed */
    size_t max_line_bytes;                   /* without the line end */
    struct buffer pending;                   /* the beginning of a line; holds no LF, so it is never searched again */
    size_t dropped_bytes;                    /* of the line that is being dropped; 0 while none is */
    size_t expected_bytes;                   /* of the next line: as the last that was held */
};

void line_reader_init(struct line_reader *reader, size_t max_line_bytes, const struct line_reader_events *events);
void line_reader_release(struct line_reader *reader);

/* Takes the next bytes of the stream. A line that lies whole in them is handed out where it stands, without a copy. */
void line_reader_feed(struct line_reader *reader, char *bytes, size_t size);

/*
 * Where the next bytes of the stream may be read to, so that feeding them costs no copy: behind the beginning of a line
 * that is held, or where a long one is expected. NULL when there is neither; else *size is the room. It is not empty,
 * and it is given back by feeding what was read, even if that is nothing.
 */
char *line_reader_room(struct line_reader *reader, size_t *size);

/* The stream has ended. The reader may be fed another one afterwards. */
void line_reader_end(struct line_reader *reader);

#endif
