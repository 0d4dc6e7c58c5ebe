#include "bridge/jsonrpc/message.h"

#include "tests/unit/bridge/fake_world.h"
#include "tests/unit/bridge/jsonrpc/random_json.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "{\"jsonrpc\":\"2.0\","
#define REQUEST HEAD "\"id\":1,\"method\":\"m\","

/* The fault of exactly these bytes, read from a block of their size. */
static enum message_fault fault_of(struct slice bytes)
{
    struct message message;
    char *copy = fake_copy(bytes);
    enum message_fault fault = message_scan_whole(&message, slice_of(copy, bytes.size));
    fake_free(copy, bytes.size);
    return fault;
}

static void expect_fault(const char *text, enum message_fault fault)
{
    if (fault_of(slice_text(text)) != fault) {
        fail_msg("%s: %s, and not: %s", text, message_fault_text(fault_of(slice_text(text))),
                 message_fault_text(fault));
    }
}

static void expect_kind(const char *text, enum message_kind kind)
{
    struct message message;
    expect_fault(text, MESSAGE_FAULT_NONE);
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    assert_int_equal(message.kind, kind);
}

static void a_message_is_told_by_its_members(void **state)
{
    (void)state;
    expect_kind(HEAD "\"id\":1,\"method\":\"ping\"}", MESSAGE_REQUEST);
    expect_kind(HEAD "\"method\":\"ping\",\"params\":{}}", MESSAGE_NOTIFICATION);
    expect_kind(HEAD "\"id\":1,\"result\":{}}", MESSAGE_RESULT);
    expect_kind(HEAD "\"id\":1,\"result\":null}", MESSAGE_RESULT);
    expect_kind(HEAD "\"id\":1,\"error\":{}}", MESSAGE_ERROR);
    expect_kind(HEAD "\"id\":null,\"error\":{}}", MESSAGE_ERROR);
    expect_kind(HEAD "\"error\":{}}", MESSAGE_ERROR);
}

static void what_has_no_legal_set_of_members_is_no_message(void **state)
{
    (void)state;
    expect_fault("{\"jsonrpc\":\"2.0\"}", MESSAGE_FAULT_SHAPE);
    expect_fault(HEAD "\"id\":1}", MESSAGE_FAULT_SHAPE);
    expect_fault(HEAD "\"id\":1,\"result\":1,\"error\":{}}", MESSAGE_FAULT_SHAPE);
    expect_fault(HEAD "\"id\":1,\"method\":\"m\",\"result\":1}", MESSAGE_FAULT_SHAPE);
    expect_fault(HEAD "\"method\":\"m\",\"error\":{}}", MESSAGE_FAULT_SHAPE);
    expect_fault(HEAD "\"result\":{}}", MESSAGE_FAULT_ID);
    expect_fault(HEAD "\"id\":null,\"result\":{}}", MESSAGE_FAULT_ID);
}

static void only_an_object_is_a_message(void **state)
{
    static const char *const others[] = {"[]", "[" HEAD "\"method\":\"m\"}]", "1", "\"x\"", "true", "null", "-0.5e1"};
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        expect_fault(others[i], MESSAGE_FAULT_OBJECT);
    }
}

static void the_version_must_be_the_string_2_0(void **state)
{
    static const char *const wrong[] = {"2.0", "\"2.00\"", "\"1.0\"", "\"\"", "2", "null", "{}", "[\"2.0\"]"};
    char text[128];
    (void)state;
    expect_fault("{\"id\":1,\"method\":\"m\"}", MESSAGE_FAULT_VERSION);
    expect_fault("{}", MESSAGE_FAULT_VERSION);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "{\"jsonrpc\":%s,\"id\":1,\"method\":\"m\"}", wrong[i]);
        expect_fault(text, MESSAGE_FAULT_VERSION);
    }
    expect_kind("{\"jsonrpc\":\"2\\u002e0\",\"id\":1,\"method\":\"m\"}", MESSAGE_REQUEST);
}

static void expect_id(const char *id, enum message_fault fault)
{
    char text[2 * LIMIT_ID_BYTES];
    struct message message;
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"m\"}", id);
    expect_fault(text, fault);
    if (fault == MESSAGE_FAULT_NONE) {
        assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
        assert_true(slice_is(message.id, id));
    }
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":1}", id);
    expect_fault(text, fault);
}

static void an_id_is_a_string_or_an_integer_and_stays_as_it_is_written(void **state)
{
    static const char *const right[] = {
        "0",     "1",    "-1",          "-0",      "9007199254740993", "123456789012345678901",
        "\"1\"", "\"\"", "\"\\u0031\"", "\"\\n\"", "\"null\"",         "\"\xc3\xa4\""};
    static const char *const wrong[] = {"null", "true", "false", "{}", "[]", "[1]", "1.0", "1.5", "1e2", "1E0", "-0.0"};
    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        expect_id(right[i], MESSAGE_FAULT_NONE);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_id(wrong[i], MESSAGE_FAULT_ID);
    }
}

/* A string with its quotes, or a number, of this many bytes. */
static const char *long_value(size_t size, bool is_string)
{
    static char text[LIMIT_ID_BYTES + 2];
    memset(text, '7', size);
    text[0] = text[size - 1] = is_string ? '"' : '7';
    text[size] = '\0';
    return text;
}

static void an_id_may_have_a_kibibyte(void **state)
{
    (void)state;
    for (int is_string = 0; is_string < 2; is_string++) {
        expect_id(long_value(LIMIT_ID_BYTES, is_string), MESSAGE_FAULT_NONE);
        expect_id(long_value(LIMIT_ID_BYTES + 1, is_string), MESSAGE_FAULT_ID);
    }
}

static void expect_method(const char *written, const char *method)
{
    char text[512];
    struct message message;
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":%s}", written);
    if (method == NULL) {
        expect_fault(text, MESSAGE_FAULT_METHOD);
        return;
    }
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    assert_true(message_is(&message, method));
    assert_false(message_is(&message, "other"));
}

static void a_method_is_what_its_string_means(void **state)
{
    (void)state;
    expect_method("\"tools/call\"", "tools/call");
    expect_method("\"tools\\/call\"", "tools/call");
    expect_method("\"\\u0074ools/call\"", "tools/call");
    expect_method("\"\\u0069\\u006eitialize\"", "initialize");
    expect_method("\"\"", "");
    expect_method("\"\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80");
    expect_method("\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80");
    expect_method("1", NULL);
    expect_method("null", NULL);
    expect_method("[\"ping\"]", NULL);
    expect_method("{}", NULL);
}

static void a_method_with_a_nul_is_no_other_method(void **state)
{
    struct message message;
    (void)state;
    assert_int_equal(message_scan_whole(&message, slice_text(HEAD "\"method\":\"ping\\u0000\"}")), MESSAGE_FAULT_NONE);
    assert_int_equal(message.method.size, 5);
    assert_false(message_is(&message, "ping"));
}

static void a_method_may_have_256_bytes(void **state)
{
    char written[LIMIT_NAME_BYTES + 4];
    (void)state;
    for (size_t size = LIMIT_NAME_BYTES - 1; size <= LIMIT_NAME_BYTES + 1; size++) {
        memset(written, 'm', sizeof(written));
        written[0] = written[size + 1] = '"';
        written[size + 2] = '\0';
        char *meaning = strndup(written + 1, size);
        expect_method(written, size <= LIMIT_NAME_BYTES ? meaning : NULL);
        free(meaning);
    }
}

static void a_method_full_of_escapes_fits_its_place(void **state)
{
    char written[LIMIT_NAME_BYTES + 3] = "\"";
    struct message message;
    char text[512];
    (void)state;
    for (size_t i = 0; i + 6 <= LIMIT_NAME_BYTES; i += 6) {
        memcpy(written + 1 + i, "\\uffff", 7);
    }
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"method\":%s\"}", written);
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    assert_int_equal(message.method.size, LIMIT_NAME_BYTES / 6 * 3);
}

static void params_are_an_object_or_an_array(void **state)
{
    static const char *const wrong[] = {"1", "\"x\"", "null", "true"};
    char text[128];
    (void)state;
    expect_kind(REQUEST "\"params\":{}}", MESSAGE_REQUEST);
    expect_kind(REQUEST "\"params\":[1]}", MESSAGE_REQUEST);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":%s}", wrong[i]);
        expect_fault(text, MESSAGE_FAULT_PARAMS);
    }
}

static void expect_token(const char *token, enum message_fault fault)
{
    char text[2 * LIMIT_ID_BYTES];
    struct message message;
    snprintf(text, sizeof(text), REQUEST "\"params\":{\"_meta\":{\"progressToken\":%s}}}", token);
    expect_fault(text, fault);
    if (fault == MESSAGE_FAULT_NONE) {
        assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
        assert_true(slice_is(message.meta_token, token));
        assert_false(slice_exists(message.progress_token));
    }
}

static void a_progress_token_is_a_string_or_an_integer(void **state)
{
    static const char *const wrong[] = {"null", "1.5", "1e3", "{}", "[]", "true"};
    (void)state;
    expect_token("0", MESSAGE_FAULT_NONE);
    expect_token("-5", MESSAGE_FAULT_NONE);
    expect_token("\"abc\"", MESSAGE_FAULT_NONE);
    expect_token(long_value(LIMIT_ID_BYTES, true), MESSAGE_FAULT_NONE);
    expect_token(long_value(LIMIT_ID_BYTES + 1, true), MESSAGE_FAULT_TOKEN);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_token(wrong[i], MESSAGE_FAULT_TOKEN);
    }
}

struct span {
    size_t offset; /* of the slice in struct message */
    const char *text;
};

#define SPAN(member, text) {offsetof(struct message, member), text}

static void expect_spans(const char *text, const struct span *spans, size_t count)
{
    struct message message;
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    for (size_t i = 0; i < count; i++) {
        const struct slice *slice = (const struct slice *)(const void *)((const char *)&message + spans[i].offset);
        if (spans[i].text == NULL) {
            assert_false(slice_exists(*slice));
        } else {
            assert_true(slice_is(*slice, spans[i].text));
        }
    }
}

static void the_spans_of_a_request_are_found(void **state)
{
    static const struct span spans[] = {
        SPAN(id, "\"a\""),
        SPAN(params, "{ \"uri\" : \"u\" , \"level\":\"info\",\"_meta\":{\"progressToken\":5,"
                     "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"},\"protocolVersion\":\"2025-03-26\","
                     "\"requestId\":\"r\",\"progressToken\":[6] }"),
        SPAN(meta, "{\"progressToken\":5,\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}"),
        SPAN(meta_token, "5"),
        SPAN(meta_version, "\"2026-07-28\""),
        SPAN(protocol_version, "\"2025-03-26\""),
        SPAN(request_id, "\"r\""),
        SPAN(progress_token, "[6]"),
        SPAN(uri, "\"u\""),
        SPAN(level, "\"info\""),
        SPAN(result, NULL),
        SPAN(error, NULL),
        SPAN(result_version, NULL),
    };
    (void)state;
    expect_spans("{\"params\":{ \"uri\" : \"u\" , \"level\":\"info\",\"_meta\":{\"progressToken\":5,"
                 "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"},\"protocolVersion\":\"2025-03-26\","
                 "\"requestId\":\"r\",\"progressToken\":[6] },\"method\":\"m\" , \"id\" : \"a\" ,\"jsonrpc\":\"2.0\"}",
                 spans, sizeof(spans) / sizeof(spans[0]));
}

static void the_spans_of_a_response_are_found(void **state)
{
    static const struct span result[] = {
        SPAN(id, "7"),
        SPAN(result, "{\"protocolVersion\": \"x\",\"id\":8,\"_meta\":{\"progressToken\":1}}"),
        SPAN(result_version, "\"x\""),
        SPAN(params, NULL),
        SPAN(meta_token, NULL),
        SPAN(method, NULL),
    };
    static const struct span error[] = {SPAN(error, "{\"code\":1,\"method\":\"x\"}"), SPAN(result, NULL)};
    (void)state;
    expect_spans(HEAD "\"result\":{\"protocolVersion\": \"x\",\"id\":8,\"_meta\":{\"progressToken\":1}},\"id\":7}",
                 result, sizeof(result) / sizeof(result[0]));
    expect_spans(HEAD "\"id\":1,\"error\":{\"code\":1,\"method\":\"x\"}}", error, 2);
}

static void a_member_of_that_name_elsewhere_is_another_member(void **state)
{
    static const struct span spans[] = {
        SPAN(id, "1"),          SPAN(meta_token, NULL), SPAN(progress_token, NULL), SPAN(uri, NULL),
        SPAN(request_id, NULL), SPAN(level, NULL),      SPAN(meta_version, NULL),
    };
    (void)state;
    expect_spans(REQUEST "\"params\":{\"arguments\":{\"uri\":1,\"id\":2,\"_meta\":{\"progressToken\":3}},\"id\":9,"
                         "\"x\":[{\"requestId\":4,\"params\":{\"level\":5}}],\"_meta\":{\"x\":{\"progressToken\":6}}}}",
                 spans, sizeof(spans) / sizeof(spans[0]));
    expect_spans(REQUEST "\"params\":[{\"uri\":1,\"_meta\":{\"progressToken\":3}}]}", spans,
                 sizeof(spans) / sizeof(spans[0]));
    expect_spans(REQUEST "\"meta\":{\"progressToken\":3},\"_meta\":{\"progressToken\":3}}", spans, 3);
}

static void escapes_in_keys_are_seen_through(void **state)
{
    static const struct span spans[] = {SPAN(id, "5"), SPAN(meta_token, "6"), SPAN(uri, "\"u\"")};
    (void)state;
    expect_spans("{\"jsonrp\\u0063\":\"2.0\",\"\\u0069d\":5,\"m\\u0065thod\":\"m\",\"\\u0070arams\":"
                 "{\"\\u005fmeta\":{\"progress\\u0054oken\":6},\"\\u0075\\u0072\\u0069\":\"u\"}}",
                 spans, 3);
    expect_spans("{\"jsonrpc\":\"2.0\",\"\\u0069d\":5,\"method\":\"m\",\"i\\u0064\\u0000\":7,\"\\\\u0069d\":8}", spans,
                 1);
}

static void expect_duplicates(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_fault(texts[i], MESSAGE_FAULT_DUPLICATE);
    }
}

static void a_member_of_the_envelope_may_stand_there_once_only(void **state)
{
    static const char *const doubled[] = {
        "{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}",
        REQUEST "\"id\":1}",
        REQUEST "\"\\u0069d\":2}",
        REQUEST "\"method\":\"m\"}",
        REQUEST "\"params\":{},\"params\":{}}",
        REQUEST "\"params\":[],\"params\":{}}",
        HEAD "\"id\":1,\"result\":1,\"result\":1}",
        HEAD "\"id\":1,\"result\":{\"a\":1},\"result\":[]}",
        HEAD "\"id\":1,\"error\":{},\"error\":{}}",
        HEAD "\"id\":1,\"error\":1,\"err\\u006fr\":{}}",
    };
    (void)state;
    expect_duplicates(doubled, sizeof(doubled) / sizeof(doubled[0]));
}

/* The other one would reach the child as the client wrote it, and the first counts for some parsers (cJSON's). */
static void what_the_bridge_replaces_may_stand_there_once_only(void **state)
{
    static const char *const doubled[] = {
        REQUEST "\"params\":{\"_meta\":{\"progressToken\":1,\"progressToken\":2}}}",
        REQUEST "\"params\":{\"_meta\":{\"progressToken\":1,\"progress\\u0054oken\":2}}}",
        REQUEST "\"params\":{\"_meta\":{\"progressToken\":1},\"_meta\":{\"progressToken\":2}}}",
        REQUEST "\"params\":{\"_meta\":{\"progressToken\":1},\"_met\\u0061\":{}}}",
    };
    (void)state;
    expect_duplicates(doubled, sizeof(doubled) / sizeof(doubled[0]));
}

static void of_two_other_members_that_are_looked_at_the_last_counts(void **state)
{
    static const struct span spans[] = {SPAN(uri, "\"b\""), SPAN(level, "[2]"), SPAN(request_id, "2"),
                                        SPAN(protocol_version, "4")};
    static const struct span result[] = {SPAN(result_version, "\"b\"")};
    (void)state;
    expect_spans(REQUEST "\"params\":{\"uri\":\"a\",\"ur\\u0069\":\"b\",\"level\":{},\"level\":[2],\"requestId\":1,"
                         "\"requestId\":2,\"protocolVersion\":3,\"protocolVersion\":4}}",
                 spans, sizeof(spans) / sizeof(spans[0]));
    expect_spans(HEAD "\"id\":1,\"result\":{\"protocolVersion\":\"a\",\"protocolVersion\":\"b\"}}", result, 1);
}

static void of_two_containers_the_last_counts_with_what_is_in_it(void **state)
{
    (void)state;
    struct message message;
    const char *text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"task\":{\"taskId\":\"a\"},\"task\":{},"
                       "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":1},\"_meta\":0}}";
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    assert_true(slice_is(message.result_task, "{}"));
    assert_false(slice_exists(message.result_task_id));
    assert_true(slice_is(message.result_meta, "0"));
    assert_false(slice_exists(message.result_subscription));
}

static void any_other_member_may_stand_there_twice(void **state)
{
    (void)state;
    expect_kind(REQUEST "\"x\":1,\"x\":2,\"params\":{\"name\":1,\"name\":2,\"arguments\":{\"uri\":1,\"uri\":2}}}",
                MESSAGE_REQUEST);
    expect_kind(HEAD "\"id\":1,\"result\":{\"id\":1,\"id\":2,\"uri\":1,\"uri\":2}}", MESSAGE_RESULT);
}

/* A result of this many containers, one in the other, inside the message's own object. */
static enum message_fault nested_fault(size_t containers, char open, char close)
{
    static const char head[] = HEAD "\"id\":1,\"result\":";
    struct buffer text;
    buffer_init(&text, 0);
    buffer_add_text(&text, head);
    for (size_t i = 0; i < containers; i++) {
        buffer_add(&text, slice_of(&open, 1));
        buffer_add_text(&text, open == '{' && i + 1 < containers ? "\"a\":" : "");
    }
    for (size_t i = 0; i < containers; i++) {
        buffer_add(&text, slice_of(&close, 1));
    }
    buffer_add_text(&text, "}");
    enum message_fault fault = fault_of(buffer_slice(&text));
    buffer_release(&text);
    return fault;
}

static void nesting_has_an_exact_limit(void **state)
{
    (void)state;
    assert_int_equal(nested_fault(LIMIT_JSON_DEPTH - 1, '[', ']'), MESSAGE_FAULT_NONE);
    assert_int_equal(nested_fault(LIMIT_JSON_DEPTH, '[', ']'), MESSAGE_FAULT_DEPTH);
    assert_int_equal(nested_fault(LIMIT_JSON_DEPTH - 1, '{', '}'), MESSAGE_FAULT_NONE);
    assert_int_equal(nested_fault(LIMIT_JSON_DEPTH, '{', '}'), MESSAGE_FAULT_DEPTH);
    assert_int_equal(nested_fault(100000, '[', ']'), MESSAGE_FAULT_DEPTH);
}

static void expect_result_fault(struct slice value, enum message_fault fault)
{
    struct buffer text;
    buffer_init(&text, 0);
    buffer_add_text(&text, HEAD "\"id\":1,\"result\":");
    buffer_add(&text, value);
    buffer_add_text(&text, "}");
    if (fault_of(buffer_slice(&text)) != fault) {
        fail_msg("%.*s: %s", SLICE_PRINT(value), message_fault_text(fault_of(buffer_slice(&text))));
    }
    buffer_release(&text);
}

/* After JSONTestSuite (Seriot, "Parsing JSON is a Minefield"): what every parser must accept. */
static const struct slice allowed[] = {
    SLICE_LITERAL("[[]   ]"),
    SLICE_LITERAL("[\"\"]"),
    SLICE_LITERAL("[]"),
    SLICE_LITERAL("[\"a\"]"),
    SLICE_LITERAL("[false]"),
    SLICE_LITERAL("[null, 1, \"1\", {}]"),
    SLICE_LITERAL("[1\n]"),
    SLICE_LITERAL(" [1]"),
    SLICE_LITERAL("[1,null,null,null,2]"),
    SLICE_LITERAL("[2] "),
    SLICE_LITERAL("[123e65]"),
    SLICE_LITERAL("[0e+1]"),
    SLICE_LITERAL("[0e1]"),
    SLICE_LITERAL("[ 4]"),
    SLICE_LITERAL("[-0.000000000000000001]"),
    SLICE_LITERAL("[20e1]"),
    SLICE_LITERAL("[-0]"),
    SLICE_LITERAL("[-123]"),
    SLICE_LITERAL("[-1]"),
    SLICE_LITERAL("[1E22]"),
    SLICE_LITERAL("[1E-2]"),
    SLICE_LITERAL("[1E+2]"),
    SLICE_LITERAL("[123e45]"),
    SLICE_LITERAL("[123.456e78]"),
    SLICE_LITERAL("[1e-2]"),
    SLICE_LITERAL("[1e400]"),
    SLICE_LITERAL("[123.456789]"),
    SLICE_LITERAL("{\"a\":\"b\"}"),
    SLICE_LITERAL("{}"),
    SLICE_LITERAL("{\"\":0}"),
    SLICE_LITERAL("{\"a\":[]}"),
    SLICE_LITERAL("{\n\"a\": \"b\"\n}"),
    SLICE_LITERAL("{\"foo\\u0000bar\": 42}"),
    SLICE_LITERAL("{\"a\":\"b\",\"a\":\"c\"}"),
    SLICE_LITERAL("[\"\\u0060\\u012a\\u12AB\"]"),
    SLICE_LITERAL("[\"\\uD801\\udc37\"]"),
    SLICE_LITERAL("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    SLICE_LITERAL("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    SLICE_LITERAL("[\"\\\\u0000\"]"),
    SLICE_LITERAL("[\"\\\"\"]"),
    SLICE_LITERAL("[\"a/*b*/c/*d//e\"]"),
    SLICE_LITERAL("[\"\\\\a\"]"),
    SLICE_LITERAL("[\"\\\\n\"]"),
    SLICE_LITERAL("[\"\\u0012\"]"),
    SLICE_LITERAL("[\"\\uFFFF\"]"),
    SLICE_LITERAL("[\"asd\"]"),
    SLICE_LITERAL("[ \"asd\"]"),
    SLICE_LITERAL("[\"\xf4\x8f\xbf\xbf\"]"),
    SLICE_LITERAL("[\"\xef\xbf\xbf\"]"),
    SLICE_LITERAL("[\"\\u0000\"]"),
    SLICE_LITERAL("[\"\\u002c\"]"),
    SLICE_LITERAL("[\"\xcf\x80\"]"),
    SLICE_LITERAL("[\"\xe2\x80\xa8\"]"),
    SLICE_LITERAL("[\"\x7f\"]"),
    SLICE_LITERAL("\" \""),
    SLICE_LITERAL("false"),
    SLICE_LITERAL("42"),
    SLICE_LITERAL("-0.1"),
    SLICE_LITERAL("null"),
    SLICE_LITERAL("\"asd\""),
    SLICE_LITERAL("true"),
    SLICE_LITERAL("\"\""),
    SLICE_LITERAL("[\"a\"]\n"),
    SLICE_LITERAL(" \t\r\n[] \t\r\n"),
    SLICE_LITERAL("[\"\\uDFAA\"]"),
    SLICE_LITERAL("[\"\\uD800\\uD800\"]"),
};

static void what_rfc_8259_allows_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        expect_result_fault(allowed[i], MESSAGE_FAULT_NONE);
    }
}

static const char *const forbidden_structures[] = {
    "[1 true]",
    "[\"\": 1]",
    "[\"\"],",
    "[,1]",
    "[1,,2]",
    "[\"x\",,]",
    "[\"x\"]]",
    "[\"\",]",
    "[\"x\"",
    "[x",
    "[3[4]]",
    "[1:2]",
    "[,]",
    "[-]",
    "[   , \"\"]",
    "[1,]",
    "[1,\n1\n,1",
    "[\"a\",\n4\n,",
    "[*]",
    "[1,",
    "[1,\n",
    "[{}",
    "[fals]",
    "[nul]",
    "[tru]",
    "[True]",
    "[\"a\",4,1,",
    "[\"x\", truth]",
    "[",
    "]",
    "[1]]",
    "[}",
    "[][]",
    "{\"x\", null}",
    "{\"x\"::\"b\"}",
    "{\"a\":\"a\" 123}",
    "{key: 'value'}",
    "{\"a\" b}",
    "{:\"b\"}",
    "{\"a\" \"b\"}",
    "{\"a\":",
    "{\"a\"",
    "{1:1}",
    "{9999E9999:1}",
    "{null:null,null:null}",
    "{\"id\":0,,,,,}",
    "{'a':0}",
    "{\"id\":0,}",
    "{\"a\":\"b\"}/**/",
    "{\"a\":\"b\"}/**//",
    "{\"a\":\"b\"}//",
    "{\"a\":\"b\",,\"c\":\"d\"}",
    "{a: \"b\"}",
    "{\"a\":\"a",
    "{ \"foo\" : \"bar\", \"a\" }",
    "{\"a\":\"b\"}#",
    "{}}",
    "{\"\":",
    "{\"asd\":\"asd\"",
    "{[: \"x\"}\n",
    "{",
    "}",
    "{,",
    "{\"a\":/*comment*/\"b\"}",
    "{\"a\":true} \"x\"",
    "{\"a\":1]",
    "[1}",
    "<.>",
    "[<null>]",
    "",
    " ",
    "*",
    "1]",
    "\"asd\":1",
    "[1]x",
    "\xef\xbb\xbf{}",
    "\xe2\x81\xa0{}",
    "{\"\xef\xbb\xbf",
    "[\\n]",
    "\xc3\xa5",
    "['",
    "[\"a\\x\"]",
    "{\"a\":1,}",
    "[true",
    "[false,1 2]",
    "(1)",
    "1,2",
    "undefined",
    "[1,2",
};

static void what_rfc_8259_forbids_in_arrays_and_objects_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forbidden_structures) / sizeof(forbidden_structures[0]); i++) {
        expect_result_fault(slice_text(forbidden_structures[i]), MESSAGE_FAULT_SYNTAX);
    }
}

static const char *const forbidden_numbers[] = {
    "+1",      "++1234",  "+Inf",     "-01",          "-1.0.",
    "-2.",     "-NaN",    ".-1",      ".2e-3",        "0.1.2",
    "0.3e+",   "0.3e",    "0.e1",     "0E+",          "0E",
    "0e+",     "0e",      "1.0e+",    "1.0e-",        "1.0e",
    "1 000.0", "1eE2",    "2.e+3",    "2.e-3",        "2.e3",
    "9.e+",    "Inf",     "NaN",      "\xef\xbc\x91", "1+2",
    "0x1",     "0x42",    "Infinity", "0e+-1",        "-123.123foo",
    "123\xe5", "1e1\xe5", "0\xe5",    "-Infinity",    "-foo",
    "- 1",     "-012",    "-.123",    "-1x",          "1ea",
    "1e\xe5",  "1.",      ".123",     "1.2a-3",       "1.8011670033376514H-308",
    "012",     "00",      "1_000",    "1,000,",       "0b1",
    "1f",      "--1",     "1e5.5",
};

static void what_rfc_8259_forbids_in_numbers_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forbidden_numbers) / sizeof(forbidden_numbers[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "[%s]", forbidden_numbers[i]);
        expect_result_fault(slice_text(text), MESSAGE_FAULT_SYNTAX);
        expect_result_fault(slice_text(forbidden_numbers[i]), MESSAGE_FAULT_SYNTAX);
    }
}

static const struct slice forbidden_strings[] = {
    SLICE_LITERAL("[\"\\uD800\\\"]"),
    SLICE_LITERAL("[\"\\uD800\\u\"]"),
    SLICE_LITERAL("[\"\\uD800\\u1\"]"),
    SLICE_LITERAL("[\"\\uD800\\u1x\"]"),
    SLICE_LITERAL("[\xc3\xa9]"),
    SLICE_LITERAL("[\"\\\0\"]"),
    SLICE_LITERAL("[\"\\\\\\\"]"),
    SLICE_LITERAL("[\"\\x00\"]"),
    SLICE_LITERAL("[\"\\\t\"]"),
    SLICE_LITERAL("[\"\\\xf0\x9f\x8c\x80\"]"),
    SLICE_LITERAL("[\"\\\"]"),
    SLICE_LITERAL("[\"\\u00A\"]"),
    SLICE_LITERAL("[\"\\uD834\\uDd\"]"),
    SLICE_LITERAL("[\"\\uD800\\uD800\\x\"]"),
    SLICE_LITERAL("[\"\\u\xe5\"]"),
    SLICE_LITERAL("[\"\\a\"]"),
    SLICE_LITERAL("[\"\\uqqqq\"]"),
    SLICE_LITERAL("[\"\\\xe5\"]"),
    SLICE_LITERAL("[\\u0020\"asd\"]"),
    SLICE_LITERAL("[\\n]"),
    SLICE_LITERAL("\""),
    SLICE_LITERAL("['single quote']"),
    SLICE_LITERAL("abc"),
    SLICE_LITERAL("[\"\\"),
    SLICE_LITERAL("[\"a\0a\"]"),
    SLICE_LITERAL("[\"new\nline\"]"),
    SLICE_LITERAL("[\"\t\"]"),
    SLICE_LITERAL("\"\\UA66D\""),
    SLICE_LITERAL("\"\"x"),
    SLICE_LITERAL("[\"\x1f\"]"),
    SLICE_LITERAL("[\"\xe6\x97\xa5\xd1\x88\xfa\"]"),
    SLICE_LITERAL("[\"\xed\xa0\x80\"]"),
    SLICE_LITERAL("[\"\xff\"]"),
    SLICE_LITERAL("[\"\xc0\xaf\"]"),
    SLICE_LITERAL("[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    SLICE_LITERAL("[\"\x81\"]"),
    SLICE_LITERAL("[\"\xf4\xbf\xbf\xbf\"]"),
    SLICE_LITERAL("[\"\xe0\xff\"]"),
    SLICE_LITERAL("[\"\xc3\"]"),
    SLICE_LITERAL("[\0]"),
    SLICE_LITERAL("{\"a\0\":1}"),
    SLICE_LITERAL("[\f]"),
    SLICE_LITERAL("[\v1]"),
    SLICE_LITERAL("[1\xc2\xa0]"),
    SLICE_LITERAL("{\"\xff\":1}"),
};

static void what_rfc_8259_forbids_in_strings_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forbidden_strings) / sizeof(forbidden_strings[0]); i++) {
        expect_result_fault(forbidden_strings[i], MESSAGE_FAULT_SYNTAX);
    }
}

static const char *const samples[] = {
    HEAD "\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\",\"_meta\":{\"progressToken\":\"t\"}}}",
    HEAD "\"id\":\"\\u0031\\n\",\"result\":{\"a\":[true,false,null,-12.5e+10,{}],\"protocolVersion\":\"2025-06-18\"}}",
    HEAD "\"id\":null,\"error\":{\"code\":-32000,\"message\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\\ud83d\\ude00\"}}",
    "{ \"method\" : \"notifications\\/cancelled\" ,\t\"params\" : { \"requestId\" : -0 } , \"jsonrpc\" : \"2.0\" }",
    HEAD "\"method\":\"m\",\"params\":[[],[[]],\"0123456789abcdef0123456789abcdef\",0,[1,2]]}",
};

static void a_message_cut_off_at_any_byte_is_refused_and_not_read_beyond(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct slice whole = slice_text(samples[i]);
        assert_int_equal(fault_of(whole), MESSAGE_FAULT_NONE);
        for (size_t size = 0; size < whole.size; size++) {
            assert_int_equal(fault_of(slice_of(whole.data, size)), MESSAGE_FAULT_SYNTAX);
        }
    }
    assert_int_equal(fault_of(slice_of(NULL, 0)), MESSAGE_FAULT_SYNTAX);
}

static void only_white_space_may_stand_around_a_whole_message(void **state)
{
    (void)state;
    expect_kind(" \t\r\n" HEAD "\"method\":\"m\"} \t\r\n", MESSAGE_NOTIFICATION);
    expect_fault(HEAD "\"method\":\"m\"}x", MESSAGE_FAULT_SYNTAX);
    expect_fault(HEAD "\"method\":\"m\"}" HEAD "\"method\":\"m\"}", MESSAGE_FAULT_SYNTAX);
    expect_fault("{\"jsonrpc\":\"1.0\"} ,", MESSAGE_FAULT_SYNTAX);
    expect_fault("1 2", MESSAGE_FAULT_SYNTAX);
    assert_int_equal(fault_of(slice_of(HEAD "\"method\":\"m\"}\0", sizeof(HEAD "\"method\":\"m\"}"))),
                     MESSAGE_FAULT_SYNTAX);
}

static void what_follows_a_message_is_given_back(void **state)
{
    struct message message;
    struct slice rest;
    (void)state;
    assert_int_equal(message_scan(&message, slice_text(" " HEAD "\"method\":\"m\"} , {x"), &rest), MESSAGE_FAULT_NONE);
    assert_true(slice_is(rest, " , {x"));
    assert_true(slice_is(message.bytes, HEAD "\"method\":\"m\"}"));
}

static bool has_line_breaks(const char *text)
{
    struct message message;
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    return message.has_line_breaks;
}

static void line_breaks_between_tokens_are_noticed_and_can_be_taken_out(void **state)
{
    char text[] = "{\r\n\"jsonrpc\":\"2.0\",\n\"method\":\r\"a\\nb\"\n}";
    struct message message;
    (void)state;
    assert_false(has_line_breaks(HEAD "\t \"method\":\"a\\nb\\r\"}"));
    assert_true(has_line_breaks("{\n\"jsonrpc\":\"2.0\",\"method\":\"m\"}"));
    assert_true(has_line_breaks(HEAD "\"method\"\r:\"m\"}"));
    assert_true(has_line_breaks(HEAD "\"method\":\n\"m\"}"));
    assert_true(has_line_breaks(HEAD "\"method\":\"m\"\n}"));
    assert_true(has_line_breaks(HEAD "\"method\":\"m\",\"params\":[\n]}"));
    assert_true(has_line_breaks(HEAD "\"method\":\"m\",\"params\":[1\n,2]}"));
    message_flatten(text, sizeof(text) - 1);
    assert_string_equal(text, "{  \"jsonrpc\":\"2.0\", \"method\": \"a\\nb\" }");
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    assert_false(message.has_line_breaks);
}

static struct slice refused_id(const char *text)
{
    static struct message message;
    return message_refused_id(&message, message_scan_whole(&message, slice_text(text)));
}

static void a_refusal_names_the_id_when_it_was_right(void **state)
{
    (void)state;
    assert_true(slice_is(refused_id("{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"m\"}"), "5"));
    assert_true(slice_is(refused_id(HEAD "\"id\":\"a\",\"method\":5}"), "\"a\""));
    assert_true(slice_is(refused_id(HEAD "\"id\":5,\"method\":\"m\",\"params\":5}"), "5"));
    assert_true(slice_is(refused_id(REQUEST "\"params\":{\"_meta\":{\"progressToken\":{}}}}"), "1"));
    assert_true(slice_is(refused_id(HEAD "\"id\":5}"), "5"));
    assert_false(slice_exists(refused_id(HEAD "\"id\":5,\"id\":6,\"method\":\"m\"}")));
    assert_false(slice_exists(refused_id(HEAD "\"id\":5.5,\"method\":\"m\"}")));
    assert_false(slice_exists(refused_id("{\"jsonrpc\":\"1.0\",\"id\":null,\"method\":\"m\"}")));
    assert_false(slice_exists(refused_id(HEAD "\"id\":5,\"method\":\"m\"")));
    assert_false(slice_exists(refused_id(HEAD "\"id\":5,\"method\":\"m\"}}")));
}

static void every_fault_has_a_text_and_the_code_of_its_kind(void **state)
{
    (void)state;
    for (int fault = MESSAGE_FAULT_NONE + 1; fault < MESSAGE_FAULT_COUNT; fault++) {
        bool is_parse = fault == MESSAGE_FAULT_SYNTAX || fault == MESSAGE_FAULT_DEPTH;
        assert_non_null(message_fault_text((enum message_fault)fault));
        assert_int_equal(message_fault_code((enum message_fault)fault), is_parse ? -32700 : -32600);
    }
}

/* Bytes changed, dropped or doubled at random. What passes must be JSON to another parser, too. */
static void damage(struct buffer *text, uint64_t *seed)
{
    static const char junk[] = "\"\\{}[]:,0-e. \n\xc3\xff\x80u\x01";
    char *at = text->data + text->start + fake_random_below(seed, text->size);
    switch (fake_random_below(seed, 3)) {
    case 0:
        *at = junk[fake_random_below(seed, sizeof(junk) - 1)];
        break;
    case 1:
        memmove(at, at + 1, (size_t)(text->data + text->start + text->size - at - 1));
        text->size--;
        break;
    default:
        text->size = (size_t)(at - text->data - text->start) + 1;
        break;
    }
}

static void what_is_accepted_is_json_to_cjson(void **state)
{
    uint64_t seed = 5;
    unsigned accepted = 0;
    unsigned refused = 0;
    (void)state;
    for (int turn = 0; turn < 40000; turn++) {
        struct buffer text;
        buffer_init(&text, 0);
        buffer_add_text(&text, HEAD "\"id\":1,\"result\":");
        random_json_value(&text, &seed, 5);
        buffer_add_text(&text, "}");
        assert_int_equal(fault_of(buffer_slice(&text)), MESSAGE_FAULT_NONE);
        damage(&text, &seed);
        struct slice bytes = buffer_slice(&text);
        enum message_fault fault = fault_of(bytes);
        /* cJSON refuses lone surrogates, which we let through. */
        if (fault != MESSAGE_FAULT_SYNTAX && memmem(bytes.data, bytes.size, "\\ud", 3) == NULL &&
            memmem(bytes.data, bytes.size, "\\uD", 3) == NULL) {
            cJSON *json = cJSON_ParseWithLength(bytes.data, bytes.size);
            assert_non_null(json);
            cJSON_Delete(json);
            accepted++;
        }
        refused += fault == MESSAGE_FAULT_SYNTAX;
        buffer_release(&text);
    }
    assert_true(accepted > 1000 && refused > 1000);
}

static void expect_error_code(const char *members, int code)
{
    char text[128];
    struct message message;
    snprintf(text, sizeof(text), HEAD "\"id\":1,\"error\":{%s}}", members);
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    assert_int_equal(message_error_code(&message), code);
}

static void the_code_of_an_error_is_an_integer_of_sane_size(void **state)
{
    (void)state;
    expect_error_code("\"code\":-32601", -32601);
    expect_error_code("\"code\":0", 0);
    expect_error_code("\"code\":2147483647", 2147483647);
    expect_error_code("\"code\":-2147483647", -2147483647);
    expect_error_code("\"code\":2147483648", -32603);
    expect_error_code("\"code\":-9223372036854775808", -32603);
    expect_error_code("\"code\":99999999999999999999999", -32603);
    expect_error_code("\"code\":1.5", -32603);
    expect_error_code("\"code\":\"7\"", -32603);
    expect_error_code("\"code\":null", -32603);
    expect_error_code("\"message\":\"m\"", -32603);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_of_an_error_is_an_integer_of_sane_size),
        cmocka_unit_test(a_message_is_told_by_its_members),
        cmocka_unit_test(what_has_no_legal_set_of_members_is_no_message),
        cmocka_unit_test(only_an_object_is_a_message),
        cmocka_unit_test(the_version_must_be_the_string_2_0),
        cmocka_unit_test(an_id_is_a_string_or_an_integer_and_stays_as_it_is_written),
        cmocka_unit_test(an_id_may_have_a_kibibyte),
        cmocka_unit_test(a_method_is_what_its_string_means),
        cmocka_unit_test(a_method_with_a_nul_is_no_other_method),
        cmocka_unit_test(a_method_may_have_256_bytes),
        cmocka_unit_test(a_method_full_of_escapes_fits_its_place),
        cmocka_unit_test(params_are_an_object_or_an_array),
        cmocka_unit_test(a_progress_token_is_a_string_or_an_integer),
        cmocka_unit_test(the_spans_of_a_request_are_found),
        cmocka_unit_test(the_spans_of_a_response_are_found),
        cmocka_unit_test(a_member_of_that_name_elsewhere_is_another_member),
        cmocka_unit_test(escapes_in_keys_are_seen_through),
        cmocka_unit_test(a_member_of_the_envelope_may_stand_there_once_only),
        cmocka_unit_test(what_the_bridge_replaces_may_stand_there_once_only),
        cmocka_unit_test(of_two_other_members_that_are_looked_at_the_last_counts),
        cmocka_unit_test(of_two_containers_the_last_counts_with_what_is_in_it),
        cmocka_unit_test(any_other_member_may_stand_there_twice),
        cmocka_unit_test(nesting_has_an_exact_limit),
        cmocka_unit_test(what_rfc_8259_allows_is_accepted),
        cmocka_unit_test(what_rfc_8259_forbids_in_arrays_and_objects_is_refused),
        cmocka_unit_test(what_rfc_8259_forbids_in_numbers_is_refused),
        cmocka_unit_test(what_rfc_8259_forbids_in_strings_is_refused),
        cmocka_unit_test(a_message_cut_off_at_any_byte_is_refused_and_not_read_beyond),
        cmocka_unit_test(only_white_space_may_stand_around_a_whole_message),
        cmocka_unit_test(what_follows_a_message_is_given_back),
        cmocka_unit_test(line_breaks_between_tokens_are_noticed_and_can_be_taken_out),
        cmocka_unit_test(a_refusal_names_the_id_when_it_was_right),
        cmocka_unit_test(every_fault_has_a_text_and_the_code_of_its_kind),
        cmocka_unit_test(what_is_accepted_is_json_to_cjson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
