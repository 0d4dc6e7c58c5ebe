#include "tests/unit/bridge/era/round_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

int round_set_up(void **state)
{
    bridge_fixture_set_up(state);
    struct bridge_fixture *fixture = *state;
    fixture->settings.era = SERVER_ERA_LEGACY;
    fixture->settings.callback_timeout_ms = 60000;
    fixture->settings.child_idle_timeout_ms = 600000;
    bridge_fixture_start(fixture);
    return 0;
}

struct fake_exchange *round_call(struct bridge_fixture *fixture, const char *capabilities, const char *params)
{
    return era_post(
        fixture, &(struct era_request){
                     .method = "tools/call", .name = "t", .capabilities = capabilities, .params = params, .id = "7"});
}

struct fake_exchange *round_run(struct bridge_fixture *fixture, size_t n, const char *capabilities)
{
    struct fake_exchange *exchange = round_call(fixture, capabilities, NULL);
    if (fake_child_unread(fixture->child) > 0) {
        era_list_tools(fixture->child);
    }
    struct fake_child *child = era_child(fixture, n);
    if (child->state == FAKE_CHILD_DOWN) {
        era_shake_legacy(child);
    }
    era_expect_request(child, "tools/call", "\"name\":\"t\"");
    return exchange;
}

void round_ask(struct bridge_fixture *fixture, struct fake_child *child, const char *question)
{
    fake_child_say(child, question);
    fake_world_advance(&fixture->world, ROUND_GATHER_MS);
}

struct fake_exchange *round_come_again(struct bridge_fixture *fixture, struct fake_exchange *exchange,
                                       const char *responses)
{
    char params[1024];
    snprintf(params, sizeof(params), "\"inputResponses\":%s,\"requestState\":%s", responses,
             era_result_member(exchange, "requestState"));
    return round_call(fixture, ROUND_ELICITS, params);
}

struct fake_exchange *round_run_and_ask(struct bridge_fixture *fixture, size_t n)
{
    struct fake_exchange *exchange = round_run(fixture, n, ROUND_ELICITS);
    round_ask(fixture, era_child(fixture, n), ROUND_QUESTION("\"q\""));
    era_expect_in_answer(exchange, 200, "\"resultType\":\"input_required\"");
    return exchange;
}

size_t round_parked(const struct bridge_fixture *fixture)
{
    return fixture->streamable.era.parked.count;
}

size_t round_call_count(const struct bridge_fixture *fixture)
{
    size_t count = 0;
    LIST_FOR_EACH(link, &fixture->streamable.era.calls) {
        count++;
    }
    return count;
}
