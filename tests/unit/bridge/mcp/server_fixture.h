/*
 * Sessions on the one child of a bridge_fixture, and what they ask, without an endpoint between.
 */
#ifndef TESTS_UNIT_BRIDGE_MCP_SERVER_FIXTURE_H
#define TESTS_UNIT_BRIDGE_MCP_SERVER_FIXTURE_H

#include "tests/unit/bridge/bridge_fixture.h"

/* A session of the newest revision on the shared child. */
struct session *server_fixture_open_session(struct bridge_fixture *fixture);

/* In these, `session` may be NULL; the call is the test's. */
struct fake_call *server_fixture_submit(struct bridge_fixture *fixture, struct session *session, const char *request);

/* Submits a request of this method, with the id 5, whose one parameter is `key`; `value` is JSON. */
struct fake_call *server_fixture_ask(struct bridge_fixture *fixture, struct session *session, const char *method,
                                     const char *key, const char *value);
struct fake_call *server_fixture_subscribe(struct bridge_fixture *fixture, struct session *session, const char *uri);
struct fake_call *server_fixture_unsubscribe(struct bridge_fixture *fixture, struct session *session, const char *uri);
struct fake_call *server_fixture_set_level(struct bridge_fixture *fixture, struct session *session, const char *level);

/* The child has nothing against the last request. */
void server_fixture_agree(struct bridge_fixture *fixture);

/* As server_fixture_subscribe(), for the first subscriber: the child hears of it, and agrees. */
void server_fixture_subscribe_first(struct bridge_fixture *fixture, struct session *session, const char *uri);

/* Requires that the request is answered without the child. */
void server_fixture_expect_local(struct bridge_fixture *fixture, struct fake_call *call);

/* A notification of a client's. */
void server_fixture_notify(struct bridge_fixture *fixture, struct session *session, const char *text);

#endif
