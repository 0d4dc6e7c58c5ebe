#include "tests/unit/bridge/transport/sse_fixture.h"

#include "bridge/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void sse_start(struct sse_fixture *fixture)
{
    bridge_fixture_start(&fixture->bridge);
    legacy_sse_init(&fixture->sse, &fixture->bridge.server, &fixture->settings);
}

int sse_set_up(void **state)
{
    struct sse_fixture *fixture = memory_new(sizeof(*fixture));
    bridge_fixture_init(&fixture->bridge);
    fixture->settings = (struct legacy_sse_settings){.message_path = "/message", .heartbeat_ms = 15000};
    *state = fixture;
    return 0;
}

int sse_set_up_ready(void **state)
{
    sse_set_up(state);
    sse_start(*state);
    return 0;
}

int sse_tear_down(void **state)
{
    struct sse_fixture *fixture = *state;
    bridge_fixture_close_server(&fixture->bridge);
    assert_int_equal(fixture->sse.clients.count, 0);
    assert_true(list_is_empty(&fixture->sse.open));
    legacy_sse_release(&fixture->sse);
    bridge_fixture_close(&fixture->bridge);
    free(fixture);
    return 0;
}

struct fake_exchange *sse_new_stream(struct sse_fixture *fixture, enum exchange_method method, const char *accept)
{
    struct fake_exchange *exchange = fake_exchange_new(&fixture->bridge.world, method);
    fake_exchange_add_field(exchange, "Host", "127.0.0.1:8000");
    if (accept != NULL) {
        fake_exchange_add_field(exchange, "Accept", accept);
    }
    return exchange;
}

struct fake_exchange *sse_get(struct sse_fixture *fixture, const char *accept)
{
    struct fake_exchange *exchange = sse_new_stream(fixture, EXCHANGE_GET, accept);
    legacy_sse_handle_stream(&fixture->sse, &exchange->exchange);
    return exchange;
}

void sse_read_endpoint(struct sse_client *client)
{
    const char *path = fake_exchange_take(client->stream);
    assert_non_null(path);
    assert_memory_equal(path, "/message?sessionId=", strlen("/message?sessionId="));
    snprintf(client->query, sizeof(client->query), "%s", path + strlen("/message?"));
}

struct sse_client sse_connect(struct sse_fixture *fixture)
{
    struct sse_client client = {.stream = sse_get(fixture, "text/event-stream")};
    sse_read_endpoint(&client);
    return client;
}

struct fake_exchange *sse_new_post(struct sse_fixture *fixture, const char *query, const char *body)
{
    struct fake_exchange *exchange = fake_exchange_new(&fixture->bridge.world, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Host", "127.0.0.1:8000");
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_set_body(exchange, slice_text(body));
    exchange->exchange.query = query != NULL ? slice_text(query) : slice_of(NULL, 0);
    return exchange;
}

struct fake_exchange *sse_post_to(struct sse_fixture *fixture, const char *query, const char *body)
{
    struct fake_exchange *exchange = sse_new_post(fixture, query, body);
    legacy_sse_handle_message(&fixture->sse, &exchange->exchange);
    return exchange;
}

struct fake_exchange *sse_post(struct sse_fixture *fixture, const struct sse_client *client, const char *body)
{
    return sse_post_to(fixture, client->query, body);
}

void sse_send(struct sse_fixture *fixture, const struct sse_client *client, const char *body)
{
    fake_exchange_expect(sse_post(fixture, client, body), 202, "");
}

void sse_expect_part(struct fake_exchange *stream, const char *part)
{
    const char *event = fake_exchange_take(stream);
    assert_non_null(event);
    assert_non_null(strstr(event, part));
}

struct sse_client sse_connect_initialized(struct sse_fixture *fixture)
{
    struct sse_client client = sse_connect(fixture);
    sse_send(fixture, &client, SSE_INITIALIZE);
    sse_expect_part(client.stream, "\"id\":0,\"result\":{\"protocolVersion\":\"2024-11-05\"");
    return client;
}
