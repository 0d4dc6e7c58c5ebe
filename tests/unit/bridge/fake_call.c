#include "tests/unit/bridge/fake_call.h"

#include "bridge/base/memory.h"
#include "bridge/mcp/server.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct fake_call *from(struct call *call)
{
    return container_of(call, struct fake_call, call);
}

static char *join(const struct slice *parts, size_t count)
{
    struct buffer text;
    buffer_init(&text, 0);
    for (size_t i = 0; i < count; i++) {
        buffer_add(&text, parts[i]);
    }
    char *copy = (char *)(uintptr_t)memory_copy(buffer_slice(&text)).data;
    buffer_release(&text);
    return copy;
}

static void end(struct fake_call *call)
{
    if (call->server != NULL) {
        server_finish(call->server, &call->call);
    }
    fake_free(call->request, call->request_size);
    call->request = NULL;
}

static void on_answer(struct call *port, const struct slice *parts, size_t count)
{
    struct fake_call *call = from(port);
    assert_non_null(call->request);
    assert_int_equal(port->state, CALL_ENDED);
    call->answer = join(parts, count);
    end(call);
}

static bool on_message(struct call *port, const struct slice *parts, size_t count)
{
    struct fake_call *call = from(port);
    assert_non_null(call->request);
    call->messages = memory_resize(call->messages, (call->message_count + 1) * sizeof(call->messages[0]));
    call->messages[call->message_count++] = join(parts, count);
    return true;
}

static void on_ready(struct call *port)
{
    struct fake_call *call = from(port);
    assert_non_null(call->request);
    assert_int_not_equal(port->wish, CALL_SENDS);
    call->readies++;
    end(call);
}

static const struct call_events events = {.on_answer = on_answer, .on_message = on_message, .on_ready = on_ready};

struct fake_call *fake_call_new(const char *request)
{
    struct fake_call *call = memory_new(sizeof(*call));
    call->request_size = strlen(request);
    call->request = fake_copy(slice_text(request));
    assert_int_equal(message_scan_whole(&call->message, slice_of(call->request, call->request_size)),
                     MESSAGE_FAULT_NONE);
    call->call.events = &events;
    call->call.bytes = call->message.bytes;
    call->call.id = call->message.id;
    call->call.token = call->message.meta_token;
    return call;
}

void fake_call_free(struct fake_call *call)
{
    assert_null(call->request);
    for (size_t i = 0; i < call->message_count; i++) {
        free(call->messages[i]);
    }
    free(call->messages);
    free(call->answer);
    free(call);
}

void fake_call_submit(struct fake_call *call, struct server *server, struct session *session)
{
    call->server = server;
    call->call.session = session;
    call->call.hub = session != NULL ? session->hub : server->shared;
    server_submit(server, &call->call, &call->message);
}

void fake_call_give_up(struct fake_call *call)
{
    server_give_up(call->server, &call->call);
    call->server = NULL;
    end(call);
}

void fake_call_expect_answer(struct fake_call *call, const char *answer)
{
    assert_string_equal(call->answer != NULL ? call->answer : "(no answer)", answer);
    fake_call_free(call);
}

void fake_call_expect_message(struct fake_call *call, const char *message)
{
    assert_string_equal(
        call->messages_read < call->message_count ? call->messages[call->messages_read++] : "(no message)", message);
}

void fake_call_expect_silence(const struct fake_call *call)
{
    assert_string_equal(call->answer != NULL ? call->answer : "(no answer)", "(no answer)");
    assert_int_equal(call->messages_read, call->message_count);
    assert_int_equal(call->readies, 0);
}
