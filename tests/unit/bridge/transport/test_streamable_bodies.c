#include "bridge/transport/streamable.h"

#include "bridge/limits.h"
#include "tests/unit/bridge/bridge_fixture.h"
#include "tests/unit/bridge/jsonrpc/random_json.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define ANSWER(id, wire) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{\"wire\":" #wire "}}"
#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/custom\"}"
#define INITIALIZE(id, version) \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"" version "\"}}"
#define REFUSED(id, code, text) \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"error\":{\"code\":" #code ",\"message\":\"" text "\"}}"
#define UNKNOWN_SESSION "00000000000000000000000000000000"

static struct fake_exchange *post(struct bridge_fixture *fixture, const char *body)
{
    return bridge_fixture_post(fixture, NULL, body);
}

/* ---- Bodies ---- */

static void a_body_that_is_no_message_is_refused_and_its_id_named_if_there_is_one(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(post(fixture, ""), 400, REFUSED(null, -32700, "Parse error: Invalid JSON"));
    fake_exchange_expect(post(fixture, "{\"jsonrpc\":\"2.0\",\"id\":1"), 400,
                         REFUSED(null, -32700, "Parse error: Invalid JSON"));
    fake_exchange_expect(post(fixture, "\"x\""), 400,
                         REFUSED(null, -32600, "Invalid Request: a message must be a JSON object"));
    fake_exchange_expect(post(fixture, "{\"jsonrpc\":\"1.0\",\"id\":\"a\",\"method\":\"m\"}"), 400,
                         REFUSED("a", -32600, "Invalid Request: \\\"jsonrpc\\\" must be \\\"2.0\\\""));
    assert_int_equal(post(fixture, REQUEST(null))->status, 400);
    assert_int_equal(post(fixture, REQUEST(1.5))->status, 400);
    fake_child_expect_silence(fixture->child);
}

static void a_body_that_is_absent_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_POST, NULL);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    bridge_fixture_handle(fixture, exchange);
    fake_exchange_expect(exchange, 400, REFUSED(null, -32700, "Parse error: Invalid JSON"));
}

static void notifications_and_responses_are_accepted_without_a_body(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, NOTE);
    fake_exchange_expect(exchange, 202, "");
    assert_int_equal(exchange->answer_field_count, 0);
    fake_child_expect(fixture->child, NOTE);
    fake_exchange_expect(post(fixture, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"), 202, "");
    fake_exchange_expect(post(fixture, "{\"jsonrpc\":\"2.0\",\n\"id\":1,\"error\":{}}"), 202, "");
    fake_child_expect_silence(fixture->child);
}

static void line_breaks_between_tokens_do_not_reach_the_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        post(fixture, "\n{\r\n\"jsonrpc\": \"2.0\",\n\t\"id\": \"\\n\",\n\"method\": \"m\"\n}\n");
    fake_child_expect(fixture->child, "{  \"jsonrpc\": \"2.0\", \t\"id\": 2, \"method\": \"m\" }");
    bridge_fixture_answer(fixture);
    fake_exchange_expect(exchange, 200, ANSWER("\n", 2));
}

/* Params of any shape go out, and a result of any shape comes back, as they were written. */
static void payloads_pass_byte_for_byte(void **state)
{
    struct bridge_fixture *fixture = *state;
    uint64_t seed = 7;
    for (int turn = 0; turn < 2000; turn++) {
        struct buffer value;
        struct buffer body;
        struct buffer answer;
        buffer_init(&value, 0);
        buffer_init(&body, 0);
        buffer_init(&answer, 0);
        random_json_value(&value, &seed, 8);
        buffer_add_format(&body, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"m\",\"params\":[%.*s]}",
                          SLICE_PRINT(buffer_slice(&value)));
        buffer_add(&body, slice_of("", 1));
        struct fake_exchange *exchange = post(fixture, buffer_slice(&body).data);
        fake_child_expect_format(fixture->child,
                                 "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"method\":\"m\",\"params\":[%.*s]}",
                                 fixture->child->last_id, SLICE_PRINT(buffer_slice(&value)));
        buffer_add_format(&answer, "{\"jsonrpc\":\"2.0\",\"result\":%.*s,\"id\":%" PRIu64 "}",
                          SLICE_PRINT(buffer_slice(&value)), fixture->child->last_id);
        fake_child_say_bytes(fixture->child, buffer_slice(&answer));
        buffer_clear(&answer, SIZE_MAX);
        buffer_add_format(&answer, "{\"jsonrpc\":\"2.0\",\"result\":%.*s,\"id\":0}", SLICE_PRINT(buffer_slice(&value)));
        assert_true(slice_is(buffer_slice(&answer), fake_exchange_answer(exchange)));
        buffer_release(&value);
        buffer_release(&body);
        buffer_release(&answer);
    }
}

static void a_client_that_cancels_gets_an_answer_all_the_same(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *call = bridge_fixture_post(fixture, session, REQUEST(7));
    assert_non_null(fake_child_take(fixture->child));
    struct fake_exchange *cancel = bridge_fixture_post(
        fixture, session,
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications\\/cancelled\",\"params\":{\"requestId\":7}}");
    fake_exchange_expect(cancel, 202, "");
    fake_exchange_expect(call, 200, REFUSED(7, -32800, "Request cancelled"));
    fake_child_expect(fixture->child,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":2}}");
    bridge_fixture_answer(fixture);
}

/* ---- Batches ---- */

static void batches_are_for_revisions_that_have_them(void **state)
{
    struct bridge_fixture *fixture = *state;
    assert_int_equal(post(fixture, "[" NOTE "]")->status, 202);
    assert_int_equal(bridge_fixture_post_with(fixture, "MCP-Protocol-Version", "2025-03-26", "[" NOTE "]")->status,
                     202);
    assert_int_equal(bridge_fixture_post_with(fixture, "MCP-Protocol-Version", "2025-11-25", "[" NOTE "]")->status,
                     400);
    fake_exchange_expect(
        bridge_fixture_post_with(fixture, "MCP-Protocol-Version", "2025-06-18", "[" REQUEST(1) "]"), 400,
        REFUSED(null, -32600, "Invalid Request: batches were removed from the protocol in revision 2025-06-18"));
    const char *newer = bridge_fixture_open_session(fixture);
    assert_int_equal(bridge_fixture_post(fixture, newer, "[" NOTE "]")->status, 400);
    struct fake_exchange *older = post(fixture, INITIALIZE(1, "2025-03-26"));
    assert_int_equal(
        bridge_fixture_post(fixture, fake_exchange_answer_field(older, "mcp-session-id"), "[" NOTE "]")->status, 202);
}

static void an_initialize_must_not_be_part_of_a_batch(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(post(fixture, "[" NOTE ",\n" INITIALIZE(1, "2025-03-26") "]"), 400,
                         REFUSED(null, -32600, "Invalid Request: initialize must not be part of a batch"));
    fake_child_expect_silence(fixture->child);
}

static void a_batch_that_is_empty_or_too_large_is_refused(void **state)
{
    static const char refused[] =
        REFUSED(null, -32600, "Invalid Request: a batch must hold between 1 and 100 messages");
    struct bridge_fixture *fixture = *state;
    struct buffer body;
    buffer_init(&body, 0);
    for (int i = 0; i <= LIMIT_BATCH_MESSAGES; i++) {
        buffer_add_text(&body, i == 0 ? "[" NOTE : "," NOTE);
    }
    buffer_add(&body, slice_of("]", 2));
    fake_exchange_expect(post(fixture, "[]"), 400, refused);
    fake_exchange_expect(post(fixture, buffer_slice(&body).data), 400, refused);
    buffer_release(&body);
    fake_child_expect_silence(fixture->child);
}

static void a_batch_with_a_message_that_is_none_is_refused_in_the_messages_words(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(post(fixture, "[{\"jsonrpc\":\"2.0\"}]"), 400,
                         REFUSED(null, -32600, "Invalid Request: neither a request, a notification nor a response"));
    fake_exchange_expect(post(fixture, "[" NOTE ",1]"), 400,
                         REFUSED(null, -32600, "Invalid Request: a message must be a JSON object"));
    fake_exchange_expect(post(fixture, "[" NOTE), 400, REFUSED(null, -32700, "Parse error: Invalid JSON"));
    fake_child_expect_silence(fixture->child);
}

static void a_batch_of_responses_and_notifications_is_accepted(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(post(fixture, "[" NOTE ",\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}," NOTE "]"), 202, "");
    fake_child_expect(fixture->child, NOTE);
    fake_child_expect(fixture->child, NOTE);
    fake_child_expect_silence(fixture->child);
}

static void a_batch_goes_to_the_child_as_lines(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        post(fixture, " [ \n{\"jsonrpc\":\"2.0\",\r\"id\":\"a\",\"method\":\"m\"},\n" REQUEST(1) "\n] ");
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\", \"id\":2,\"method\":\"m\"}");
    fake_child_expect(fixture->child, REQUEST(3));
    bridge_fixture_answer_to(fixture, 2);
    bridge_fixture_answer_to(fixture, 3);
    fake_exchange_expect(exchange, 200, "[" ANSWER("a", 2) "," ANSWER(1, 3) "]");
}

static void a_batch_needs_the_session_that_it_names(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(bridge_fixture_post(fixture, UNKNOWN_SESSION, "[" REQUEST(1) "]"), 404,
                         REFUSED(null, -32001, "Session not found"));
}

#define READY(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READY(a_body_that_is_no_message_is_refused_and_its_id_named_if_there_is_one),
        READY(a_body_that_is_absent_is_refused),
        READY(notifications_and_responses_are_accepted_without_a_body),
        READY(line_breaks_between_tokens_do_not_reach_the_child),
        READY(payloads_pass_byte_for_byte),
        READY(a_client_that_cancels_gets_an_answer_all_the_same),
        READY(batches_are_for_revisions_that_have_them),
        READY(an_initialize_must_not_be_part_of_a_batch),
        READY(a_batch_that_is_empty_or_too_large_is_refused),
        READY(a_batch_with_a_message_that_is_none_is_refused_in_the_messages_words),
        READY(a_batch_of_responses_and_notifications_is_accepted),
        READY(a_batch_goes_to_the_child_as_lines),
        READY(a_batch_needs_the_session_that_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
