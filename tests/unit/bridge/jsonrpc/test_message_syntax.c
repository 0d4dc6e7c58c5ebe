#include "bridge/jsonrpc/message.h"

#include "tests/unit/bridge/fake_world.h"
#include "tests/unit/bridge/jsonrpc/random_json.h"
#include "tests/unit/bridge/jsonrpc/scan_fixture.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define HEAD "{\"jsonrpc\":\"2.0\","

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
    enum message_fault fault = scan_fault(buffer_slice(&text));
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
    if (scan_fault(buffer_slice(&text)) != fault) {
        fail_msg("%.*s: %s", SLICE_PRINT(value), message_fault_text(scan_fault(buffer_slice(&text))));
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
        assert_int_equal(scan_fault(whole), MESSAGE_FAULT_NONE);
        for (size_t size = 0; size < whole.size; size++) {
            assert_int_equal(scan_fault(slice_of(whole.data, size)), MESSAGE_FAULT_SYNTAX);
        }
    }
    assert_int_equal(scan_fault(slice_of(NULL, 0)), MESSAGE_FAULT_SYNTAX);
}

static void only_white_space_may_stand_around_a_whole_message(void **state)
{
    (void)state;
    scan_expect_kind(" \t\r\n" HEAD "\"method\":\"m\"} \t\r\n", MESSAGE_NOTIFICATION);
    scan_expect_fault(HEAD "\"method\":\"m\"}x", MESSAGE_FAULT_SYNTAX);
    scan_expect_fault(HEAD "\"method\":\"m\"}" HEAD "\"method\":\"m\"}", MESSAGE_FAULT_SYNTAX);
    scan_expect_fault("{\"jsonrpc\":\"1.0\"} ,", MESSAGE_FAULT_SYNTAX);
    scan_expect_fault("1 2", MESSAGE_FAULT_SYNTAX);
    assert_int_equal(scan_fault(slice_of(HEAD "\"method\":\"m\"}\0", sizeof(HEAD "\"method\":\"m\"}"))),
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
        assert_int_equal(scan_fault(buffer_slice(&text)), MESSAGE_FAULT_NONE);
        damage(&text, &seed);
        struct slice bytes = buffer_slice(&text);
        enum message_fault fault = scan_fault(bytes);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting_has_an_exact_limit),
        cmocka_unit_test(what_rfc_8259_allows_is_accepted),
        cmocka_unit_test(what_rfc_8259_forbids_in_arrays_and_objects_is_refused),
        cmocka_unit_test(what_rfc_8259_forbids_in_numbers_is_refused),
        cmocka_unit_test(what_rfc_8259_forbids_in_strings_is_refused),
        cmocka_unit_test(a_message_cut_off_at_any_byte_is_refused_and_not_read_beyond),
        cmocka_unit_test(only_white_space_may_stand_around_a_whole_message),
        cmocka_unit_test(what_follows_a_message_is_given_back),
        cmocka_unit_test(line_breaks_between_tokens_are_noticed_and_can_be_taken_out),
        cmocka_unit_test(what_is_accepted_is_json_to_cjson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
