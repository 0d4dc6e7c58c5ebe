#include "bridge/transport/modern_head.h"

#include "tests/unit/bridge/fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define VERSION "\"io.modelcontextprotocol/protocolVersion\":"
#define CAPABILITIES "\"io.modelcontextprotocol/clientCapabilities\":"
#define LEVEL "\"io.modelcontextprotocol/logLevel\":"
#define META(version) "\"_meta\":{" VERSION version "," CAPABILITIES "{}}"
#define RIGHT META("\"2026-07-28\"")
#define REQUEST(method, params) "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":{" params "}}"
#define NOTE(params) "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{" params "}}"
#define LIST REQUEST("tools/list", RIGHT)
#define CALL(name) REQUEST("tools/call", "\"name\":" name "," RIGHT)
#define DISAGREE "Bad Request: the request headers and body disagree: "
#define ENVELOPE "Invalid _meta envelope: io.modelcontextprotocol/"
#define UNSUPPORTED "Unsupported protocol version"

#define MODERN MODERN_REQUEST

/* A header that a row does not name is not sent; one with a line break in it is sent twice. */
struct row {
    const char *version;
    const char *method;
    const char *name;
    const char *body;
    enum modern_kind kind;
    int code; /* of a refusal, which is always 400 */
    const char *text;
};

static void add_fields(struct fake_exchange *exchange, const char *name, const char *values)
{
    struct slice rest = values != NULL ? slice_text(values) : slice_of(NULL, 0);
    struct slice value;
    while (slice_split(&rest, '\n', &value)) {
        char text[128];
        snprintf(text, sizeof(text), "%.*s", SLICE_PRINT(value));
        fake_exchange_add_field(exchange, name, text);
    }
}

static struct fake_exchange *classify(struct fake_world *world, const struct row *row, enum modern_kind *kind)
{
    struct message message;
    struct fake_exchange *exchange = fake_exchange_new(world, EXCHANGE_POST);
    add_fields(exchange, "MCP-Protocol-Version", row->version);
    add_fields(exchange, "mcp-Method", row->method);
    add_fields(exchange, "MCP-NAME", row->name);
    fake_exchange_set_body(exchange, slice_text(row->body));
    assert_int_equal(message_scan_whole(&message, exchange->exchange.body), MESSAGE_FAULT_NONE);
    *kind = modern_head_classify(&exchange->exchange, &message);
    return exchange;
}

static void expect_refusal(struct fake_exchange *exchange, const struct row *row)
{
    char body[512];
    const char *id = strstr(row->body, "\"id\":7") != NULL ? "7" : "null";
    snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":\"%s", id,
             row->code, row->text);
    assert_int_equal(exchange->status, 400);
    assert_string_equal(fake_exchange_answer_field(exchange, "content-type"), "application/json");
    struct slice answer = slice_text(fake_exchange_answer(exchange));
    if (!slice_starts_with(answer, body)) {
        assert_string_equal(answer.data, body);
    }
}

static void expect_rows(struct fake_world *world, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum modern_kind kind;
        struct fake_exchange *exchange = classify(world, &rows[i], &kind);
        if (kind != rows[i].kind) {
            print_error("row %zu: %s\n", i, rows[i].body);
        }
        assert_int_equal(kind, rows[i].kind);
        if (kind == MODERN_REFUSED) {
            expect_refusal(exchange, &rows[i]);
        } else {
            fake_exchange_expect_silence(exchange);
            const struct response response = {.status = 202};
            exchange->exchange.operations->respond(&exchange->exchange, &response);
        }
    }
}

#define EXPECT(state, rows) expect_rows(*(state), rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- Which era ---- */

static void without_a_claim_and_a_modern_header_a_message_is_of_the_legacy_era(void **state)
{
    static const struct row rows[] = {
        {NULL, NULL, NULL, REQUEST("tools/list", ""), MODERN_NOT, 0, NULL},
        {"2025-11-25", "prompts/list", "x", REQUEST("tools/list", "\"_meta\":{\"progressToken\":1}"), MODERN_NOT, 0,
         NULL},
        {"draft", NULL, NULL, REQUEST("tools/list", ""), MODERN_NOT, 0, NULL},
        {NULL, NULL, NULL, REQUEST("server/discover", ""), MODERN_NOT, 0, NULL},
        {"2025-11-25", NULL, NULL, NOTE(""), MODERN_NOT, 0, NULL},
        {NULL, NULL, NULL, NOTE("\"requestId\":1"), MODERN_NOT, 0, NULL},
        {"2026-07-28", "x", NULL, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", MODERN_NOT, 0, NULL},
        {"2026-07-28", "x", NULL, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{}}", MODERN_NOT, 0, NULL},
    };
    EXPECT(state, rows);
}

static void a_request_whose_head_is_right_is_modern(void **state)
{
    static const struct row rows[] = {
        {"2026-07-28", "tools/list", NULL, LIST, MODERN, 0, NULL},
        {"2026-07-28", "server/discover", NULL, REQUEST("server/discover", RIGHT), MODERN, 0, NULL},
        {"2026-07-28", "unknown/method", NULL, REQUEST("unknown/method", RIGHT), MODERN, 0, NULL},
        {"2026-07-28", "ping", NULL, REQUEST("ping", RIGHT), MODERN, 0, NULL},
        /* Written with escapes it means the same. */
        {"2026-07-28", "tools/list", NULL, REQUEST("tools\\/list", META("\"2026\\u002d07-28\"")), MODERN, 0, NULL},
        /* White space around a value is not part of it. */
        {"  2026-07-28\t", " tools/list ", NULL, LIST, MODERN, 0, NULL},
        /* Only a method that names something has a name. */
        {"2026-07-28", "tools/list", "whatever", LIST, MODERN, 0, NULL},
    };
    EXPECT(state, rows);
}

static void initialize_is_of_the_legacy_era_unless_its_whole_claim_is_modern(void **state)
{
    static const struct row rows[] = {
        {NULL, NULL, NULL, REQUEST("initialize", "\"protocolVersion\":\"2025-11-25\""), MODERN_NOT, 0, NULL},
        {"2025-11-25", NULL, NULL, REQUEST("initialize", ""), MODERN_NOT, 0, NULL},
        {NULL, NULL, NULL, REQUEST("initialize", META("\"2025-11-25\"")), MODERN_NOT, 0, NULL},
        {NULL, NULL, NULL, REQUEST("initialize", "\"_meta\":{" VERSION "\"2026-07-28\"}"), MODERN_NOT, 0, NULL},
        {NULL, NULL, NULL, REQUEST("initialize", META("28")), MODERN_NOT, 0, NULL},
        {"2026-07-28", "initialize", NULL, REQUEST("initialize", RIGHT), MODERN, 0, NULL},
        {NULL, "initialize", NULL, REQUEST("initialize", RIGHT), MODERN_REFUSED, -32020,
         DISAGREE "the MCP-Protocol-Version header is missing"},
    };
    EXPECT(state, rows);
}

static void initialize_without_a_claim_under_a_modern_header_disagrees_with_it(void **state)
{
    static const char text[] = DISAGREE "initialize is not of the era that the MCP-Protocol-Version header names";
    static const struct row rows[] = {
        {"2026-07-28", NULL, NULL, REQUEST("initialize", ""), MODERN_REFUSED, -32020, text},
        {"2030-01-01", NULL, NULL, REQUEST("initialize", ""), MODERN_REFUSED, -32020, text},
        {"2026-07-28", NULL, NULL, REQUEST("initialize", META("\"2025-11-25\"")), MODERN_REFUSED, -32020, text},
        {"2026-07-28", NULL, NULL, REQUEST("initialize", "\"_meta\":{" VERSION "\"2026-07-28\"}"), MODERN_REFUSED,
         -32020, text},
    };
    EXPECT(state, rows);
}

/* ---- The envelope ---- */

static void an_envelope_that_lacks_something_is_refused_by_its_name(void **state)
{
    static const struct row rows[] = {
        {"2026-07-28", "tools/list", NULL, REQUEST("tools/list", "\"_meta\":{" VERSION "7," CAPABILITIES "{}}"),
         MODERN_REFUSED, -32602, ENVELOPE "protocolVersion: not a string"},
        {"2026-07-28", "tools/list", NULL, REQUEST("tools/list", META("null")), MODERN_REFUSED, -32602,
         ENVELOPE "protocolVersion: not a string"},
        {"2026-07-28", "tools/list", NULL, REQUEST("tools/list", "\"_meta\":{" VERSION "\"2026-07-28\"}"),
         MODERN_REFUSED, -32602, ENVELOPE "clientCapabilities: missing"},
        {"2026-07-28", "tools/list", NULL,
         REQUEST("tools/list", "\"_meta\":{" VERSION "\"2026-07-28\"," CAPABILITIES "[]}"), MODERN_REFUSED, -32602,
         ENVELOPE "clientCapabilities: not an object"},
        {"2026-07-28", "tools/list", NULL,
         REQUEST("tools/list", "\"_meta\":{" VERSION "\"2026-07-28\"," CAPABILITIES "{}," LEVEL "\"loud\"}"),
         MODERN_REFUSED, -32602, ENVELOPE "logLevel: not a level"},
        {"2026-07-28", "tools/list", NULL,
         REQUEST("tools/list", "\"_meta\":{" VERSION "\"2026-07-28\"," CAPABILITIES "{}," LEVEL "7}"), MODERN_REFUSED,
         -32602, ENVELOPE "logLevel: not a level"},
        {"2026-07-28", "tools/list", NULL,
         REQUEST("tools/list", "\"_meta\":{" VERSION "\"2026-07-28\"," CAPABILITIES "{}," LEVEL "\"warning\"}"), MODERN,
         0, NULL},
    };
    EXPECT(state, rows);
}

static void a_modern_header_without_a_claim_lacks_the_envelope(void **state)
{
    static const struct row rows[] = {
        {"2026-07-28", "tools/list", NULL, REQUEST("tools/list", ""), MODERN_REFUSED, -32602,
         ENVELOPE "protocolVersion: missing"},
        {"2026-07-28", NULL, NULL, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}", MODERN_REFUSED, -32602,
         ENVELOPE "protocolVersion: missing"},
        {"2027-01-01", NULL, NULL, REQUEST("tools/list", "\"_meta\":{" CAPABILITIES "{}}"), MODERN_REFUSED, -32602,
         ENVELOPE "protocolVersion: missing"},
    };
    EXPECT(state, rows);
}

/* ---- Headers against the body ---- */

static void a_header_that_contradicts_the_body_is_refused(void **state)
{
    static const char version[] =
        DISAGREE "the MCP-Protocol-Version header is not what _meta says in io.modelcontextprotocol/protocolVersion";
    static const char method[] = DISAGREE "the Mcp-Method header is not the body's method";
    static const struct row rows[] = {
        {"2025-11-25", "tools/list", NULL, LIST, MODERN_REFUSED, -32020, version},
        {"2026-07-29", "tools/list", NULL, LIST, MODERN_REFUSED, -32020, version},
        {" ", "tools/list", NULL, LIST, MODERN_REFUSED, -32020, version},
        {"2026-07-28", "tools/call", NULL, LIST, MODERN_REFUSED, -32020, method},
        {"2026-07-28", "Tools/List", NULL, LIST, MODERN_REFUSED, -32020, method},
        {"2026-07-28", "tools/lis", NULL, LIST, MODERN_REFUSED, -32020, method},
        {"2026-07-28", " ", NULL, LIST, MODERN_REFUSED, -32020, method},
    };
    EXPECT(state, rows);
}

static void a_header_that_is_given_twice_is_refused_even_when_both_are_right(void **state)
{
    static const struct row rows[] = {
        {"2026-07-28\n2026-07-28", "tools/list", NULL, LIST, MODERN_REFUSED, -32020,
         DISAGREE "the MCP-Protocol-Version header appears more than once"},
        {"2025-11-25\n2026-07-28", "tools/list", NULL, LIST, MODERN_REFUSED, -32020,
         DISAGREE "the MCP-Protocol-Version header appears more than once"},
        {"2026-07-28", "tools/list\ntools/list", NULL, LIST, MODERN_REFUSED, -32020,
         DISAGREE "the Mcp-Method header appears more than once"},
        {"2026-07-28", "tools/call", "x\nx", CALL("\"x\""), MODERN_REFUSED, -32020,
         DISAGREE "the Mcp-Name header appears more than once"},
    };
    EXPECT(state, rows);
}

static void a_required_header_that_is_missing_is_refused(void **state)
{
    static const struct row rows[] = {
        {NULL, "tools/list", NULL, LIST, MODERN_REFUSED, -32020, DISAGREE "the MCP-Protocol-Version header is missing"},
        {"2026-07-28", NULL, NULL, LIST, MODERN_REFUSED, -32020, DISAGREE "the Mcp-Method header is missing"},
        {"2026-07-28", "tools/call", NULL, CALL("\"x\""), MODERN_REFUSED, -32020,
         DISAGREE "the Mcp-Name header is missing"},
    };
    EXPECT(state, rows);
}

static void a_revision_that_is_not_served_is_told_which_are(void **state)
{
    static const char *const versions[] = {"2027-01-01", "v999.0.0", "2025-11-25", ""};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        char body[512];
        char answer[512];
        enum modern_kind kind;
        snprintf(body, sizeof(body), REQUEST("tools/list", META("\"%s\"")), versions[i]);
        snprintf(answer, sizeof(answer),
                 "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32022,\"message\":\"" UNSUPPORTED
                 "\",\"data\":{\"supported\":[\"2026-07-28\"],\"requested\":\"%s\"}}}",
                 versions[i]);
        /* No header at all: the revision comes before what is missing. */
        const struct row row = {.body = body};
        fake_exchange_expect(classify(*state, &row, &kind), 400, answer);
        assert_int_equal(kind, MODERN_REFUSED);
        const struct row with_headers = {.body = body, .version = versions[i], .method = "tools/list"};
        fake_exchange_expect(classify(*state, &with_headers, &kind), 400, answer);
    }
}

/* Each row has a fault of its own and all those of the rows below it, so the order of the rungs is the rows'. */
static void the_first_fault_of_several_is_the_one_that_is_told(void **state)
{
    static const struct row rows[] = {
        {"2025-11-25\n1", "x\ny", "x\ny", REQUEST("tools/call", "\"name\":\"n\",\"_meta\":{" VERSION "\"2\"}"),
         MODERN_REFUSED, -32602, ENVELOPE "clientCapabilities: missing"},
        {"2025-11-25\n1", "x\ny", "x\ny", REQUEST("tools/call", "\"name\":\"n\"," META("\"2\"")), MODERN_REFUSED,
         -32020, DISAGREE "the MCP-Protocol-Version header appears more than once"},
        {"2025-11-25", "x\ny", "x\ny", REQUEST("tools/call", "\"name\":\"n\"," META("\"2\"")), MODERN_REFUSED, -32020,
         DISAGREE "the MCP-Protocol-Version header is not what _meta says in io.modelcontextprotocol/protocolVersion"},
        {NULL, "x\ny", "x\ny", REQUEST("tools/call", "\"name\":\"n\"," META("\"2\"")), MODERN_REFUSED, -32020,
         DISAGREE "the Mcp-Method header appears more than once"},
        {NULL, "x", "x\ny", REQUEST("tools/call", "\"name\":\"n\"," META("\"2\"")), MODERN_REFUSED, -32020,
         DISAGREE "the Mcp-Method header is not the body's method"},
        {NULL, NULL, "x\ny", REQUEST("tools/call", "\"name\":\"n\"," META("\"2\"")), MODERN_REFUSED, -32022,
         UNSUPPORTED},
        {NULL, NULL, "x\ny", CALL("\"n\""), MODERN_REFUSED, -32020,
         DISAGREE "the MCP-Protocol-Version header is missing"},
        {"2026-07-28", NULL, "x\ny", CALL("\"n\""), MODERN_REFUSED, -32020,
         DISAGREE "the Mcp-Method header is missing"},
        {"2026-07-28", "tools/call", "x\ny", CALL("\"n\""), MODERN_REFUSED, -32020,
         DISAGREE "the Mcp-Name header appears more than once"},
        {"2026-07-28", "tools/call", "n", CALL("\"n\""), MODERN, 0, NULL},
    };
    EXPECT(state, rows);
}

/* ---- Mcp-Name ---- */

#define NAMED(method, params) REQUEST(method, params "," RIGHT)

static void each_method_that_names_something_has_its_own_member_for_it(void **state)
{
    static const char wrong[] = DISAGREE "the Mcp-Name header is not what the body's params name";
    static const struct row rows[] = {
        {"2026-07-28", "tools/call", "n", NAMED("tools/call", "\"uri\":\"u\",\"name\":\"n\""), MODERN, 0, NULL},
        {"2026-07-28", "tools/call", "u", NAMED("tools/call", "\"uri\":\"u\",\"name\":\"n\""), MODERN_REFUSED, -32020,
         wrong},
        {"2026-07-28", "prompts/get", "n", NAMED("prompts/get", "\"uri\":\"u\",\"name\":\"n\""), MODERN, 0, NULL},
        {"2026-07-28", "prompts/get", "N", NAMED("prompts/get", "\"name\":\"n\""), MODERN_REFUSED, -32020, wrong},
        {"2026-07-28", "resources/read", "u", NAMED("resources/read", "\"uri\":\"u\",\"name\":\"n\""), MODERN, 0, NULL},
        {"2026-07-28", "resources/read", "n", NAMED("resources/read", "\"uri\":\"u\",\"name\":\"n\""), MODERN_REFUSED,
         -32020, wrong},
        {"2026-07-28", "tasks/get", "t", NAMED("tasks/get", "\"taskId\":\"t\""), MODERN, 0, NULL},
        {"2026-07-28", "tasks/get", "x", NAMED("tasks/get", "\"taskId\":\"t\""), MODERN_REFUSED, -32020, wrong},
        {"2026-07-28", "tasks/update", "x", NAMED("tasks/update", "\"taskId\":\"t\""), MODERN_REFUSED, -32020, wrong},
        {"2026-07-28", "tasks/cancel", "x", NAMED("tasks/cancel", "\"taskId\":\"t\""), MODERN_REFUSED, -32020, wrong},
    };
    EXPECT(state, rows);
}

static void a_name_is_compared_by_what_it_means(void **state)
{
    static const char wrong[] = DISAGREE "the Mcp-Name header is not what the body's params name";
    static const char undecodable[] = DISAGREE "the Mcp-Name header cannot be decoded";
    static const struct row rows[] = {
        {"2026-07-28", "tools/call", "a/b", CALL("\"a\\/b\""), MODERN, 0, NULL},
        {"2026-07-28", "tools/call", "=?base64?4pyT?=", CALL("\"\xe2\x9c\x93\""), MODERN, 0, NULL},
        {"2026-07-28", "tools/call", "=?base64?4pyT?=", CALL("\"\\u2713\""), MODERN, 0, NULL},
        {"2026-07-28", "tools/call", "=?base64?YQ==?=", CALL("\"a\""), MODERN, 0, NULL},
        {"2026-07-28", "tools/call", "=?base64?YQ==?=", CALL("\"=?base64?YQ==?=\""), MODERN_REFUSED, -32020, wrong},
        {"2026-07-28", "tools/call", "=?base64?YQ==", CALL("\"=?base64?YQ==\""), MODERN, 0, NULL},
        {"2026-07-28", "tools/call", "=?base64?YQ?=", CALL("\"a\""), MODERN_REFUSED, -32020, undecodable},
        {"2026-07-28", "tools/call", "\xe2\x9c\x93", CALL("\"\xe2\x9c\x93\""), MODERN_REFUSED, -32020, undecodable},
    };
    EXPECT(state, rows);
}

static void a_body_that_names_nothing_is_for_the_server_to_refuse(void **state)
{
    static const char wrong[] = DISAGREE "the Mcp-Name header is not what the body's params name";
    static const struct row rows[] = {
        {"2026-07-28", "tools/call", NULL, REQUEST("tools/call", RIGHT), MODERN, 0, NULL},
        {"2026-07-28", "tools/call", NULL, CALL("7"), MODERN, 0, NULL},
        {"2026-07-28", "tools/call", "7", CALL("7"), MODERN_REFUSED, -32020, wrong},
        {"2026-07-28", "tools/call", "x", REQUEST("tools/call", RIGHT), MODERN_REFUSED, -32020, wrong},
    };
    EXPECT(state, rows);
}

/* ---- Notifications ---- */

static void a_notification_is_modern_by_its_claim_or_its_header(void **state)
{
    static const struct row rows[] = {
        {"2026-07-28", NULL, NULL, NOTE("\"requestId\":1"), MODERN_NOTIFICATION, 0, NULL},
        {"2026-07-28", "notifications/cancelled", NULL, NOTE(""), MODERN_NOTIFICATION, 0, NULL},
        {NULL, NULL, NULL, NOTE("\"_meta\":{" VERSION "\"2026-07-28\"}"), MODERN_NOTIFICATION, 0, NULL},
    };
    EXPECT(state, rows);
}

static void a_notification_whose_head_contradicts_it_is_refused_without_an_id(void **state)
{
    static const struct row rows[] = {
        {NULL, NULL, NULL, NOTE("\"_meta\":{" VERSION "42}"), MODERN_REFUSED, -32602,
         ENVELOPE "protocolVersion: not a string"},
        {"2025-11-25", NULL, NULL, NOTE(RIGHT), MODERN_REFUSED, -32020,
         DISAGREE "the MCP-Protocol-Version header is not what _meta says in io.modelcontextprotocol/protocolVersion"},
        {"2026-07-28", "notifications/progress", NULL, NOTE(""), MODERN_REFUSED, -32020,
         DISAGREE "the Mcp-Method header is not the body's method"},
    };
    EXPECT(state, rows);
}

/* ---- GET and DELETE ---- */

static void the_version_header_alone_tells_the_era_of_a_request_without_a_body(void **state)
{
    static const struct {
        const char *version;
        bool is_modern;
    } cases[] = {{NULL, false}, {"2026-07-28", true}, {"2027-01-01", true}, {"2025-11-25", false}, {"x", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_GET);
        add_fields(exchange, "mcp-protocol-version", cases[i].version);
        assert_int_equal(modern_head_is_named(&exchange->exchange), cases[i].is_modern);
        const struct response response = {.status = 405};
        exchange->exchange.operations->respond(&exchange->exchange, &response);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_set_up, fake_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_claim_and_a_modern_header_a_message_is_of_the_legacy_era),
        TEST(a_request_whose_head_is_right_is_modern),
        TEST(initialize_is_of_the_legacy_era_unless_its_whole_claim_is_modern),
        TEST(initialize_without_a_claim_under_a_modern_header_disagrees_with_it),
        TEST(an_envelope_that_lacks_something_is_refused_by_its_name),
        TEST(a_modern_header_without_a_claim_lacks_the_envelope),
        TEST(a_header_that_contradicts_the_body_is_refused),
        TEST(a_header_that_is_given_twice_is_refused_even_when_both_are_right),
        TEST(a_required_header_that_is_missing_is_refused),
        TEST(a_revision_that_is_not_served_is_told_which_are),
        TEST(the_first_fault_of_several_is_the_one_that_is_told),
        TEST(each_method_that_names_something_has_its_own_member_for_it),
        TEST(a_name_is_compared_by_what_it_means),
        TEST(a_body_that_names_nothing_is_for_the_server_to_refuse),
        TEST(a_notification_is_modern_by_its_claim_or_its_header),
        TEST(a_notification_whose_head_contradicts_it_is_refused_without_an_id),
        TEST(the_version_header_alone_tells_the_era_of_a_request_without_a_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
