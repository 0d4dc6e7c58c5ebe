#include "bridge/mcp/children.h"

#include "tests/unit/bridge/era_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define REQUEST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}"
#define INITIALIZE(capabilities)                                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"," \
    "\"capabilities\":" capabilities "}}"
#define ROOTS "{\"roots\":{}}"

enum { IDLE_MS = 600000 };

static const struct credential credential_list[] = {{"KEY", "x-key"}, {"OTHER", "x-other"}};

static void open_with(struct bridge_fixture *fixture, size_t max_children, size_t min_idle)
{
    fixture->settings.max_children = max_children;
    fixture->settings.min_idle_children = min_idle;
    fixture->settings.child_idle_timeout_ms = IDLE_MS;
    fixture->settings.era = SERVER_ERA_LEGACY;
    fixture->endpoint.post.stream_after_ms = 0;
    fixture->endpoint.credentials = (struct credentials){credential_list, 2};
    bridge_fixture_open(fixture);
    era_shake_legacy(fixture->child);
}

static struct fake_exchange *post_as(struct bridge_fixture *fixture, const char *key, const char *session,
                                     const char *body)
{
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_POST, session);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    if (key != NULL) {
        fake_exchange_add_field(exchange, "X-Key", key);
    }
    fake_exchange_set_body(exchange, slice_text(body));
    bridge_fixture_handle(fixture, exchange);
    return exchange;
}

static size_t started(const struct bridge_fixture *fixture)
{
    return fake_child_count(&fixture->world);
}

/* A call whose client may be asked something; `kind` is what it declares. */
static struct fake_exchange *borrow(struct bridge_fixture *fixture, const char *kind)
{
    return era_post(fixture, &(struct era_request){.method = "prompts/get", .name = "p", .capabilities = kind});
}

static void answer_call(struct fake_child *child, struct fake_exchange *exchange)
{
    era_expect_request(child, "prompts/get", "");
    era_answer(child, "");
    assert_int_equal(exchange->status, 200);
}

/* ---- Credentials ---- */

static void those_with_the_same_credentials_share_a_child_and_no_others(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 0);
    struct fake_exchange *a = post_as(fixture, "a", NULL, REQUEST);
    struct fake_exchange *again = post_as(fixture, "a", NULL, REQUEST);
    struct fake_exchange *b = post_as(fixture, "ab", NULL, REQUEST);
    struct fake_exchange *empty = post_as(fixture, "", NULL, REQUEST);
    assert_int_equal(started(fixture), 4);
    assert_string_equal(era_child(fixture, 1)->command->environment[0], "KEY=a");
    assert_null(era_child(fixture, 1)->command->environment[1]);
    assert_string_equal(era_child(fixture, 2)->command->environment[0], "KEY=ab");
    assert_string_equal(era_child(fixture, 3)->command->environment[0], "KEY=");
    assert_null(fixture->child->command->environment[0]);
    era_shake_legacy(era_child(fixture, 1));
    assert_int_equal(fake_child_unread(era_child(fixture, 1)), 2);
    era_answer_to(era_child(fixture, 1), 2, "");
    era_answer_to(era_child(fixture, 1), 3, "");
    assert_int_equal(a->status, 200);
    assert_int_equal(again->status, 200);
    fake_exchange_vanish(b);
    fake_exchange_vanish(empty);
    assert_false(fake_world_has_logged(&fixture->world, "KEY"));
}

static void a_session_is_not_there_for_other_credentials(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 0);
    struct fake_exchange *exchange = post_as(fixture, "a", NULL, INITIALIZE("{}"));
    era_shake_legacy(era_child(fixture, 1));
    const char *session = fake_exchange_answer_field(exchange, "mcp-session-id");
    assert_int_equal((exchange = post_as(fixture, "b", session, REQUEST))->status, 404);
    assert_int_equal(post_as(fixture, NULL, session, REQUEST)->status, 404);
    assert_int_equal(bridge_fixture_get(fixture, session)->status, 404);
    assert_int_equal(bridge_fixture_delete(fixture, session)->status, 404);
    exchange = post_as(fixture, "a", session, REQUEST);
    era_expect_request(era_child(fixture, 1), "m", "");
    fake_exchange_vanish(exchange);
    assert_int_equal(started(fixture), 2);
}

static void a_credential_that_is_given_twice_is_refused(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 0);
    struct fake_exchange *exchange = bridge_fixture_new(fixture, EXCHANGE_POST, NULL);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_add_field(exchange, "X-Key", "a");
    fake_exchange_add_field(exchange, "x-key", "a");
    fake_exchange_set_body(exchange, slice_text(REQUEST));
    bridge_fixture_handle(fixture, exchange);
    assert_int_equal(exchange->status, 400);
    assert_int_equal(started(fixture), 1);
}

static void a_parked_call_is_not_there_for_other_credentials(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 0);
    struct era_request request = {
        .method = "prompts/get", .name = "p", .capabilities = "{\"elicitation\":{}}", .key = "a"};
    struct fake_exchange *exchange = era_post(fixture, &request);
    struct fake_child *child = era_child(fixture, 2);
    assert_string_equal(child->command->environment[0], "KEY=a");
    era_shake_legacy(child);
    era_expect_request(child, "prompts/get", "");
    fake_child_say(child, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"elicitation/create\"}");
    fake_world_advance(&fixture->world, 10);
    char params[512];
    snprintf(params, sizeof(params), "\"inputResponses\":{\"q1\":{}},\"requestState\":%s",
             era_result_member(exchange, "requestState"));
    request.params = params;
    request.key = "b";
    era_expect_in_answer(era_post(fixture, &request), 200, "expired or was used before");
    request.key = NULL;
    era_expect_in_answer(era_post(fixture, &request), 200, "expired or was used before");
    fake_child_expect_silence(child);
    request.key = "a";
    exchange = era_post(fixture, &request);
    fake_child_expect(child, ERA_RESULT("1", ""));
    era_answer(child, "");
    assert_int_equal(exchange->status, 200);
}

/* A notification is not waited for, so its child is never used. */
static void a_child_for_credentials_that_nobody_ever_used_ends_too(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 0);
    struct fake_exchange *exchange =
        post_as(fixture, "a", NULL, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}");
    assert_int_equal(exchange->status, 202);
    assert_int_equal(started(fixture), 2);
    fake_world_advance(&fixture->world, IDLE_MS - 1);
    assert_false(era_child(fixture, 1)->is_closing);
    fake_world_advance(&fixture->world, 1);
    assert_true(era_child(fixture, 1)->is_closing);
    assert_false(fixture->child->is_closing);
}

static void a_child_for_credentials_ends_when_it_was_idle_and_the_common_one_stays(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 0);
    struct fake_exchange *exchange = post_as(fixture, "a", NULL, REQUEST);
    struct fake_child *child = era_child(fixture, 1);
    era_shake_legacy(child);
    fake_world_advance(&fixture->world, 100000);
    era_answer(child, "");
    assert_int_equal(exchange->status, 200);
    fake_world_advance(&fixture->world, IDLE_MS - 1);
    exchange = post_as(fixture, "a", NULL, REQUEST);
    fake_world_advance(&fixture->world, 10000);
    era_answer(child, "");
    fake_world_advance(&fixture->world, IDLE_MS - 1);
    assert_false(child->is_closing);
    fake_world_advance(&fixture->world, 1);
    assert_true(child->is_closing);
    exchange = post_as(fixture, "a", NULL, REQUEST);
    assert_int_equal(started(fixture), 3);
    fake_exchange_vanish(exchange);
    fake_child_finish(child);
    assert_false(fixture->child->is_closing);
    assert_int_equal(fixture->server.children.count, 2);
}

/* If it need not. It ends as well when nobody has ever used it. */
static void the_common_child_ends_when_it_was_idle(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.shared_idle_timeout_ms = 1000;
    open_with(fixture, 64, 0);
    fake_world_advance(&fixture->world, 999);
    assert_false(fixture->child->is_closing);
    fake_world_advance(&fixture->world, 1);
    assert_true(fixture->child->is_closing);
    fake_child_finish(fixture->child);
    struct fake_exchange *exchange = post_as(fixture, NULL, NULL, REQUEST);
    struct fake_child *next = era_child(fixture, 1);
    fake_world_advance(&fixture->world, 2000);
    era_shake_legacy(next);
    fake_world_advance(&fixture->world, 2000);
    era_answer(next, "");
    assert_int_equal(exchange->status, 200);
    fake_world_advance(&fixture->world, 999);
    assert_false(next->is_closing);
    fake_world_advance(&fixture->world, 1);
    assert_true(next->is_closing);
}

/* ---- Own and warm ---- */

static void a_warm_child_becomes_a_sessions_own_and_another_is_warmed(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 1);
    assert_int_equal(started(fixture), 2);
    fake_child_up(era_child(fixture, 1));
    fake_world_advance(&fixture->world, 10 * IDLE_MS);
    fake_child_expect_silence(era_child(fixture, 1));
    struct fake_exchange *exchange = post_as(fixture, NULL, NULL, INITIALIZE(ROOTS));
    assert_int_equal(started(fixture), 3);
    fake_child_expect_format(era_child(fixture, 1),
                             "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64
                             ",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
                             "\"capabilities\":" ROOTS "}}",
                             era_child(fixture, 1)->last_id);
    fake_exchange_vanish(exchange);
    assert_true(era_child(fixture, 1)->is_closing);
    assert_int_equal(fixture->server.children.warm_count, 1);
}

static void who_has_credentials_gets_no_warm_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 1);
    struct fake_exchange *exchange = post_as(fixture, "a", NULL, INITIALIZE(ROOTS));
    assert_int_equal(started(fixture), 3);
    assert_string_equal(era_child(fixture, 2)->command->environment[0], "KEY=a");
    assert_int_equal(fixture->server.children.warm_count, 1);
    fake_exchange_vanish(exchange);
}

static void a_warm_child_that_dies_stays_warm(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 1);
    struct fake_child *warm = era_child(fixture, 1);
    fake_child_up(warm);
    fake_child_down(warm, "exited with status 1", 0, 1);
    assert_int_equal(fixture->server.children.warm_count, 1);
    struct fake_exchange *exchange = post_as(fixture, NULL, NULL, INITIALIZE(ROOTS));
    era_shake_legacy(warm);
    assert_int_equal(exchange->status, 200);
}

static void a_warm_child_of_a_server_that_is_modern_hears_discover_only(void **state)
{
    struct bridge_fixture *fixture = *state;
    fixture->settings.min_idle_children = 1;
    fixture->settings.children = SERVER_CHILDREN_SESSION;
    bridge_fixture_open(fixture);
    struct fake_child *warm = era_child(fixture, 1);
    fake_child_up(warm);
    era_refuse_legacy(fixture->child);
    struct fake_exchange *exchange = post_as(fixture, NULL, NULL, INITIALIZE(ROOTS));
    era_shake_modern(warm);
    assert_int_equal(exchange->status, 200);
    assert_int_equal(warm->restarts, 0);
}

static void past_the_ceiling_a_client_is_told_to_come_again_and_finds_room(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 2, 0);
    struct fake_exchange *exchange = post_as(fixture, "a", NULL, REQUEST);
    era_shake_legacy(era_child(fixture, 1));
    assert_int_equal(post_as(fixture, "b", NULL, REQUEST)->status, 503);
    assert_false(era_child(fixture, 1)->is_closing);
    era_answer(era_child(fixture, 1), "");
    assert_int_equal(exchange->status, 200);
    exchange = post_as(fixture, "b", NULL, REQUEST);
    assert_int_equal(exchange->status, 503);
    assert_non_null(fake_exchange_answer_field(exchange, "retry-after"));
    assert_true(era_child(fixture, 1)->is_closing);
    fake_child_finish(era_child(fixture, 1));
    exchange = post_as(fixture, "b", NULL, REQUEST);
    era_shake_legacy(era_child(fixture, 2));
    era_answer(era_child(fixture, 2), "");
    assert_int_equal(exchange->status, 200);
}

static void warm_children_make_room_for_who_comes_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 3, 2);
    assert_int_equal(started(fixture), 3);
    assert_int_equal(post_as(fixture, "b", NULL, REQUEST)->status, 503);
    assert_true(era_child(fixture, 1)->is_closing);
    fake_child_finish(era_child(fixture, 1));
    assert_int_equal(started(fixture), 3);
    struct fake_exchange *exchange = post_as(fixture, "b", NULL, REQUEST);
    assert_int_equal(started(fixture), 4);
    era_shake_legacy(era_child(fixture, 3));
    era_answer(era_child(fixture, 3), "");
    assert_int_equal(exchange->status, 200);
    assert_int_equal(fixture->server.children.warm_count, 1);
    /* There is room again, and nobody lacks it. */
    fake_world_advance(&fixture->world, IDLE_MS);
    fake_child_finish(era_child(fixture, 3));
    assert_int_equal(fixture->server.children.warm_count, 2);
}

static void an_own_child_ends_with_its_session_and_counts_until_it_is_gone(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 2, 0);
    struct fake_exchange *exchange = post_as(fixture, NULL, NULL, INITIALIZE(ROOTS));
    era_shake_legacy(era_child(fixture, 1));
    const char *session = fake_exchange_answer_field(exchange, "mcp-session-id");
    exchange = post_as(fixture, NULL, session, REQUEST);
    assert_int_equal(bridge_fixture_delete(fixture, session)->status, 200);
    assert_false(era_child(fixture, 1)->is_closing);
    era_answer(era_child(fixture, 1), "");
    assert_int_equal(exchange->status, 200);
    assert_true(era_child(fixture, 1)->is_closing);
    assert_int_equal(post_as(fixture, NULL, NULL, INITIALIZE(ROOTS))->status, 503);
    fake_child_finish(era_child(fixture, 1));
    exchange = post_as(fixture, NULL, NULL, INITIALIZE(ROOTS));
    era_shake_legacy(era_child(fixture, 2));
    assert_int_equal(exchange->status, 200);
}

static void an_own_child_that_never_starts_is_not_tried_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 2, 0);
    struct fake_exchange *exchange = post_as(fixture, NULL, NULL, INITIALIZE(ROOTS));
    fake_child_down(era_child(fixture, 1), "could not be started: no such file", 0, 1);
    era_expect_in_answer(exchange, 200, "no such file");
    assert_true(era_child(fixture, 1)->is_closing);
}

/* ---- Lent ---- */

static void calls_that_wait_for_a_child_are_served_in_their_order(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 2, 0);
    struct fake_exchange *calls[4];
    for (size_t i = 0; i < 4; i++) {
        calls[i] = borrow(fixture, ROOTS);
    }
    era_shake_legacy(era_child(fixture, 1));
    for (size_t i = 0; i < 4; i++) {
        fake_exchange_expect_silence(calls[i]);
        answer_call(era_child(fixture, 1), calls[i]);
    }
    assert_int_equal(started(fixture), 2);
    assert_false(era_child(fixture, 1)->is_closing);
}

static void a_call_of_another_kind_is_not_overtaken(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 2, 0);
    struct fake_exchange *first = borrow(fixture, ROOTS);
    struct fake_exchange *other = borrow(fixture, "{\"sampling\":{}}");
    struct fake_exchange *same = borrow(fixture, ROOTS);
    era_shake_legacy(era_child(fixture, 1));
    answer_call(era_child(fixture, 1), first);
    assert_true(era_child(fixture, 1)->is_closing);
    fake_child_finish(era_child(fixture, 1));
    era_shake_legacy(era_child(fixture, 2));
    answer_call(era_child(fixture, 2), other);
    fake_exchange_expect_silence(same);
    fake_child_finish(era_child(fixture, 2));
    era_shake_legacy(era_child(fixture, 3));
    answer_call(era_child(fixture, 3), same);
}

static void one_child_is_ended_for_one_that_is_wanted(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 3, 0);
    struct fake_exchange *first = borrow(fixture, ROOTS);
    struct fake_exchange *second = borrow(fixture, "{\"sampling\":{}}");
    struct fake_exchange *other = borrow(fixture, "{\"elicitation\":{}}");
    era_shake_legacy(era_child(fixture, 1));
    era_shake_legacy(era_child(fixture, 2));
    answer_call(era_child(fixture, 1), first);
    answer_call(era_child(fixture, 2), second);
    assert_true(era_child(fixture, 1)->is_closing);
    assert_false(era_child(fixture, 2)->is_closing);
    second = borrow(fixture, "{\"sampling\":{}}");
    fake_child_expect_silence(era_child(fixture, 2));
    fake_child_finish(era_child(fixture, 1));
    answer_call(era_child(fixture, 2), second);
    era_shake_legacy(era_child(fixture, 3));
    answer_call(era_child(fixture, 3), other);
}

static void a_child_for_credentials_ends_with_its_last_use_where_somebody_waits(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 2, 0);
    struct fake_exchange *shared = post_as(fixture, "a", NULL, REQUEST);
    era_shake_legacy(era_child(fixture, 1));
    struct fake_exchange *waiting = borrow(fixture, ROOTS);
    assert_int_equal(started(fixture), 2);
    assert_false(era_child(fixture, 1)->is_closing);
    era_expect_request(era_child(fixture, 1), "m", "");
    era_answer(era_child(fixture, 1), "");
    assert_int_equal(shared->status, 200);
    fake_world_advance(&fixture->world, 0);
    assert_true(era_child(fixture, 1)->is_closing);
    fake_child_finish(era_child(fixture, 1));
    era_shake_legacy(era_child(fixture, 2));
    answer_call(era_child(fixture, 2), waiting);
}

static void a_call_waits_for_a_child_no_longer_than_for_a_start(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 2, 0);
    fixture->settings.channel.start_timeout_ms = 1000;
    struct fake_exchange *first = borrow(fixture, ROOTS);
    era_shake_legacy(era_child(fixture, 1));
    struct fake_exchange *second = borrow(fixture, ROOTS);
    struct fake_exchange *gone = borrow(fixture, ROOTS);
    fake_exchange_vanish(gone);
    fake_world_advance(&fixture->world, 1000);
    era_expect_in_answer(second, 503, "All children of the server are in use");
    answer_call(era_child(fixture, 1), first);
    assert_true(list_is_empty(&fixture->server.children.loans));
    assert_int_equal(fixture->server.call_count, 0);
}

static void a_failing_start_fails_all_of_its_kind_that_wait_and_the_next_kind_is_tried(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 2, 0);
    struct fake_exchange *a = borrow(fixture, ROOTS);
    struct fake_exchange *b = borrow(fixture, ROOTS);
    struct fake_exchange *other = borrow(fixture, "{\"sampling\":{}}");
    fake_child_down(era_child(fixture, 1), "exited with status 1", 0, 1);
    assert_true(era_child(fixture, 1)->is_closing);
    era_expect_in_answer(a, 200, "exited with status 1");
    era_expect_in_answer(b, 200, "exited with status 1");
    fake_exchange_expect_silence(other);
    fake_child_finish(era_child(fixture, 1));
    era_shake_legacy(era_child(fixture, 2));
    answer_call(era_child(fixture, 2), other);
}

static void a_free_child_ends_when_it_was_idle(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 0);
    struct fake_exchange *a = borrow(fixture, ROOTS);
    struct fake_exchange *b = borrow(fixture, ROOTS);
    era_shake_legacy(era_child(fixture, 1));
    era_shake_legacy(era_child(fixture, 2));
    answer_call(era_child(fixture, 1), a);
    fake_world_advance(&fixture->world, 1);
    answer_call(era_child(fixture, 2), b);
    /* The one that was used last is lent first. */
    a = borrow(fixture, ROOTS);
    answer_call(era_child(fixture, 2), a);
    fake_world_advance(&fixture->world, IDLE_MS - 1);
    assert_true(era_child(fixture, 1)->is_closing);
    assert_false(era_child(fixture, 2)->is_closing);
    fake_world_advance(&fixture->world, 1);
    assert_true(era_child(fixture, 2)->is_closing);
    fake_child_finish(era_child(fixture, 1));
    fake_child_finish(era_child(fixture, 2));
    assert_int_equal(fixture->server.children.count, 1);
}

static void a_warm_child_is_lent_too(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 1);
    fake_child_up(era_child(fixture, 1));
    struct fake_exchange *exchange = borrow(fixture, ROOTS);
    era_shake_legacy(era_child(fixture, 1));
    answer_call(era_child(fixture, 1), exchange);
    assert_int_equal(fixture->server.children.warm_count, 1);
    assert_int_equal(started(fixture), 3);
}

static void those_who_wait_are_told_when_the_server_ends(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 3, 1);
    struct fake_exchange *running = borrow(fixture, ROOTS);
    struct fake_exchange *starting = borrow(fixture, ROOTS);
    struct fake_exchange *waiting = borrow(fixture, ROOTS);
    bridge_fixture_close_server(fixture);
    era_expect_in_answer(running, 200, "shutting down");
    era_expect_in_answer(starting, 200, "shutting down");
    era_expect_in_answer(waiting, 503, "shutting down");
}

static void no_call_is_left_holding_a_child(void **state)
{
    struct bridge_fixture *fixture = *state;
    open_with(fixture, 64, 0);
    for (int i = 0; i < 3; i++) {
        struct fake_exchange *gone = post_as(fixture, "a", NULL, REQUEST);
        fake_exchange_vanish(gone);
        gone = post_as(fixture, "a", NULL, INITIALIZE("{}"));
        fake_exchange_vanish(gone);
        gone = borrow(fixture, ROOTS);
        fake_exchange_vanish(gone);
    }
    LIST_FOR_EACH(link, &fixture->server.children.all) {
        assert_int_equal(container_of(link, struct hub, link)->users, 0);
    }
    assert_int_equal(fixture->server.children.count, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(those_with_the_same_credentials_share_a_child_and_no_others),
        TEST(a_session_is_not_there_for_other_credentials),
        TEST(a_credential_that_is_given_twice_is_refused),
        TEST(a_parked_call_is_not_there_for_other_credentials),
        TEST(a_child_for_credentials_that_nobody_ever_used_ends_too),
        TEST(the_common_child_ends_when_it_was_idle),
        TEST(a_child_for_credentials_ends_when_it_was_idle_and_the_common_one_stays),
        TEST(a_warm_child_becomes_a_sessions_own_and_another_is_warmed),
        TEST(who_has_credentials_gets_no_warm_child),
        TEST(a_warm_child_that_dies_stays_warm),
        TEST(a_warm_child_of_a_server_that_is_modern_hears_discover_only),
        TEST(past_the_ceiling_a_client_is_told_to_come_again_and_finds_room),
        TEST(warm_children_make_room_for_who_comes_again),
        TEST(an_own_child_ends_with_its_session_and_counts_until_it_is_gone),
        TEST(an_own_child_that_never_starts_is_not_tried_again),
        TEST(calls_that_wait_for_a_child_are_served_in_their_order),
        TEST(a_call_of_another_kind_is_not_overtaken),
        TEST(one_child_is_ended_for_one_that_is_wanted),
        TEST(a_child_for_credentials_ends_with_its_last_use_where_somebody_waits),
        TEST(a_call_waits_for_a_child_no_longer_than_for_a_start),
        TEST(a_failing_start_fails_all_of_its_kind_that_wait_and_the_next_kind_is_tried),
        TEST(a_free_child_ends_when_it_was_idle),
        TEST(a_warm_child_is_lent_too),
        TEST(those_who_wait_are_told_when_the_server_ends),
        TEST(no_call_is_left_holding_a_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
