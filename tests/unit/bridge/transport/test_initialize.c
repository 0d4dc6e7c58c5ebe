#include "bridge/transport/initialize.h"

#include "bridge/limits.h"
#include "tests/unit/bridge/bridge_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define INITIALIZE(id, version) \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"" version "\"}}"
#define REFUSED(id, code, text) \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"error\":{\"code\":" #code ",\"message\":\"" text "\"}}"
#define UNKNOWN_SESSION "00000000000000000000000000000000"

static struct fake_exchange *post(struct bridge_fixture *fixture, const char *body)
{
    return bridge_fixture_post(fixture, NULL, body);
}

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
    bridge_fixture_start_in_mode(fixture, STREAMABLE_STATELESS);
    for (size_t i = 0; i < 2 * fixture->settings.max_sessions; i++) {
        struct fake_exchange *exchange = post(fixture, INITIALIZE(1, "2025-11-25"));
        assert_int_equal(exchange->status, 200);
        assert_null(fake_exchange_answer_field(exchange, "mcp-session-id"));
    }
    assert_int_equal(fixture->server.sessions.sessions.count, 0);
}

static void an_initialize_waits_for_the_child_in_silence(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_open(fixture);
    struct fake_exchange *exchange = post(fixture, INITIALIZE(0, "2025-11-25"));
    fake_world_advance(&fixture->world, 30000);
    fake_exchange_expect_silence(exchange);
    bridge_fixture_shake(fixture);
    assert_int_equal(exchange->status, 200);
    assert_non_null(fake_exchange_answer_field(exchange, "mcp-session-id"));
}

static void an_initialize_whose_client_goes_opens_no_session(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_open(fixture);
    fake_exchange_vanish(post(fixture, INITIALIZE(0, "2025-11-25")));
    bridge_fixture_shake(fixture);
    assert_int_equal(fixture->server.sessions.sessions.count, 0);
    fake_child_expect_silence(fixture->child);
}

static void an_initialize_fails_with_the_childs_reason(void **state)
{
    struct bridge_fixture *fixture = *state;
    bridge_fixture_open(fixture);
    struct fake_exchange *exchange = post(fixture, INITIALIZE(0, "2025-11-25"));
    struct fake_exchange *streaming =
        bridge_fixture_post_accepting(fixture, "text/event-stream", INITIALIZE(0, "2025-11-25"));
    fake_child_down(fixture->child, "exited with status 1", 0, 3);
    const char *error = "{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32603,\"message\":"
                        "\"The server is not available: the server exited with status 1\"}}";
    fake_exchange_expect(exchange, 200, error);
    fake_exchange_expect_event(streaming, error);
    fake_exchange_expect_closed(streaming);
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
        UNOPENED(an_initialize_waits_for_the_child_in_silence),
        UNOPENED(an_initialize_whose_client_goes_opens_no_session),
        UNOPENED(an_initialize_fails_with_the_childs_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
