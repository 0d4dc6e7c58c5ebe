/*
 * Clients of HTTP+SSE in front of a bridge_fixture.
 */
#ifndef TESTS_UNIT_BRIDGE_TRANSPORT_SSE_FIXTURE_H
#define TESTS_UNIT_BRIDGE_TRANSPORT_SSE_FIXTURE_H

#include "bridge/transport/legacy_sse.h"
#include "tests/unit/bridge/bridge_fixture.h"

#define SSE_INITIALIZE                                                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2024-11-05\"," \
    "\"capabilities\":{}}}"
#define SSE_LIST "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\"}"

struct sse_fixture {
    struct bridge_fixture bridge;
    struct legacy_sse_settings settings;
    struct legacy_sse sse;
};

/* A client: its stream, and where it was told to POST to. */
struct sse_client {
    struct fake_exchange *stream;
    char query[64];
};

/* Opens the server and the endpoint; the child is ready. */
void sse_start(struct sse_fixture *fixture);

/* For cmocka: not started, so that a test may change the settings; and started. */
int sse_set_up(void **state);
int sse_set_up_ready(void **state);
int sse_tear_down(void **state);

/* An exchange that asks for a stream, not handled yet; `accept` may be NULL. */
struct fake_exchange *sse_new_stream(struct sse_fixture *fixture, enum exchange_method method, const char *accept);

/* That, with GET, and handled. */
struct fake_exchange *sse_get(struct sse_fixture *fixture, const char *accept);

/* Reads the event that names where to POST to: the path of the settings, and a query. */
void sse_read_endpoint(struct sse_client *client);

/* A client that has its stream, and one that has shaken hands, too. */
struct sse_client sse_connect(struct sse_fixture *fixture);
struct sse_client sse_connect_initialized(struct sse_fixture *fixture);

/* A POST with this query: not handled yet, and handled. */
struct fake_exchange *sse_new_post(struct sse_fixture *fixture, const char *query, const char *body);
struct fake_exchange *sse_post_to(struct sse_fixture *fixture, const char *query, const char *body);

/* A client's POST. That of sse_send() must be accepted. */
struct fake_exchange *sse_post(struct sse_fixture *fixture, const struct sse_client *client, const char *body);
void sse_send(struct sse_fixture *fixture, const struct sse_client *client, const char *body);

/* Requires that the next event of the stream holds `part`. */
void sse_expect_part(struct fake_exchange *stream, const char *part);

#endif
