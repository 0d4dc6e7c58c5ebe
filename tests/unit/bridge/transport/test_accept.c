#include "bridge/transport/accept.h"

#include "tests/unit/bridge/fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* An exchange that is over as soon as the test is. */
static struct fake_exchange *with_field(struct fake_world *world, const char *name, const char *value)
{
    struct fake_exchange *exchange = fake_exchange_new(world, EXCHANGE_POST);
    if (value != NULL) {
        fake_exchange_add_field(exchange, name, value);
    }
    return exchange;
}

static void expect(struct fake_world *world, const char *field, bool json, bool stream)
{
    struct fake_exchange *exchange = with_field(world, "Accept", field);
    struct accept accept = accept_read(&exchange->exchange);
    exchange->state = FAKE_EXCHANGE_GONE;
    if (accept.json != json || accept.stream != stream) {
        fail_msg("%s: json %d, stream %d", field, accept.json, accept.stream);
    }
}

static void a_client_that_names_no_form_takes_every_form(void **state)
{
    expect(*state, NULL, true, true);
    expect(*state, "", true, true);
    expect(*state, "  ", true, true);
}

static void a_client_gets_the_forms_that_it_names(void **state)
{
    expect(*state, "application/json, text/event-stream", true, true);
    expect(*state, "text/event-stream,application/json", true, true);
    expect(*state, "application/json", true, false);
    expect(*state, "text/event-stream", false, true);
    expect(*state, "text/html", false, false);
    expect(*state, "text/html,\tapplication/json ", true, false);
    expect(*state, ",,application/json,,", true, false);
}

static void types_are_compared_without_case_and_parameters(void **state)
{
    expect(*state, "Application/JSON; charset=utf-8, TEXT/event-stream;x=y", true, true);
    expect(*state, "application/json ;q=0.5", true, false);
    expect(*state, "application/jsonx, text/event-streams", false, false);
    expect(*state, "application/json-rpc", false, false);
    expect(*state, "xapplication/json", false, false);
}

static void wild_cards_count(void **state)
{
    expect(*state, "*/*", true, true);
    expect(*state, "*", true, true);
    expect(*state, "application/*", true, false);
    expect(*state, "text/*", false, true);
    expect(*state, "text/html, */*;q=0.1", true, true);
    expect(*state, "image/*", false, false);
}

static void a_weight_of_zero_refuses(void **state)
{
    expect(*state, "application/json;q=0, text/event-stream", false, true);
    expect(*state, "application/json; Q=0.000 , text/event-stream", false, true);
    expect(*state, "application/json;q=0.001", true, false);
    expect(*state, "application/json;x=0;q=0", false, false);
    expect(*state, "application/json;qq=0", true, false);
}

/* RFC 9110 12.5.1: the most specific range that matches has precedence. */
static void what_is_refused_by_name_is_not_taken_by_a_wild_card(void **state)
{
    expect(*state, "*/*, text/event-stream;q=0", true, false);
    expect(*state, "application/json;q=0, */*", false, true);
    expect(*state, "text/*;q=0, */*", true, false);
}

static void expect_body(struct fake_world *world, const char *type, bool is_json)
{
    struct fake_exchange *exchange = with_field(world, "Content-Type", type);
    bool found = accept_has_json_body(&exchange->exchange);
    exchange->state = FAKE_EXCHANGE_GONE;
    assert_int_equal(found, is_json);
}

static void a_body_is_json_when_its_type_says_so(void **state)
{
    expect_body(*state, "application/json", true);
    expect_body(*state, "Application/Json", true);
    expect_body(*state, "application/json; charset=utf-8", true);
    expect_body(*state, "application/json;charset=latin1", true);
    expect_body(*state, NULL, false);
    expect_body(*state, "", false);
    expect_body(*state, "text/plain", false);
    expect_body(*state, "application/json-seq", false);
    expect_body(*state, "application/x-www-form-urlencoded", false);
}

static void a_body_with_two_types_has_none(void **state)
{
    struct fake_exchange *exchange = with_field(*state, "Content-Type", "application/json");
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    assert_false(accept_has_json_body(&exchange->exchange));
    exchange->state = FAKE_EXCHANGE_GONE;
}

static void expect_plain(struct fake_world *world, const char *codings, bool is_plain)
{
    struct fake_exchange *exchange = with_field(world, "Content-Encoding", codings);
    bool found = accept_has_plain_body(&exchange->exchange);
    exchange->state = FAKE_EXCHANGE_GONE;
    assert_int_equal(found, is_plain);
}

static void a_body_is_plain_when_no_coding_was_applied(void **state)
{
    expect_plain(*state, NULL, true);
    expect_plain(*state, "", true);
    expect_plain(*state, "identity", true);
    expect_plain(*state, "Identity", true);
    expect_plain(*state, "identity, identity", true);
    expect_plain(*state, "gzip", false);
    expect_plain(*state, "identity, gzip", false);
    expect_plain(*state, "gzip, identity", false);
    expect_plain(*state, "identity-not", false);
    struct fake_exchange *exchange = with_field(*state, "Content-Encoding", "identity");
    fake_exchange_add_field(exchange, "Content-Encoding", "gzip");
    assert_false(accept_has_plain_body(&exchange->exchange));
    exchange->state = FAKE_EXCHANGE_GONE;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_set_up, fake_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_that_names_no_form_takes_every_form),
        TEST(a_client_gets_the_forms_that_it_names),
        TEST(types_are_compared_without_case_and_parameters),
        TEST(wild_cards_count),
        TEST(a_weight_of_zero_refuses),
        TEST(what_is_refused_by_name_is_not_taken_by_a_wild_card),
        TEST(a_body_is_json_when_its_type_says_so),
        TEST(a_body_with_two_types_has_none),
        TEST(a_body_is_plain_when_no_coding_was_applied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
