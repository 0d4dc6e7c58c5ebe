#include "bridge/jsonrpc/reply.h"

#include "bridge/jsonrpc/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct slice absent = {NULL, 0};

/* Releases the buffer. */
static void expect(struct buffer *out, const char *text)
{
    struct message message;
    assert_true(slice_is(buffer_slice(out), text));
    assert_int_equal(message_scan_whole(&message, buffer_slice(out)), MESSAGE_FAULT_NONE);
    buffer_release(out);
}

static void an_error_has_id_code_and_text(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 0);
    reply_error(&out, slice_text("\"a\""), REPLY_METHOD_NOT_FOUND, "Method \"x\" not found", absent);
    expect(&out, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32601,"
                 "\"message\":\"Method \\\"x\\\" not found\"}}");
}

static void an_error_without_id_carries_null(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 0);
    reply_error(&out, absent, REPLY_PARSE_ERROR, "", absent);
    expect(&out, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"\"}}");
}

static void an_error_may_carry_data(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 0);
    reply_error(&out, slice_text("0"), REPLY_REFUSED, "no", slice_text("{\"a\":[1]}"));
    expect(&out, "{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32000,\"message\":\"no\",\"data\":{\"a\":[1]}}}");
}

static void a_result_is_taken_as_it_is(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 0);
    reply_result(&out, slice_text("9007199254740993"), slice_text("{ \"x\" : 1e400 }"));
    expect(&out, "{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"result\":{ \"x\" : 1e400 }}");
}

static void a_call_with_an_id_is_a_request_and_without_a_notification(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 0);
    reply_call(&out, slice_text("5"), "tools/list", slice_text("{\"cursor\":\"c\"}"));
    expect(&out, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"cursor\":\"c\"}}");
    buffer_init(&out, 0);
    reply_call(&out, absent, "notifications/initialized", absent);
    expect(&out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

static void what_a_reply_is_appended_to_stays(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 0);
    buffer_add_text(&out, "before ");
    reply_result(&out, slice_text("1"), slice_text("{}"));
    assert_true(slice_is(buffer_slice(&out), "before {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
    buffer_release(&out);
}

static void a_text_is_escaped_as_json_wants_it(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 0);
    reply_add_string(&out, slice_of("a\"b\\c\n\r\t\x01\x1f\xc3\xa4 not this", 13));
    assert_true(slice_is(buffer_slice(&out), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\xc3\xa4 \""));
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_id_code_and_text),
        cmocka_unit_test(an_error_without_id_carries_null),
        cmocka_unit_test(an_error_may_carry_data),
        cmocka_unit_test(a_result_is_taken_as_it_is),
        cmocka_unit_test(a_call_with_an_id_is_a_request_and_without_a_notification),
        cmocka_unit_test(what_a_reply_is_appended_to_stays),
        cmocka_unit_test(a_text_is_escaped_as_json_wants_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
