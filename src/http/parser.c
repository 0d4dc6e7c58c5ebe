/*
 * The request is complete when llhttp calls on_message_complete; we pause it there, so that the bytes behind stay with
 * the caller. Each request starts with a fresh llhttp, nothing of the one before it can leak into it.
 *
 * A callback that refuses notes the reason and returns -1, which ends llhttp_execute().
 */
#include "src/http/parser.h"

#include "bridge/base/memory.h"
#include "src/http/head_check.h"

#include <assert.h>

/* Without it llhttp 8 takes "\rX" for the end of the head, and "name :" for a name. llhttp 9 has no such switch. */
#if LLHTTP_VERSION_MAJOR < 9 && !LLHTTP_STRICT_MODE
#error "llhttp 8 and this file must be compiled with -DLLHTTP_STRICT_MODE=1"
#endif

enum {
    /* Around a field: ": " and CR LF. So a flood of empty fields is not free. */
    PARSER_FIELD_OVERHEAD_BYTES = 4,
    /* A head as bytes on the wire, white space included. */
    PARSER_RAW_HEAD_BYTES = LIMIT_HTTP_TARGET_BYTES + 2 * LIMIT_HTTP_HEADER_BYTES,
    /* What a Content-Length alone makes us allocate, and a body for which reading it in place pays. */
    PARSER_RESERVED_BODY_BYTES = 64 << 10,
    /* For each byte of a body that has come, so many are allocated, if it is going to be so long. */
    PARSER_BODY_GROWTH = 16,
};

static struct http_parser *parser_of(llhttp_t *llhttp)
{
    return container_of(llhttp, struct http_parser, llhttp);
}

static int refuse(struct http_parser *parser, enum http_refusal refusal)
{
    if (parser->refusal == HTTP_REFUSAL_NONE) {
        parser->refusal = refusal;
    }
    return -1;
}

/* ---- What stood before ---- */

/* The byte `back` bytes before `at`; at most seven bytes of the past are known. */
static char byte_before(const struct http_parser *parser, const char *at, size_t back)
{
    size_t here = (size_t)(at - parser->bytes);
    return back <= here ? parser->bytes[here - back] : parser->past.last[sizeof(parser->past.last) - (back - here)];
}

/* How many line feeds the white space before `at` holds. */
static unsigned line_breaks_before(const struct http_parser *parser, const char *at)
{
    unsigned count = 0;
    while (at > parser->bytes) {
        at--;
        if (*at != '\n' && *at != ' ' && *at != '\t' && *at != '\r') {
            return count;
        }
        count += *at == '\n';
    }
    return count + parser->past.line_breaks;
}

static bool follows_crlf(const struct http_parser *parser, const char *at, size_t back)
{
    return byte_before(parser, at, back + 1) == '\n' && byte_before(parser, at, back + 2) == '\r';
}

/*
 * llhttp 8 takes a LF alone for the end of some lines, and a line of white space for a part of the field before.
 * Who sits in front of us may not (RFC 9112 2.2, 5.2).
 */
static bool starts_line(const struct http_parser *parser, const char *at)
{
    return follows_crlf(parser, at, 0) && line_breaks_before(parser, at) == 1;
}

static bool ended_in_empty_line(const struct http_parser *parser)
{
    const char *end = llhttp_get_error_pos(&parser->llhttp);
    return follows_crlf(parser, end, 0) && follows_crlf(parser, end, 2) && line_breaks_before(parser, end) == 2;
}

static void remember(struct http_parser *parser, size_t size)
{
    const char *end = parser->bytes + size;
    struct http_parser_past past = {.line_breaks = line_breaks_before(parser, end)};
    for (size_t i = 0; i < sizeof(past.last); i++) {
        past.last[i] = byte_before(parser, end, sizeof(past.last) - i);
    }
    parser->past = past;
    parser->raw_head_bytes += size;
}

/* ---- The request line ---- */

static int on_message_begin(llhttp_t *llhttp)
{
    parser_of(llhttp)->stage = HTTP_PARSER_HEAD;
    return 0;
}

static int on_url(llhttp_t *llhttp, const char *at, size_t size)
{
    struct http_parser *parser = parser_of(llhttp);
    struct http_request *request = parser->request;
    if (request->target_size == 0 && size > 0 && byte_before(parser, at, 2) == ' ') {
        return refuse(parser, HTTP_REFUSAL_MALFORMED);
    }
    if (request->target_size + size > LIMIT_HTTP_TARGET_BYTES) {
        return refuse(parser, HTTP_REFUSAL_TARGET_TOO_LONG);
    }
    buffer_add(&request->head, slice_of(at, size));
    request->target_size += size;
    return 0;
}

/*
 * llhttp also speaks "RTSP/1.0" and "ICE/1.0", and does not say which one it saw; and it takes several spaces for one
 * (RFC 9112 3: one).
 */
static int on_version(llhttp_t *llhttp, const char *at, size_t size)
{
    static const char protocol[] = {'H', 'T', 'T', 'P', '/'};
    struct http_parser *parser = parser_of(llhttp);
    (void)size;
    if (parser->has_version) {
        return 0;
    }
    parser->has_version = true;
    for (size_t i = 0; i < sizeof(protocol); i++) {
        if (byte_before(parser, at, sizeof(protocol) - i) != protocol[i]) {
            return refuse(parser, HTTP_REFUSAL_VERSION);
        }
    }
    return byte_before(parser, at, sizeof(protocol) + 2) != ' ' ? 0 : refuse(parser, HTTP_REFUSAL_MALFORMED);
}

/* ---- Header fields ---- */

static bool count_header_bytes(struct http_parser *parser, size_t size)
{
    parser->header_bytes += size;
    return parser->header_bytes <= LIMIT_HTTP_HEADER_BYTES;
}

/* In lower case. llhttp lets nothing but a token through (RFC 9110 5.6.2). */
static void add_name(struct buffer *head, const char *at, size_t size)
{
    char *name = buffer_reserve(head, size);
    for (size_t i = 0; i < size; i++) {
        name[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] - 'A' + 'a') : at[i];
    }
    buffer_grown(head, size);
}

static bool start_field(struct http_parser *parser)
{
    struct http_request *request = parser->request;
    if (++parser->header_count > LIMIT_HTTP_HEADER_COUNT) {
        return false;
    }
    parser->is_in_field = true;
    parser->name_size = 0;
    if (parser->stage == HTTP_PARSER_HEAD) {
        request->fields[request->field_count++] = (struct http_field){.name_at = (uint32_t)request->head.size};
    }
    return count_header_bytes(parser, PARSER_FIELD_OVERHEAD_BYTES);
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t size)
{
    struct http_parser *parser = parser_of(llhttp);
    if (!parser->is_in_field && !starts_line(parser, at)) {
        return refuse(parser, HTTP_REFUSAL_MALFORMED);
    }
    if ((!parser->is_in_field && !start_field(parser)) || !count_header_bytes(parser, size)) {
        return refuse(parser, HTTP_REFUSAL_HEADERS_TOO_LARGE);
    }
    parser->name_size += size;
    /* Trailers are held to the rules, and dropped. */
    if (parser->stage == HTTP_PARSER_HEAD) {
        add_name(&parser->request->head, at, size);
    }
    return 0;
}

static struct http_field *last_field(struct http_parser *parser)
{
    assert(parser->request->field_count > 0);
    return &parser->request->fields[parser->request->field_count - 1];
}

static int on_header_field_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = parser_of(llhttp);
    if (parser->name_size == 0) {
        return refuse(parser, HTTP_REFUSAL_MALFORMED);
    }
    if (parser->stage == HTTP_PARSER_HEAD) {
        struct http_field *field = last_field(parser);
        field->value_at = (uint32_t)parser->request->head.size;
        field->name_size = (uint32_t)parser->name_size;
    }
    return 0;
}

/* A value that goes on behind a line break is folded: obsolete, and read in several ways; refused (RFC 9112 5.2). */
static int on_header_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct http_parser *parser = parser_of(llhttp);
    if (size > 0 && line_breaks_before(parser, at) > 0) {
        return refuse(parser, HTTP_REFUSAL_MALFORMED);
    }
    if (!count_header_bytes(parser, size)) {
        return refuse(parser, HTTP_REFUSAL_HEADERS_TOO_LARGE);
    }
    if (parser->stage == HTTP_PARSER_HEAD) {
        buffer_add(&parser->request->head, slice_of(at, size));
    }
    return 0;
}

static int on_header_value_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = parser_of(llhttp);
    parser->is_in_field = false;
    parser->name_size = 0;
    if (parser->stage != HTTP_PARSER_HEAD) {
        return 0;
    }
    const struct buffer *head = &parser->request->head;
    struct http_field *field = last_field(parser);
    const char *value = buffer_slice(head).data + field->value_at;
    struct slice trimmed = slice_trim(slice_of(value, head->size - field->value_at));
    field->value_at += (uint32_t)(trimmed.data - value);
    field->value_size = (uint32_t)trimmed.size;
    return 0;
}

/* ---- The end of the head ---- */

/* False for CONNECT and for the methods of HTTP/2's preface, ICE and RTSP. */
static bool set_method(struct http_request *request, unsigned method)
{
    static const struct {
        unsigned name;
        enum exchange_method method;
    } known[] = {
        {HTTP_POST, EXCHANGE_POST},     {HTTP_GET, EXCHANGE_GET},         {HTTP_HEAD, EXCHANGE_HEAD},
        {HTTP_DELETE, EXCHANGE_DELETE}, {HTTP_OPTIONS, EXCHANGE_OPTIONS},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].name == method) {
            request->method = known[i].method;
            return true;
        }
    }
    return method != HTTP_CONNECT && (method < HTTP_SOURCE || method > HTTP_FLUSH);
}

static enum http_refusal check_head(struct http_parser *parser)
{
    struct http_request *request = parser->request;
    if (parser->llhttp.http_major != 1 || parser->llhttp.http_minor > 1) {
        return HTTP_REFUSAL_VERSION;
    }
    request->minor_version = parser->llhttp.http_minor;
    if (!set_method(request, parser->llhttp.method)) {
        return HTTP_REFUSAL_METHOD;
    }
    enum http_refusal refusal = http_head_check(request);
    if (refusal == HTTP_REFUSAL_NONE && parser->llhttp.content_length > parser->max_body_bytes) {
        refusal = HTTP_REFUSAL_BODY_TOO_LARGE;
    }
    return refusal;
}

static void reserve_body(struct http_request *request, uint64_t size)
{
    if (size > 0) {
        buffer_reserve(&request->body, size < PARSER_RESERVED_BODY_BYTES ? size : PARSER_RESERVED_BODY_BYTES);
    }
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = parser_of(llhttp);
    enum http_refusal refusal = check_head(parser);
    if (refusal != HTTP_REFUSAL_NONE) {
        return refuse(parser, refusal);
    }
    struct http_request *request = parser->request;
    /* RFC 9112 9.3: "close" is stronger, in HTTP/1.0 too. */
    request->is_persistent = llhttp_should_keep_alive(llhttp) != 0 && (llhttp->flags & F_CONNECTION_CLOSE) == 0;
    reserve_body(request, llhttp->content_length);
    /* An Upgrade is not obeyed, so what follows is still HTTP/1.1 (RFC 9110 7.8). */
    llhttp->upgrade = 0;
    parser->stage = HTTP_PARSER_BODY;
    return HPE_PAUSED; /* execute() looks at how the head ended */
}

/* ---- The body ---- */

static bool fits_body(const struct http_parser *parser, uint64_t size)
{
    return size <= parser->max_body_bytes - parser->request->body.size - parser->request->dropped_bytes;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t size)
{
    struct http_parser *parser = parser_of(llhttp);
    struct buffer *body = &parser->request->body;
    assert(fits_body(parser, size)); /* check_head() and on_chunk_header() have looked at all that may come */
    if (parser->request->drops_body) {
        parser->request->dropped_bytes += size;
    } else if (buffer_has_room_at(body, at, size)) {
        /* They came through http_parser_room(). */
        buffer_grown(body, size);
    } else {
        buffer_add(body, slice_of(at, size));
    }
    return 0;
}

static bool has_known_length(const llhttp_t *llhttp)
{
    return (llhttp->flags & F_CONTENT_LENGTH) != 0 && (llhttp->flags & F_CHUNKED) == 0;
}

char *http_parser_room(struct http_parser *parser, size_t *size)
{
    /* llhttp counts down what is missing. */
    uint64_t missing = parser->llhttp.content_length;
    if (parser->stage != HTTP_PARSER_BODY || parser->request->drops_body || !has_known_length(&parser->llhttp) ||
        missing < PARSER_RESERVED_BODY_BYTES) {
        return NULL;
    }
    struct buffer *body = &parser->request->body;
    uint64_t earned = PARSER_RESERVED_BODY_BYTES + (uint64_t)body->size * PARSER_BODY_GROWTH;
    *size = missing < earned ? missing : earned;
    return buffer_reserve(body, *size);
}

static int on_chunk_header(llhttp_t *llhttp)
{
    struct http_parser *parser = parser_of(llhttp);
    return fits_body(parser, llhttp->content_length) ? 0 : refuse(parser, HTTP_REFUSAL_BODY_TOO_LARGE);
}

static int on_chunk_extension(llhttp_t *llhttp, const char *at, size_t size)
{
    struct http_parser *parser = parser_of(llhttp);
    (void)at;
    return count_header_bytes(parser, size) ? 0 : refuse(parser, HTTP_REFUSAL_HEADERS_TOO_LARGE);
}

static int on_message_complete(llhttp_t *llhttp)
{
    parser_of(llhttp)->stage = HTTP_PARSER_COMPLETE;
    return HPE_PAUSED;
}

/* ---- Feeding ---- */

static const llhttp_settings_t settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_version = on_version,
    .on_header_field = on_header_field,
    .on_header_field_complete = on_header_field_complete,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_chunk_extension_name = on_chunk_extension,
    .on_chunk_extension_value = on_chunk_extension,
    .on_message_complete = on_message_complete,
};

void http_parser_init(struct http_parser *parser, size_t max_body_bytes)
{
    *parser = (struct http_parser){.max_body_bytes = max_body_bytes};
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
}

void http_parser_begin(struct http_parser *parser, struct http_request *request)
{
    llhttp_reset(&parser->llhttp);
    parser->stage = HTTP_PARSER_START;
    parser->refusal = HTTP_REFUSAL_NONE;
    parser->request = request;
    parser->past = (struct http_parser_past){.line_breaks = 0};
    parser->raw_head_bytes = 0;
    parser->header_bytes = 0;
    parser->header_count = 0;
    parser->name_size = 0;
    parser->is_in_field = false;
    parser->has_version = false;
}

/* A version that we speak with something odd behind it is malformed, not too new. */
static enum http_refusal refusal_of(const llhttp_t *llhttp, llhttp_errno_t result)
{
    bool is_ours = llhttp->http_major == 1 && llhttp->http_minor <= 1;
    bool is_version = (result == HPE_INVALID_VERSION && !is_ours) || result == HPE_PAUSED_H2_UPGRADE;
    return is_version ? HTTP_REFUSAL_VERSION : HTTP_REFUSAL_MALFORMED;
}

static llhttp_errno_t execute(struct http_parser *parser, struct slice bytes)
{
    llhttp_t *llhttp = &parser->llhttp;
    llhttp_errno_t result = llhttp_execute(llhttp, bytes.data, bytes.size);
    if (result != HPE_PAUSED || parser->stage != HTTP_PARSER_BODY) {
        return result;
    }
    if (!ended_in_empty_line(parser)) { /* the head */
        return HPE_STRICT;
    }
    const char *body = llhttp_get_error_pos(llhttp);
    llhttp_resume(llhttp);
    return llhttp_execute(llhttp, body, (size_t)(bytes.data + bytes.size - body));
}

static bool is_complete(const struct http_parser *parser)
{
    bool has_trailers = (parser->llhttp.flags & F_CHUNKED) != 0;
    return parser->stage == HTTP_PARSER_COMPLETE && (!has_trailers || ended_in_empty_line(parser));
}

size_t http_parser_feed(struct http_parser *parser, struct slice bytes)
{
    assert(parser->stage != HTTP_PARSER_COMPLETE && parser->stage != HTTP_PARSER_REFUSED);
    parser->bytes = bytes.data;
    llhttp_errno_t result = execute(parser, bytes);
    if (is_complete(parser)) {
        return (size_t)(llhttp_get_error_pos(&parser->llhttp) - bytes.data);
    }
    if (result != HPE_OK) {
        refuse(parser, refusal_of(&parser->llhttp, result));
    } else if (parser->stage == HTTP_PARSER_HEAD || parser->stage == HTTP_PARSER_BODY) {
        remember(parser, bytes.size);
    }
    if (parser->stage == HTTP_PARSER_HEAD && parser->raw_head_bytes > PARSER_RAW_HEAD_BYTES) {
        refuse(parser, HTTP_REFUSAL_HEADERS_TOO_LARGE);
    }
    if (parser->refusal != HTTP_REFUSAL_NONE) {
        parser->stage = HTTP_PARSER_REFUSED;
    }
    return bytes.size;
}
