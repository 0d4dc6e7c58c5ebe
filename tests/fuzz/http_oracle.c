#include "tests/fuzz/http_oracle.h"

#include "tests/fuzz/fuzz.h"

static bool is_token_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_byte(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

/* VCHAR, obs-text, SP and HTAB (RFC 9110 5.5). */
static bool is_field_text(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static void skip(struct slice *rest, size_t size)
{
    *rest = slice_of(rest->data + size, rest->size - size);
}

/* Up to CR LF, which are taken too. A CR or a LF by itself ends no line, and may not stand in one. */
static bool take_line(struct slice *rest, struct slice *line)
{
    for (size_t i = 0; i + 1 < rest->size; i++) {
        if (rest->data[i] == '\n') {
            return false;
        }
        if (rest->data[i] == '\r') {
            *line = slice_of(rest->data, i);
            bool is_end = rest->data[i + 1] == '\n';
            skip(rest, i + 2);
            return is_end;
        }
    }
    return false;
}

static bool read_request_line(struct http_oracle *oracle, struct slice line)
{
    if (!slice_split(&line, ' ', &oracle->method) || !is_token(oracle->method)) {
        return false;
    }
    if (!slice_split(&line, ' ', &oracle->target) || oracle->target.size == 0) {
        return false;
    }
    for (size_t i = 0; i < oracle->target.size; i++) {
        if (oracle->target.data[i] <= ' ' || oracle->target.data[i] == 0x7f) {
            return false;
        }
    }
    oracle->minor_version = slice_is(line, "HTTP/1.1") ? 1 : 0;
    return slice_is(line, "HTTP/1.1") || slice_is(line, "HTTP/1.0");
}

/* field-line = field-name ":" OWS field-value OWS: nothing between name and colon, nothing before the name. */
static bool read_field(struct slice line, struct slice *name, struct slice *value)
{
    const char *colon = memchr(line.data, ':', line.size);
    if (colon == NULL) {
        return false;
    }
    *name = slice_of(line.data, (size_t)(colon - line.data));
    *value = slice_trim(slice_of(colon + 1, line.size - name->size - 1));
    return is_token(*name) && is_field_text(*value);
}

static bool read_head(struct http_oracle *oracle, struct slice *rest)
{
    struct slice line;
    /* RFC 9112 2.2: empty lines before a request are ignored. */
    while (rest->size > 0 && (rest->data[0] == '\r' || rest->data[0] == '\n')) {
        skip(rest, 1);
    }
    if (!take_line(rest, &line) || !read_request_line(oracle, line)) {
        return false;
    }
    while (take_line(rest, &line)) {
        if (line.size == 0) {
            return true;
        }
        if (oracle->field_count == HTTP_ORACLE_FIELDS ||
            !read_field(line, &oracle->fields[oracle->field_count].name, &oracle->fields[oracle->field_count].value)) {
            return false;
        }
        oracle->field_count++;
    }
    return false;
}

static bool read_number(struct slice text, unsigned base, size_t *number)
{
    static const char digits[] = "0123456789abcdef";
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i] >= 'A' && text.data[i] <= 'F' ? (char)(text.data[i] | 0x20) : text.data[i];
        const char *digit = c != '\0' ? memchr(digits, c, base) : NULL;
        if (digit == NULL || *number > SIZE_MAX / 32) {
            return false;
        }
        *number = *number * base + (size_t)(digit - digits);
    }
    return text.size > 0;
}

static bool read_bytes(struct http_oracle *oracle, struct slice *rest, size_t size)
{
    if (rest->size < size) {
        return false;
    }
    buffer_add(&oracle->body, slice_of(rest->data, size));
    skip(rest, size);
    return true;
}

/* RFC 9112 7.1. Of an extension no more is asked than that it begins as one and is text. */
static bool read_chunk_size(struct slice line, size_t *size)
{
    size_t digits = 0;
    while (digits < line.size && line.data[digits] != ';' && line.data[digits] != ' ' && line.data[digits] != '\t') {
        digits++;
    }
    struct slice extension = slice_of(line.data + digits, line.size - digits);
    struct slice trimmed = slice_trim(extension);
    return read_number(slice_of(line.data, digits), 16, size) && is_field_text(extension) &&
           (extension.size == 0 || slice_starts_with(trimmed, ";"));
}

static bool read_chunks(struct http_oracle *oracle, struct slice *rest)
{
    struct slice line;
    struct slice name;
    struct slice value;
    size_t size;
    do {
        if (!take_line(rest, &line) || !read_chunk_size(line, &size) || !read_bytes(oracle, rest, size)) {
            return false;
        }
        if (size > 0 && (!take_line(rest, &line) || line.size > 0)) {
            return false;
        }
    } while (size > 0);
    while (take_line(rest, &line)) {
        if (line.size == 0) {
            return true;
        }
        if (!read_field(line, &name, &value)) {
            return false;
        }
    }
    return false;
}

size_t http_oracle_field(const struct http_oracle *oracle, const char *name, struct slice *value)
{
    size_t count = 0;
    for (size_t i = 0; i < oracle->field_count; i++) {
        if (slice_equals_ignoring_case(oracle->fields[i].name, slice_text(name)) && count++ == 0 && value != NULL) {
            *value = oracle->fields[i].value;
        }
    }
    return count;
}

/* RFC 9112 6.3, without what a server is allowed to repair. */
static bool read_body(struct http_oracle *oracle, struct slice *rest)
{
    struct slice value;
    size_t lengths = http_oracle_field(oracle, "content-length", &value);
    size_t codings = http_oracle_field(oracle, "transfer-encoding", lengths == 0 ? &value : NULL);
    if (codings > 0) {
        oracle->is_chunked = lengths == 0 && codings == 1 && oracle->minor_version == 1 &&
                             slice_equals_ignoring_case(value, slice_text("chunked"));
        return oracle->is_chunked && read_chunks(oracle, rest);
    }
    size_t size = 0;
    if (lengths > 1 || (lengths == 1 && !read_number(value, 10, &size))) {
        return false;
    }
    return read_bytes(oracle, rest, size);
}

static bool is_in_connection(const struct http_oracle *oracle, const char *option)
{
    for (size_t i = 0; i < oracle->field_count; i++) {
        struct slice list = oracle->fields[i].value;
        struct slice element;
        bool is_connection = slice_equals_ignoring_case(oracle->fields[i].name, slice_text("connection"));
        while (is_connection && slice_split(&list, ',', &element)) {
            if (slice_equals_ignoring_case(slice_trim(element), slice_text(option))) {
                return true;
            }
        }
    }
    return false;
}

bool http_oracle_read(struct http_oracle *oracle, struct slice bytes)
{
    struct slice rest = bytes;
    oracle->field_count = 0;
    oracle->is_chunked = false;
    buffer_init(&oracle->body, 0);
    if (!read_head(oracle, &rest) || !read_body(oracle, &rest)) {
        return false;
    }
    bool closes = is_in_connection(oracle, "close");
    oracle->is_persistent = !closes && (oracle->minor_version == 1 || is_in_connection(oracle, "keep-alive"));
    oracle->size = bytes.size - rest.size;
    return true;
}

void http_oracle_release(struct http_oracle *oracle)
{
    buffer_release(&oracle->body);
}
