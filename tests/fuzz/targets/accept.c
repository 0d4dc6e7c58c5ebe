/*
 * Accept and Content-Type. Accept has no second reader here, but rules: case and the order of the ranges make no
 * difference, what is asked for in plain words is taken, what only weighs 0 is not.
 */
#include "bridge/transport/accept.h"

#include "bridge/base/buffer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_exchange.h"

#include <stdlib.h>
#include <strings.h>

static struct accept read_field(struct slice field)
{
    struct fuzz_exchange exchange;
    fuzz_exchange_init(&exchange, EXCHANGE_POST);
    fuzz_exchange_add(&exchange, "accept", field);
    return accept_read(&exchange.exchange);
}

static bool is_same(struct accept a, struct accept b)
{
    return a.json == b.json && a.stream == b.stream;
}

static void require_no_case(struct slice field, struct accept accept)
{
    struct buffer upper;
    buffer_init(&upper, 0);
    for (size_t i = 0; i < field.size; i++) {
        char c = field.data[i] >= 'a' && field.data[i] <= 'z' ? (char)(field.data[i] - 'a' + 'A') : field.data[i];
        buffer_add(&upper, slice_of(&c, 1));
    }
    FUZZ_REQUIRE(is_same(accept, read_field(buffer_slice(&upper))));
    buffer_release(&upper);
}

/* The ranges in the opposite order, with more white space. */
static void require_no_order(struct slice field, struct accept accept)
{
    struct buffer turned;
    buffer_init(&turned, 0);
    for (size_t end = field.size;;) {
        size_t start = end;
        while (start > 0 && field.data[start - 1] != ',') {
            start--;
        }
        buffer_add_text(&turned, "\t");
        buffer_add(&turned, slice_of(field.data + start, end - start));
        buffer_add_text(&turned, start > 0 ? " ," : "");
        if (start == 0) {
            break;
        }
        end = start - 1;
    }
    FUZZ_REQUIRE(is_same(accept, read_field(buffer_slice(&turned))));
    buffer_release(&turned);
}

static struct accept read_with(struct slice field, const char *range)
{
    struct buffer longer;
    buffer_init(&longer, 0);
    buffer_add(&longer, field);
    buffer_add_text(&longer, range);
    struct accept accept = read_field(buffer_slice(&longer));
    buffer_release(&longer);
    return accept;
}

static void check_accept(struct slice field)
{
    struct accept accept = read_field(field);
    if (slice_trim(field).size == 0) {
        FUZZ_REQUIRE(accept.json && accept.stream);
        return;
    }
    require_no_case(field, accept);
    require_no_order(field, accept);
    struct accept wider = read_with(field, ", text/event-stream, application/json; q=0.001");
    FUZZ_REQUIRE(wider.json && wider.stream);
    bool names_json = false;
    for (size_t i = 0; i + 16 <= field.size; i++) {
        names_json |= strncasecmp(field.data + i, "application/json", 16) == 0;
    }
    struct accept narrower = read_with(field, ", application/json;q=0.0");
    FUZZ_REQUIRE(names_json || !narrower.json);
    FUZZ_REQUIRE(narrower.stream == accept.stream);
}

static void check_content_type(struct slice field)
{
    static const char json[] = "application/json";
    struct fuzz_exchange exchange;
    fuzz_exchange_init(&exchange, EXCHANGE_POST);
    FUZZ_REQUIRE(!accept_has_json_body(&exchange.exchange));
    fuzz_exchange_add(&exchange, "content-type", field);
    const char *at = field.data;
    const char *end = at + field.size;
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    bool is_json = (size_t)(end - at) >= sizeof(json) - 1 && strncasecmp(at, json, sizeof(json) - 1) == 0;
    at += is_json ? sizeof(json) - 1 : 0;
    while (is_json && at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    is_json = is_json && (at == end || *at == ';');
    FUZZ_REQUIRE(accept_has_json_body(&exchange.exchange) == is_json);
    fuzz_exchange_add(&exchange, "content-type", field);
    FUZZ_REQUIRE(!accept_has_json_body(&exchange.exchange));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(slice_of((const char *)data, size));
    check_accept(slice_of(copy, size));
    check_content_type(slice_of(copy, size));
    free(copy);
    return 0;
}
