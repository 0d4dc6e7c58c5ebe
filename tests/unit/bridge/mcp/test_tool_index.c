#include "bridge/mcp/tool_index.h"

#include "bridge/base/memory.h"
#include "tests/unit/bridge/bridge_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define T "\"t\""
#define TOOL "{\"name\":\"t\",\"inputSchema\":{\"properties\":{\"p\":{\"type\":\"string\",\"x-mcp-header\":\"P\"}}}}"
#define LIST(tools) "\"result\":{\"tools\":[" tools "]}"
#define PAGE(tools, cursor) "\"result\":{\"tools\":[" tools "],\"nextCursor\":" cursor "}"
#define FAILURE "\"error\":{\"code\":-32601,\"message\":\"Method not found\"}"
#define CHANGED "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}"

/* Somebody who waits, and may look again when told. */
struct waiter {
    struct tool_wait wait;
    unsigned count;
    struct tool_index *again; /* to be looked at from on_known, or NULL */
};

static struct tool_index *index_of(struct bridge_fixture *fixture)
{
    return &fixture->server.shared->tool_index;
}

static void on_known(struct tool_wait *wait)
{
    struct waiter *waiter = container_of(wait, struct waiter, wait);
    waiter->count++;
    if (waiter->again != NULL) {
        struct tool_index *index = waiter->again;
        waiter->again = NULL;
        assert_false(tool_index_look(index, slice_text(T), wait));
    }
}

static bool look(struct bridge_fixture *fixture, const char *name, struct waiter *waiter)
{
    waiter->wait.on_known = on_known;
    return tool_index_look(index_of(fixture), slice_text(name), &waiter->wait);
}

static enum tool_knowledge knowledge(struct bridge_fixture *fixture, const char *name)
{
    const struct tool *tool;
    return tool_headers_find(&index_of(fixture)->headers, slice_text(name), &tool);
}

static void expect_request(struct bridge_fixture *fixture, const char *params)
{
    const char *line = fake_child_take(fixture->child);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"method\":\"tools/list\",\"params\":%s}",
             fixture->child->last_id, params);
    assert_string_equal(line != NULL ? line : "(no line)", expected);
}

static void answer(struct bridge_fixture *fixture, const char *member)
{
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",%s}", fixture->child->last_id,
                          member);
}

/* The list is had, and holds the tool. */
static void list_once(struct bridge_fixture *fixture)
{
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    expect_request(fixture, "{}");
    answer(fixture, LIST(TOOL));
    assert_int_equal(waiter.count, 1);
}

static void the_child_is_asked_when_a_tool_is_first_looked_at_and_never_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    fake_child_expect_silence(fixture->child);
    assert_false(look(fixture, T, &waiter));
    expect_request(fixture, "{}");
    assert_int_equal(waiter.count, 0);
    answer(fixture, LIST(TOOL ",{\"name\":\"plain\"}"));
    assert_int_equal(waiter.count, 1);
    assert_int_equal(knowledge(fixture, T), TOOL_HAS_HEADERS);
    fake_world_advance(&fixture->world, 3600000);
    assert_true(look(fixture, T, &waiter));
    assert_true(look(fixture, "\"plain\"", &waiter));
    fake_child_expect_silence(fixture->child);
}

static void all_that_look_meanwhile_wait_for_the_one_list(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiters[3] = {{.count = 0}};
    for (size_t i = 0; i < 3; i++) {
        assert_false(look(fixture, T, &waiters[i]));
    }
    expect_request(fixture, "{}");
    fake_child_expect_silence(fixture->child);
    tool_index_give_up(&waiters[1].wait);
    answer(fixture, LIST(TOOL));
    assert_int_equal(waiters[0].count, 1);
    assert_int_equal(waiters[1].count, 0);
    assert_int_equal(waiters[2].count, 1);
    tool_index_give_up(&waiters[2].wait);
    tool_index_give_up(&(struct tool_wait){.on_known = on_known});
}

static void every_page_is_asked_for(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    expect_request(fixture, "{}");
    answer(fixture, PAGE("{\"name\":\"a\"}", "\"\\u0032\""));
    expect_request(fixture, "{\"cursor\":\"\\u0032\"}");
    answer(fixture, PAGE("{\"name\":\"b\"}", "\"\""));
    expect_request(fixture, "{\"cursor\":\"\"}");
    assert_int_equal(waiter.count, 0);
    answer(fixture, PAGE(TOOL, "null"));
    assert_int_equal(waiter.count, 1);
    assert_int_equal(knowledge(fixture, "\"a\""), TOOL_PLAIN);
    assert_int_equal(knowledge(fixture, "\"b\""), TOOL_PLAIN);
    assert_int_equal(knowledge(fixture, T), TOOL_HAS_HEADERS);
    assert_int_equal(knowledge(fixture, "\"c\""), TOOL_UNKNOWN);
}

static void a_cursor_that_comes_again_ends_the_list(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    answer(fixture, PAGE("", "\"a\""));
    answer(fixture, PAGE("", "\"b\""));
    assert_int_equal(waiter.count, 0);
    answer(fixture, PAGE(TOOL, "\"a\""));
    assert_int_equal(waiter.count, 1);
    assert_int_equal(knowledge(fixture, T), TOOL_HAS_HEADERS);
}

static void a_list_has_so_many_pages_and_no_more(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    unsigned pages = 0;
    assert_false(look(fixture, T, &waiter));
    while (waiter.count == 0 && pages < 2 * LIMIT_TOOL_PAGES) {
        char page[128];
        snprintf(page, sizeof(page), PAGE("", "\"%u\""), pages++);
        answer(fixture, page);
    }
    assert_int_equal(pages, LIMIT_TOOL_PAGES + 1);
    /* What is not on the pages that were read is not asked for again. */
    fake_world_advance(&fixture->world, LIMIT_TOOL_LIST_PAUSE_MS);
    assert_true(look(fixture, T, &waiter));
}

static void a_cursor_that_is_too_long_ends_the_list(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    struct buffer page;
    buffer_init(&page, 0);
    buffer_add_text(&page, "\"result\":{\"tools\":[],\"nextCursor\":\"");
    memset(buffer_reserve(&page, LIMIT_CURSOR_BYTES), 'c', LIMIT_CURSOR_BYTES);
    buffer_grown(&page, LIMIT_CURSOR_BYTES);
    buffer_add(&page, slice_of("\"}", 3));
    assert_false(look(fixture, T, &waiter));
    answer(fixture, buffer_slice(&page).data);
    assert_int_equal(waiter.count, 1);
    buffer_release(&page);
}

/* ---- Failures: nothing is checked, and for a while nothing is asked ---- */

static void expect_failure(struct bridge_fixture *fixture, const struct waiter *waiter)
{
    struct waiter next = {.count = 0};
    assert_int_equal(waiter->count, 1);
    assert_int_equal(knowledge(fixture, T), TOOL_UNKNOWN);
    assert_true(fake_world_has_logged(&fixture->world, "the list of tools could not be had"));
    assert_true(look(fixture, T, &next));
    fake_world_advance(&fixture->world, LIMIT_TOOL_LIST_PAUSE_MS);
    assert_false(look(fixture, T, &next));
    answer(fixture, LIST(TOOL));
    assert_int_equal(knowledge(fixture, T), TOOL_HAS_HEADERS);
    assert_int_equal(next.count, 1);
}

static void an_error_of_the_childs_is_no_reason_to_refuse_calls(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    answer(fixture, PAGE(TOOL, "\"2\""));
    answer(fixture, FAILURE);
    expect_failure(fixture, &waiter);
}

static void a_child_that_does_not_answer_keeps_nobody_waiting(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    expect_request(fixture, "{}");
    fake_world_advance(&fixture->world, LIMIT_TOOL_LIST_MS / 2);
    answer(fixture, PAGE(TOOL, "\"2\""));
    expect_request(fixture, "{\"cursor\":\"2\"}");
    fake_world_advance(&fixture->world, LIMIT_TOOL_LIST_MS / 2 - 1);
    assert_int_equal(waiter.count, 0);
    fake_world_advance(&fixture->world, 1);
    fake_child_expect_format(
        fixture->child,
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%" PRIu64 "}}",
        fixture->child->last_id);
    expect_failure(fixture, &waiter);
}

static void a_child_that_still_starts_has_all_the_time_that_calls_give_it(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    bridge_fixture_open(fixture);
    assert_false(look(fixture, T, &waiter));
    fake_world_advance(&fixture->world, 3 * LIMIT_TOOL_LIST_MS);
    assert_int_equal(waiter.count, 0);
    bridge_fixture_shake(fixture);
    expect_request(fixture, "{}");
    answer(fixture, LIST(TOOL));
    assert_int_equal(waiter.count, 1);
    assert_int_equal(knowledge(fixture, T), TOOL_HAS_HEADERS);
}

static void a_child_that_is_not_there_fails_at_once(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    fake_child_down(fixture->child, "exited with status 1", 0, 3);
    assert_true(look(fixture, T, &waiter));
    assert_int_equal(waiter.count, 0);
    assert_int_equal(knowledge(fixture, T), TOOL_UNKNOWN);
}

static void those_who_wait_when_the_server_closes_are_told(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    bridge_fixture_close_server(fixture);
    assert_int_equal(waiter.count, 1);
}

/* ---- What makes a list old ---- */

static void a_list_that_has_changed_is_asked_for_when_it_is_needed(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    list_once(fixture);
    fake_child_say(fixture->child, CHANGED);
    fake_child_expect_silence(fixture->child);
    assert_false(look(fixture, T, &waiter));
    expect_request(fixture, "{}");
    answer(fixture, LIST("{\"name\":\"t\"}"));
    assert_int_equal(waiter.count, 1);
    assert_int_equal(knowledge(fixture, T), TOOL_PLAIN);
}

static void a_list_that_changes_while_it_is_read_serves_those_who_wait_and_nobody_else(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    fake_child_say(fixture->child, CHANGED);
    answer(fixture, LIST(TOOL));
    assert_int_equal(waiter.count, 1);
    assert_int_equal(knowledge(fixture, T), TOOL_HAS_HEADERS);
    assert_false(look(fixture, T, &waiter));
    answer(fixture, LIST(""));
    assert_int_equal(knowledge(fixture, T), TOOL_UNKNOWN);
}

static void a_new_process_is_asked_anew(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    list_once(fixture);
    fake_child_die(fixture->child);
    bridge_fixture_shake(fixture);
    assert_false(look(fixture, T, &waiter));
    answer(fixture, LIST(""));
    assert_int_equal(knowledge(fixture, T), TOOL_UNKNOWN);
}

static void a_process_that_dies_over_the_list_is_followed_by_one_that_is_asked(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    fake_child_die(fixture->child);
    assert_int_equal(waiter.count, 1);
    bridge_fixture_shake(fixture);
    assert_false(look(fixture, T, &waiter));
    answer(fixture, LIST(TOOL));
    assert_int_equal(knowledge(fixture, T), TOOL_HAS_HEADERS);
}

static void a_tool_that_is_not_on_the_list_is_asked_for_after_a_while(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    list_once(fixture);
    fake_world_advance(&fixture->world, LIMIT_TOOL_LIST_PAUSE_MS - 1);
    assert_true(look(fixture, "\"new\"", &waiter));
    fake_world_advance(&fixture->world, 1);
    assert_true(look(fixture, T, &waiter));
    assert_false(look(fixture, "\"new\"", &waiter));
    expect_request(fixture, "{}");
    answer(fixture, LIST(TOOL ",{\"name\":\"new\"}"));
    assert_int_equal(waiter.count, 1);
    assert_int_equal(knowledge(fixture, "\"new\""), TOOL_PLAIN);
}

static void a_doubt_makes_an_old_list_stale_and_leaves_a_new_one(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    list_once(fixture);
    tool_index_doubt(index_of(fixture));
    assert_true(look(fixture, T, &waiter));
    fake_world_advance(&fixture->world, LIMIT_TOOL_LIST_PAUSE_MS);
    tool_index_doubt(index_of(fixture));
    assert_false(look(fixture, T, &waiter));
    answer(fixture, LIST(TOOL));
}

static void whoever_is_told_may_look_again(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter first = {.again = index_of(fixture)};
    struct waiter second = {.count = 0};
    assert_false(look(fixture, T, &first));
    assert_false(look(fixture, T, &second));
    fake_child_say(fixture->child, CHANGED);
    answer(fixture, LIST(TOOL));
    assert_int_equal(first.count, 1);
    assert_int_equal(second.count, 1);
    answer(fixture, LIST(TOOL));
    assert_int_equal(first.count, 2);
    assert_int_equal(second.count, 1);
}

/* ---- Beside other traffic ---- */

static void what_the_child_says_meanwhile_without_naming_a_request_goes_its_own_way(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    assert_false(look(fixture, T, &waiter));
    fake_child_say(
        fixture->child,
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1}}");
    assert_int_equal(waiter.count, 0);
    answer(fixture, LIST(TOOL));
    assert_int_equal(waiter.count, 1);
}

static void a_child_of_the_modern_era_is_asked_in_its_own_way(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    index_of(fixture)->hub->channel.is_modern = true;
    assert_false(look(fixture, T, &waiter));
    struct message message;
    const char *line = fake_child_take(fixture->child);
    assert_int_equal(message_scan_whole(&message, slice_text(line)), MESSAGE_FAULT_NONE);
    assert_true(slice_is(message.meta_version, "\"2026-07-28\""));
    assert_true(slice_is(message.meta_capabilities, "{}"));
    answer(fixture, PAGE("", "\"2\""));
    line = fake_child_take(fixture->child);
    assert_int_equal(message_scan_whole(&message, slice_text(line)), MESSAGE_FAULT_NONE);
    assert_true(slice_exists(message.meta_capabilities));
    assert_non_null(strstr(line, "\"cursor\":\"2\"}"));
    answer(fixture, LIST(TOOL));
    assert_int_equal(waiter.count, 1);
    index_of(fixture)->hub->channel.is_modern = false;
}

/* Such a child tells of a change on a subscription only. */
static void a_change_that_a_modern_child_tells_a_subscriber_makes_the_list_old(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct waiter waiter = {.count = 0};
    list_once(fixture);
    index_of(fixture)->hub->channel.is_modern = true;
    struct fake_call *listen = fake_call_new("{\"jsonrpc\":\"2.0\",\"id\":\"l\",\"method\":\"subscriptions/listen\"}");
    listen->call.is_modern = true;
    fake_call_submit(listen, &fixture->server, NULL);
    fake_child_take(fixture->child);
    fake_child_say_format(fixture->child,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"_meta\":{"
                          "\"io.modelcontextprotocol/subscriptionId\":%" PRIu64 "}}}",
                          fixture->child->last_id);
    fake_call_expect_message(listen, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{"
                                     "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":\"l\"}}}");
    answer(fixture, "\"result\":{\"resultType\":\"complete\"}");
    fake_call_expect_answer(listen, "{\"jsonrpc\":\"2.0\",\"id\":\"l\",\"result\":{\"resultType\":\"complete\"}}");
    assert_false(look(fixture, T, &waiter));
    answer(fixture, LIST(TOOL));
    assert_int_equal(waiter.count, 1);
    index_of(fixture)->hub->channel.is_modern = false;
}

#define READY(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up_ready, bridge_fixture_tear_down)
#define UNOPENED(name) cmocka_unit_test_setup_teardown(name, bridge_fixture_set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READY(the_child_is_asked_when_a_tool_is_first_looked_at_and_never_again),
        READY(all_that_look_meanwhile_wait_for_the_one_list),
        READY(every_page_is_asked_for),
        READY(a_cursor_that_comes_again_ends_the_list),
        READY(a_list_has_so_many_pages_and_no_more),
        READY(a_cursor_that_is_too_long_ends_the_list),
        READY(an_error_of_the_childs_is_no_reason_to_refuse_calls),
        READY(a_child_that_does_not_answer_keeps_nobody_waiting),
        UNOPENED(a_child_that_still_starts_has_all_the_time_that_calls_give_it),
        READY(a_child_that_is_not_there_fails_at_once),
        READY(those_who_wait_when_the_server_closes_are_told),
        READY(a_list_that_has_changed_is_asked_for_when_it_is_needed),
        READY(a_list_that_changes_while_it_is_read_serves_those_who_wait_and_nobody_else),
        READY(a_new_process_is_asked_anew),
        READY(a_process_that_dies_over_the_list_is_followed_by_one_that_is_asked),
        READY(a_tool_that_is_not_on_the_list_is_asked_for_after_a_while),
        READY(a_doubt_makes_an_old_list_stale_and_leaves_a_new_one),
        READY(whoever_is_told_may_look_again),
        READY(what_the_child_says_meanwhile_without_naming_a_request_goes_its_own_way),
        READY(a_child_of_the_modern_era_is_asked_in_its_own_way),
        READY(a_change_that_a_modern_child_tells_a_subscriber_makes_the_list_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
