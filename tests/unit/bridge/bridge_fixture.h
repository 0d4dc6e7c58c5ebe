/*
 * A bridge in a fake world: one server, its endpoint, and a child that the test plays. Closing it requires that every
 * exchange has ended and that no session, no call, no wire id and no timer is left.
 */
#ifndef TESTS_UNIT_BRIDGE_BRIDGE_FIXTURE_H
#define TESTS_UNIT_BRIDGE_BRIDGE_FIXTURE_H

#include "bridge/transport/streamable.h"
#include "tests/unit/bridge/fake_call.h"
#include "tests/unit/bridge/fake_child.h"
#include "tests/unit/bridge/fake_exchange.h"
#include "tests/unit/bridge/fake_world.h"

/* What the child answers to initialize. */
extern const char bridge_fixture_handshake[];

struct bridge_fixture {
    struct fake_world world;
    struct child_command command;
    struct server_settings settings;
    struct streamable_settings endpoint;
    struct server server;
    struct streamable streamable;
    struct fake_child *child; /* the first that was opened with the server; NULL for none */
    bool is_open;
    bool is_closed; /* the server has said so */
};

/* Settings as a user has them, with low ceilings: 3 sessions, 4 calls. They may be changed until the opening. */
void bridge_fixture_init(struct bridge_fixture *fixture);

/* Opens the server. Its child has not started yet. */
void bridge_fixture_open(struct bridge_fixture *fixture);

/* As bridge_fixture_open(), and the child is ready. */
void bridge_fixture_start(struct bridge_fixture *fixture);

/* bridge_fixture_start(), with an endpoint of this mode. */
void bridge_fixture_start_in_mode(struct bridge_fixture *fixture, enum streamable_mode mode);

/* A process starts and answers the handshake. Its lines until then are not seen by the test. */
void bridge_fixture_shake(struct bridge_fixture *fixture);

/* Closes the server, if it is open, and every child to its end; requires that nothing of it is left. */
void bridge_fixture_close_server(struct bridge_fixture *fixture);

/* That, and the world. */
void bridge_fixture_close(struct bridge_fixture *fixture);

/* For cmocka: an initialized fixture that is not open, and one that is ready. */
int bridge_fixture_set_up(void **state);
int bridge_fixture_set_up_ready(void **state);
int bridge_fixture_tear_down(void **state);

/* Gives the exchange to the endpoint. */
void bridge_fixture_handle(struct bridge_fixture *fixture, struct fake_exchange *exchange);

/* A request of a client with the usual headers; `session` may be NULL. */
struct fake_exchange *bridge_fixture_new(struct bridge_fixture *fixture, enum exchange_method method,
                                         const char *session);
struct fake_exchange *bridge_fixture_post(struct bridge_fixture *fixture, const char *session, const char *body);
struct fake_exchange *bridge_fixture_get(struct bridge_fixture *fixture, const char *session);
struct fake_exchange *bridge_fixture_delete(struct bridge_fixture *fixture, const char *session);

/* A POST of a client without a session with one more field. */
struct fake_exchange *bridge_fixture_post_with(struct bridge_fixture *fixture, const char *name, const char *value,
                                               const char *body);

/* A POST of a client without a session that accepts this and nothing else. */
struct fake_exchange *bridge_fixture_post_accepting(struct bridge_fixture *fixture, const char *accept,
                                                    const char *body);

/* Opens a session through the endpoint; its name lives as long as the fixture. */
const char *bridge_fixture_open_session(struct bridge_fixture *fixture);

/* The session with this name. */
struct session *bridge_fixture_session(struct bridge_fixture *fixture, const char *name);

/* The child answers the request that it was sent last, or the one with this wire id, with {"wire":<its id>}. */
void bridge_fixture_answer(struct bridge_fixture *fixture);
void bridge_fixture_answer_to(struct bridge_fixture *fixture, uint64_t wire_id);

#endif
