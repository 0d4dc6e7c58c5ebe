#include "bridge/transport/legacy_sse.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "tests/unit/bridge/era_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INITIALIZE                                                                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2024-11-05\"," \
    "\"capabilities\":{}}}"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\"}"

static const struct credential key = {.variable = "KEY", .header = "x-key"};

struct fixture {
    struct bridge_fixture bridge;
    struct legacy_sse_settings settings;
    struct legacy_sse sse;
};

/* A client: its stream, and where it was told to POST to. */
struct client {
    struct fake_exchange *stream;
    char query[64];
};

static void start(struct fixture *fixture)
{
    bridge_fixture_start(&fixture->bridge);
    legacy_sse_init(&fixture->sse, &fixture->bridge.server, &fixture->settings);
}

/* Not started, so that a test may change the settings. */
static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    bridge_fixture_init(&fixture->bridge);
    fixture->settings = (struct legacy_sse_settings){.message_path = "/message", .heartbeat_ms = 15000};
    *state = fixture;
    return 0;
}

static int set_up_ready(void **state)
{
    set_up(state);
    start(*state);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    bridge_fixture_close_server(&fixture->bridge);
    assert_int_equal(fixture->sse.clients.count, 0);
    assert_true(list_is_empty(&fixture->sse.open));
    legacy_sse_release(&fixture->sse);
    bridge_fixture_close(&fixture->bridge);
    free(fixture);
    return 0;
}

static struct fake_exchange *new_stream(struct fixture *fixture, enum exchange_method method, const char *accept)
{
    struct fake_exchange *exchange = fake_exchange_new(&fixture->bridge.world, method);
    fake_exchange_add_field(exchange, "Host", "127.0.0.1:8000");
    if (accept != NULL) {
        fake_exchange_add_field(exchange, "Accept", accept);
    }
    return exchange;
}

static struct fake_exchange *get(struct fixture *fixture, const char *accept)
{
    struct fake_exchange *exchange = new_stream(fixture, EXCHANGE_GET, accept);
    legacy_sse_handle_stream(&fixture->sse, &exchange->exchange);
    return exchange;
}

/* Reads the event that names where to POST to: the path of the settings, and a query. */
static void read_endpoint(struct client *client)
{
    const char *path = fake_exchange_take(client->stream);
    assert_non_null(path);
    assert_memory_equal(path, "/message?sessionId=", strlen("/message?sessionId="));
    snprintf(client->query, sizeof(client->query), "%s", path + strlen("/message?"));
}

static struct client connect_client(struct fixture *fixture)
{
    struct client client = {.stream = get(fixture, "text/event-stream")};
    read_endpoint(&client);
    return client;
}

static struct fake_exchange *new_post(struct fixture *fixture, const char *query, const char *body)
{
    struct fake_exchange *exchange = fake_exchange_new(&fixture->bridge.world, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Host", "127.0.0.1:8000");
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_set_body(exchange, slice_text(body));
    exchange->exchange.query = query != NULL ? slice_text(query) : slice_of(NULL, 0);
    return exchange;
}

static struct fake_exchange *post_to(struct fixture *fixture, const char *query, const char *body)
{
    struct fake_exchange *exchange = new_post(fixture, query, body);
    legacy_sse_handle_message(&fixture->sse, &exchange->exchange);
    return exchange;
}

static struct fake_exchange *post(struct fixture *fixture, const struct client *client, const char *body)
{
    return post_to(fixture, client->query, body);
}

/* The POST is accepted. What comes of it comes on the stream. */
static void send(struct fixture *fixture, const struct client *client, const char *body)
{
    fake_exchange_expect(post(fixture, client, body), 202, "");
}

static void expect_part(struct fake_exchange *stream, const char *part)
{
    const char *event = fake_exchange_take(stream);
    assert_non_null(event);
    assert_non_null(strstr(event, part));
}

/* A client whose initialize was answered. */
static struct client connect_initialized(struct fixture *fixture)
{
    struct client client = connect_client(fixture);
    send(fixture, &client, INITIALIZE);
    expect_part(client.stream, "\"id\":0,\"result\":{\"protocolVersion\":\"2024-11-05\"");
    return client;
}

/* ---- The stream ---- */

static void a_stream_opens_with_where_to_post(void **state)
{
    struct fixture *fixture = *state;
    struct client one = connect_client(fixture);
    struct client other = connect_client(fixture);
    assert_int_equal(one.stream->status, 200);
    assert_string_not_equal(one.query, other.query);
    fake_exchange_expect_open(one.stream);
    fake_exchange_expect_open(other.stream);
    fake_exchange_vanish(one.stream);
    fake_exchange_vanish(other.stream);
}

static void a_client_that_names_no_form_gets_a_stream(void **state)
{
    struct client client = {.stream = get(*state, NULL)};
    read_endpoint(&client);
    fake_exchange_vanish(client.stream);
}

static void a_client_that_takes_no_stream_is_refused(void **state)
{
    fake_exchange_expect(
        get(*state, "application/json"), 406,
        ERA_ERROR(
            "null", "-32000",
            "Not Acceptable: Client must accept text/event-stream (an endpoint for MCP clients, not for browsers)"));
}

static void a_stream_is_asked_for_with_get(void **state)
{
    struct fixture *fixture = *state;
    struct fake_exchange *exchange = new_stream(fixture, EXCHANGE_POST, "text/event-stream");
    legacy_sse_handle_stream(&fixture->sse, &exchange->exchange);
    era_expect_in_answer(exchange, 405, "Method not allowed.");
    assert_string_equal(fake_exchange_answer_field(exchange, "allow"), "GET");
}

static void heartbeats_keep_a_stream_open(void **state)
{
    struct client client = connect_client(*state);
    struct fixture *fixture = *state;
    fake_world_advance(&fixture->bridge.world, 14999);
    assert_int_equal(client.stream->comments, 0);
    fake_world_advance(&fixture->bridge.world, 1);
    assert_int_equal(client.stream->comments, 1);
    fake_world_advance(&fixture->bridge.world, 30000);
    assert_int_equal(client.stream->comments, 3);
    fake_exchange_vanish(client.stream);
}

static void without_heartbeats_nothing_is_said(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.heartbeat_ms = 0;
    start(fixture);
    struct client client = connect_client(fixture);
    fake_world_advance(&fixture->bridge.world, 600000);
    assert_int_equal(client.stream->comments, 0);
    fake_exchange_vanish(client.stream);
}

/* ---- What a POST must be ---- */

static void a_post_names_a_stream_that_is_open(void **state)
{
    static const char *const queries[] = {NULL, "", "sessionId", "sessionId=", "sessionId=x", "other=x"};
    struct client client = connect_client(*state);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        era_expect_in_answer(post_to(*state, queries[i], LIST), 404, "Session not found");
    }
    fake_exchange_expect_open(client.stream);
    fake_exchange_vanish(client.stream);
    era_expect_in_answer(post(*state, &client, LIST), 404, "Session not found");
}

static void other_fields_of_the_query_are_passed_over(void **state)
{
    char query[128];
    struct client client = connect_client(*state);
    snprintf(query, sizeof(query), "a=b&session&%s&c", client.query);
    fake_exchange_expect(post_to(*state, query, INITIALIZE), 202, "");
    expect_part(client.stream, "\"id\":0,\"result\"");
}

static void a_message_is_posted_as_json(void **state)
{
    struct fixture *fixture = *state;
    struct client client = connect_client(fixture);
    struct fake_exchange *read = fake_exchange_new(&fixture->bridge.world, EXCHANGE_GET);
    read->exchange.query = slice_text(client.query);
    legacy_sse_handle_message(&fixture->sse, &read->exchange);
    era_expect_in_answer(read, 405, "Method not allowed.");
    assert_string_equal(fake_exchange_answer_field(read, "allow"), "POST");

    struct fake_exchange *plain = fake_exchange_new(&fixture->bridge.world, EXCHANGE_POST);
    fake_exchange_add_field(plain, "Content-Type", "text/plain");
    fake_exchange_set_body(plain, slice_text(LIST));
    plain->exchange.query = slice_text(client.query);
    legacy_sse_handle_message(&fixture->sse, &plain->exchange);
    era_expect_in_answer(plain, 415, "Content-Type must be application/json");

    era_expect_in_answer(post(fixture, &client, "{\"jsonrpc\""), 400, "\"code\":-32700");
    fake_exchange_expect_open(client.stream);
    fake_exchange_vanish(client.stream);
}

static void a_message_over_several_lines_is_one_line_to_the_child(void **state)
{
    struct fixture *fixture = *state;
    struct client client = connect_initialized(fixture);
    send(fixture, &client, "{\"jsonrpc\":\"2.0\",\r\n\"id\":1,\n\"method\":\"tools/list\"}\n");
    era_expect_request(fixture->bridge.child, "tools/list", "");
    bridge_fixture_answer(&fixture->bridge);
    expect_part(client.stream, "\"id\":1,\"result\"");
}

/* ---- Initialize ---- */

static void before_initialize_nothing_is_asked(void **state)
{
    struct fixture *fixture = *state;
    struct client client = connect_client(fixture);
    fake_exchange_expect(post(fixture, &client, LIST), 400,
                         ERA_ERROR("\"a\"", "-32000", "Bad Request: Server not initialized"));
    send(fixture, &client, ERA_NOTE("notifications/roots/list_changed", ""));
    send(fixture, &client, ERA_RESULT("1", ""));
    fake_child_expect_silence(fixture->bridge.child);
    fake_exchange_expect_open(client.stream);
    fake_exchange_vanish(client.stream);
}

static void a_second_initialize_is_refused_and_the_first_goes_on(void **state)
{
    struct fixture *fixture = *state;
    bridge_fixture_open(&fixture->bridge);
    legacy_sse_init(&fixture->sse, &fixture->bridge.server, &fixture->settings);
    static const char refusal[] = ERA_ERROR("0", "-32600", "Invalid Request: Server already initialized");
    struct client client = connect_client(fixture);
    send(fixture, &client, INITIALIZE);
    fake_exchange_expect(post(fixture, &client, INITIALIZE), 400, refusal);
    bridge_fixture_shake(&fixture->bridge);
    expect_part(client.stream, "\"id\":0,\"result\"");
    fake_exchange_expect(post(fixture, &client, INITIALIZE), 400, refusal);
    assert_int_equal(fixture->bridge.server.sessions.sessions.count, 1);
    fake_exchange_expect_open(client.stream);
}

/* An initialize of this many bytes, in a buffer that the caller releases. */
static const char *write_initialize(struct buffer *body, size_t size)
{
    static const char end[] = "\"}}";
    buffer_init(body, 0);
    buffer_add_text(body, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                          "\"2024-11-05\",\"capabilities\":{},\"x\":\"");
    buffer_add_format(body, "%0*d%s", (int)(size - body->size - strlen(end)), 1, end);
    assert_int_equal(body->size, size);
    buffer_add(body, slice_of("", 1));
    return body->data;
}

static void an_initialize_may_not_be_larger_than_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct client client = connect_client(fixture);
    struct buffer body;
    fake_exchange_expect(post(fixture, &client, write_initialize(&body, LIMIT_INITIALIZE_BYTES + 1)), 413,
                         ERA_ERROR("0", "-32600", "Payload Too Large: an initialize may have 256 KiB"));
    buffer_release(&body);
    fake_exchange_expect_open(client.stream);
    send(fixture, &client, write_initialize(&body, LIMIT_INITIALIZE_BYTES));
    buffer_release(&body);
    expect_part(client.stream, "\"id\":0,\"result\"");
}

static void a_child_that_refuses_initialize_may_be_asked_again(void **state)
{
    struct fixture *fixture = *state;
    fixture->bridge.settings.children = SERVER_CHILDREN_SESSION;
    start(fixture);
    struct client client = connect_client(fixture);
    send(fixture, &client, INITIALIZE);
    struct fake_child *refuser = era_child(&fixture->bridge, 1);
    fake_child_up(refuser);
    era_answer_error(refuser, -32051);
    fake_exchange_expect_event(client.stream, ERA_ERROR("0", "-32051", "no"));
    fake_world_advance(&fixture->bridge.world, 0);
    assert_true(refuser->is_closing);
    fake_child_finish(refuser);
    send(fixture, &client, INITIALIZE);
    era_shake_legacy(fake_child_of(&fixture->bridge.world));
    expect_part(client.stream, "\"id\":0,\"result\"");
}

static void too_many_sessions_are_refused_on_the_stream(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < fixture->bridge.settings.max_sessions; i++) {
        connect_initialized(fixture);
    }
    struct client client = connect_client(fixture);
    send(fixture, &client, INITIALIZE);
    fake_exchange_expect_event(client.stream, ERA_ERROR("0", "-32603", "Too many open sessions (--max-sessions)"));
    fake_exchange_expect_open(client.stream);
    fake_exchange_vanish(client.stream);
}

static void too_many_children_are_refused_on_the_stream(void **state)
{
    struct fixture *fixture = *state;
    fixture->bridge.settings.children = SERVER_CHILDREN_SESSION;
    fixture->bridge.settings.max_children = 1;
    start(fixture);
    struct client client = connect_client(fixture);
    send(fixture, &client, INITIALIZE);
    struct client late = connect_client(fixture);
    send(fixture, &late, INITIALIZE);
    fake_exchange_expect_event(late.stream,
                               ERA_ERROR("0", "-32603", "Too many children of the server run (--max-children)"));
    fake_exchange_vanish(late.stream);
    fake_exchange_vanish(client.stream);
}

/* ---- Requests ---- */

static void answers_come_on_the_stream_of_who_asked(void **state)
{
    struct fixture *fixture = *state;
    struct fake_child *child = fixture->bridge.child;
    struct client one = connect_initialized(fixture);
    struct client other = connect_initialized(fixture);
    send(fixture, &one, LIST);
    uint64_t first = child->last_id;
    send(fixture, &other, LIST);
    bridge_fixture_answer_to(&fixture->bridge, child->last_id);
    fake_exchange_expect_open(one.stream);
    expect_part(other.stream, "\"id\":\"a\",\"result\"");
    bridge_fixture_answer_to(&fixture->bridge, first);
    expect_part(one.stream, "\"id\":\"a\",\"result\"");
    fake_exchange_expect_open(other.stream);
}

static void progress_comes_with_the_clients_token(void **state)
{
    struct fixture *fixture = *state;
    struct client client = connect_initialized(fixture);
    send(fixture, &client,
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"_meta\":{\"progressToken\":\"t\"}}}");
    fake_child_say_format(fixture->bridge.child,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":"
                          "%d,\"progress\":1}}",
                          (int)fixture->bridge.child->last_id);
    fake_exchange_expect_event(client.stream,
                               ERA_NOTE("notifications/progress", "\"progressToken\":\"t\",\"progress\":1"));
    bridge_fixture_answer(&fixture->bridge);
    expect_part(client.stream, "\"id\":1,\"result\"");
}

static void requests_past_the_ceiling_are_refused_on_the_stream(void **state)
{
    struct fixture *fixture = *state;
    fixture->bridge.settings.max_session_calls = 3;
    start(fixture);
    struct client client = connect_initialized(fixture);
    struct client other = connect_initialized(fixture);
    for (size_t i = 0; i < 3; i++) {
        send(fixture, &client, LIST);
    }
    send(fixture, &client, LIST);
    fake_exchange_expect_event(
        client.stream,
        ERA_ERROR("\"a\"", "-32603", "Too many requests in flight in this session (--max-in-flight-per-session)"));
    send(fixture, &other, LIST);
    send(fixture, &other, LIST);
    fake_exchange_expect_event(other.stream,
                               ERA_ERROR("\"a\"", "-32603", "Too many requests in flight (--max-in-flight)"));
    bridge_fixture_answer(&fixture->bridge);
    expect_part(other.stream, "\"id\":\"a\",\"result\"");
    send(fixture, &other, LIST);
    fake_exchange_expect_open(other.stream);
}

static void a_question_is_answered_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->bridge.settings.children = SERVER_CHILDREN_SESSION;
    start(fixture);
    struct client client = connect_client(fixture);
    send(fixture, &client, INITIALIZE);
    struct fake_child *child = fake_child_of(&fixture->bridge.world);
    era_shake_legacy(child);
    expect_part(client.stream, "\"id\":0,\"result\"");
    fake_child_say(child, "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"roots/list\"}");
    fake_exchange_expect_event(client.stream, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}");
    send(fixture, &client, ERA_RESULT("1", "\"roots\":[]"));
    fake_child_expect(child, ERA_RESULT("\"q\"", "\"roots\":[]"));
    send(fixture, &client, ERA_RESULT("1", "\"roots\":[]"));
    fake_child_expect_silence(child);
}

/* ---- Others ---- */

static void a_stream_is_of_those_credentials_that_opened_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.credentials = (struct credentials){.list = &key, .count = 1};
    start(fixture);
    struct fake_exchange *stream = new_stream(fixture, EXCHANGE_GET, "text/event-stream");
    fake_exchange_add_field(stream, "X-Key", "mine");
    legacy_sse_handle_stream(&fixture->sse, &stream->exchange);
    struct client client = {.stream = stream};
    read_endpoint(&client);

    era_expect_in_answer(post(fixture, &client, INITIALIZE), 404, "Session not found");
    struct fake_exchange *other = new_post(fixture, client.query, INITIALIZE);
    fake_exchange_add_field(other, "X-Key", "yours");
    legacy_sse_handle_message(&fixture->sse, &other->exchange);
    era_expect_in_answer(other, 404, "Session not found");

    struct fake_exchange *twice = new_post(fixture, client.query, INITIALIZE);
    fake_exchange_add_field(twice, "X-Key", "mine");
    fake_exchange_add_field(twice, "X-Key", "mine");
    legacy_sse_handle_message(&fixture->sse, &twice->exchange);
    era_expect_in_answer(twice, 400, "a header with credentials appears more than once");

    fake_exchange_expect_open(stream);
    fake_exchange_vanish(stream);
}

static void a_stream_with_doubtful_credentials_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.credentials = (struct credentials){.list = &key, .count = 1};
    start(fixture);
    struct fake_exchange *stream = new_stream(fixture, EXCHANGE_GET, "text/event-stream");
    fake_exchange_add_field(stream, "X-Key", "a");
    fake_exchange_add_field(stream, "X-Key", "b");
    legacy_sse_handle_stream(&fixture->sse, &stream->exchange);
    era_expect_in_answer(stream, 400, "a header with credentials appears more than once");
}

/* ---- The end ---- */

static void the_end_of_the_stream_ends_the_session_and_what_runs(void **state)
{
    struct fixture *fixture = *state;
    struct client client = connect_initialized(fixture);
    send(fixture, &client, LIST);
    era_expect_request(fixture->bridge.child, "tools/list", "");
    fake_exchange_vanish(client.stream);
    assert_int_equal(fixture->bridge.server.sessions.sessions.count, 0);
    assert_int_equal(fixture->bridge.server.stream_count, 0);
    const char *cancelled = fake_child_take(fixture->bridge.child);
    assert_non_null(cancelled);
    assert_non_null(strstr(cancelled, "notifications/cancelled"));
    bridge_fixture_answer(&fixture->bridge);
    fake_child_expect_silence(fixture->bridge.child);
}

static void a_client_that_goes_during_initialize_leaves_no_child(void **state)
{
    struct fixture *fixture = *state;
    fixture->bridge.settings.children = SERVER_CHILDREN_SESSION;
    start(fixture);
    struct client client = connect_client(fixture);
    send(fixture, &client, INITIALIZE);
    fake_exchange_vanish(client.stream);
    assert_true(era_child(&fixture->bridge, 1)->is_closing);
    fake_child_finish(era_child(&fixture->bridge, 1));
}

static void a_reader_that_does_not_read_loses_its_stream_and_only_that(void **state)
{
    struct fixture *fixture = *state;
    struct client slow = connect_initialized(fixture);
    struct client other = connect_initialized(fixture);
    slow.stream->queued = fixture->bridge.settings.max_stream_queue_bytes + 1;
    fake_child_say(fixture->bridge.child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
    fake_child_say(fixture->bridge.child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
    fake_world_advance(&fixture->bridge.world, 0);
    fake_exchange_expect_closed(slow.stream);
    assert_int_equal(fixture->bridge.server.sessions.sessions.count, 1);
    assert_int_equal(fixture->bridge.server.counters.slow_streams, 1);
    expect_part(other.stream, "list_changed");
    expect_part(other.stream, "list_changed");
    fake_exchange_expect_open(other.stream);
}

static void note_settled(struct server *server)
{
    struct bridge_fixture *bridge = container_of(server, struct bridge_fixture, server);
    legacy_sse_settle(&container_of(bridge, struct fixture, bridge)->sse);
}

static void draining_serves_the_streams_until_their_calls_have_been_answered(void **state)
{
    struct fixture *fixture = *state;
    struct client fresh = connect_client(fixture);
    struct client busy = connect_initialized(fixture);
    send(fixture, &busy, LIST);
    server_drain(&fixture->bridge.server, note_settled);
    fake_exchange_expect_open(fresh.stream);
    era_expect_in_answer(get(fixture, "text/event-stream"), 503, "The bridge is shutting down");
    era_expect_in_answer(post(fixture, &fresh, INITIALIZE), 503, "The bridge is shutting down");
    bridge_fixture_answer(&fixture->bridge);
    expect_part(busy.stream, "\"id\":\"a\",\"result\"");
    send(fixture, &busy, LIST);
    bridge_fixture_answer(&fixture->bridge);
    expect_part(busy.stream, "\"id\":\"a\",\"result\"");
    send(fixture, &busy, LIST);
    fake_world_advance(&fixture->bridge.world, LIMIT_DRAIN_GRACE_MS);
    fake_world_advance(&fixture->bridge.world, 0);
    fake_exchange_expect_closed(fresh.stream);
    fake_exchange_expect_open(busy.stream);
    era_expect_in_answer(post(fixture, &busy, LIST), 503, "The bridge is shutting down");
    bridge_fixture_answer(&fixture->bridge);
    expect_part(busy.stream, "\"id\":\"a\",\"result\"");
    fake_world_advance(&fixture->bridge.world, 0);
    fake_exchange_expect_closed(busy.stream);
}

/*
 * A modern child hears of a subscription's end with a request, which goes behind those that wait; and there is room for
 * them again.
 */
static void draining_ends_a_client_whose_wait_another_ones_end_is_the_end_of(void **state)
{
    struct fixture *fixture = *state;
    fixture->bridge.settings.era = SERVER_ERA_MODERN;
    bridge_fixture_open(&fixture->bridge);
    struct fake_child *child = fixture->bridge.child;
    era_shake_modern(child);
    legacy_sse_init(&fixture->sse, &fixture->bridge.server, &fixture->settings);
    struct client subscriber = connect_initialized(fixture);
    send(fixture, &subscriber,
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"x:1\"}}");
    expect_part(subscriber.stream, "\"id\":1,\"result\"");
    child->is_full = true;
    struct fake_exchange *call = bridge_fixture_post(&fixture->bridge, NULL, LIST);
    struct client other = connect_client(fixture);
    send(fixture, &other, INITIALIZE);
    child->is_full = false;
    server_drain(&fixture->bridge.server, note_settled);
    fake_world_advance(&fixture->bridge.world, 0);
    expect_part(other.stream, "\"id\":0,\"result\"");
    fake_exchange_expect_closed(subscriber.stream);
    fake_exchange_expect_closed(other.stream);
    fake_exchange_vanish(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream_opens_with_where_to_post, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_names_no_form_gets_a_stream, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_takes_no_stream_is_refused, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_asked_for_with_get, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(heartbeats_keep_a_stream_open, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(without_heartbeats_nothing_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_post_names_a_stream_that_is_open, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(other_fields_of_the_query_are_passed_over, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(a_message_is_posted_as_json, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(a_message_over_several_lines_is_one_line_to_the_child, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(before_initialize_nothing_is_asked, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(a_second_initialize_is_refused_and_the_first_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_initialize_may_not_be_larger_than_is_kept, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(a_child_that_refuses_initialize_may_be_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_sessions_are_refused_on_the_stream, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(too_many_children_are_refused_on_the_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_come_on_the_stream_of_who_asked, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(progress_comes_with_the_clients_token, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(requests_past_the_ceiling_are_refused_on_the_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_question_is_answered_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_of_those_credentials_that_opened_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_with_doubtful_credentials_is_not_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_the_stream_ends_the_session_and_what_runs, set_up_ready, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_goes_during_initialize_leaves_no_child, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_does_not_read_loses_its_stream_and_only_that, set_up_ready,
                                        tear_down),
        cmocka_unit_test_setup_teardown(draining_serves_the_streams_until_their_calls_have_been_answered, set_up_ready,
                                        tear_down),
        cmocka_unit_test_setup_teardown(draining_ends_a_client_whose_wait_another_ones_end_is_the_end_of, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
