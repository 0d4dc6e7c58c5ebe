#include "src/http/response.h"

#include <assert.h>
#include <stdio.h>

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {202, "Accepted"},
    {100, "Continue"},
    {201, "Created"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {413, "Payload Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_response_phrase(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "Unknown";
}

/* RFC 9110 5.6.7, written without strftime(), which knows locales. */
struct slice http_date_at(struct http_date *date, time_t now)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (date->second != now || date->text[0] == '\0') {
        struct tm tm;
        gmtime_r(&now, &tm);
        date->second = now;
        snprintf(date->text, sizeof(date->text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
                 tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    }
    return slice_text(date->text);
}

/* Not buffer_add_format(): every answer comes through here. */
static void add_number(struct buffer *out, size_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_add(out, slice_of(digits + at, sizeof(digits) - at));
}

static void add_status_line(struct buffer *out, int status)
{
    assert(status >= 100 && status <= 999);
    buffer_add_text(out, "HTTP/1.1 ");
    add_number(out, (size_t)status);
    buffer_add_text(out, " ");
    buffer_add_text(out, http_response_phrase(status));
    buffer_add_text(out, "\r\n");
}

static void add_framing(struct buffer *out, const struct http_head *head)
{
    switch (head->framing) {
    case HTTP_FRAMING_LENGTH:
        buffer_add_text(out, "Content-Length: ");
        add_number(out, head->content_length);
        buffer_add_text(out, "\r\n");
        break;
    case HTTP_FRAMING_CHUNKED:
        buffer_add_text(out, "Transfer-Encoding: chunked\r\n");
        break;
    case HTTP_FRAMING_NONE:
    case HTTP_FRAMING_CLOSE:
        break;
    }
}

static void add_persistence(struct buffer *out, enum http_persistence persistence)
{
    switch (persistence) {
    case HTTP_PERSISTENCE_KEEP:
        buffer_add_text(out, "Connection: keep-alive\r\n");
        break;
    case HTTP_PERSISTENCE_CLOSE:
        buffer_add_text(out, "Connection: close\r\n");
        break;
    case HTTP_PERSISTENCE_DEFAULT:
        break;
    }
}

static bool is_header_value(struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '\r' || value.data[i] == '\n' || value.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static void add_headers(struct buffer *out, const struct header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(is_header_value(headers[i].value));
        buffer_add_text(out, headers[i].name);
        buffer_add_text(out, ": ");
        buffer_add(out, headers[i].value);
        buffer_add_text(out, "\r\n");
    }
}

void http_response_compose(struct buffer *out, const struct http_head *head, struct slice date)
{
    add_status_line(out, head->status);
    buffer_add_text(out, "Date: ");
    buffer_add(out, date);
    buffer_add_text(out, "\r\n");
    add_framing(out, head);
    add_persistence(out, head->persistence);
    add_headers(out, head->own_headers, head->own_header_count);
    add_headers(out, head->headers, head->header_count);
    add_headers(out, head->common_headers, head->common_header_count);
    buffer_add_text(out, "\r\n");
}
