#include "bridge/mcp/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ANSWER(result) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" result "}"

static bool accept(struct handshake *handshake, struct slice text, char why[256])
{
    struct message message;
    assert_int_equal(message_scan_whole(&message, text), MESSAGE_FAULT_NONE);
    why[0] = '\0';
    return handshake_accept(handshake, &message, why, 256);
}

static void expect_refused(const char *text, const char *reason)
{
    struct handshake handshake = {.has_logging = false};
    char why[256];
    assert_false(accept(&handshake, slice_text(text), why));
    assert_string_equal(why, reason);
    assert_false(slice_exists(handshake.result));
    handshake_release(&handshake);
}

/* The InitializeResult that a client gets which asks for `requested`. */
static void expect_answer(const struct handshake *handshake, const char *requested, const char *expected)
{
    struct rewrite parts;
    struct buffer text;
    char version[HANDSHAKE_VERSION_TEXT];
    buffer_init(&text, 0);
    struct slice agreed = handshake_answer(handshake, slice_text(requested), &parts, version);
    for (size_t i = 0; i < parts.count; i++) {
        buffer_add(&text, parts.parts[i]);
    }
    assert_true(agreed.size > 0);
    buffer_add(&text, slice_of("", 1));
    assert_string_equal(buffer_slice(&text).data, expected);
    buffer_release(&text);
}

static void the_bridge_introduces_itself_without_capabilities(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 0);
    handshake_write_initialize(&out, slice_text("7"), "1.2.3");
    assert_true(slice_is(buffer_slice(&out),
                         "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                         "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"mcp-bridge\","
                         "\"version\":\"1.2.3\"}}}"));
    buffer_clear(&out, 0);
    handshake_write_initialized(&out);
    assert_true(slice_is(buffer_slice(&out), "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"));
    buffer_release(&out);
}

static void every_client_gets_the_childs_answer_with_its_own_revision(void **state)
{
    struct handshake handshake = {.has_logging = false};
    char why[256];
    (void)state;
    assert_true(accept(&handshake,
                       slice_text(ANSWER("{ \"x\":1e400, \"protocolVersion\" : \"2025-06-18\",\"serverInfo\":{} }")),
                       why));
    expect_answer(&handshake, "2025-06-18", "{ \"x\":1e400, \"protocolVersion\" : \"2025-06-18\",\"serverInfo\":{} }");
    expect_answer(&handshake, "2025-03-26", "{ \"x\":1e400, \"protocolVersion\" : \"2025-03-26\",\"serverInfo\":{} }");
    expect_answer(&handshake, "2025-11-25", "{ \"x\":1e400, \"protocolVersion\" : \"2025-06-18\",\"serverInfo\":{} }");
    expect_answer(&handshake, "2026-07-28", "{ \"x\":1e400, \"protocolVersion\" : \"2025-06-18\",\"serverInfo\":{} }");
    handshake_release(&handshake);
    handshake_release(&handshake);
}

static void a_revision_that_we_do_not_know_is_answered_as_the_child_wrote_it(void **state)
{
    struct handshake handshake = {.has_logging = false};
    char why[256];
    (void)state;
    assert_true(accept(&handshake, slice_text(ANSWER("{\"protocolVersion\":\"2025-11-25-rc1\"}")), why));
    expect_answer(&handshake, "x", "{\"protocolVersion\":\"2025-11-25-rc1\"}");
    assert_true(accept(&handshake, slice_text(ANSWER("{\"protocolVersion\":\"1\"}")), why));
    expect_answer(&handshake, "x", "{\"protocolVersion\":\"1\"}");
    handshake_release(&handshake);
}

static void expect_capabilities(const char *capabilities, bool has_logging, unsigned has_list_changes)
{
    struct handshake handshake = {.has_logging = !has_logging, .has_list_changes = ~has_list_changes};
    char text[512];
    char why[256];
    snprintf(text, sizeof(text), ANSWER("{\"protocolVersion\":\"2025-11-25\"%s}"), capabilities);
    assert_true(accept(&handshake, slice_text(text), why));
    assert_int_equal(handshake.has_logging, has_logging);
    assert_int_equal(handshake.has_list_changes, has_list_changes);
    handshake_release(&handshake);
}

static void the_childs_capabilities_are_read(void **state)
{
    (void)state;
    expect_capabilities("", false, 0);
    expect_capabilities(",\"capabilities\":{\"logging\":{}}", true, 0);
    expect_capabilities(",\"capabilities\":{\"tools\":{\"listChanged\":true}}", false, 1);
    expect_capabilities(",\"capabilities\":{\"prompts\":{\"listChanged\":true},\"Logging\":{}}", false, 2);
    expect_capabilities(",\"capabilities\":{\"resources\":{\"listChanged\":1},\"logging\":null}", false, 0);
    expect_capabilities(",\"capabilities\":[]", false, 0);
}

static void a_later_answer_takes_the_place_of_an_earlier_one(void **state)
{
    struct handshake handshake = {.has_logging = false};
    char why[256];
    (void)state;
    assert_true(accept(&handshake, slice_text(ANSWER("{\"protocolVersion\":\"2025-03-26\",\"a\":1}")), why));
    assert_true(accept(&handshake, slice_text(ANSWER("{\"protocolVersion\":\"2025-06-18\",\"b\":2}")), why));
    expect_answer(&handshake, "2025-06-18", "{\"protocolVersion\":\"2025-06-18\",\"b\":2}");
    handshake_release(&handshake);
}

static void what_is_no_initialize_result_is_refused(void **state)
{
    static const char reason[] = "the server's answer to initialize is not an InitializeResult";
    (void)state;
    expect_refused(ANSWER("{}"), reason);
    expect_refused(ANSWER("1"), reason);
    expect_refused(ANSWER("[{\"protocolVersion\":\"2025-11-25\"}]"), reason);
    expect_refused(ANSWER("{\"protocolVersion\":20251125}"), reason);
    expect_refused(ANSWER("{\"protocolVersion\":\"\"}"), reason);
    expect_refused(ANSWER("{\"protocolVersion\":\"2025-11-25 and so on\"}"), reason);
    expect_refused(ANSWER("{\"protocolVersion\":{\"a\":1}}"), reason);
}

static void a_refusal_gives_the_servers_reason(void **state)
{
    (void)state;
    expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"no key\"}}",
                   "the server refused initialize: no key");
    expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":5}}",
                   "the server refused initialize: no reason given");
    expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"x\"}", "the server refused initialize: no reason given");
}

static void a_refused_answer_leaves_the_earlier_one(void **state)
{
    struct handshake handshake = {.has_logging = false};
    char why[256];
    (void)state;
    assert_true(accept(&handshake, slice_text(ANSWER("{\"protocolVersion\":\"2025-03-26\"}")), why));
    assert_false(accept(&handshake, slice_text(ANSWER("{}")), why));
    expect_answer(&handshake, "2025-03-26", "{\"protocolVersion\":\"2025-03-26\"}");
    handshake_release(&handshake);
}

/* A result with instructions of this many bytes. */
static bool accept_large(size_t size)
{
    struct handshake handshake = {.has_logging = false};
    struct buffer text;
    char why[256];
    buffer_init(&text, 0);
    buffer_add_text(&text,
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-11-25\",\"instructions\":\"");
    size_t before = sizeof("{\"protocolVersion\":\"2025-11-25\",\"instructions\":\"") - 1;
    for (size_t i = before + 2; i < size; i++) {
        buffer_add_text(&text, "i");
    }
    buffer_add_text(&text, "\"}}");
    bool is_accepted = accept(&handshake, buffer_slice(&text), why);
    assert_true(!is_accepted || handshake.result.size == size);
    buffer_release(&text);
    handshake_release(&handshake);
    return is_accepted;
}

static void an_answer_that_is_kept_has_a_ceiling(void **state)
{
    (void)state;
    assert_true(accept_large(LIMIT_HANDSHAKE_BYTES));
    assert_false(accept_large(LIMIT_HANDSHAKE_BYTES + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bridge_introduces_itself_without_capabilities),
        cmocka_unit_test(every_client_gets_the_childs_answer_with_its_own_revision),
        cmocka_unit_test(a_revision_that_we_do_not_know_is_answered_as_the_child_wrote_it),
        cmocka_unit_test(the_childs_capabilities_are_read),
        cmocka_unit_test(a_later_answer_takes_the_place_of_an_earlier_one),
        cmocka_unit_test(what_is_no_initialize_result_is_refused),
        cmocka_unit_test(a_refusal_gives_the_servers_reason),
        cmocka_unit_test(a_refused_answer_leaves_the_earlier_one),
        cmocka_unit_test(an_answer_that_is_kept_has_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
