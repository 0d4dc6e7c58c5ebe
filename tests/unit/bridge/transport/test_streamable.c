#include "bridge/transport/streamable.h"

#include "bridge/limits.h"
#include "tests/unit/bridge/bridge_fixture.h"
#include "tests/unit/bridge/jsonrpc/random_json.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

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
#define UNKNOWN_SESSION "00000000000000000000000000000000"

static struct fake_exchange *post(struct bridge_fixture *fixture, const char *body)
{
    return bridge_fixture_post(fixture, NULL, body);
}

/* A POST with one more field. */
static struct fake_exchange *post_with(struct bridge_fixture *fixture, const char *name, const char *value,
                                       const char *body)
{
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_POST, NULL);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_add_field(exchange, name, value);
    fake_exchange_set_body(exchange, slice_text(body));
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

static void start_in_mode(struct bridge_fixture *fixture, enum streamable_mode mode)
{
    fixture->endpoint.mode = mode;
    bridge_fixture_start(fixture);
}

/* ---- initialize ---- */

static void initialize_is_answered_from_the_handshake_and_opens_a_session(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = post(fixture, INITIALIZE("i", "2025-11-25"));
    char body[512];
    snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"result\":%s}", bridge_fixture_handshake);
    fake_exchange_expect(exchange, 200, body);
    assert_int_equal(strlen(fake_exchange_answer_field(exchange, "mcp-session-id")), 32);
    fake_child_expect_silence(fixture->child);
}

/* An initialize of this many bytes, in a buffer that the caller releases. */
static const char *write_initialize(struct buffer *body, size_t size)
{
    static const char end[] = "\"}}";
    buffer_init(body, 0);
    buffer_add_text(body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                          "\"2025-11-25\",\"x\":\"");
    buffer_add_format(body, "%0*d%s", (int)(size - body->size - strlen(end)), 1, end);
    assert_int_equal(body->size, size);
    buffer_add(body, slice_of("", 1));
    return body->data;
}

static void an_initialize_may_not_be_larger_than_is_kept(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct buffer body;
    struct fake_exchange *exchange = post(fixture, write_initialize(&body, LIMIT_INITIALIZE_BYTES + 1));
    buffer_release(&body);
    fake_exchange_expect(exchange, 413, REFUSED(1, -32600, "Payload Too Large: an initialize may have 256 KiB"));
    assert_null(fake_exchange_answer_field(exchange, "mcp-session-id"));
    exchange = post(fixture, write_initialize(&body, LIMIT_INITIALIZE_BYTES));
    buffer_release(&body);
    assert_int_equal(exchange->status, 200);
    assert_non_null(fake_exchange_answer_field(exchange, "mcp-session-id"));
}

static void each_client_gets_the_revision_that_it_can_have(void **state)
{
    static const char *const asked_and_got[][2] = {{"2025-03-26", "\"protocolVersion\":\"2025-03-26\""},
                                                   {"2024-11-05", "\"protocolVersion\":\"2024-11-05\""},
                                                   {"2099-01-01", "\"protocolVersion\":\"2025-11-25\""}};
    struct bridge_fixture *fixture = *state;
    for (size_t i = 0; i < 3; i++) {
        char body[256];
        snprintf(body, sizeof(body), INITIALIZE(1, "%s"), asked_and_got[i][0]);
        struct fake_exchange *exchange = post(fixture, body);
        assert_non_null(strstr(fake_exchange_answer(exchange), asked_and_got[i][1]));
        struct session *session =
            bridge_fixture_session(fixture, fake_exchange_answer_field(exchange, "mcp-session-id"));
        assert_int_equal(session->revision->has_batches, i < 2);
    }
}

static void every_initialize_opens_a_session_of_its_own_whatever_it_names(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *first = bridge_fixture_open_session(fixture);
    struct fake_exchange *second = bridge_fixture_post(fixture, first, INITIALIZE(1, "2025-11-25"));
    struct fake_exchange *third = bridge_fixture_post(fixture, UNKNOWN_SESSION, INITIALIZE(1, "2025-11-25"));
    assert_string_not_equal(fake_exchange_answer_field(second, "mcp-session-id"), first);
    assert_non_null(fake_exchange_answer_field(third, "mcp-session-id"));
    assert_int_equal(fixture->server.sessions.sessions.count, 3);
}

static void too_many_sessions_are_refused_with_a_time_to_come_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *first = bridge_fixture_open_session(fixture);
    bridge_fixture_open_session(fixture);
    bridge_fixture_open_session(fixture);
    struct fake_exchange *exchange = post(fixture, INITIALIZE("i", "2025-11-25"));
    fake_exchange_expect(exchange, 503, REFUSED("i", -32603, "Too many open sessions (--max-sessions)"));
    assert_string_equal(fake_exchange_answer_field(exchange, "retry-after"), "10");
    bridge_fixture_delete(fixture, first);
    bridge_fixture_open_session(fixture);
}

static void statelessly_no_session_is_opened(void **state)
{
    struct bridge_fixture *fixture = *state;
    start_in_mode(fixture, STREAMABLE_STATELESS);
    for (size_t i = 0; i < 2 * fixture->settings.max_sessions; i++) {
        struct fake_exchange *exchange = post(fixture, INITIALIZE(1, "2025-11-25"));
        assert_int_equal(exchange->status, 200);
        assert_null(fake_exchange_answer_field(exchange, "mcp-session-id"));
    }
    assert_int_equal(fixture->server.sessions.sessions.count, 0);
}

/* ---- Sessions ---- */

enum naming { NAMES_NONE, NAMES_EMPTY, NAMES_UNKNOWN, NAMES_ENDED, NAMES_OPEN };

/* A session id of this kind; where there are no sessions, one that a client made up. */
static const char *name_session(struct bridge_fixture *fixture, enum naming naming)
{
    if (naming <= NAMES_EMPTY) {
        return naming == NAMES_NONE ? NULL : "";
    }
    if (naming == NAMES_UNKNOWN || fixture->endpoint.mode == STREAMABLE_STATELESS) {
        return UNKNOWN_SESSION;
    }
    const char *name = bridge_fixture_open_session(fixture);
    if (naming == NAMES_ENDED) {
        server_end_session(&fixture->server, bridge_fixture_session(fixture, name));
    }
    return name;
}

/* With what status the method is refused; 0 when it is served. */
static int refusal_of(struct bridge_fixture *fixture, enum exchange_method method, enum naming naming)
{
    const char *name = name_session(fixture, naming);
    struct fake_exchange *exchange = method == EXCHANGE_POST  ? bridge_fixture_post(fixture, name, REQUEST(1))
                                     : method == EXCHANGE_GET ? bridge_fixture_get(fixture, name)
                                                              : bridge_fixture_delete(fixture, name);
    if (exchange->state == FAKE_EXCHANGE_WAITING) {
        bridge_fixture_answer(fixture);
    }
    fake_exchange_vanish(exchange);
    struct map_node *node = map_any(&fixture->server.sessions.sessions);
    if (node != NULL) {
        server_end_session(&fixture->server, container_of(node, struct session, by_name));
    }
    return exchange->status == 200 ? 0 : exchange->status;
}

/* MCP 2025-03-26, Transports, "Session Management". The columns are the kinds of naming. */
static void expect_matrix(struct bridge_fixture *fixture, const int expected[3][5])
{
    static const enum exchange_method methods[] = {EXCHANGE_POST, EXCHANGE_GET, EXCHANGE_DELETE};
    for (size_t method = 0; method < 3; method++) {
        for (int naming = NAMES_NONE; naming <= NAMES_OPEN; naming++) {
            int status = refusal_of(fixture, methods[method], (enum naming)naming);
            if (status != expected[method][naming]) {
                fail_msg("method %zu, naming %d: %d and not %d", method, naming, status, expected[method][naming]);
            }
        }
    }
}

static void by_default_a_session_is_optional_and_an_unknown_one_is_404(void **state)
{
    static const int expected[3][5] = {{0, 0, 404, 404, 0}, {405, 405, 404, 404, 0}, {405, 405, 404, 404, 0}};
    bridge_fixture_start(*state);
    expect_matrix(*state, expected);
}

static void statefully_a_session_is_required(void **state)
{
    static const int expected[3][5] = {{400, 400, 404, 404, 0}, {400, 400, 404, 404, 0}, {400, 400, 404, 404, 0}};
    start_in_mode(*state, STREAMABLE_STATEFUL);
    expect_matrix(*state, expected);
}

static void statelessly_a_session_is_ignored_and_there_is_only_post(void **state)
{
    static const int expected[3][5] = {{0, 0, 0, 0, 0}, {405, 405, 405, 405, 405}, {405, 405, 405, 405, 405}};
    start_in_mode(*state, STREAMABLE_STATELESS);
    expect_matrix(*state, expected);
}

static void a_refusal_for_a_missing_or_unknown_session_names_the_request(void **state)
{
    struct bridge_fixture *fixture = *state;
    start_in_mode(fixture, STREAMABLE_STATEFUL);
    fake_exchange_expect(post(fixture, REQUEST(5)), 400,
                         REFUSED(5, -32000, "Bad Request: Mcp-Session-Id header is required"));
    fake_exchange_expect(bridge_fixture_post(fixture, UNKNOWN_SESSION, REQUEST("a")), 404,
                         REFUSED("a", -32001, "Session not found"));
    assert_int_equal(bridge_fixture_post(fixture, "x", REQUEST(1))->status, 404);
    fake_exchange_expect(bridge_fixture_get(fixture, UNKNOWN_SESSION), 404, REFUSED(null, -32001, "Session not found"));
}

static void each_session_may_count_its_ids_from_0(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = bridge_fixture_post(fixture, bridge_fixture_open_session(fixture), REQUEST(0));
    struct fake_exchange *second = bridge_fixture_post(fixture, bridge_fixture_open_session(fixture), REQUEST(0));
    struct fake_exchange *third = post(fixture, REQUEST(0));
    bridge_fixture_answer_to(fixture, 4);
    bridge_fixture_answer_to(fixture, 2);
    bridge_fixture_answer_to(fixture, 3);
    fake_exchange_expect(first, 200, ANSWER(0, 2));
    fake_exchange_expect(second, 200, ANSWER(0, 3));
    fake_exchange_expect(third, 200, ANSWER(0, 4));
}

static void a_delete_ends_the_session_and_not_its_running_call(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    struct fake_exchange *call = bridge_fixture_post(fixture, session, REQUEST(1));
    fake_exchange_expect(bridge_fixture_delete(fixture, session), 200, "");
    fake_exchange_expect(bridge_fixture_delete(fixture, session), 404, REFUSED(null, -32001, "Session not found"));
    assert_int_equal(bridge_fixture_post(fixture, session, REQUEST(1))->status, 404);
    bridge_fixture_answer(fixture);
    fake_exchange_expect(call, 200, ANSWER(1, 2));
}

static void a_session_is_idle_after_its_last_request(void **state)
{
    struct bridge_fixture *fixture = *state;
    const char *session = bridge_fixture_open_session(fixture);
    uint64_t timeout_ms = fixture->settings.session_timeout_ms;
    fake_world_advance(&fixture->world, timeout_ms - 1000);
    assert_int_equal(bridge_fixture_post(fixture, session, NOTE)->status, 202);
    fake_world_advance(&fixture->world, timeout_ms - 1);
    assert_int_equal(fixture->server.sessions.sessions.count, 1);
    fake_world_advance(&fixture->world, 1);
    assert_int_equal(bridge_fixture_post(fixture, session, NOTE)->status, 404);
}

/* ---- Headers ---- */

static void a_known_version_or_none_is_accepted_and_any_other_is_400(void **state)
{
    static const char *const versions[] = {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};
    struct bridge_fixture *fixture = *state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(post_with(fixture, "MCP-Protocol-Version", versions[i], NOTE)->status, 202);
    }
    assert_int_equal(post(fixture, NOTE)->status, 202);
    fake_exchange_expect(post_with(fixture, "MCP-Protocol-Version", "1999-01-01", REQUEST("v")), 400,
                         REFUSED("v", -32000,
                                 "Bad Request: Unsupported protocol version: 1999-01-01 (supported versions: "
                                 "2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05)"));
    assert_int_equal(post_with(fixture, "MCP-Protocol-Version", "", REQUEST(1))->status, 400);
}

/* Only the legacy era has answers of a client's, so the revision that is served to others is none for them. */
static void an_answer_of_the_modern_era_hears_of_the_revisions_that_have_answers(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_exchange_expect(
        post_with(fixture, "MCP-Protocol-Version", "2026-07-28", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"), 400,
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
    start_in_mode(fixture, STREAMABLE_STATELESS);
    struct fake_exchange *options = handle_method(fixture, EXCHANGE_OPTIONS);
    assert_string_equal(fake_exchange_answer_field(options, "allow"), "POST, OPTIONS");
    struct fake_exchange *put = handle_method(fixture, EXCHANGE_OTHER);
    assert_int_equal(put->status, 405);
    assert_string_equal(fake_exchange_answer_field(put, "allow"), "POST");
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

/* ---- Batches ---- */

static void batches_are_for_revisions_that_have_them(void **state)
{
    struct bridge_fixture *fixture = *state;
    assert_int_equal(post(fixture, "[" NOTE "]")->status, 202);
    assert_int_equal(post_with(fixture, "MCP-Protocol-Version", "2025-03-26", "[" NOTE "]")->status, 202);
    assert_int_equal(post_with(fixture, "MCP-Protocol-Version", "2025-11-25", "[" NOTE "]")->status, 400);
    fake_exchange_expect(
        post_with(fixture, "MCP-Protocol-Version", "2025-06-18", "[" REQUEST(1) "]"), 400,
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

/* ---- The modern era ---- */

/* A request as a client of the modern era sends it. */
static void a_modern_request_whose_head_is_wrong_is_refused_for_that(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange =
        post(fixture, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\",\"params\":{" MODERN_META "}}");
    assert_non_null(strstr(fake_exchange_answer(exchange), "\"id\":3,\"error\":{\"code\":-32020,"));
    assert_int_equal(exchange->status, 400);
    exchange = post_with(fixture, "MCP-Protocol-Version", "2026-07-28", REQUEST(4));
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
    struct fake_exchange *exchange = post_with(fixture, "MCP-Protocol-Version", "2026-07-28", "[" REQUEST(1) "]");
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
        READY(initialize_is_answered_from_the_handshake_and_opens_a_session),
        READY(an_initialize_may_not_be_larger_than_is_kept),
        READY(each_client_gets_the_revision_that_it_can_have),
        READY(every_initialize_opens_a_session_of_its_own_whatever_it_names),
        READY(too_many_sessions_are_refused_with_a_time_to_come_again),
        UNOPENED(statelessly_no_session_is_opened),
        UNOPENED(by_default_a_session_is_optional_and_an_unknown_one_is_404),
        UNOPENED(statefully_a_session_is_required),
        UNOPENED(statelessly_a_session_is_ignored_and_there_is_only_post),
        UNOPENED(a_refusal_for_a_missing_or_unknown_session_names_the_request),
        READY(each_session_may_count_its_ids_from_0),
        READY(a_delete_ends_the_session_and_not_its_running_call),
        READY(a_session_is_idle_after_its_last_request),
        READY(a_known_version_or_none_is_accepted_and_any_other_is_400),
        READY(an_answer_of_the_modern_era_hears_of_the_revisions_that_have_answers),
        READY(a_version_given_twice_is_400),
        READY(the_version_is_checked_on_get_and_delete_too),
        READY(what_a_client_sends_and_takes_must_be_what_the_endpoint_has),
        READY(a_get_must_take_a_stream),
        READY(who_may_not_come_in_is_turned_away_whatever_it_wants),
        UNOPENED(other_methods_hear_which_are_allowed),
        UNOPENED(statelessly_only_post_is_allowed),
        READY(a_body_that_is_no_message_is_refused_and_its_id_named_if_there_is_one),
        READY(a_body_that_is_absent_is_refused),
        READY(notifications_and_responses_are_accepted_without_a_body),
        READY(line_breaks_between_tokens_do_not_reach_the_child),
        READY(payloads_pass_byte_for_byte),
        READY(a_client_that_cancels_gets_an_answer_all_the_same),
        READY(too_many_calls_are_503_and_in_a_session_an_error_with_status_200),
        READY(a_session_has_a_ceiling_of_its_own_for_its_calls),
        READY(a_batch_has_room_only_if_all_of_it_has),
        READY(batches_are_for_revisions_that_have_them),
        READY(an_initialize_must_not_be_part_of_a_batch),
        READY(a_batch_that_is_empty_or_too_large_is_refused),
        READY(a_batch_with_a_message_that_is_none_is_refused_in_the_messages_words),
        READY(a_batch_of_responses_and_notifications_is_accepted),
        READY(a_batch_goes_to_the_child_as_lines),
        READY(a_batch_needs_the_session_that_it_names),
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
