#include "bridge/jsonrpc/message.h"

#include "tests/unit/bridge/jsonrpc/scan_fixture.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEAD "{\"jsonrpc\":\"2.0\","
#define REQUEST HEAD "\"id\":1,\"method\":\"m\","

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
        scan_expect_fault(texts[i], MESSAGE_FAULT_DUPLICATE);
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
    scan_expect_kind(REQUEST "\"x\":1,\"x\":2,\"params\":{\"name\":1,\"name\":2,\"arguments\":{\"uri\":1,\"uri\":2}}}",
                     MESSAGE_REQUEST);
    scan_expect_kind(HEAD "\"id\":1,\"result\":{\"id\":1,\"id\":2,\"uri\":1,\"uri\":2}}", MESSAGE_RESULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_spans_of_a_request_are_found),
        cmocka_unit_test(the_spans_of_a_response_are_found),
        cmocka_unit_test(a_member_of_that_name_elsewhere_is_another_member),
        cmocka_unit_test(escapes_in_keys_are_seen_through),
        cmocka_unit_test(a_member_of_the_envelope_may_stand_there_once_only),
        cmocka_unit_test(what_the_bridge_replaces_may_stand_there_once_only),
        cmocka_unit_test(of_two_other_members_that_are_looked_at_the_last_counts),
        cmocka_unit_test(of_two_containers_the_last_counts_with_what_is_in_it),
        cmocka_unit_test(any_other_member_may_stand_there_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
