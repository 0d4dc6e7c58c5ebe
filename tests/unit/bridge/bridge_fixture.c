#include "tests/unit/bridge/bridge_fixture.h"

#include "bridge/base/memory.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

const char bridge_fixture_handshake[] = "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"logging\":{},"
                                        "\"resources\":{\"subscribe\":true},\"tools\":{}},"
                                        "\"serverInfo\":{\"name\":\"fake\",\"version\":\"1\"}}";

static char program[] = "fake-server";
static char *const arguments[] = {program, NULL};

void bridge_fixture_init(struct bridge_fixture *fixture)
{
    *fixture = (struct bridge_fixture){
        .command = {.name = SLICE_LITERAL("fake"), .argv = arguments},
        .settings = {.channel = {.start_timeout_ms = 60000, .request_timeout_ms = 120000},
                     .session_timeout_ms = 1800000,
                     .max_children = 64,
                     .max_sessions = 3,
                     .max_in_flight = 4,
                     .max_stream_queue_bytes = 4 << 20},
        .endpoint = {.mode = STREAMABLE_BOTH, .post = {.stream_after_ms = 5000, .heartbeat_ms = 15000}},
    };
    fake_world_init(&fixture->world, 1);
}

void bridge_fixture_open(struct bridge_fixture *fixture)
{
    size_t earlier = fake_child_count(&fixture->world);
    server_open(&fixture->server, &fixture->world.port, &fixture->command, &fixture->settings);
    streamable_init(&fixture->streamable, &fixture->server, &fixture->endpoint);
    fixture->child = fake_child_count(&fixture->world) > earlier ? fake_child_at(&fixture->world, earlier) : NULL;
    fixture->is_open = true;
}

void bridge_fixture_shake(struct bridge_fixture *fixture)
{
    fake_child_up(fixture->child);
    while (fake_child_take(fixture->child) != NULL) {
    }
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":%s}",
                          fixture->child->last_id, bridge_fixture_handshake);
    fake_child_expect(fixture->child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

void bridge_fixture_start(struct bridge_fixture *fixture)
{
    bridge_fixture_open(fixture);
    bridge_fixture_shake(fixture);
}

void bridge_fixture_start_in_mode(struct bridge_fixture *fixture, enum streamable_mode mode)
{
    fixture->endpoint.mode = mode;
    bridge_fixture_start(fixture);
}

static void on_closed(struct server *server)
{
    struct bridge_fixture *fixture = container_of(server, struct bridge_fixture, server);
    assert_false(fixture->is_closed);
    fixture->is_closed = true;
}

void bridge_fixture_close_server(struct bridge_fixture *fixture)
{
    if (!fixture->is_open) {
        return;
    }
    fixture->is_open = false;
    server_close(&fixture->server, on_closed);
    assert_false(fixture->is_closed);
    fake_world_finish_children(&fixture->world);
    fake_world_advance(&fixture->world, 0);
    assert_true(fixture->is_closed);
    assert_int_equal(fixture->streamable.posts.count, 0);
    assert_true(list_is_empty(&fixture->streamable.streams.streams));
    assert_int_equal(fixture->server.sessions.sessions.count, 0);
    assert_int_equal(fixture->server.call_count, 0);
    assert_int_equal(fixture->server.children.count, 0);
    assert_null(fixture->server.shared);
    streamable_release(&fixture->streamable);
}

void bridge_fixture_close(struct bridge_fixture *fixture)
{
    bridge_fixture_close_server(fixture);
    fake_world_release(&fixture->world);
}

int bridge_fixture_set_up(void **state)
{
    struct bridge_fixture *fixture = memory_new(sizeof(*fixture));
    bridge_fixture_init(fixture);
    *state = fixture;
    return 0;
}

int bridge_fixture_set_up_ready(void **state)
{
    bridge_fixture_set_up(state);
    bridge_fixture_start(*state);
    return 0;
}

int bridge_fixture_tear_down(void **state)
{
    bridge_fixture_close(*state);
    free(*state);
    return 0;
}

void bridge_fixture_handle(struct bridge_fixture *fixture, struct fake_exchange *exchange)
{
    streamable_handle(&fixture->streamable, &exchange->exchange);
    if (!fake_exchange_has_ended(exchange)) {
        assert_non_null(exchange->exchange.handler);
        assert_non_null(exchange->exchange.on_closed);
    }
}

struct fake_exchange *bridge_fixture_new(struct bridge_fixture *fixture, enum exchange_method method,
                                         const char *session)
{
    struct fake_exchange *exchange = fake_exchange_new(&fixture->world, method);
    fake_exchange_add_field(exchange, "Host", "127.0.0.1:8000");
    fake_exchange_add_field(exchange, "Accept", "application/json, text/event-stream");
    if (session != NULL) {
        fake_exchange_add_field(exchange, "Mcp-Session-Id", session);
    }
    return exchange;
}

struct fake_exchange *bridge_fixture_post(struct bridge_fixture *fixture, const char *session, const char *body)
{
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_POST, session);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_set_body(exchange, slice_text(body));
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

struct fake_exchange *bridge_fixture_post_with(struct bridge_fixture *fixture, const char *name, const char *value,
                                               const char *body)
{
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_POST, NULL);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_add_field(exchange, name, value);
    fake_exchange_set_body(exchange, slice_text(body));
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

struct fake_exchange *bridge_fixture_post_accepting(struct bridge_fixture *fixture, const char *accept,
                                                    const char *body)
{
    struct fake_exchange *exchange = fake_exchange_new(&fixture->world, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Accept", accept);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_set_body(exchange, slice_text(body));
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

struct fake_exchange *bridge_fixture_get(struct bridge_fixture *fixture, const char *session)
{
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_GET, session);
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

struct fake_exchange *bridge_fixture_delete(struct bridge_fixture *fixture, const char *session)
{
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_DELETE, session);
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

const char *bridge_fixture_open_session(struct bridge_fixture *fixture)
{
    struct fake_exchange *exchange = bridge_fixture_post(
        fixture, NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
        "\"capabilities\":{},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}");
    const char *name = fake_exchange_answer_field(exchange, "mcp-session-id");
    assert_non_null(name);
    return name;
}

struct session *bridge_fixture_session(struct bridge_fixture *fixture, const char *name)
{
    struct session *session = session_table_find(&fixture->server.sessions, slice_text(name));
    assert_non_null(session);
    return session;
}

void bridge_fixture_answer_to(struct bridge_fixture *fixture, uint64_t wire_id)
{
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"wire\":%" PRIu64 "}}",
                          wire_id, wire_id);
}

void bridge_fixture_answer(struct bridge_fixture *fixture)
{
    bridge_fixture_answer_to(fixture, fixture->child->last_id);
}
