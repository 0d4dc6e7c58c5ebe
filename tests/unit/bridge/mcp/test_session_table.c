#include "bridge/mcp/session_table.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/rewrite.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct fake_world world;
    struct session_table table;
    struct replay_store replay_store;
    unsigned idle; /* sessions that were idle for too long */
};

struct outlet {
    struct session_outlet outlet;
    struct session *session;
    unsigned deliveries;
    unsigned closes;
};

static void on_idle(struct session_table *table, struct session *session)
{
    container_of(table, struct fixture, table)->idle++;
    session_table_end(session);
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    fake_world_init(&fixture->world, 1);
    session_table_init(&fixture->table, &fixture->world.port);
    replay_store_init(&fixture->replay_store, fixture->world.port.timers, 0, 0);
    fixture->table.replay_store = &fixture->replay_store;
    fixture->table.max_sessions = 3;
    fixture->table.idle_timeout_ms = 1000;
    fixture->table.on_idle = on_idle;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct map_node *node;
    while ((node = map_any(&fixture->table.sessions)) != NULL) {
        session_table_end(container_of(node, struct session, by_name));
    }
    session_table_release(&fixture->table);
    fake_world_release(&fixture->world);
    free(fixture);
    return 0;
}

static struct session *open_session(struct fixture *fixture)
{
    return session_table_open(&fixture->table, revision_newest(), slice_text(""));
}

static void a_session_is_found_by_its_name_until_it_ends(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = open_session(fixture);
    char name[SESSION_ID_TEXT + 1];
    memcpy(name, session->name, sizeof(name));
    assert_ptr_equal(session->revision, revision_newest());
    assert_ptr_equal(session_table_find(&fixture->table, slice_text(name)), session);
    session_table_end(session);
    assert_null(session_table_find(&fixture->table, slice_text(name)));
}

static void a_name_is_128_random_bits_in_hexadecimal(void **state)
{
    struct fixture *fixture = *state;
    struct session *first = open_session(fixture);
    struct session *second = open_session(fixture);
    assert_int_equal(strlen(first->name), 32);
    assert_int_equal(strspn(first->name, "0123456789abcdef"), 32);
    assert_string_not_equal(first->name, second->name);
    for (size_t i = 0; i < 32; i += 8) {
        assert_memory_not_equal(first->name + i, second->name + i, 8);
    }
}

static void only_the_whole_name_is_the_name(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = open_session(fixture);
    char name[SESSION_ID_TEXT + 2] = {0};
    memcpy(name, session->name, SESSION_ID_TEXT);
    assert_null(session_table_find(&fixture->table, slice_of(name, SESSION_ID_TEXT - 1)));
    assert_null(session_table_find(&fixture->table, slice_of(name, SESSION_ID_TEXT + 1)));
    assert_null(session_table_find(&fixture->table, slice_text("")));
    name[5] = name[5] == 'a' ? 'b' : 'a';
    assert_null(session_table_find(&fixture->table, slice_text(name)));
}

static void sessions_have_a_ceiling_and_an_end_makes_room(void **state)
{
    struct fixture *fixture = *state;
    struct session *first = open_session(fixture);
    assert_non_null(open_session(fixture));
    assert_non_null(open_session(fixture));
    assert_null(open_session(fixture));
    session_table_end(first);
    assert_non_null(open_session(fixture));
    assert_null(open_session(fixture));
}

static void a_session_that_is_not_heard_of_ends(void **state)
{
    struct fixture *fixture = *state;
    open_session(fixture);
    fake_world_advance(&fixture->world, 999);
    assert_int_equal(fixture->idle, 0);
    fake_world_advance(&fixture->world, 1);
    assert_int_equal(fixture->idle, 1);
    assert_int_equal(fixture->table.sessions.count, 0);
}

static void being_heard_begins_the_idle_time_anew(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = open_session(fixture);
    fake_world_advance(&fixture->world, 600);
    session_table_touch(session);
    fake_world_advance(&fixture->world, 600);
    session_table_touch(session);
    fake_world_advance(&fixture->world, 999);
    assert_int_equal(fixture->idle, 0);
    fake_world_advance(&fixture->world, 1);
    assert_int_equal(fixture->idle, 1);
}

static void what_is_held_is_not_idle(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = open_session(fixture);
    session_table_hold(session);
    session_table_hold(session);
    fake_world_advance(&fixture->world, 10500);
    session_table_let_go(session);
    fake_world_advance(&fixture->world, 10000);
    assert_int_equal(fixture->idle, 0);
    session_table_let_go(session);
    fake_world_advance(&fixture->world, 999);
    assert_int_equal(fixture->idle, 0);
    fake_world_advance(&fixture->world, 1001);
    assert_int_equal(fixture->idle, 1);
}

static void without_a_timeout_a_session_stays(void **state)
{
    struct fixture *fixture = *state;
    fixture->table.idle_timeout_ms = 0;
    open_session(fixture);
    assert_int_equal(fixture->world.timers.count, 0);
    fake_world_advance(&fixture->world, 1000000000);
    assert_int_equal(fixture->idle, 0);
}

static void an_ended_session_lives_for_those_who_hold_it(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = open_session(fixture);
    session_table_hold(session);
    session_table_end(session);
    assert_true(session->is_ended);
    assert_int_equal(fixture->world.timers.count, 0);
    session_table_let_go(session);
}

static void deliver(struct session_outlet *outlet, const struct slice *parts, size_t count)
{
    assert_int_equal(count, 1);
    assert_true(slice_is(parts[0], "{}"));
    container_of(outlet, struct outlet, outlet)->deliveries++;
}

static void close_outlet(struct session_outlet *port)
{
    struct outlet *outlet = container_of(port, struct outlet, outlet);
    outlet->closes++;
    outlet->session->outlet = NULL;
    session_table_let_go(outlet->session);
}

static void a_message_goes_to_the_outlet_if_there_is_one(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct outlet outlet = {.outlet = {deliver, close_outlet}, .session = session};
    const struct slice part = SLICE_LITERAL("{}");
    assert_false(session_deliver(session, &part, 1));
    session_table_hold(session);
    session->outlet = &outlet.outlet;
    assert_true(session_deliver(session, &part, 1));
    assert_int_equal(outlet.deliveries, 1);
    session_table_end(session);
    assert_int_equal(outlet.closes, 1);
}

static void a_call_is_found_by_the_id_as_the_client_wrote_it(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct session *other = open_session(fixture);
    struct call number = {.id = SLICE_LITERAL("1")};
    struct call text = {.id = SLICE_LITERAL("\"1\"")};
    session_add_call(session, &number);
    session_add_call(session, &text);
    assert_ptr_equal(session_find_call(session, slice_text("1")), &number);
    assert_ptr_equal(session_find_call(session, slice_text("\"1\"")), &text);
    assert_null(session_find_call(session, slice_text("2")));
    assert_null(session_find_call(session, slice_of(NULL, 0)));
    assert_null(session_find_call(other, slice_text("1")));
    session_remove_call(session, &number);
    assert_null(session_find_call(session, slice_text("1")));
    session_remove_call(session, &text);
}

static void of_two_calls_with_one_id_the_newest_is_found_however_many_there_are(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = open_session(fixture);
    struct call twins[2] = {{.id = SLICE_LITERAL("\"twin\"")}, {.id = SLICE_LITERAL("\"twin\"")}};
    struct call others[100] = {{.id = SLICE_LITERAL("1")}};
    struct number_text texts[100];
    session_add_call(session, &twins[0]);
    session_add_call(session, &twins[1]);
    for (size_t i = 0; i < 100; i++) {
        assert_ptr_equal(session_find_call(session, slice_text("\"twin\"")), &twins[1]);
        others[i].id = number_write(&texts[i], i);
        session_add_call(session, &others[i]);
    }
    for (size_t i = 0; i < 100; i++) {
        session_remove_call(session, &others[i]);
        assert_ptr_equal(session_find_call(session, slice_text("\"twin\"")), &twins[1]);
    }
    session_remove_call(session, &twins[1]);
    assert_ptr_equal(session_find_call(session, slice_text("\"twin\"")), &twins[0]);
    session_remove_call(session, &twins[0]);
}

static void levels_have_the_names_of_mcp_from_verbose_to_severe(void **state)
{
    static const char *const names[] = {"debug", "info",     "notice", "warning",
                                        "error", "critical", "alert",  "emergency"};
    (void)state;
    for (int level = 0; level < SEVERITY_UNSET; level++) {
        struct buffer json;
        buffer_init(&json, 0);
        buffer_add_format(&json, "\"%s\"", names[level]);
        assert_string_equal(log_severity_name((enum log_severity)level), names[level]);
        assert_int_equal(log_severity_read(buffer_slice(&json)), level);
        buffer_release(&json);
    }
    assert_int_equal(log_severity_read(slice_text("\"\\u0064ebug\"")), SEVERITY_DEBUG);
}

static void what_is_no_level_is_none(void **state)
{
    static const char *const others[] = {"\"Debug\"", "\"trace\"", "\"\"", "1", "null", "debug", "{}"};
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(log_severity_read(slice_text(others[i])), SEVERITY_UNSET);
    }
    assert_int_equal(log_severity_read(slice_of(NULL, 0)), SEVERITY_UNSET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_found_by_its_name_until_it_ends),
        TEST(a_name_is_128_random_bits_in_hexadecimal),
        TEST(only_the_whole_name_is_the_name),
        TEST(sessions_have_a_ceiling_and_an_end_makes_room),
        TEST(a_session_that_is_not_heard_of_ends),
        TEST(being_heard_begins_the_idle_time_anew),
        TEST(what_is_held_is_not_idle),
        TEST(without_a_timeout_a_session_stays),
        TEST(an_ended_session_lives_for_those_who_hold_it),
        TEST(a_message_goes_to_the_outlet_if_there_is_one),
        TEST(a_call_is_found_by_the_id_as_the_client_wrote_it),
        TEST(of_two_calls_with_one_id_the_newest_is_found_however_many_there_are),
        TEST(levels_have_the_names_of_mcp_from_verbose_to_severe),
        TEST(what_is_no_level_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
