#include "tests/unit/bridge/mcp/server_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{}}"

struct session *server_fixture_open_session(struct bridge_fixture *fixture)
{
    struct session *session =
        server_open_session(&fixture->server, fixture->server.shared, revision_newest(), slice_text(""));
    assert_non_null(session);
    return session;
}

struct fake_call *server_fixture_submit(struct bridge_fixture *fixture, struct session *session, const char *request)
{
    struct fake_call *call = fake_call_new(request);
    fake_call_submit(call, &fixture->server, session);
    return call;
}

struct fake_call *server_fixture_ask(struct bridge_fixture *fixture, struct session *session, const char *method,
                                     const char *key, const char *value)
{
    char request[512];
    snprintf(request, sizeof(request), "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"%s\",\"params\":{\"%s\":%s}}",
             method, key, value);
    return server_fixture_submit(fixture, session, request);
}

struct fake_call *server_fixture_subscribe(struct bridge_fixture *fixture, struct session *session, const char *uri)
{
    return server_fixture_ask(fixture, session, "resources/subscribe", "uri", uri);
}

struct fake_call *server_fixture_unsubscribe(struct bridge_fixture *fixture, struct session *session, const char *uri)
{
    return server_fixture_ask(fixture, session, "resources/unsubscribe", "uri", uri);
}

struct fake_call *server_fixture_set_level(struct bridge_fixture *fixture, struct session *session, const char *level)
{
    return server_fixture_ask(fixture, session, "logging/setLevel", "level", level);
}

void server_fixture_agree(struct bridge_fixture *fixture)
{
    fake_child_say_format(fixture->child, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{}}",
                          fixture->child->last_id);
}

void server_fixture_subscribe_first(struct bridge_fixture *fixture, struct session *session, const char *uri)
{
    struct fake_call *call = server_fixture_subscribe(fixture, session, uri);
    assert_non_null(fake_child_take(fixture->child));
    server_fixture_agree(fixture);
    fake_call_expect_answer(call, RESULT(5));
}

void server_fixture_expect_local(struct bridge_fixture *fixture, struct fake_call *call)
{
    fake_child_expect_silence(fixture->child);
    fake_call_expect_answer(call, RESULT(5));
}

void server_fixture_notify(struct bridge_fixture *fixture, struct session *session, const char *text)
{
    struct message message;
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    hub_notify(session != NULL ? session->hub : fixture->server.shared, session, &message);
}
