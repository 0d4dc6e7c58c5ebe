#include "src/monitor/page.h"

bool page_check_method(struct exchange *exchange)
{
    if (exchange->method == EXCHANGE_GET || exchange->method == EXCHANGE_HEAD) {
        return true;
    }
    const struct header allow = {"Allow", SLICE_LITERAL("GET, HEAD")};
    const struct response response = {.status = 405, .headers = &allow, .header_count = 1};
    exchange->operations->respond(exchange, &response);
    return false;
}

void page_respond(struct exchange *exchange, int status, const char *type, struct slice body)
{
    const struct header headers[] = {
        {"Content-Type", slice_text(type)},
        {"Cache-Control", SLICE_LITERAL("no-store")},
        {"Content-Security-Policy", SLICE_LITERAL("default-src 'none'; style-src 'unsafe-inline'")},
    };
    const struct response response = {
        .status = status, .headers = headers, .header_count = 3, .body = &body, .body_count = 1};
    exchange->operations->respond(exchange, &response);
}
