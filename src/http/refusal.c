#include "src/http/refusal.h"

static const struct {
    int status;
    const char *text;
} refusals[] = {
    [HTTP_REFUSAL_NONE] = {500, "nothing was refused"},
    [HTTP_REFUSAL_MALFORMED] = {400, "the request is not well-formed HTTP/1.1"},
    [HTTP_REFUSAL_TARGET] = {400, "the request target must be an absolute path"},
    [HTTP_REFUSAL_HOST] = {400, "exactly one valid Host header is required, and the target must agree with it"},
    [HTTP_REFUSAL_FRAMING] = {400, "the length of the body is ambiguous"},
    [HTTP_REFUSAL_NOT_FOUND] = {404, "nothing is served at this path"},
    [HTTP_REFUSAL_HEAD_TIMEOUT] = {408, "the headers did not arrive in time"},
    [HTTP_REFUSAL_BODY_TIMEOUT] = {408, "the body did not arrive in time"},
    [HTTP_REFUSAL_BODY_TOO_LARGE] = {413, "the body is larger than this server accepts (--max-body)"},
    [HTTP_REFUSAL_TARGET_TOO_LONG] = {414, "the request target is longer than this server accepts"},
    [HTTP_REFUSAL_EXPECTATION] = {417, "the only expectation that can be met is 100-continue"},
    [HTTP_REFUSAL_HEADERS_TOO_LARGE] = {431, "the headers are larger or more than this server accepts"},
    [HTTP_REFUSAL_METHOD] = {501, "this server does not have this method"},
    [HTTP_REFUSAL_CODING] = {501, "the only transfer coding that this server has is chunked"},
    [HTTP_REFUSAL_BODIES] = {503, "too many bytes of other requests are being read; try again"},
    [HTTP_REFUSAL_VERSION] = {505, "this server speaks HTTP/1.1 and HTTP/1.0"},
};

int http_refusal_status(enum http_refusal refusal)
{
    return refusals[refusal].status;
}

const char *http_refusal_text(enum http_refusal refusal)
{
    return refusals[refusal].text;
}
