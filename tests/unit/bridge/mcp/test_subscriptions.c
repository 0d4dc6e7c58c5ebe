#include "bridge/mcp/subscriptions.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "bridge/mcp/session_table.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct fake_world world;
    struct session_table table;
    struct subscriptions subscriptions;
    struct session *a;
    struct session *b;
    unsigned visits_of_a;
    unsigned visits_of_b;
    unsigned uris;
    char last_uri[64];
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    fake_world_init(&fixture->world, 1);
    session_table_init(&fixture->table, &fixture->world.port);
    fixture->table.max_sessions = 2;
    fixture->a = session_table_open(&fixture->table, NULL, slice_text(""));
    fixture->b = session_table_open(&fixture->table, NULL, slice_text(""));
    subscriptions_init(&fixture->subscriptions);
    *state = fixture;
    return 0;
}

static void take_uri(void *context, struct slice uri_json)
{
    struct fixture *fixture = context;
    fixture->uris++;
    snprintf(fixture->last_uri, sizeof(fixture->last_uri), "%.*s", SLICE_PRINT(uri_json));
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    subscriptions_remove_all(&fixture->subscriptions, fixture->a, take_uri, fixture);
    subscriptions_remove_all(&fixture->subscriptions, fixture->b, take_uri, fixture);
    assert_int_equal(fixture->a->subscription_count, 0);
    subscriptions_release(&fixture->subscriptions);
    session_table_end(fixture->a);
    session_table_end(fixture->b);
    session_table_release(&fixture->table);
    fake_world_release(&fixture->world);
    free(fixture);
    return 0;
}

static void visit(void *context, struct session *session)
{
    struct fixture *fixture = context;
    fixture->visits_of_a += session == fixture->a;
    fixture->visits_of_b += session == fixture->b;
}

static void expect_visits(struct fixture *fixture, const char *uri, unsigned of_a, unsigned of_b)
{
    fixture->visits_of_a = fixture->visits_of_b = 0;
    subscriptions_visit_sessions(&fixture->subscriptions, slice_text(uri), visit, fixture);
    assert_int_equal(fixture->visits_of_a, of_a);
    assert_int_equal(fixture->visits_of_b, of_b);
}

static bool add(struct fixture *fixture, struct session *session, const char *uri)
{
    return subscriptions_add(&fixture->subscriptions, session, slice_text(uri));
}

static bool take_away(struct fixture *fixture, struct session *session, const char *uri)
{
    return subscriptions_remove(&fixture->subscriptions, session, slice_text(uri));
}

static void an_update_reaches_its_subscribers_only(void **state)
{
    struct fixture *fixture = *state;
    assert_true(add(fixture, fixture->a, "\"x\""));
    assert_true(add(fixture, fixture->a, "\"y\""));
    assert_true(add(fixture, fixture->b, "\"y\""));
    expect_visits(fixture, "\"x\"", 1, 0);
    expect_visits(fixture, "\"y\"", 1, 1);
    expect_visits(fixture, "\"z\"", 0, 0);
}

static void subscribing_again_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_true(add(fixture, fixture->a, "\"x\""));
    assert_true(add(fixture, fixture->a, "\"x\""));
    assert_int_equal(fixture->a->subscription_count, 1);
    expect_visits(fixture, "\"x\"", 1, 0);
    assert_true(take_away(fixture, fixture->a, "\"x\""));
    expect_visits(fixture, "\"x\"", 0, 0);
}

static void only_the_last_unsubscribe_is_the_last(void **state)
{
    struct fixture *fixture = *state;
    assert_false(subscriptions_has(&fixture->subscriptions, slice_text("\"x\"")));
    assert_false(take_away(fixture, fixture->a, "\"x\""));
    add(fixture, fixture->a, "\"x\"");
    add(fixture, fixture->b, "\"x\"");
    assert_false(take_away(fixture, fixture->a, "\"x\""));
    assert_false(take_away(fixture, fixture->a, "\"x\""));
    assert_true(subscriptions_has(&fixture->subscriptions, slice_text("\"x\"")));
    assert_true(take_away(fixture, fixture->b, "\"x\""));
    assert_false(subscriptions_has(&fixture->subscriptions, slice_text("\"x\"")));
}

static void uris_are_compared_by_what_they_mean(void **state)
{
    struct fixture *fixture = *state;
    assert_true(add(fixture, fixture->a, "\"file:\\/\\/x\""));
    assert_true(subscriptions_has(&fixture->subscriptions, slice_text("\"file://x\"")));
    assert_true(subscriptions_has(&fixture->subscriptions, slice_text("\"\\u0066ile:\\u002f/x\"")));
    assert_false(subscriptions_has(&fixture->subscriptions, slice_text("\"File://x\"")));
    assert_true(add(fixture, fixture->b, "\"\\u0066ile://x\""));
    expect_visits(fixture, "\"file://x\"", 1, 1);
    assert_false(take_away(fixture, fixture->a, "\"file://x\""));
    assert_true(take_away(fixture, fixture->b, "\"file:\\/\\/x\""));
}

static void a_uri_is_told_as_its_first_subscriber_wrote_it(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, fixture->a, "\"file:\\/\\/x\"");
    add(fixture, fixture->b, "\"file://x\"");
    subscriptions_visit_uris(&fixture->subscriptions, take_uri, fixture);
    assert_int_equal(fixture->uris, 1);
    assert_string_equal(fixture->last_uri, "\"file:\\/\\/x\"");
}

static void a_session_that_ends_gives_up_what_nobody_else_wants(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, fixture->a, "\"x\"");
    add(fixture, fixture->a, "\"y\"");
    add(fixture, fixture->b, "\"x\"");
    subscriptions_remove_all(&fixture->subscriptions, fixture->a, take_uri, fixture);
    assert_int_equal(fixture->uris, 1);
    assert_string_equal(fixture->last_uri, "\"y\"");
    assert_int_equal(fixture->a->subscription_count, 0);
    expect_visits(fixture, "\"x\"", 0, 1);
}

static void what_is_no_string_cannot_be_subscribed_to(void **state)
{
    static const char *const others[] = {"1", "null", "{}", "[\"x\"]"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(add(fixture, fixture->a, others[i]));
        assert_false(subscriptions_has(&fixture->subscriptions, slice_text(others[i])));
    }
    assert_false(subscriptions_add(&fixture->subscriptions, fixture->a, slice_of(NULL, 0)));
}

static void a_uri_may_have_eight_kibibytes(void **state)
{
    struct fixture *fixture = *state;
    char *uri = memory_new(LIMIT_URI_BYTES + 4);
    memset(uri, 'u', LIMIT_URI_BYTES + 3);
    uri[0] = uri[LIMIT_URI_BYTES + 1] = '"';
    uri[LIMIT_URI_BYTES + 2] = '\0';
    assert_true(add(fixture, fixture->a, uri));
    memset(uri + 1, 'v', LIMIT_URI_BYTES + 1);
    uri[LIMIT_URI_BYTES + 2] = '"';
    uri[LIMIT_URI_BYTES + 3] = '\0';
    assert_false(add(fixture, fixture->a, uri));
    free(uri);
}

static void a_session_has_a_ceiling_of_subscriptions_and_others_have_theirs(void **state)
{
    struct fixture *fixture = *state;
    char uri[32];
    for (int i = 0; i < LIMIT_SESSION_SUBSCRIPTIONS; i++) {
        snprintf(uri, sizeof(uri), "\"x:%d\"", i);
        assert_true(add(fixture, fixture->a, uri));
    }
    assert_false(add(fixture, fixture->a, "\"one more\""));
    assert_false(subscriptions_has(&fixture->subscriptions, slice_text("\"one more\"")));
    assert_true(add(fixture, fixture->b, "\"one more\""));
    take_away(fixture, fixture->a, "\"x:5\"");
    assert_true(add(fixture, fixture->a, "\"one more\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_update_reaches_its_subscribers_only),
        TEST(subscribing_again_changes_nothing),
        TEST(only_the_last_unsubscribe_is_the_last),
        TEST(uris_are_compared_by_what_they_mean),
        TEST(a_uri_is_told_as_its_first_subscriber_wrote_it),
        TEST(a_session_that_ends_gives_up_what_nobody_else_wants),
        TEST(what_is_no_string_cannot_be_subscribed_to),
        TEST(a_uri_may_have_eight_kibibytes),
        TEST(a_session_has_a_ceiling_of_subscriptions_and_others_have_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
