/*
 * Bytes to a request: in any cut the outcome is the same, and what is taken is what the grammar of RFC 9112 says, to
 * the last field and byte of the body (http_oracle.h), so nothing that it forbids is taken. What is refused as
 * malformed is not what the grammar allows, up to the peculiarities that are_ours() names.
 *
 * Input: the seed of the cuts, then what the client sends.
 */
#include "src/http/parser.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_oracle.h"

#include <stdlib.h>

enum { MAX_BODY_BYTES = 2000 };

struct outcome {
    enum http_parser_stage stage;
    enum http_refusal refusal;
    struct http_request *request; /* owned */
    size_t used;
};

static void parse(struct outcome *outcome, struct slice bytes, struct fuzz_dice *dice)
{
    struct http_parser parser;
    *outcome = (struct outcome){.request = http_request_new()};
    http_parser_init(&parser, MAX_BODY_BYTES);
    http_parser_begin(&parser, outcome->request);
    while (bytes.size > 0 && parser.stage != HTTP_PARSER_COMPLETE && parser.stage != HTTP_PARSER_REFUSED) {
        struct slice part = bytes;
        if (dice != NULL) {
            part = fuzz_take_part(dice, &bytes);
        } else {
            bytes.size = 0;
        }
        char *read = fuzz_copy(part);
        size_t used = http_parser_feed(&parser, slice_of(read, part.size));
        free(read);
        FUZZ_REQUIRE(used <= part.size && (used == part.size || parser.stage == HTTP_PARSER_COMPLETE));
        FUZZ_REQUIRE(parser.stage != HTTP_PARSER_START || outcome->request->head.size == 0);
        outcome->used += used;
    }
    outcome->stage = parser.stage;
    outcome->refusal = parser.refusal;
}

static struct slice field_name(const struct http_request *request, size_t i)
{
    return slice_of(buffer_slice(&request->head).data + request->fields[i].name_at, request->fields[i].name_size);
}

static struct slice field_value(const struct http_request *request, size_t i)
{
    return slice_of(buffer_slice(&request->head).data + request->fields[i].value_at, request->fields[i].value_size);
}

/* ---- In any cut ---- */

static bool is_ceiling(enum http_refusal refusal)
{
    return refusal == HTTP_REFUSAL_HEADERS_TOO_LARGE || refusal == HTTP_REFUSAL_TARGET_TOO_LONG;
}

/* Of a line that is one too many and malformed as well, a cut may show the one before the other. */
static bool is_same_refusal(enum http_refusal a, enum http_refusal b)
{
    return a == b || (is_ceiling(a) && b == HTTP_REFUSAL_MALFORMED) || (a == HTTP_REFUSAL_MALFORMED && is_ceiling(b));
}

static void require_same(const struct outcome *a, const struct outcome *b)
{
    FUZZ_REQUIRE(a->stage == b->stage && is_same_refusal(a->refusal, b->refusal));
    if (a->stage != HTTP_PARSER_COMPLETE) {
        return;
    }
    FUZZ_REQUIRE(a->used == b->used && a->request->method == b->request->method);
    FUZZ_REQUIRE(a->request->minor_version == b->request->minor_version);
    FUZZ_REQUIRE(a->request->is_persistent == b->request->is_persistent);
    FUZZ_REQUIRE(a->request->expects_continue == b->request->expects_continue);
    FUZZ_REQUIRE(slice_equals(a->request->path, b->request->path));
    FUZZ_REQUIRE(slice_equals(a->request->query, b->request->query));
    FUZZ_REQUIRE(slice_equals(buffer_slice(&a->request->body), buffer_slice(&b->request->body)));
    FUZZ_REQUIRE(a->request->field_count == b->request->field_count);
    for (size_t i = 0; i < a->request->field_count; i++) {
        FUZZ_REQUIRE(slice_equals(field_name(a->request, i), field_name(b->request, i)));
        FUZZ_REQUIRE(slice_equals(field_value(a->request, i), field_value(b->request, i)));
    }
}

/* ---- By the grammar ---- */

static void require_method(const struct http_request *request, struct slice method)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < 5; i++) {
        FUZZ_REQUIRE(slice_is(method, names[i]) == (request->method == (enum exchange_method)i));
    }
    FUZZ_REQUIRE(!slice_is(method, "CONNECT"));
}

/* Fields that are combined stand once with us: the first keeps its place. */
static void require_fields(const struct http_request *request, const struct http_oracle *oracle)
{
    size_t ours = 0;
    bool had_accept = false;
    for (size_t i = 0; i < oracle->field_count; i++) {
        bool is_accept = slice_equals_ignoring_case(oracle->fields[i].name, slice_text("accept"));
        if (is_accept && had_accept) {
            continue;
        }
        FUZZ_REQUIRE(ours < request->field_count);
        FUZZ_REQUIRE(slice_equals_ignoring_case(field_name(request, ours), oracle->fields[i].name));
        struct slice value = field_value(request, ours);
        FUZZ_REQUIRE(is_accept ? value.size >= oracle->fields[i].value.size
                               : slice_equals(value, oracle->fields[i].value));
        had_accept = had_accept || is_accept;
        ours++;
    }
    FUZZ_REQUIRE(ours == request->field_count);
}

static void require_target(const struct http_request *request, const struct http_oracle *oracle, struct slice host)
{
    struct slice path = oracle->target;
    if (path.data[0] != '/' && !slice_is(path, "*")) {
        /* "http://authority/path": the authority is the one that Host names. */
        const char *authority = memmem(path.data, path.size, "://", 3);
        FUZZ_REQUIRE(authority != NULL);
        authority += 3;
        FUZZ_REQUIRE((size_t)(path.data + path.size - authority) >= host.size && host.size > 0);
        FUZZ_REQUIRE(slice_equals_ignoring_case(slice_of(authority, host.size), host));
        path = slice_of(authority + host.size, (size_t)(path.data + path.size - authority) - host.size);
    }
    const char *mark = path.size > 0 ? memchr(path.data, '?', path.size) : NULL;
    FUZZ_REQUIRE(slice_exists(request->query) == (mark != NULL));
    struct slice query = {"", 0};
    if (mark != NULL) {
        query = slice_of(mark + 1, (size_t)(path.data + path.size - mark) - 1);
        path.size = (size_t)(mark - path.data);
    }
    FUZZ_REQUIRE(slice_equals(request->query, query));
    FUZZ_REQUIRE(path.size > 0 ? slice_equals(request->path, path) : slice_is(request->path, "/"));
}

static void require_grammar(const struct outcome *outcome, struct slice bytes)
{
    const struct http_request *request = outcome->request;
    struct http_oracle oracle;
    struct slice host = {NULL, 0};
    FUZZ_REQUIRE(http_oracle_read(&oracle, slice_of(bytes.data, outcome->used)) && oracle.size == outcome->used);
    FUZZ_REQUIRE((unsigned)request->minor_version == oracle.minor_version);
    size_t hosts = http_oracle_field(&oracle, "host", &host);
    FUZZ_REQUIRE(hosts == 1 || (hosts == 0 && oracle.minor_version == 0));
    require_method(request, oracle.method);
    require_target(request, &oracle, host);
    require_fields(request, &oracle);
    FUZZ_REQUIRE(slice_equals(buffer_slice(&request->body), buffer_slice(&oracle.body)));
    FUZZ_REQUIRE(request->body.size <= MAX_BODY_BYTES && request->field_count <= LIMIT_HTTP_HEADER_COUNT);
    FUZZ_REQUIRE(!request->is_persistent || oracle.is_persistent);
    http_oracle_release(&oracle);
}

/* ---- The other way round ---- */

static bool is_in(struct slice text, const char *bytes)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\0' || strchr(bytes, text.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* What the grammar allows and llhttp does not read: other methods, bytes in a target, in Connection and in a chunk. */
static bool are_ours(const struct http_oracle *oracle)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH", "TRACE"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        is_known = is_known || slice_is(oracle->method, methods[i]);
    }
    bool is_plain = oracle->target.data[0] == '/' &&
                    is_in(oracle->target, "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~?=&%");
    return is_known && is_plain && !oracle->is_chunked && http_oracle_field(oracle, "upgrade", NULL) == 0 &&
           http_oracle_field(oracle, "proxy-connection", NULL) == 0;
}

static void require_not_too_strict(const struct outcome *outcome, struct slice bytes)
{
    struct http_oracle oracle;
    bool is_whole = http_oracle_read(&oracle, bytes);
    if (is_whole && are_ours(&oracle)) {
        FUZZ_REQUIRE(outcome->stage == HTTP_PARSER_REFUSED);
        FUZZ_REQUIRE(outcome->refusal != HTTP_REFUSAL_MALFORMED && outcome->refusal != HTTP_REFUSAL_FRAMING);
    }
    http_oracle_release(&oracle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    struct fuzz_dice dice = fuzz_dice_of(fuzz_take_byte(&bytes));
    struct outcome whole;
    struct outcome cut;
    parse(&whole, bytes, NULL);
    parse(&cut, bytes, &dice);
    require_same(&whole, &cut);
    if (whole.stage == HTTP_PARSER_COMPLETE) {
        require_grammar(&whole, bytes);
    } else {
        require_not_too_strict(&whole, bytes);
    }
    http_request_free(whole.request);
    http_request_free(cut.request);
    return 0;
}
