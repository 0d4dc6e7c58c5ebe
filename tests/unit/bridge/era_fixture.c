#include "tests/unit/bridge/era_fixture.h"

#include "bridge/jsonrpc/members.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const char era_discover[] =
    "\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":"
    "{\"listChanged\":true},\"resources\":{\"subscribe\":true},\"logging\":{}},\"ttlMs\":0,\"cacheScope\":"
    "\"private\"," ERA_INFO;

static const char *or_else(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

static void add_members(struct buffer *body, const char *members)
{
    if (members != NULL) {
        buffer_add_format(body, ",%s", members);
    }
}

static void write_body(struct buffer *body, const struct era_request *request)
{
    buffer_init(body, 0);
    buffer_add_format(body, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\",\"params\":{\"_meta\":{",
                      or_else(request->id, "1"), or_else(request->method, "tools/list"));
    buffer_add_format(body,
                      "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                      "\"io.modelcontextprotocol/clientCapabilities\":%s",
                      or_else(request->capabilities, "{}"));
    add_members(body, request->meta);
    buffer_add_text(body, "}");
    if (request->name != NULL) {
        buffer_add_format(body, ",\"name\":\"%s\"", request->name);
    }
    add_members(body, request->params);
    buffer_add_text(body, "}}");
}

int era_set_up_modern(void **state)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->settings.era = SERVER_ERA_MODERN;
    fixture->settings.callback_timeout_ms = 60000;
    bridge_fixture_open(fixture);
    era_shake_modern(fixture->child);
    era_expect_request(fixture->child, "subscriptions/listen", "\"toolsListChanged\":true");
    return 0;
}

struct fake_exchange *era_post(struct bridge_fixture *fixture, const struct era_request *request)
{
    struct buffer body;
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_POST, NULL);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_add_field(exchange, "MCP-Protocol-Version", "2026-07-28");
    fake_exchange_add_field(exchange, "Mcp-Method", or_else(request->method, "tools/list"));
    if (request->name != NULL) {
        fake_exchange_add_field(exchange, "Mcp-Name", request->name);
    }
    if (request->key != NULL) {
        fake_exchange_add_field(exchange, "X-Key", request->key);
    }
    write_body(&body, request);
    fake_exchange_set_body(exchange, buffer_slice(&body));
    buffer_release(&body);
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

struct fake_child *era_child(struct bridge_fixture *fixture, size_t n)
{
    return fake_child_at(&fixture->world, n);
}

static void read_out(struct fake_child *child)
{
    while (fake_child_take(child) != NULL) {
    }
}

static void start(struct fake_child *child, const char *method)
{
    if (child->state == FAKE_CHILD_DOWN) {
        fake_child_up(child);
    }
    era_expect_request(child, method, "");
}

void era_shake_legacy(struct fake_child *child)
{
    start(child, "initialize");
    fake_child_say_format(child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":%s}", child->last_id,
                          bridge_fixture_handshake);
    fake_child_expect(child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

void era_shake_modern(struct fake_child *child)
{
    start(child, "server/discover");
    era_answer(child, era_discover);
}

void era_refuse_legacy(struct fake_child *child)
{
    start(child, "initialize");
    era_answer_error(child, -32022);
    assert_int_equal(child->restarts, 1);
    fake_child_down(child, "exited with status 0", child->written, 1);
    read_out(child);
}

void era_answer_to(struct fake_child *child, uint64_t wire_id, const char *members)
{
    fake_child_say_format(child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{%s}}", wire_id, members);
}

void era_answer(struct fake_child *child, const char *members)
{
    era_answer_to(child, child->last_id, members);
}

void era_answer_error(struct fake_child *child, int code)
{
    fake_child_say_format(child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"error\":{\"code\":%d,\"message\":\"no\"}}",
                          child->last_id, code);
}

void era_list_tools(struct fake_child *child)
{
    era_expect_request(child, "tools/list", "");
    era_answer(child, "\"resultType\":\"complete\",\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\"}}]");
}

void era_expect_request(struct fake_child *child, const char *method, const char *part)
{
    struct message message;
    const char *line = fake_child_take(child);
    assert_non_null(line);
    assert_int_equal(message_scan_whole(&message, slice_text(line)), MESSAGE_FAULT_NONE);
    assert_int_equal(message.kind, MESSAGE_REQUEST);
    if (!message_is(&message, method) || strstr(line, part) == NULL) {
        fail_msg("expected a %s with %s, found %s", method, part, line);
    }
}

const char *era_result_member(struct fake_exchange *exchange, const char *name)
{
    static char value[4096];
    struct message message;
    const char *answer = fake_exchange_answer(exchange);
    assert_int_equal(message_scan_whole(&message, slice_text(answer)), MESSAGE_FAULT_NONE);
    struct slice found = members_find(message.result, name);
    if (!slice_exists(found)) {
        fail_msg("no %s in %s", name, answer);
    }
    assert_true(found.size < sizeof(value));
    snprintf(value, sizeof(value), "%.*s", SLICE_PRINT(found));
    return value;
}

void era_expect_in_answer(struct fake_exchange *exchange, int status, const char *text)
{
    const char *answer = fake_exchange_answer(exchange);
    if (strstr(answer, text) == NULL) {
        fail_msg("expected %s in %s", text, answer);
    }
    assert_int_equal(exchange->status, status);
}

const char *era_open_session(struct bridge_fixture *fixture, const char *capabilities)
{
    char body[512];
    snprintf(body, sizeof(body),
             "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
             "\"capabilities\":%s,\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}",
             capabilities);
    struct fake_exchange *exchange = bridge_fixture_post(fixture, NULL, body);
    const char *name = fake_exchange_answer_field(exchange, "mcp-session-id");
    assert_non_null(name);
    return name;
}
