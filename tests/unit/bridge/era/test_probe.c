#include "bridge/era/probe.h"

#include "tests/unit/bridge/era_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TRANSLATED \
    ERA_RESULT("1", "\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"," ERA_INFO ",\"tools\":[]")

enum { PROBE_MS = 5000 };

static const struct credential credential = {"KEY", "x-key"};

/* A server of which nothing is known. Its child has not started. */
static int set_up(void **state)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->settings.child_idle_timeout_ms = 600000;
    fixture->endpoint.post.stream_after_ms = 0;
    bridge_fixture_open(fixture);
    return 0;
}

static void open_with_credentials(struct bridge_fixture *fixture)
{
    fixture->settings.has_credentials = true;
    fixture->settings.child_idle_timeout_ms = 600000;
    fixture->endpoint.post.stream_after_ms = 0;
    fixture->endpoint.credentials = (struct credentials){&credential, 1};
    bridge_fixture_open(fixture);
}

static struct fake_exchange *discover(struct bridge_fixture *fixture)
{
    return era_post(fixture, &(struct era_request){.method = "server/discover"});
}

static struct fake_exchange *list_with(struct bridge_fixture *fixture, const char *key)
{
    return era_post(fixture, &(struct era_request){.key = key});
}

static void expect_translated(struct fake_child *child, struct fake_exchange *exchange)
{
    era_expect_request(child, "tools/list", "\"_meta\":{}");
    era_answer(child, "\"tools\":[]");
    fake_exchange_expect(exchange, 200, TRANSLATED);
}

static enum server_era era_of(const struct bridge_fixture *fixture)
{
    return fixture->server.era;
}

static void a_process_that_answers_discover_serves_the_modern_clients(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = discover(fixture);
    struct fake_exchange *list = list_with(fixture, NULL);
    assert_int_equal(fake_child_count(&fixture->world), 1);
    era_shake_legacy(fixture->child);
    assert_int_equal(fake_child_count(&fixture->world), 2);
    era_shake_modern(era_child(fixture, 1));
    assert_int_equal(era_of(fixture), SERVER_ERA_BOTH);
    char body[512];
    snprintf(body, sizeof(body), ERA_RESULT("1", "%s"), era_discover);
    fake_exchange_expect(exchange, 200, body);
    era_expect_request(era_child(fixture, 1), "tools/list", "protocolVersion\":\"2026-07-28\"");
    era_answer(era_child(fixture, 1), "\"resultType\":\"complete\",\"tools\":[]");
    fake_exchange_expect(list, 200, ERA_RESULT("1", "\"resultType\":\"complete\",\"tools\":[]"));
    fake_child_expect_silence(fixture->child);
    bridge_fixture_open_session(fixture);
    assert_int_equal(fake_child_count(&fixture->world), 2);
}

static void a_process_that_refuses_discover_is_ended_and_clients_are_translated_for(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = discover(fixture);
    struct fake_exchange *list = list_with(fixture, NULL);
    era_shake_legacy(fixture->child);
    struct fake_child *probed = era_child(fixture, 1);
    fake_child_up(probed);
    era_answer_error(probed, -32601);
    assert_int_equal(era_of(fixture), SERVER_ERA_LEGACY);
    assert_true(probed->is_closing);
    assert_int_equal(probed->restarts, 0);
    assert_int_equal(fixture->world.logged[LOG_LEVEL_WARN], 0);
    fake_child_down(probed, "exited with status 0", probed->written, 1);
    era_expect_in_answer(exchange, 200, "\"supportedVersions\":[\"2026-07-28\"]");
    expect_translated(fixture->child, list);
    expect_translated(fixture->child, list_with(fixture, NULL));
    assert_int_equal(fake_child_count(&fixture->world), 2);
}

static void silence_within_the_start_timeout_is_a_refusal_too(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *list = list_with(fixture, NULL);
    fixture->settings.channel.start_timeout_ms = 1000;
    era_shake_legacy(fixture->child);
    struct fake_child *probed = era_child(fixture, 1);
    fake_child_up(probed);
    fake_world_advance(&fixture->world, 1000);
    assert_int_equal(era_of(fixture), SERVER_ERA_LEGACY);
    assert_true(probed->is_closing);
    assert_int_equal(probed->restarts, 0);
    expect_translated(fixture->child, list);
}

static void a_process_that_dies_of_discover_is_not_started_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *list = list_with(fixture, NULL);
    era_shake_legacy(fixture->child);
    fake_child_up(era_child(fixture, 1));
    fake_child_down(era_child(fixture, 1), "was killed by signal 6 (SIGABRT)", 100, 1);
    assert_true(era_child(fixture, 1)->is_closing);
    expect_translated(fixture->child, list);
}

static void a_silent_process_is_waited_for_as_long_as_a_start_takes_and_a_little(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *list = list_with(fixture, NULL);
    fake_child_up(fixture->child);
    fake_world_advance(&fixture->world, 3000);
    era_shake_legacy(fixture->child);
    fake_child_up(era_child(fixture, 1));
    fake_world_advance(&fixture->world, PROBE_MS + 2 * 3000 - 1);
    assert_int_equal(era_of(fixture), SERVER_ERA_UNKNOWN);
    fake_world_advance(&fixture->world, 1);
    assert_int_equal(era_of(fixture), SERVER_ERA_LEGACY);
    assert_true(era_child(fixture, 1)->is_closing);
    expect_translated(fixture->child, list);
    era_answer(era_child(fixture, 1), era_discover);
    assert_int_equal(era_of(fixture), SERVER_ERA_LEGACY);
}

static void a_server_that_refuses_initialize_is_asked_again_in_the_modern_era(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = discover(fixture);
    struct fake_exchange *list = list_with(fixture, NULL);
    era_refuse_legacy(fixture->child);
    assert_int_equal(era_of(fixture), SERVER_ERA_MODERN);
    era_shake_modern(fixture->child);
    era_expect_in_answer(exchange, 200, "supportedVersions");
    era_expect_request(fixture->child, "subscriptions/listen", "");
    era_expect_request(fixture->child, "tools/list", "");
    era_answer(fixture->child, "\"resultType\":\"complete\"");
    fake_exchange_expect(list, 200, ERA_RESULT("1", "\"resultType\":\"complete\""));
    bridge_fixture_open_session(fixture);
    assert_int_equal(fake_child_count(&fixture->world), 1);
}

static void legacy_clients_that_waited_are_served_by_a_modern_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = bridge_fixture_post(
        fixture, NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
        "\"capabilities\":{}}}");
    struct fake_exchange *list =
        bridge_fixture_post(fixture, NULL, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    struct fake_exchange *ping =
        bridge_fixture_post(fixture, NULL, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
    era_refuse_legacy(fixture->child);
    fake_exchange_expect(ping, 200, ERA_RESULT("2", ""));
    era_shake_modern(fixture->child);
    assert_non_null(fake_exchange_answer_field(exchange, "mcp-session-id"));
    era_expect_request(fixture->child, "tools/list", "protocolVersion\":\"2026-07-28\"");
    era_answer_to(fixture->child, fixture->child->last_id - 1, "\"resultType\":\"complete\"");
    fake_exchange_expect(list, 200, ERA_RESULT("1", "\"resultType\":\"complete\""));
    era_expect_request(fixture->child, "subscriptions/listen", "");
}

static void an_era_that_was_set_is_not_asked_for(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.era = SERVER_ERA_LEGACY;
    bridge_fixture_open(fixture);
    struct fake_exchange *list = list_with(fixture, NULL);
    fake_child_up(fixture->child);
    era_answer_error(fixture->child, -32022);
    fake_child_down(fixture->child, "exited with status 0", 1000, 1);
    fake_exchange_expect_silence(list);
    era_shake_legacy(fixture->child);
    expect_translated(fixture->child, list);
    assert_int_equal(fake_child_count(&fixture->world), 1);
}

static void a_server_that_cannot_be_started_answers_with_the_reason(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = discover(fixture);
    fake_child_down(fixture->child, "could not be started: no such file", 0, 3);
    era_expect_in_answer(exchange, 200, "could not be started: no such file");
    era_expect_in_answer(discover(fixture), 200, "could not be started: no such file");
    assert_int_equal(era_of(fixture), SERVER_ERA_UNKNOWN);
    assert_int_equal(fixture->server.call_count, 0);
}

static void a_client_may_go_at_any_step(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = discover(fixture);
    struct fake_exchange *second = discover(fixture);
    fake_exchange_vanish(first);
    era_shake_legacy(fixture->child);
    fake_exchange_vanish(second);
    assert_int_equal(fixture->server.call_count, 0);
    assert_true(list_is_empty(&fixture->streamable.era.probes));
    fake_world_advance(&fixture->world, 2 * PROBE_MS);
    assert_int_equal(era_of(fixture), SERVER_ERA_UNKNOWN);
    /* The process that was begun is there for the next one. */
    era_shake_modern(era_child(fixture, 1));
    era_expect_in_answer(discover(fixture), 200, "supportedVersions");
    assert_int_equal(era_of(fixture), SERVER_ERA_BOTH);
    assert_int_equal(fake_child_count(&fixture->world), 2);
}

static void without_room_for_another_process_the_known_one_serves(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.max_children = 1;
    struct fake_exchange *exchange = discover(fixture);
    struct fake_exchange *list = list_with(fixture, NULL);
    struct fake_exchange *listen =
        era_post(fixture, &(struct era_request){.method = "subscriptions/listen", .params = "\"notifications\":{}"});
    era_shake_legacy(fixture->child);
    era_expect_in_answer(exchange, 200, "supportedVersions");
    assert_non_null(strstr(fake_exchange_take(listen), "acknowledged"));
    expect_translated(fixture->child, list);
    assert_int_equal(era_of(fixture), SERVER_ERA_UNKNOWN);
    fixture->settings.max_children = 2;
    exchange = discover(fixture);
    era_shake_modern(era_child(fixture, 1));
    era_expect_in_answer(exchange, 200, "supportedVersions");
    assert_int_equal(era_of(fixture), SERVER_ERA_BOTH);
    fake_exchange_vanish(listen);
}

/* While all children are in use nobody can find out what the server speaks; then one is lent, and asks. */
static struct fake_exchange *park_before_the_era_is_known(struct bridge_fixture *fixture,
                                                          const struct era_request *call)
{
    fixture->settings.max_children = 2;
    era_shake_legacy(fixture->child);
    struct fake_exchange *open = bridge_fixture_post(
        fixture, NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
        "\"capabilities\":{\"roots\":{}}}}");
    fake_child_up(era_child(fixture, 1));
    era_expect_request(era_child(fixture, 1), "initialize", "");
    era_answer(era_child(fixture, 1), "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}");
    const char *session = fake_exchange_answer_field(open, "mcp-session-id");
    struct fake_exchange *exchange = era_post(fixture, call);
    if (fake_child_unread(fixture->child) > 0) {
        era_list_tools(fixture->child);
    }
    bridge_fixture_delete(fixture, session);
    fake_child_finish(era_child(fixture, 1));
    era_shake_legacy(era_child(fixture, 2));
    era_expect_request(era_child(fixture, 2), call->method, "\"_meta\":{}");
    fake_child_say(era_child(fixture, 2), "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"roots/list\"}");
    fake_world_advance(&fixture->world, 10);
    assert_int_equal(era_of(fixture), SERVER_ERA_UNKNOWN);
    return exchange;
}

static struct fake_exchange *come_again(struct bridge_fixture *fixture, struct fake_exchange *exchange,
                                        struct era_request call)
{
    char params[1024];
    snprintf(params, sizeof(params), "\"inputResponses\":{\"q1\":{\"roots\":[]}},\"requestState\":%s",
             era_result_member(exchange, "requestState"));
    call.params = params;
    return era_post(fixture, &call);
}

static const struct era_request prompt = {
    .method = "prompts/get", .name = "p", .id = "3", .capabilities = "{\"roots\":{}}"};

static const struct era_request tool = {
    .method = "tools/call", .name = "t", .id = "3", .capabilities = "{\"roots\":{}}"};

static void expect_answer_at_its_child(struct bridge_fixture *fixture, struct fake_exchange *exchange)
{
    fake_child_expect(era_child(fixture, 2), ERA_RESULT("\"q\"", "\"roots\":[]"));
    era_answer(era_child(fixture, 2), "\"messages\":[]");
    fake_exchange_expect(exchange, 200, ERA_RESULT("3", "\"resultType\":\"complete\"," ERA_INFO ",\"messages\":[]"));
}

static void a_parked_call_goes_on_with_its_child_after_the_server_was_found_to_speak_both_eras(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = park_before_the_era_is_known(fixture, &tool);
    fixture->settings.max_children = 3;
    struct fake_exchange *exchange = discover(fixture);
    era_shake_modern(era_child(fixture, 3));
    era_expect_in_answer(exchange, 200, "supportedVersions");
    assert_int_equal(era_of(fixture), SERVER_ERA_BOTH);
    exchange = come_again(fixture, first, tool);
    era_list_tools(era_child(fixture, 3)); /* which says what headers are to be there */
    expect_answer_at_its_child(fixture, exchange);
    era_expect_in_answer(come_again(fixture, first, tool), 200, "was used before");
    fake_child_expect_silence(era_child(fixture, 3));
}

static void who_comes_again_does_not_wait_to_hear_what_the_server_speaks(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *first = park_before_the_era_is_known(fixture, &prompt);
    fixture->settings.max_children = 3;
    expect_answer_at_its_child(fixture, come_again(fixture, first, prompt));
    assert_int_equal(fake_child_count(&fixture->world), 3);
}

/* What one client asks for must not decide what all the others get. */
static void a_refusal_that_names_a_legacy_revision_says_nothing_of_the_server(void **state)
{
    struct bridge_fixture *fixture = *state;
    era_shake_legacy(fixture->child);
    struct fake_exchange *exchange = bridge_fixture_post(
        fixture, NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2026-07-28\","
        "\"capabilities\":{\"roots\":{}}}}");
    struct fake_child *own = era_child(fixture, 1);
    fake_child_up(own);
    fake_child_say_format(own,
                          "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"error\":{\"code\":-32022,\"message\":\"no\","
                          "\"data\":{\"supported\":[\"2026-07-28\",\"2025-11-25\"]}}}",
                          own->last_id);
    fake_child_down(own, "exited with status 0", 1000, 1);
    assert_int_equal(era_of(fixture), SERVER_ERA_UNKNOWN);
    era_expect_in_answer(exchange, 200, "\"supported\":[\"2026-07-28\",\"2025-11-25\"]");
    assert_true(own->is_closing);
}

static void a_refusal_of_an_own_child_tells_that_the_server_is_modern(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = bridge_fixture_post(
        fixture, NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
        "\"capabilities\":{\"roots\":{}}}}");
    struct fake_child *own = era_child(fixture, 1);
    fake_child_up(own);
    fake_child_say_format(own,
                          "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"error\":{\"code\":-32022,\"message\":\"no\","
                          "\"data\":{\"supported\":[\"2026-07-28\"]}}}",
                          own->last_id);
    fake_child_down(own, "exited with status 0", 1000, 1);
    assert_int_equal(era_of(fixture), SERVER_ERA_MODERN);
    era_shake_modern(own);
    assert_non_null(fake_exchange_answer_field(exchange, "mcp-session-id"));
}

/* The revision took the method away. */
static void a_server_that_does_not_have_initialize_is_modern(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_child_up(fixture->child);
    era_answer_error(fixture->child, -32601);
    assert_int_equal(era_of(fixture), SERVER_ERA_MODERN);
}

/* ---- Credentials ---- */

static void what_one_caller_finds_out_holds_for_all_and_no_process_is_left(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with_credentials(fixture);
    assert_null(fixture->child);
    struct fake_exchange *a = list_with(fixture, "a");
    struct fake_exchange *b = list_with(fixture, "b");
    struct fake_exchange *c = list_with(fixture, "c");
    for (size_t i = 0; i < 3; i++) {
        era_shake_legacy(era_child(fixture, i));
        fake_child_up(era_child(fixture, 3 + i));
    }
    era_answer_error(era_child(fixture, 3), -32601);
    fake_child_down(era_child(fixture, 3), "exited with status 0", 1000, 1);
    assert_int_equal(era_of(fixture), SERVER_ERA_LEGACY);
    expect_translated(era_child(fixture, 0), a);
    era_answer(era_child(fixture, 4), era_discover);
    assert_true(era_child(fixture, 4)->is_closing);
    expect_translated(era_child(fixture, 1), b);
    fake_world_advance(&fixture->world, PROBE_MS);
    assert_true(era_child(fixture, 5)->is_closing);
    expect_translated(era_child(fixture, 2), c);
    assert_int_equal(era_of(fixture), SERVER_ERA_LEGACY);
}

static void of_two_processes_that_refuse_neither_is_started_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with_credentials(fixture);
    struct fake_exchange *exchanges[] = {list_with(fixture, "a"), list_with(fixture, "b")};
    for (size_t i = 0; i < 2; i++) {
        era_shake_legacy(era_child(fixture, i));
        fake_child_up(era_child(fixture, 2 + i));
    }
    for (size_t i = 0; i < 2; i++) {
        era_answer_error(era_child(fixture, 2 + i), -32601);
        assert_true(era_child(fixture, 2 + i)->is_closing);
        expect_translated(era_child(fixture, i), exchanges[i]);
    }
}

static void callers_that_wait_are_served_by_children_of_their_own(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with_credentials(fixture);
    struct fake_exchange *a = list_with(fixture, "a");
    struct fake_exchange *b = list_with(fixture, "b");
    era_shake_legacy(era_child(fixture, 0));
    era_shake_modern(era_child(fixture, 2));
    assert_int_equal(era_of(fixture), SERVER_ERA_BOTH);
    assert_string_equal(era_child(fixture, 2)->command->environment[0], "KEY=a");
    era_expect_request(era_child(fixture, 2), "tools/list", "");
    era_answer(era_child(fixture, 2), "\"resultType\":\"complete\"");
    fake_exchange_expect(a, 200, ERA_RESULT("1", "\"resultType\":\"complete\""));
    era_shake_legacy(era_child(fixture, 1));
    assert_string_equal(era_child(fixture, 3)->command->environment[0], "KEY=b");
    era_shake_modern(era_child(fixture, 3));
    era_expect_request(era_child(fixture, 3), "tools/list", "");
    era_answer(era_child(fixture, 3), "\"resultType\":\"complete\"");
    fake_exchange_expect(b, 200, ERA_RESULT("1", "\"resultType\":\"complete\""));
}

static void a_child_that_turned_modern_is_found_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with_credentials(fixture);
    struct fake_exchange *exchange = list_with(fixture, "a");
    era_refuse_legacy(era_child(fixture, 0));
    era_shake_modern(era_child(fixture, 0));
    assert_int_equal(fake_child_count(&fixture->world), 1);
    era_expect_request(era_child(fixture, 0), "subscriptions/listen", "");
    era_expect_request(era_child(fixture, 0), "tools/list", "");
    era_answer(era_child(fixture, 0), "\"resultType\":\"complete\"");
    fake_exchange_expect(exchange, 200, ERA_RESULT("1", "\"resultType\":\"complete\""));
    fake_world_advance(&fixture->world, fixture->settings.child_idle_timeout_ms);
    assert_true(era_child(fixture, 0)->is_closing);
    fake_child_finish(era_child(fixture, 0));
    exchange = list_with(fixture, "a");
    era_shake_modern(era_child(fixture, 1));
    fake_exchange_vanish(exchange);
}

/* ---- The end ---- */

static void the_servers_end_answers_those_who_wait_at_either_step(void **state)
{
    for (int step = 0; step < 2; step++) {
        struct bridge_fixture *fixture = *state;
        struct fake_exchange *exchange = discover(fixture);
        if (step > 0) {
            era_shake_legacy(fixture->child);
            fake_child_up(era_child(fixture, 1));
        }
        bridge_fixture_close_server(fixture);
        era_expect_in_answer(exchange, 200, "shutting down");
        if (step == 0) {
            bridge_fixture_close(fixture);
            bridge_fixture_init(fixture);
            bridge_fixture_open(fixture);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, bridge_fixture_tear_down)
#define UNOPENED(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up, bridge_fixture_tear_down)

/* One process has said so, and another is still on its way to say the same. */
static struct fake_exchange *open_session_that_finds_modern(struct bridge_fixture *fixture)
{
    struct fake_exchange *exchange = bridge_fixture_post(
        fixture, NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
        "\"capabilities\":{\"roots\":{}}}}");
    era_refuse_legacy(era_child(fixture, 1));
    assert_int_equal(era_of(fixture), SERVER_ERA_MODERN);
    return exchange;
}

static void a_call_that_waits_while_the_server_turns_out_to_be_modern_is_not_translated(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *session = open_session_that_finds_modern(fixture);
    struct fake_exchange *list = list_with(fixture, NULL);
    struct fake_exchange *asked = era_post(
        fixture,
        &(struct era_request){.method = "prompts/get", .name = "p", .id = "3", .capabilities = "{\"roots\":{}}"});
    era_shake_modern(fixture->child);
    era_expect_request(fixture->child, "tools/list", "protocolVersion\":\"2026-07-28");
    era_expect_request(fixture->child, "prompts/get", "protocolVersion\":\"2026-07-28");
    era_expect_request(fixture->child, "subscriptions/listen", "");
    era_answer_to(fixture->child, fixture->child->last_id - 2, "\"resultType\":\"complete\",\"tools\":[]");
    fake_exchange_expect(list, 200, ERA_RESULT("1", "\"resultType\":\"complete\",\"tools\":[]"));
    era_answer_to(fixture->child, fixture->child->last_id - 1, "\"resultType\":\"complete\"");
    fake_exchange_expect(asked, 200, ERA_RESULT("3", "\"resultType\":\"complete\""));
    assert_int_equal(fake_child_count(&fixture->world), 2);
    fake_exchange_vanish(session);
}

static void a_process_that_was_sent_initialize_is_ended_when_another_finds_the_server_modern(void **state)
{
    struct bridge_fixture *fixture = *state;
    fake_child_up(fixture->child);
    era_expect_request(fixture->child, "initialize", "");
    struct fake_exchange *list = list_with(fixture, NULL);
    struct fake_exchange *session = open_session_that_finds_modern(fixture);
    assert_int_equal(fixture->child->restarts, 1);
    era_answer_error(fixture->child, -32022); /* It comes too late to be of any use. */
    assert_int_equal(fixture->child->restarts, 1);
    fake_child_down(fixture->child, "exited with status 0", fixture->child->written, 1);
    era_shake_modern(fixture->child);
    era_expect_request(fixture->child, "subscriptions/listen", "");
    era_expect_request(fixture->child, "tools/list", "protocolVersion\":\"2026-07-28");
    era_answer(fixture->child, "\"resultType\":\"complete\",\"tools\":[]");
    fake_exchange_expect(list, 200, ERA_RESULT("1", "\"resultType\":\"complete\",\"tools\":[]"));
    fake_exchange_vanish(session);
}

/* Its call would wait for a child that refuses, and then for the next one. */
static void where_one_process_took_the_handshake_and_the_last_refused_it_no_child_is_lent(void **state)
{
    struct bridge_fixture *fixture = *state;
    era_shake_legacy(fixture->child);
    fake_exchange_vanish(open_session_that_finds_modern(fixture));
    struct fake_exchange *list = list_with(fixture, NULL);
    expect_translated(fixture->child, list);
    struct fake_exchange *asked = era_post(
        fixture,
        &(struct era_request){.method = "prompts/get", .name = "p", .id = "3", .capabilities = "{\"roots\":{}}"});
    era_expect_in_answer(asked, 503, "as it said last");
    assert_int_equal(fake_child_count(&fixture->world), 2);
}

static void tools_that_are_to_be_listed_while_the_server_turns_out_to_be_modern_are_asked_for_in_that(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *session = open_session_that_finds_modern(fixture);
    struct fake_exchange *call = era_post(fixture, &(struct era_request){.method = "tools/call", .name = "t"});
    era_shake_modern(fixture->child);
    era_expect_request(fixture->child, "tools/list", "protocolVersion\":\"2026-07-28");
    era_expect_request(fixture->child, "subscriptions/listen", "");
    fake_world_advance(&fixture->world, LIMIT_TOOL_LIST_MS);
    fake_child_expect_format(fixture->child, ERA_NOTE("notifications/cancelled", "\"requestId\":%" PRIu64),
                             fixture->child->last_id - 2);
    era_expect_request(fixture->child, "tools/call", "protocolVersion\":\"2026-07-28");
    era_answer(fixture->child, "\"resultType\":\"complete\"");
    fake_exchange_expect(call, 200, ERA_RESULT("1", "\"resultType\":\"complete\""));
    fake_exchange_vanish(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_process_that_answers_discover_serves_the_modern_clients),
        TEST(a_process_that_refuses_discover_is_ended_and_clients_are_translated_for),
        TEST(silence_within_the_start_timeout_is_a_refusal_too),
        TEST(a_process_that_dies_of_discover_is_not_started_again),
        TEST(a_silent_process_is_waited_for_as_long_as_a_start_takes_and_a_little),
        TEST(a_server_that_refuses_initialize_is_asked_again_in_the_modern_era),
        TEST(legacy_clients_that_waited_are_served_by_a_modern_child),
        UNOPENED(an_era_that_was_set_is_not_asked_for),
        TEST(a_server_that_cannot_be_started_answers_with_the_reason),
        TEST(a_client_may_go_at_any_step),
        TEST(without_room_for_another_process_the_known_one_serves),
        TEST(a_parked_call_goes_on_with_its_child_after_the_server_was_found_to_speak_both_eras),
        TEST(who_comes_again_does_not_wait_to_hear_what_the_server_speaks),
        TEST(a_refusal_that_names_a_legacy_revision_says_nothing_of_the_server),
        TEST(a_refusal_of_an_own_child_tells_that_the_server_is_modern),
        TEST(a_server_that_does_not_have_initialize_is_modern),
        UNOPENED(what_one_caller_finds_out_holds_for_all_and_no_process_is_left),
        UNOPENED(of_two_processes_that_refuse_neither_is_started_again),
        UNOPENED(callers_that_wait_are_served_by_children_of_their_own),
        UNOPENED(a_child_that_turned_modern_is_found_again),
        TEST(a_call_that_waits_while_the_server_turns_out_to_be_modern_is_not_translated),
        TEST(a_process_that_was_sent_initialize_is_ended_when_another_finds_the_server_modern),
        TEST(where_one_process_took_the_handshake_and_the_last_refused_it_no_child_is_lent),
        TEST(tools_that_are_to_be_listed_while_the_server_turns_out_to_be_modern_are_asked_for_in_that),
        TEST(the_servers_end_answers_those_who_wait_at_either_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
