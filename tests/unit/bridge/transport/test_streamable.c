#include "bridge/transport/streamable.h"

#include "tests/unit/bridge/bridge_fixture.h"

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
#define MODERN_META                                                          \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"," \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

static struct fake_exchange *post(struct bridge_fixture *fixture, const char *body)
{
    return bridge_fixture_post(fixture, NULL, body);
}

/* ---- Headers ---- */

static void a_known_version_or_none_is_accepted_and_any_other_is_400(void **state)
{
    static const char *const versions[] = {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};
    struct bridge_fixture *fixture = *state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(bridge_fixture_post_with(fixture, "MCP-Protocol-Version", versions[i], NOTE)->status, 202);
    }
    assert_int_equal(post(fixture, NOTE)->status, 202);
    fake_exchange_expect(bridge_fixture_post_with(fixture, "MCP-Protocol-Version", "1999-01-01", REQUEST("v")), 400,
                         REFUSED("v", -32000,
                                 "Bad Request: Unsupported protocol version: 1999-01-01 (supported versions: "
                                 "2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05)"));
    assert_int_equal(bridge_fixture_post_with(fixture, "MCP-Protocol-Version", "", REQUEST(1))->status, 400);
}

/* Only the legacy era has answers of a client's, so the revision that is served to others is none for them. */
static void an_answer_of_the_modern_era_hears_of_the_revisions_that_have_answers(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(bridge_fixture_post_with(fixture, "MCP-Protocol-Version", "2026-07-28",
                                                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"),
                         400,
                         REFUSED(1, -32000,
                                 "Bad Request: Unsupported protocol version: 2026-07-28 (supported versions: "
                                 "2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05)"));
}

static void a_version_given_twice_is_400(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_POST, NULL);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_add_field(exchange, "MCP-Protocol-Version", "2025-11-25");
    fake_exchange_add_field(exchange, "MCP-Protocol-Version", "2025-06-18");
    fake_exchange_set_body(exchange, slice_text(NOTE));
    bridge_fixture_handle(fixture, exchange);
    assert_int_equal(exchange->status, 400);
}

static void the_version_is_checked_on_get_and_delete_too(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    static const enum exchange_method methods[] = {EXCHANGE_GET, EXCHANGE_DELETE};
    for (size_t i = 0; i < 2; i++) {
        struct fake_exchange *exchange = bridge_fixture_new(fixture, methods[i], session);
        fake_exchange_add_field(exchange, "MCP-Protocol-Version", "x");
        bridge_fixture_handle(fixture, exchange);
        assert_int_equal(exchange->status, 400);
    }
    assert_int_equal(fixture->server.sessions.sessions.count, 1);
}

static int status_with(struct bridge_fixture *fixture, const char *accept, const char *type)
{
    struct fake_exchange *exchange = fake_exchange_new(&fixture->world, EXCHANGE_POST);
    if (accept != NULL) {
        fake_exchange_add_field(exchange, "Accept", accept);
    }
    if (type != NULL) {
        fake_exchange_add_field(exchange, "Content-Type", type);
    }
    fake_exchange_set_body(exchange, slice_text(NOTE));
    bridge_fixture_handle(fixture, exchange);
    return exchange->status;
}

static void what_a_client_sends_and_takes_must_be_what_the_endpoint_has(void **state)
{
    struct bridge_fixture *fixture = *state;
    assert_int_equal(status_with(fixture, NULL, "application/json"), 202);
    assert_int_equal(status_with(fixture, "*/*", "application/json; charset=utf-8"), 202);
    assert_int_equal(status_with(fixture, "application/json", "application/json"), 202);
    assert_int_equal(status_with(fixture, "text/event-stream", "application/json"), 202);
    assert_int_equal(status_with(fixture, "text/html", "application/json"), 406);
    assert_int_equal(status_with(fixture, NULL, "text/plain"), 415);
    assert_int_equal(status_with(fixture, NULL, NULL), 415);
}

static void a_get_must_take_a_stream(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = fake_exchange_new(&fixture->world, EXCHANGE_GET);
    fake_exchange_add_field(exchange, "Accept", "application/json");
    fake_exchange_add_field(exchange, "Mcp-Session-Id", bridge_fixture_open_session(fixture));
    bridge_fixture_handle(fixture, exchange);
    fake_exchange_expect(
        exchange, 406,
        REFUSED(
            null, -32000,
            "Not Acceptable: Client must accept text/event-stream (an endpoint for MCP clients, not for browsers)"));
}

static void who_may_not_come_in_is_turned_away_whatever_it_wants(void **state)
{
    struct bridge_fixture *fixture = *state;
    static const enum exchange_method methods[] = {EXCHANGE_GET,    EXCHANGE_HEAD,    EXCHANGE_POST,
                                                   EXCHANGE_DELETE, EXCHANGE_OPTIONS, EXCHANGE_OTHER};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct fake_exchange *exchange = bridge_fixture_new(fixture, methods[i], NULL);
        fake_exchange_add_field(exchange, "Origin", "http://evil.example");
        bridge_fixture_handle(fixture, exchange);
        assert_int_equal(exchange->status, 403);
    }
}

static struct fake_exchange *handle_method(struct bridge_fixture *fixture, enum exchange_method method)
{
    struct fake_exchange *exchange = bridge_fixture_new(fixture, method, NULL);
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

static void other_methods_hear_which_are_allowed(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_start(fixture);
    struct fake_exchange *options = handle_method(fixture, EXCHANGE_OPTIONS);
    fake_exchange_expect(options, 204, "");
    assert_string_equal(fake_exchange_answer_field(options, "allow"), "GET, POST, DELETE, OPTIONS");
    assert_int_equal(handle_method(fixture, EXCHANGE_OTHER)->status, 405);
    struct fake_exchange *head = handle_method(fixture, EXCHANGE_HEAD);
    assert_int_equal(head->status, 405);
    assert_string_equal(fake_exchange_answer_field(head, "allow"), "GET, POST, DELETE");
}

static void statelessly_only_post_is_allowed(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_start_in_mode(fixture, STREAMABLE_STATELESS);
    struct fake_exchange *options = handle_method(fixture, EXCHANGE_OPTIONS);
    assert_string_equal(fake_exchange_answer_field(options, "allow"), "POST, OPTIONS");
    struct fake_exchange *put = handle_method(fixture, EXCHANGE_OTHER);
    assert_int_equal(put->status, 405);
    assert_string_equal(fake_exchange_answer_field(put, "allow"), "POST");
}

/* ---- Ceilings ---- */

static void too_many_calls_are_503_and_in_a_session_an_error_with_status_200(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    for (size_t i = 0; i < fixture->settings.max_in_flight; i++) {
        fake_exchange_expect_silence(post(fixture, REQUEST(1)));
    }
    struct fake_exchange *stateless = post(fixture, REQUEST("s"));
    fake_exchange_expect(stateless, 503, REFUSED("s", -32603, "Too many requests in flight (--max-in-flight)"));
    assert_string_equal(fake_exchange_answer_field(stateless, "retry-after"), "1");
    fake_exchange_expect(bridge_fixture_post(fixture, session, "{\"jsonrpc\":\"2.0\",\n\"id\":5,\"method\":\"m\"}"),
                         200, REFUSED(5, -32603, "Too many requests in flight (--max-in-flight)"));
    assert_int_equal(post(fixture, NOTE)->status, 202);
    assert_int_equal(post(fixture, "[" REQUEST(1) "]")->status, 503);
    assert_int_equal(post(fixture, "[" NOTE "]")->status, 202);
    bridge_fixture_answer(fixture);
    fake_exchange_expect_silence(post(fixture, REQUEST(1)));
}

static void a_session_has_a_ceiling_of_its_own_for_its_calls(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.max_session_calls = 2;
    const char *session = bridge_fixture_open_session(fixture);
    const char *other = bridge_fixture_open_session(fixture);
    fake_exchange_expect_silence(bridge_fixture_post(fixture, session, REQUEST(1)));
    fake_exchange_expect(
        bridge_fixture_post(fixture, session, "[" REQUEST(2) "," REQUEST(3) "]"), 400,
        REFUSED(null, -32600, "Invalid Request: batches were removed from the protocol in revision 2025-06-18"));
    fake_exchange_expect_silence(bridge_fixture_post(fixture, session, REQUEST(2)));
    struct fake_exchange *third = bridge_fixture_post(fixture, session, REQUEST(3));
    fake_exchange_expect(
        third, 200, REFUSED(3, -32603, "Too many requests in flight in this session (--max-in-flight-per-session)"));
    assert_string_equal(fake_exchange_answer_field(third, "retry-after"), "1");
    fake_exchange_expect_silence(bridge_fixture_post(fixture, other, REQUEST(3)));
    fake_exchange_expect_silence(post(fixture, REQUEST(3)));
    assert_int_equal(bridge_fixture_post(fixture, session, NOTE)->status, 202);
    bridge_fixture_answer_to(fixture, 2);
    bridge_fixture_answer_to(fixture, 4);
    fake_exchange_expect_silence(bridge_fixture_post(fixture, session, REQUEST(3)));
}

static void a_batch_has_room_only_if_all_of_it_has(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect_silence(post(fixture, REQUEST(1)));
    assert_int_equal(post(fixture, "[" REQUEST(1) "," REQUEST(2) "," REQUEST(3) "," REQUEST(4) "]")->status, 503);
    assert_int_equal(fixture->server.shared->channel.call_count, 1);
    fake_exchange_expect_silence(post(fixture, "[" REQUEST(1) "," REQUEST(2) "," REQUEST(3) "]"));
    assert_int_equal(fixture->server.shared->channel.call_count, fixture->settings.max_in_flight);
}

/* ---- The modern era ---- */

/* A request as a client of the modern era sends it. */
static void a_modern_request_whose_head_is_wrong_is_refused_for_that(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        post(fixture, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\",\"params\":{" MODERN_META "}}");
    assert_non_null(strstr(fake_exchange_answer(exchange), "\"id\":3,\"error\":{\"code\":-32020,"));
    assert_int_equal(exchange->status, 400);
    exchange = bridge_fixture_post_with(fixture, "MCP-Protocol-Version", "2026-07-28", REQUEST(4));
    assert_non_null(strstr(fake_exchange_answer(exchange), "\"id\":4,\"error\":{\"code\":-32602,"));
    assert_int_equal(exchange->status, 400);
    fake_child_expect_silence(fixture->child);
}

static void a_get_or_a_delete_of_the_modern_era_is_not_allowed_even_in_a_session(void **state)
{
    static const enum exchange_method methods[] = {EXCHANGE_GET, EXCHANGE_DELETE};
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    for (size_t i = 0; i < 2; i++) {
        struct fake_exchange *exchange = bridge_fixture_new(fixture, methods[i], session);
        fake_exchange_add_field(exchange, "MCP-Protocol-Version", "2026-07-28");
        bridge_fixture_handle(fixture, exchange);
        fake_exchange_expect(exchange, 405,
                             REFUSED(null, -32000, "Method not allowed. GET and DELETE are for sessions only."));
        assert_string_equal(fake_exchange_answer_field(exchange, "allow"), "POST");
    }
    assert_int_equal(fixture->server.sessions.sessions.count, 1);
}

static void a_modern_notification_is_accepted_and_ignored(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(
        post(fixture, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{" MODERN_META "}}"), 202,
        "");
    fake_child_expect_silence(fixture->child);
}

static void a_batch_with_a_modern_message_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    assert_int_equal(
        post(fixture, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{" MODERN_META "}}]")->status, 400);
    struct fake_exchange *exchange =
        bridge_fixture_post_with(fixture, "MCP-Protocol-Version", "2026-07-28", "[" REQUEST(1) "]");
    assert_non_null(strstr(fake_exchange_answer(exchange), "\"id\":null,\"error\":{\"code\":-32600,"));
    assert_int_equal(exchange->status, 400);
    fake_child_expect_silence(fixture->child);
}

/* ---- Draining ---- */

static void note_settled(struct server *server)
{
    struct bridge_fixture *fixture = container_of(server, struct bridge_fixture, server);
    streamable_settle(&fixture->streamable);
}

static void drain(struct bridge_fixture *fixture)
{
    streamable_drain(&fixture->streamable);
    server_drain(&fixture->server, note_settled);
}

static void draining_serves_sessions_until_their_calls_have_been_answered(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *call = bridge_fixture_post(fixture, session, REQUEST(1));
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    drain(fixture);
    fake_exchange_expect_open(stream);
    fake_exchange_expect_silence(call);
    struct fake_exchange *further = bridge_fixture_post(fixture, session, REQUEST(2));
    bridge_fixture_answer(fixture);
    fake_exchange_expect(further, 200, ANSWER(2, 3));
    struct fake_exchange *stranger = post(fixture, REQUEST(3));
    fake_exchange_expect(stranger, 503, REFUSED(null, -32603, "The bridge is shutting down"));
    assert_string_equal(fake_exchange_answer_field(stranger, "retry-after"), "5");
    assert_int_equal(post(fixture, INITIALIZE(0, "2025-06-18"))->status, 503);
    fake_exchange_expect(bridge_fixture_post(fixture, session, INITIALIZE(0, "2025-06-18")), 503,
                         REFUSED(0, -32603, "The bridge is shutting down"));
    assert_int_equal(bridge_fixture_post(fixture, "00000000000000000000000000000000", REQUEST(4))->status, 503);
    bridge_fixture_answer_to(fixture, 2);
    fake_exchange_expect(call, 200, ANSWER(1, 2));
    fake_world_advance(&fixture->world, LIMIT_DRAIN_GRACE_MS - 1);
    struct fake_exchange *last = bridge_fixture_post(fixture, session, REQUEST(5));
    fake_exchange_expect_open(stream);
    fake_world_advance(&fixture->world, 1);
    fake_exchange_expect_closed(stream);
    assert_int_equal(bridge_fixture_get(fixture, session)->status, 503);
    assert_int_equal(bridge_fixture_delete(fixture, session)->status, 503);
    bridge_fixture_answer(fixture);
    fake_exchange_expect(last, 200, ANSWER(5, 4));
    assert_int_equal(fixture->streamable.posts.count, 0);
}

static void draining_waits_for_no_call_without_a_session_and_for_none_that_came_after(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    struct fake_exchange *call = post(fixture, REQUEST(1));
    drain(fixture);
    fake_exchange_expect_closed(stream);
    assert_int_equal(bridge_fixture_post(fixture, session, REQUEST(2))->status, 503);
    bridge_fixture_answer(fixture);
    fake_exchange_expect(call, 200, ANSWER(1, 2));
}

static void a_session_ends_while_the_bridge_drains(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *call = bridge_fixture_post(fixture, session, REQUEST(1));
    drain(fixture);
    struct fake_exchange *late = bridge_fixture_post(fixture, session, REQUEST(2));
    bridge_fixture_answer_to(fixture, 2);
    fake_exchange_expect(call, 200, ANSWER(1, 2));
    assert_int_equal(bridge_fixture_delete(fixture, session)->status, 200);
    assert_int_equal(fixture->server.phase, SERVER_DRAINING);
    fake_world_advance(&fixture->world, LIMIT_DRAIN_GRACE_MS);
    assert_int_equal(fixture->server.phase, SERVER_SETTLED);
    bridge_fixture_answer(fixture);
    fake_exchange_expect(late, 200, ANSWER(2, 3));
}

static void a_drain_does_not_wait_for_the_call_of_a_client_that_has_gone(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *call = bridge_fixture_post(fixture, session, REQUEST(1));
    struct fake_exchange *other = bridge_fixture_post(fixture, session, REQUEST(2));
    fake_exchange_vanish(call);
    drain(fixture);
    assert_int_equal(fixture->server.phase, SERVER_DRAINING);
    fake_exchange_vanish(other);
    fake_world_advance(&fixture->world, LIMIT_DRAIN_GRACE_MS);
    assert_int_equal(fixture->server.phase, SERVER_SETTLED);
}

static void a_server_that_closes_does_not_settle(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    struct fake_exchange *call = bridge_fixture_post(fixture, session, REQUEST(1));
    drain(fixture);
    bridge_fixture_close_server(fixture);
    assert_int_equal(fixture->server.phase, SERVER_DRAINING);
    assert_int_equal(call->status, 200);
    fake_exchange_expect_closed(stream);
}

static void closing_answers_every_client_that_waits(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *running = bridge_fixture_post(fixture, session, REQUEST(1));
    struct fake_exchange *batch = post(fixture, "[" REQUEST(2) "]");
    fixture->child->is_full = true;
    struct fake_exchange *waiting = post(fixture, REQUEST(4));
    struct fake_exchange *notification = post(fixture, NOTE);
    struct fake_exchange *stream = bridge_fixture_get(fixture, session);
    bridge_fixture_close_server(fixture);
    fake_exchange_expect(running, 200, REFUSED(1, -32603, "The bridge is shutting down"));
    fake_exchange_expect(batch, 200, "[" REFUSED(2, -32603, "The bridge is shutting down") "]");
    fake_exchange_expect(waiting, 200, REFUSED(4, -32603, "The bridge is shutting down"));
    fake_exchange_expect(notification, 202, "");
    fake_exchange_expect_closed(stream);
}

#define READY(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)
#define UNOPENED(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READY(a_known_version_or_none_is_accepted_and_any_other_is_400),
        READY(an_answer_of_the_modern_era_hears_of_the_revisions_that_have_answers),
        READY(a_version_given_twice_is_400),
        READY(the_version_is_checked_on_get_and_delete_too),
        READY(what_a_client_sends_and_takes_must_be_what_the_endpoint_has),
        READY(a_get_must_take_a_stream),
        READY(who_may_not_come_in_is_turned_away_whatever_it_wants),
        UNOPENED(other_methods_hear_which_are_allowed),
        UNOPENED(statelessly_only_post_is_allowed),
        READY(too_many_calls_are_503_and_in_a_session_an_error_with_status_200),
        READY(a_session_has_a_ceiling_of_its_own_for_its_calls),
        READY(a_batch_has_room_only_if_all_of_it_has),
        READY(a_modern_request_whose_head_is_wrong_is_refused_for_that),
        READY(a_get_or_a_delete_of_the_modern_era_is_not_allowed_even_in_a_session),
        READY(a_modern_notification_is_accepted_and_ignored),
        READY(a_batch_with_a_modern_message_is_refused),
        READY(draining_serves_sessions_until_their_calls_have_been_answered),
        READY(draining_waits_for_no_call_without_a_session_and_for_none_that_came_after),
        READY(a_session_ends_while_the_bridge_drains),
        READY(a_drain_does_not_wait_for_the_call_of_a_client_that_has_gone),
        READY(a_server_that_closes_does_not_settle),
        READY(closing_answers_every_client_that_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
