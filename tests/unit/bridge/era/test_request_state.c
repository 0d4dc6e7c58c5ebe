#include "bridge/era/request_state.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define CALL_WITH(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":" params "}"
#define CALL(params) CALL_WITH("tools/call", params)

static const char request[] = CALL("{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":[true,null,\"x\"]},\"_meta\":{}}");

static const struct request_state first = {.handle = "0123456789abcde", .round = 0x01020304};

struct fixture {
    struct fake_world world;
    struct buffer text; /* of `first`, written for alice and the request */
};

static void bind(struct request_binding *binding, struct message *message, const char *principal, const char *text)
{
    assert_int_equal(message_scan_whole(message, slice_text(text)), MESSAGE_FAULT_NONE);
    *binding = (struct request_binding){.principal = slice_text(principal), .request = message};
}

static void write_state(struct fixture *fixture, const struct request_state *state, const char *principal,
                        const char *text, struct buffer *out)
{
    struct message message;
    struct request_binding binding;
    bind(&binding, &message, principal, text);
    request_state_write(&fixture->world.port, state, &binding, out);
}

static bool reads(struct fixture *fixture, struct slice json, const char *principal, const char *text,
                  struct request_state *state)
{
    struct message message;
    struct request_binding binding;
    bind(&binding, &message, principal, text);
    return request_state_read(&fixture->world.port, json, &binding, state);
}

/* Whether the fixture's state is good for this caller and request. */
static bool is_good_for(struct fixture *fixture, const char *principal, const char *text)
{
    struct request_state state;
    return reads(fixture, buffer_slice(&fixture->text), principal, text, &state);
}

/* Whether `json` is taken from alice, for the request. */
static bool is_taken(struct fixture *fixture, struct slice json)
{
    struct request_state state = {.round = 77};
    bool is_read = reads(fixture, json, "alice", request, &state);
    assert_true(is_read || state.round == 77);
    return is_read;
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    fake_world_init(&fixture->world, 1);
    buffer_init(&fixture->text, 0);
    write_state(fixture, &first, "alice", request, &fixture->text);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    buffer_release(&fixture->text);
    fake_world_release(&fixture->world);
    free(fixture);
    return 0;
}

static void what_was_written_is_read(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t rounds[] = {0, 1, 255, 256, 0x01020304, UINT32_MAX};
    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        struct request_state written = {.round = rounds[i]};
        struct request_state read = {.round = 0};
        struct buffer text;
        fixture->world.port.random(&fixture->world.port, written.handle, sizeof(written.handle));
        buffer_init(&text, 0);
        write_state(fixture, &written, "alice", request, &text);
        assert_true(reads(fixture, buffer_slice(&text), "alice", request, &read));
        assert_memory_equal(read.handle, written.handle, sizeof(read.handle));
        assert_int_equal(read.round, written.round);
        buffer_release(&text);
    }
}

static void it_is_a_json_string_that_needs_no_escapes(void **state)
{
    struct fixture *fixture = *state;
    struct slice text = buffer_slice(&fixture->text);
    bool has_escapes;
    assert_ptr_equal(json_end_of_string(text.data, text.data + text.size, &has_escapes), text.data + text.size);
    assert_false(has_escapes);
    for (size_t i = 1; i < text.size - 1; i++) {
        assert_non_null(memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", text.data[i], 64));
    }
}

static void no_bit_of_it_may_change(void **state)
{
    struct fixture *fixture = *state;
    char text[128];
    struct slice json = buffer_slice(&fixture->text);
    assert_true(is_taken(fixture, json));
    memcpy(text, json.data, json.size);
    for (size_t bit = 0; bit < json.size * 8; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << (bit % 8)));
        assert_false(is_taken(fixture, slice_of(text, json.size)));
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << (bit % 8)));
    }
    assert_true(is_taken(fixture, slice_of(text, json.size)));
}

/* Every character by every other: the last one's spare bits too. */
static void no_character_of_it_stands_for_another(void **state)
{
    struct fixture *fixture = *state;
    char text[128];
    struct slice json = buffer_slice(&fixture->text);
    memcpy(text, json.data, json.size);
    for (size_t i = 0; i < json.size; i++) {
        for (int c = 0; c < 256; c++) {
            text[i] = (char)c;
            assert_true(is_taken(fixture, slice_of(text, json.size)) == (text[i] == json.data[i]));
        }
        text[i] = json.data[i];
    }
}

static void neither_more_nor_less_of_it_is_taken(void **state)
{
    struct fixture *fixture = *state;
    struct buffer text;
    struct slice json = buffer_slice(&fixture->text);
    buffer_init(&text, 0);
    for (size_t size = 0; size < json.size; size++) {
        assert_false(is_taken(fixture, slice_of(json.data, size)));
        buffer_clear(&text, SIZE_MAX);
        buffer_add(&text, slice_of(json.data, size));
        buffer_add_text(&text, "\"");
        assert_true(is_taken(fixture, buffer_slice(&text)) == (size == json.size - 1));
    }
    static const char *const tails[] = {"A", "=", "\"", " ", "AAAA"};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        buffer_clear(&text, SIZE_MAX);
        buffer_add(&text, json);
        buffer_add_text(&text, tails[i]);
        assert_false(is_taken(fixture, buffer_slice(&text)));
        buffer_truncate(&text, json.size - 1);
        buffer_add_text(&text, tails[i]);
        buffer_add_text(&text, "\"");
        assert_false(is_taken(fixture, buffer_slice(&text)));
    }
    buffer_release(&text);
}

static void other_values_are_not_taken(void **state)
{
    struct fixture *fixture = *state;
    static const char *const values[] = {
        "",          "\"",    "\"\"",
        "null",      "1",     "[\"\"]",
        "{\"a\":1}", "\"x\"", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_false(is_taken(fixture, slice_text(values[i])));
    }
    assert_false(is_taken(fixture, slice_of(NULL, 0)));
}

static void it_is_good_for_its_caller_only(void **state)
{
    struct fixture *fixture = *state;
    assert_true(is_good_for(fixture, "alice", request));
    assert_false(is_good_for(fixture, "", request));
    assert_false(is_good_for(fixture, "alic", request));
    assert_false(is_good_for(fixture, "alicet", request));
    assert_false(is_good_for(fixture, "Alice", request));
}

static void what_belongs_to_nobody_is_not_good_for_somebody(void **state)
{
    struct fixture *fixture = *state;
    buffer_clear(&fixture->text, 0);
    write_state(fixture, &first, "", request, &fixture->text);
    assert_true(is_good_for(fixture, "", request));
    assert_false(is_good_for(fixture, "alice", request));
}

/* The border between caller and method is part of what is authenticated. */
static void a_caller_and_a_method_do_not_run_into_each_other(void **state)
{
    struct fixture *fixture = *state;
    buffer_clear(&fixture->text, 0);
    write_state(fixture, &first, "alicet", CALL_WITH("ools/call", "{}"), &fixture->text);
    assert_true(is_good_for(fixture, "alicet", CALL_WITH("ools/call", "{}")));
    assert_false(is_good_for(fixture, "alice", CALL_WITH("tools/call", "{}")));
}

static void it_is_good_for_its_request_only(void **state)
{
    struct fixture *fixture = *state;
    static const char *const others[] = {
        CALL_WITH("prompts/get", "{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":[true,null,\"x\"]},\"_meta\":{}}"),
        CALL("{\"name\":\"sub\",\"arguments\":{\"a\":1,\"b\":[true,null,\"x\"]},\"_meta\":{}}"),
        CALL("{\"name\":\"add\",\"arguments\":{\"a\":2,\"b\":[true,null,\"x\"]},\"_meta\":{}}"),
        CALL("{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":[true,null]},\"_meta\":{}}"),
        CALL("{\"name\":\"add\",\"arguments\":{\"a\":1},\"_meta\":{}}"),
        CALL("{\"name\":\"add\",\"_meta\":{}}"),
        CALL("{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":[true,null,\"x\"]},\"task\":{},\"_meta\":{}}"),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(is_good_for(fixture, "alice", others[i]));
    }
}

/* MCP 2026-07-28, "Multi Round-Trip Requests": the same request, with a new id, the answers and the state. */
static void it_is_good_for_its_request_sent_again_with_answers(void **state)
{
    struct fixture *fixture = *state;
    static const char *const again[] = {
        CALL("{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":[true,null,\"x\"]},\"_meta\":{\"progressToken\":7},"
             "\"inputResponses\":{\"k\":{\"action\":\"accept\"}},\"requestState\":\"abc\"}"),
        "{\"id\":\"other\",\"params\":{\"requestState\":\"abc\",\"arguments\":{\"b\":[true,null,\"x\"],\"a\":1},"
        "\"name\":\"add\"},\"method\":\"tools\\/call\",\"jsonrpc\":\"2.0\"}",
        CALL(" { \"name\" :\n\"\\u0061dd\","
             "\t\"arguments\" :{\r\"\\u0062\": [ true, null , \"\\u0078\" ], \"a\": 1 } } "),
    };
    for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
        assert_true(is_good_for(fixture, "alice", again[i]));
    }
}

static void worlds_with_the_same_secret_agree_and_others_do_not(void **state)
{
    struct fixture *fixture = *state;
    struct fixture other;
    fake_world_init(&other.world, 99);
    assert_true(is_taken(&other, buffer_slice(&fixture->text)));
    other.world.secret = 1;
    assert_false(is_taken(&other, buffer_slice(&fixture->text)));
    fake_world_release(&other.world);
}

/* Computed by Python's hmac and base64 from the description at the top of the module: replicas of all builds agree. */
static void its_form_stays(void **state)
{
    struct fixture *fixture = *state;
    struct buffer text;
    buffer_init(&text, 0);
    write_state(fixture, &first, "alice", CALL("{\"name\":\"add\",\"arguments\":{\"b\":\"\\u00e9\",\"a\":[1,-0.5e1]}}"),
                &text);
    assert_true(
        slice_is(buffer_slice(&text), "\"ATAxMjM0NTY3ODlhYmNkZQABAgMEhncoV55sNARvgUbXk1PPqpaLMGgKOzFFUIEJW2sjXL0\""));
    buffer_release(&text);
}

/* Computed as above: what a later build may mint under the same key file. */
static void another_version_is_not_taken_although_it_is_authentic(void **state)
{
    struct fixture *fixture = *state;
    struct request_state read;
    assert_true(reads(fixture,
                      slice_text("\"ATAxMjM0NTY3ODlhYmNkZQABAgMEDxmi2fQm-ZlDNxen3ALohXx5QiHE8cyEg4t8PgIVeEQ\""),
                      "alice", CALL("{}"), &read));
    assert_false(reads(fixture,
                       slice_text("\"AjAxMjM0NTY3ODlhYmNkZQABAgMECD--bDPW2NzIr1F2p2FP7nUrGfC79Hz4FQ1Fz7vgduU\""),
                       "alice", CALL("{}"), &read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_a_json_string_that_needs_no_escapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_bit_of_it_may_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_character_of_it_stands_for_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(neither_more_nor_less_of_it_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_values_are_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_good_for_its_caller_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_belongs_to_nobody_is_not_good_for_somebody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_caller_and_a_method_do_not_run_into_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_good_for_its_request_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_good_for_its_request_sent_again_with_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(worlds_with_the_same_secret_agree_and_others_do_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_form_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_version_is_not_taken_although_it_is_authentic, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
