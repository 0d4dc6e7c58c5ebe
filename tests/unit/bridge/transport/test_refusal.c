#include "bridge/transport/refusal.h"

#include "tests/unit/bridge/fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct slice absent = {NULL, 0};

static const struct row {
    enum refusal refusal;
    int status;
    int code;
    const char *text;
    const char *header; /* an extra one, or NULL */
    const char *value;
} rows[] = {
    {REFUSAL_HOST, 403, -32000, "Invalid Host header (--allow-host accepts a name)", NULL, NULL},
    {REFUSAL_ORIGIN, 403, -32000, "Invalid Origin header (--allow-origin accepts one)", NULL, NULL},
    {REFUSAL_TOKEN, 401, -32000, "Unauthorized: a valid bearer token is required", NULL, NULL},
    {REFUSAL_METHOD_READ, 405, -32000, "Method not allowed.", "Allow", "GET, HEAD"},
    {REFUSAL_PATH, 404, -32000,
     "Not Found: nothing is served at this path; MCP is served at /mcp, unless --path says otherwise", NULL, NULL},
    {REFUSAL_METHOD, 405, -32000, "Method not allowed.", "Allow", "GET, POST, DELETE"},
    {REFUSAL_METHOD_STATELESS, 405, -32000, "Method not allowed. GET and DELETE are for sessions only.", "Allow",
     "POST"},
    {REFUSAL_ACCEPT, 406, -32000, "Not Acceptable: Client must accept application/json or text/event-stream", NULL,
     NULL},
    {REFUSAL_ACCEPT_STREAM, 406, -32000,
     "Not Acceptable: Client must accept text/event-stream (an endpoint for MCP clients, not for browsers)", NULL,
     NULL},
    {REFUSAL_CREDENTIAL_TWICE, 400, -32000, "Bad Request: a header with credentials appears more than once", NULL,
     NULL},
    {REFUSAL_CONTENT_TYPE, 415, -32000, "Unsupported Media Type: Content-Type must be application/json", NULL, NULL},
    {REFUSAL_CONTENT_ENCODING, 415, -32000,
     "Unsupported Media Type: Content-Encoding must be identity: a body cannot be compressed", "Accept-Encoding",
     "identity"},
    {REFUSAL_BATCH, 400, -32600, "Invalid Request: batches were removed from the protocol in revision 2025-06-18", NULL,
     NULL},
    {REFUSAL_BATCH_INITIALIZE, 400, -32600, "Invalid Request: initialize must not be part of a batch", NULL, NULL},
    {REFUSAL_SESSION_TWICE, 400, -32000, "Bad Request: the Mcp-Session-Id header appears more than once", NULL, NULL},
    {REFUSAL_SESSION_MISSING, 400, -32000, "Bad Request: Mcp-Session-Id header is required", NULL, NULL},
    {REFUSAL_SESSION_UNKNOWN, 404, -32001, "Session not found", NULL, NULL},
    {REFUSAL_METHOD_STREAM, 405, -32000, "Method not allowed.", "Allow", "GET"},
    {REFUSAL_NOT_INITIALIZED, 400, -32000, "Bad Request: Server not initialized", NULL, NULL},
    {REFUSAL_INITIALIZED, 400, -32600, "Invalid Request: Server already initialized", NULL, NULL},
    {REFUSAL_CHILD_CEILING, 503, -32603, "Too many children of the server run (--max-children)", "Retry-After", "10"},
    {REFUSAL_EVENT_UNKNOWN, 405, -32000, "The stream of this Last-Event-ID is not kept any more", "Allow",
     "POST, DELETE"},
    {REFUSAL_INITIALIZE_SIZE, 413, -32600, "Payload Too Large: an initialize may have 256 KiB", NULL, NULL},
    {REFUSAL_SESSION_CEILING, 503, -32603, "Too many open sessions (--max-sessions)", "Retry-After", "10"},
    {REFUSAL_CALL_CEILING, 503, -32603, "Too many requests in flight (--max-in-flight)", "Retry-After", "1"},
    {REFUSAL_CALL_CEILING_IN_SESSION, 200, -32603, "Too many requests in flight (--max-in-flight)", "Retry-After", "1"},
    {REFUSAL_SESSION_CALL_CEILING, 200, -32603,
     "Too many requests in flight in this session (--max-in-flight-per-session)", "Retry-After", "1"},
    {REFUSAL_SESSION_STREAM_CEILING, 200, -32603,
     "Too many event streams are open in this session (--max-streams-per-session)", "Retry-After", "1"},
    {REFUSAL_VERSION, 400, -32000, "Bad Request: Unsupported protocol version", NULL, NULL},
    {REFUSAL_MODERN_DISCOVER, 404, -32601, "Method not found", NULL, NULL},
    {REFUSAL_MODERN, 400, -32022, "Unsupported protocol version", NULL, NULL},
    {REFUSAL_ENVELOPE, 400, -32602, "Invalid _meta envelope", NULL, NULL},
    {REFUSAL_HEADER, 400, -32020, "Bad Request: the request headers and body disagree", NULL, NULL},
    {REFUSAL_DRAINING, 503, -32603, "The bridge is shutting down", "Retry-After", "5"},
};

static void expect_row(struct fake_world *world, const struct row *row)
{
    char body[512];
    struct fake_exchange *exchange = fake_exchange_new(world, EXCHANGE_POST);
    refuse(&exchange->exchange, row->refusal, slice_text("7"), NULL);
    snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":%d,\"message\":\"%s\"}}", row->code,
             row->text);
    fake_exchange_expect(exchange, row->status, body);
    assert_int_equal(exchange->answer_field_count, row->header != NULL ? 2 : 1);
    if (row->header != NULL) {
        assert_string_equal(fake_exchange_answer_field(exchange, row->header), row->value);
    }
}

static void every_refusal_has_its_status_code_text_and_headers(void **state)
{
    assert_int_equal(sizeof(rows) / sizeof(rows[0]), REFUSAL_COUNT);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_row(*state, &rows[i]);
    }
}

static void every_refusal_is_counted_under_a_name_of_its_own(void **state)
{
    const char *name;
    const char *other;
    for (size_t i = 0; i < REFUSAL_COUNTERS; i++) {
        uint64_t before = refusal_counter(i, &name);
        assert_non_null(name);
        for (size_t j = 0; j < i; j++) {
            refusal_counter(j, &other);
            assert_string_not_equal(name, other);
        }
        if (i < REFUSAL_COUNT) {
            refuse(&fake_exchange_new(*state, EXCHANGE_POST)->exchange, (enum refusal)i, absent, NULL);
        } else {
            refuse_fault(&fake_exchange_new(*state, EXCHANGE_POST)->exchange, absent, -32700, "x");
        }
        assert_int_equal(refusal_counter(i, &name), before + 1);
    }
}

static void a_refusal_without_id_carries_null(void **state)
{
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    refuse(&exchange->exchange, REFUSAL_SESSION_UNKNOWN, absent, NULL);
    fake_exchange_expect(exchange, 404,
                         "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,"
                         "\"message\":\"Session not found\"}}");
}

static void a_detail_goes_behind_the_text_in_visible_characters(void **state)
{
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    refuse(&exchange->exchange, REFUSAL_VERSION, slice_text("\"a\""), "x\n\xc3\xa4\x7f\"");
    fake_exchange_expect(exchange, 400,
                         "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32000,"
                         "\"message\":\"Bad Request: Unsupported protocol version: x????\\\"\"}}");
}

static void a_modern_client_hears_which_revisions_are_served(void **state)
{
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    refuse_revision(&exchange->exchange, slice_text("5"), slice_text("\"2026-07-28\""), REVISION_LEGACY);
    fake_exchange_expect(exchange, 400,
                         "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32022,"
                         "\"message\":\"Unsupported protocol version\",\"data\":{\"supported\":[\"2025-11-25\","
                         "\"2025-06-18\",\"2025-03-26\",\"2024-11-05\"],\"requested\":\"2026-07-28\"}}}");
    exchange = fake_exchange_new(*state, EXCHANGE_POST);
    refuse_revision(&exchange->exchange, slice_text("5"), slice_text("\"x\""), REVISION_MODERN);
    fake_exchange_expect(exchange, 400,
                         "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32022,"
                         "\"message\":\"Unsupported protocol version\",\"data\":{\"supported\":[\"2026-07-28\"],"
                         "\"requested\":\"x\"}}}");
}

static void a_fault_is_told_in_its_own_words(void **state)
{
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    refuse_fault(&exchange->exchange, absent, -32700, "Parse error");
    fake_exchange_expect(exchange, 400,
                         "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"Parse error\"}}");
}

static void an_empty_answer_has_no_body_and_no_type(void **state)
{
    const struct header allow = {"Allow", SLICE_LITERAL("POST")};
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    respond_empty(&exchange->exchange, 202, NULL, 0);
    fake_exchange_expect(exchange, 202, "");
    assert_int_equal(exchange->answer_field_count, 0);
    exchange = fake_exchange_new(*state, EXCHANGE_OPTIONS);
    respond_empty(&exchange->exchange, 204, &allow, 1);
    fake_exchange_expect(exchange, 204, "");
    assert_string_equal(fake_exchange_answer_field(exchange, "allow"), "POST");
}

static void a_json_answer_is_its_parts_together(void **state)
{
    const struct slice parts[] = {SLICE_LITERAL("{\"jsonrpc\":\"2.0\","), SLICE_LITERAL("\"id\":1,\"result\":{}}")};
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    respond_json(&exchange->exchange, 200, parts, 2);
    fake_exchange_expect(exchange, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_set_up, fake_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_refusal_has_its_status_code_text_and_headers),
        TEST(every_refusal_is_counted_under_a_name_of_its_own),
        TEST(a_refusal_without_id_carries_null),
        TEST(a_detail_goes_behind_the_text_in_visible_characters),
        TEST(a_modern_client_hears_which_revisions_are_served),
        TEST(a_fault_is_told_in_its_own_words),
        TEST(an_empty_answer_has_no_body_and_no_type),
        TEST(a_json_answer_is_its_parts_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
