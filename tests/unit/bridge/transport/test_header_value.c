#include "bridge/transport/header_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *value, const char *meaning)
{
    struct buffer text;
    buffer_init(&text, 0);
    bool is_right = header_value_decode(slice_text(value), &text);
    assert_int_equal(is_right, meaning != NULL);
    assert_true(slice_is(buffer_slice(&text), meaning != NULL ? meaning : ""));
    buffer_release(&text);
}

static void plain_ascii_stands_for_itself(void **state)
{
    (void)state;
    expect("us-west1", "us-west1");
    expect("a b\tc", "a b\tc");
    expect("", "");
    expect("~!", "~!");
}

static void other_characters_are_refused(void **state)
{
    (void)state;
    expect("caf\xc3\xa9", NULL);
    expect("caf\xe9", NULL);
    expect("a\x01", NULL);
    expect("a\x7f", NULL);
}

/* MCP 2026-07-28, Streamable HTTP, "Value Encoding": its own examples. */
static void wrapped_base64_is_decoded(void **state)
{
    (void)state;
    expect("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, \xe4\xb8\x96\xe7\x95\x8c");
    expect("=?base64?IHBhZGRlZCA=?=", " padded ");
    expect("=?base64?bGluZTEKbGluZTI=?=", "line1\nline2");
    expect("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?=");
    expect("=?base64?"
           "?=",
           "");
    expect("=?base64?fn5+?=", "~~~");
}

static void what_is_not_wholly_wrapped_is_literal(void **state)
{
    static const char *const literals[] = {
        "=?base64?YQ==", "YQ==?=",         "=?BASE64?YQ==?=",  "=?Base64?YQ==?=",
        "=?base64?=",    "=?utf-8?YQ==?=", "x=?base64?YQ==?=", "=?base64?YQ==?=x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        expect(literals[i], literals[i]);
    }
}

static void base64_that_is_not_right_is_refused(void **state)
{
    static const char *const wrong[] = {
        "=?base64?YQ?=",       /* no padding */
        "=?base64?YQ=?=",      /* too little */
        "=?base64?YWI==?=",    /* too much */
        "=?base64?====?=",     /* nothing else */
        "=?base64?Y===?=",     /* fewer than 8 bits */
        "=?base64?YQ==YQ==?=", /* in the middle */
        "=?base64?Y=Q=?=",     /* in the middle of four */
        "=?base64?_-8=?=",     /* the alphabet of URLs */
        "=?base64?YW Jj?=",    /* white space */
        "=?base64?YW*j?=",     /* no such letter */
        "=?base64?YR==?=",     /* bits left over */
        "=?base64?YWJ=?=",     /* the same, with one byte more */
        "=?base64?/w==?=",     /* 0xff is not UTF-8 */
        "=?base64?wK8=?=",     /* an overlong form */
        "=?base64?7aCA?=",     /* a surrogate */
        "=?base64?4pyT4pw=?=", /* a character cut short */
        "=?base64?literal?=",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect(wrong[i], NULL);
    }
}

static bool is_string(const char *text, const char *json)
{
    return header_value_is_string(slice_text(text), slice_text(json));
}

static void a_text_is_compared_with_what_a_string_means(void **state)
{
    (void)state;
    assert_true(is_string("a/b", "\"a/b\""));
    assert_true(is_string("a/b", "\"a\\/b\""));
    assert_true(is_string("a/b", "\"\\u0061/b\""));
    assert_true(is_string("\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\""));
    assert_true(is_string("", "\"\""));
    assert_false(is_string("a", "\"A\""));
    assert_false(is_string("a", "\"ab\""));
    assert_false(is_string("ab", "\"a\""));
    assert_false(is_string("a", "\"\\u0061b\""));
    assert_false(is_string("", "\"\\u0061\""));
    assert_false(is_string("a\\/b", "\"a\\/b\""));
    assert_false(is_string("a", "\"\\u0061\\u0000\""));
}

static void what_is_no_string_equals_nothing(void **state)
{
    (void)state;
    assert_false(is_string("1", "1"));
    assert_false(is_string("", "null"));
    assert_false(header_value_is_string(slice_text(""), slice_of(NULL, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_ascii_stands_for_itself),
        cmocka_unit_test(other_characters_are_refused),
        cmocka_unit_test(wrapped_base64_is_decoded),
        cmocka_unit_test(what_is_not_wholly_wrapped_is_literal),
        cmocka_unit_test(base64_that_is_not_right_is_refused),
        cmocka_unit_test(a_text_is_compared_with_what_a_string_means),
        cmocka_unit_test(what_is_no_string_equals_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
