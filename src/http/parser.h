/*
 * Bytes in, one request out: llhttp, held to our limits, and stricter where llhttp lets pass what has been used to
 * smuggle requests. No sockets: the tests and the fuzzer feed it from memory.
 */
#ifndef SRC_HTTP_PARSER_H
#define SRC_HTTP_PARSER_H

#include "src/http/refusal.h"
#include "src/http/request.h"

#include <llhttp.h>

enum http_parser_stage {
    HTTP_PARSER_START,    /* no byte of the request has come, apart from empty lines */
    HTTP_PARSER_HEAD,     /* in the request line or the header fields */
    HTTP_PARSER_BODY,     /* the head is acceptable, the body is incomplete */
    HTTP_PARSER_COMPLETE, /* the request is whole; nothing more is parsed before http_parser_begin() */
    HTTP_PARSER_REFUSED,  /* for the reason in `refusal`; nothing more can be parsed */
};

/* The bytes before those that are being parsed: what they ended with matters to some rules. */
struct http_parser_past {
    char last[7];         /* the last seven bytes, older first */
    unsigned line_breaks; /* line feeds in the white space at their end */
};

struct http_parser {
    llhttp_t llhttp;
    enum http_parser_stage stage;
    enum http_refusal refusal;
    struct http_request *request; /* borrowed */
    size_t max_body_bytes;
    const char *bytes; /* what is being parsed, during http_parser_feed() */
    struct http_parser_past past;
    size_t raw_head_bytes; /* bytes of the head in whole feeds, white space included */
    size_t header_bytes;   /* names, values and separators, trailers and chunk extensions included */
    size_t header_count;   /* trailers included */
    size_t name_size;      /* of the field at hand, as far as it has come */
    bool is_in_field;      /* between the first byte of a field's name and the end of its value */
    bool has_version;
};

void http_parser_init(struct http_parser *parser, size_t max_body_bytes);

/* Makes it ready for the next request, which goes into `request` (cleared, borrowed until the next begin). */
void http_parser_begin(struct http_parser *parser, struct http_request *request);

/* Parses up to the end of the request, and returns how many bytes it took. It copies what it keeps. */
size_t http_parser_feed(struct http_parser *parser, struct slice bytes);

/*
 * Where the next bytes may be read to, so that feeding them costs no copy: they can only be the body's. Returns NULL
 * when that is not certain, or not worth while; else *size is the room, which is not empty.
 */
char *http_parser_room(struct http_parser *parser, size_t *size);

#endif
