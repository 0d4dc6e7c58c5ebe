#include "bridge/era/era.h"

#include "tests/unit/bridge/era_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static int set_up(void **state, enum server_era era)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->settings.era = era;
    bridge_fixture_open(fixture);
    return 0;
}

static int set_up_modern(void **state)
{
    set_up(state, SERVER_ERA_MODERN);
    struct bridge_fixture *fixture = *state;
    era_shake_modern(fixture->child);
    era_expect_request(fixture->child, "subscriptions/listen", "");
    return 0;
}

static int set_up_unknown(void **state)
{
    return set_up(state, SERVER_ERA_UNKNOWN);
}

/*
 * A child of both eras could take an initialize for the beginning of the other one, and a setLevel for everybody's: so
 * it is not asked, and none is started for the answer.
 */
static void what_only_the_legacy_era_has_reaches_no_child(void **state)
{
    static const char *const methods[] = {"initialize", "ping", "logging/setLevel", "resources/subscribe",
                                          "resources/unsubscribe"};
    struct bridge_fixture *fixture = *state;
    size_t before = fake_child_count(&fixture->world);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct fake_exchange *exchange = era_post(fixture, &(struct era_request){.method = methods[i]});
        fake_exchange_expect(exchange, 404, ERA_ERROR("1", "-32601", "Method not found"));
    }
    assert_int_equal(fake_child_count(&fixture->world), before);
    fake_child_expect_silence(fixture->child);
}

static void a_method_that_the_bridge_does_not_know_is_the_childs_to_refuse(void **state)
{
    struct bridge_fixture *fixture = *state;
    struct fake_exchange *exchange = era_post(fixture, &(struct era_request){.method = "no/such"});
    era_expect_request(fixture->child, "no/such", "");
    era_answer_error(fixture->child, -32601);
    fake_exchange_expect(exchange, 404, ERA_ERROR("1", "-32601", "no"));
    exchange = era_post(fixture, &(struct era_request){.method = "prompts/get", .name = "p"});
    era_expect_request(fixture->child, "prompts/get", "");
    era_answer_error(fixture->child, -32601);
    fake_exchange_expect(exchange, 404, ERA_ERROR("1", "-32601", "no"));
    exchange =
        era_post(fixture, &(struct era_request){.method = "resources/read", .name = "u", .params = "\"uri\":\"u\""});
    era_expect_request(fixture->child, "resources/read", "");
    era_answer_error(fixture->child, -32601);
    fake_exchange_expect(exchange, 200, ERA_ERROR("1", "-32601", "no"));
}

#define TEST(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, bridge_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_only_the_legacy_era_has_reaches_no_child, set_up_modern),
        TEST(what_only_the_legacy_era_has_reaches_no_child, set_up_unknown),
        TEST(a_method_that_the_bridge_does_not_know_is_the_childs_to_refuse, set_up_modern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
