/*
 * A call of a modern client's to a child of the legacy era, which may ask the client something meanwhile: each time the
 * client is answered with the questions and comes again with the answers, in a round of its own.
 */
#ifndef TESTS_UNIT_BRIDGE_ERA_ROUND_FIXTURE_H
#define TESTS_UNIT_BRIDGE_ERA_ROUND_FIXTURE_H

#include "tests/unit/bridge/era_fixture.h"

#define ROUND_ELICITS "{\"elicitation\":{}}"
#define ROUND_QUESTION(id) \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}"
#define ROUND_DONE "\"content\":[]"
#define ROUND_SERVED "\"resultType\":\"complete\"," ERA_INFO "," ROUND_DONE
#define ROUND_GONE "Nobody waits for the answer any more"

/* After this time the questions of one turn are told to the client. */
enum { ROUND_GATHER_MS = 10 };

/* For cmocka: a bridge_fixture whose server speaks the legacy era and is ready. */
int round_set_up(void **state);

/* A call of a client that declares these capabilities; `params` are more members of params, or NULL. */
struct fake_exchange *round_call(struct bridge_fixture *fixture, const char *capabilities, const char *params);

/* A call whose client may be asked something, of this kind; its child, number n, has it when this returns. */
struct fake_exchange *round_run(struct bridge_fixture *fixture, size_t n, const char *capabilities);

/* The child asks, and the client is answered with the questions. */
void round_ask(struct bridge_fixture *fixture, struct fake_child *child, const char *question);

/* round_run(), and then round_ask() one question with the id "q", for an elicitation. */
struct fake_exchange *round_run_and_ask(struct bridge_fixture *fixture, size_t n);

/* The client comes again with these answers, to what it was told in `exchange`. */
struct fake_exchange *round_come_again(struct bridge_fixture *fixture, struct fake_exchange *exchange,
                                       const char *responses);

/* How many calls wait for their client to come again, and how many there are at all. */
size_t round_parked(const struct bridge_fixture *fixture);
size_t round_call_count(const struct bridge_fixture *fixture);

#endif
