#include "src/http/head_check.h"

/* What may stand in a Host beside letters and digits: of a name, an IP literal, a port (RFC 3986 3.2.2). */
static const bool host_marks[256] = {
    ['-'] = true, ['.'] = true, ['_'] = true,  ['~'] = true, ['%'] = true, ['!'] = true,
    ['$'] = true, ['&'] = true, ['\''] = true, ['('] = true, [')'] = true, ['*'] = true,
    ['+'] = true, [';'] = true, ['='] = true,  [':'] = true, ['['] = true, [']'] = true,
};

static bool is_host_byte(char byte)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    bool is_digit = byte >= '0' && byte <= '9';
    return is_letter || is_digit || host_marks[(unsigned char)byte];
}

static bool is_host(struct slice host)
{
    for (size_t i = 0; i < host.size; i++) {
        if (!is_host_byte(host.data[i])) {
            return false;
        }
    }
    return host.size > 0;
}

/*
 * RFC 9112 3.2: exactly one Host in HTTP/1.1. HTTP/1.0 may have none. An empty one names nothing that http can
 * reach (RFC 9110 4.2.1).
 */
static enum http_refusal check_host(const struct http_request *request, struct slice *host)
{
    size_t count = http_request_field(request, "host", host);
    if (count == 0 && request->minor_version == 0) {
        return HTTP_REFUSAL_NONE;
    }
    return count == 1 && is_host(*host) ? HTTP_REFUSAL_NONE : HTTP_REFUSAL_HOST;
}

static bool is_target_text(struct slice target)
{
    for (size_t i = 0; i < target.size; i++) {
        if (target.data[i] <= ' ' || target.data[i] > '~' || target.data[i] == '#') {
            return false;
        }
    }
    return true;
}

/* Takes "http://" or "https://" off the front. */
static bool take_scheme(struct slice *target)
{
    static const struct slice schemes[] = {SLICE_LITERAL("http://"), SLICE_LITERAL("https://")};
    for (size_t i = 0; i < 2; i++) {
        size_t size = schemes[i].size;
        if (target->size > size && slice_equals_ignoring_case(slice_of(target->data, size), schemes[i])) {
            *target = slice_of(target->data + size, target->size - size);
            return true;
        }
    }
    return false;
}

static struct slice take_authority(struct slice *target)
{
    size_t size = 0;
    while (size < target->size && target->data[size] != '/' && target->data[size] != '?') {
        size++;
    }
    struct slice authority = slice_of(target->data, size);
    *target = slice_of(target->data + size, target->size - size);
    return authority;
}

static void set_path(struct http_request *request, struct slice target)
{
    const char *mark = target.size > 0 ? memchr(target.data, '?', target.size) : NULL;
    size_t path_size = mark != NULL ? (size_t)(mark - target.data) : target.size;
    request->path = path_size > 0 ? slice_of(target.data, path_size) : slice_text("/");
    if (mark != NULL) {
        request->query = slice_of(mark + 1, target.size - path_size - 1);
    }
}

/*
 * RFC 9112 3.2. The absolute form is taken, as a server must, but its authority has to equal Host: whoever checks Host
 * must not be led past it.
 */
static enum http_refusal check_target(struct http_request *request, struct slice host)
{
    struct slice target = http_request_target(request);
    if (target.size == 0 || !is_target_text(target)) {
        return HTTP_REFUSAL_TARGET;
    }
    if (slice_is(target, "*")) {
        request->path = target;
        return request->method == EXCHANGE_OPTIONS ? HTTP_REFUSAL_NONE : HTTP_REFUSAL_TARGET;
    }
    if (target.data[0] != '/') {
        if (!take_scheme(&target)) {
            return HTTP_REFUSAL_TARGET;
        }
        struct slice authority = take_authority(&target);
        if (!slice_exists(host) || !slice_equals_ignoring_case(authority, host)) {
            return HTTP_REFUSAL_HOST;
        }
    }
    set_path(request, target);
    return HTTP_REFUSAL_NONE;
}

/*
 * RFC 9112 6.1, 6.3, more strictly: one Transfer-Encoding, it is exactly "chunked", not in HTTP/1.0 and not beside a
 * Content-Length. Every other form has been a way to smuggle a request past somebody.
 */
static enum http_refusal check_framing(const struct http_request *request)
{
    struct slice coding;
    size_t count = http_request_field(request, "transfer-encoding", &coding);
    if (count == 0) {
        return HTTP_REFUSAL_NONE;
    }
    bool has_length = http_request_field(request, "content-length", NULL) > 0;
    if (count > 1 || has_length || coding.size == 0 || request->minor_version == 0) {
        return HTTP_REFUSAL_FRAMING;
    }
    return slice_equals_ignoring_case(coding, slice_text("chunked")) ? HTTP_REFUSAL_NONE : HTTP_REFUSAL_CODING;
}

/* RFC 9110 10.1.1. HTTP/1.0 has no Expect, and its 100 would be read as the answer. */
static enum http_refusal check_expect(struct http_request *request)
{
    struct slice expectation;
    size_t count = http_request_field(request, "expect", &expectation);
    if (count == 0 || request->minor_version == 0) {
        return HTTP_REFUSAL_NONE;
    }
    request->expects_continue = true;
    bool is_known = count == 1 && slice_equals_ignoring_case(expectation, slice_text("100-continue"));
    return is_known ? HTTP_REFUSAL_NONE : HTTP_REFUSAL_EXPECTATION;
}

enum http_refusal http_head_check(struct http_request *request)
{
    http_request_combine(request, "accept");
    struct slice host = slice_of(NULL, 0);
    enum http_refusal refusal = check_host(request, &host);
    if (refusal == HTTP_REFUSAL_NONE) {
        refusal = check_target(request, host);
    }
    if (refusal == HTTP_REFUSAL_NONE) {
        refusal = check_framing(request);
    }
    if (refusal == HTTP_REFUSAL_NONE) {
        refusal = check_expect(request);
    }
    return refusal;
}
