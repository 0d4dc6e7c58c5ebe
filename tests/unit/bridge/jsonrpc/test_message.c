#include "bridge/jsonrpc/message.h"

#include "tests/unit/bridge/jsonrpc/scan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "{\"jsonrpc\":\"2.0\","
#define REQUEST HEAD "\"id\":1,\"method\":\"m\","

static void a_message_is_told_by_its_members(void **state)
{
    (void)state;
    scan_expect_kind(HEAD "\"id\":1,\"method\":\"ping\"}", MESSAGE_REQUEST);
    scan_expect_kind(HEAD "\"method\":\"ping\",\"params\":{}}", MESSAGE_NOTIFICATION);
    scan_expect_kind(HEAD "\"id\":1,\"result\":{}}", MESSAGE_RESULT);
    scan_expect_kind(HEAD "\"id\":1,\"result\":null}", MESSAGE_RESULT);
    scan_expect_kind(HEAD "\"id\":1,\"error\":{}}", MESSAGE_ERROR);
    scan_expect_kind(HEAD "\"id\":null,\"error\":{}}", MESSAGE_ERROR);
    scan_expect_kind(HEAD "\"error\":{}}", MESSAGE_ERROR);
}

static void what_has_no_legal_set_of_members_is_no_message(void **state)
{
    (void)state;
    scan_expect_fault("{\"jsonrpc\":\"2.0\"}", MESSAGE_FAULT_SHAPE);
    scan_expect_fault(HEAD "\"id\":1}", MESSAGE_FAULT_SHAPE);
    scan_expect_fault(HEAD "\"id\":1,\"result\":1,\"error\":{}}", MESSAGE_FAULT_SHAPE);
    scan_expect_fault(HEAD "\"id\":1,\"method\":\"m\",\"result\":1}", MESSAGE_FAULT_SHAPE);
    scan_expect_fault(HEAD "\"method\":\"m\",\"error\":{}}", MESSAGE_FAULT_SHAPE);
    scan_expect_fault(HEAD "\"result\":{}}", MESSAGE_FAULT_ID);
    scan_expect_fault(HEAD "\"id\":null,\"result\":{}}", MESSAGE_FAULT_ID);
}

static void only_an_object_is_a_message(void **state)
{
    static const char *const others[] = {"[]", "[" HEAD "\"method\":\"m\"}]", "1", "\"x\"", "true", "null", "-0.5e1"};
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        scan_expect_fault(others[i], MESSAGE_FAULT_OBJECT);
    }
}

static void the_version_must_be_the_string_2_0(void **state)
{
    static const char *const wrong[] = {"2.0", "\"2.00\"", "\"1.0\"", "\"\"", "2", "null", "{}", "[\"2.0\"]"};
    char text[128];
    (void)state;
    scan_expect_fault("{\"id\":1,\"method\":\"m\"}", MESSAGE_FAULT_VERSION);
    scan_expect_fault("{}", MESSAGE_FAULT_VERSION);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "{\"jsonrpc\":%s,\"id\":1,\"method\":\"m\"}", wrong[i]);
        scan_expect_fault(text, MESSAGE_FAULT_VERSION);
    }
    scan_expect_kind("{\"jsonrpc\":\"2\\u002e0\",\"id\":1,\"method\":\"m\"}", MESSAGE_REQUEST);
}

static void expect_id(const char *id, enum message_fault fault)
{
    char text[2 * LIMIT_ID_BYTES];
    struct message message;
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"m\"}", id);
    scan_expect_fault(text, fault);
    if (fault == MESSAGE_FAULT_NONE) {
        assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
        assert_true(slice_is(message.id, id));
    }
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":1}", id);
    scan_expect_fault(text, fault);
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
        scan_expect_fault(text, MESSAGE_FAULT_METHOD);
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
    scan_expect_kind(REQUEST "\"params\":{}}", MESSAGE_REQUEST);
    scan_expect_kind(REQUEST "\"params\":[1]}", MESSAGE_REQUEST);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":%s}", wrong[i]);
        scan_expect_fault(text, MESSAGE_FAULT_PARAMS);
    }
}

static void expect_token(const char *token, enum message_fault fault)
{
    char text[2 * LIMIT_ID_BYTES];
    struct message message;
    snprintf(text, sizeof(text), REQUEST "\"params\":{\"_meta\":{\"progressToken\":%s}}}", token);
    scan_expect_fault(text, fault);
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
        cmocka_unit_test(a_refusal_names_the_id_when_it_was_right),
        cmocka_unit_test(every_fault_has_a_text_and_the_code_of_its_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
