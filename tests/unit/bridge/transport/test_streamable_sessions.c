#include "bridge/transport/streamable.h"

#include "tests/unit/bridge/bridge_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REQUEST(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define ANSWER(id, wire) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{\"wire\":" #wire "}}"
#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/custom\"}"
#define REFUSED(id, code, text) \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"error\":{\"code\":" #code ",\"message\":\"" text "\"}}"
#define UNKNOWN_SESSION "00000000000000000000000000000000"

static struct fake_exchange *post(struct bridge_fixture *fixture, const char *body)
{
    return bridge_fixture_post(fixture, NULL, body);
}

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
    bridge_fixture_start_in_mode(*state, STREAMABLE_STATEFUL);
    expect_matrix(*state, expected);
}

static void statelessly_a_session_is_ignored_and_there_is_only_post(void **state)
{
    static const int expected[3][5] = {{0, 0, 0, 0, 0}, {405, 405, 405, 405, 405}, {405, 405, 405, 405, 405}};
    bridge_fixture_start_in_mode(*state, STREAMABLE_STATELESS);
    expect_matrix(*state, expected);
}

static void a_refusal_for_a_missing_or_unknown_session_names_the_request(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_start_in_mode(fixture, STREAMABLE_STATEFUL);
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

#define READY(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)
#define UNOPENED(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNOPENED(by_default_a_session_is_optional_and_an_unknown_one_is_404),
        UNOPENED(statefully_a_session_is_required),
        UNOPENED(statelessly_a_session_is_ignored_and_there_is_only_post),
        UNOPENED(a_refusal_for_a_missing_or_unknown_session_names_the_request),
        READY(each_session_may_count_its_ids_from_0),
        READY(a_delete_ends_the_session_and_not_its_running_call),
        READY(a_session_is_idle_after_its_last_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
