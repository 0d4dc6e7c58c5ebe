/*
 * A call whose owner is a test: what it heard is kept. More than one end, or a message after the end, fails the test.
 */
#ifndef TESTS_UNIT_BRIDGE_FAKE_CALL_H
#define TESTS_UNIT_BRIDGE_FAKE_CALL_H

#include "bridge/jsonrpc/message.h"
#include "bridge/mcp/call.h"

struct server;

struct fake_call {
    struct call call;
    struct message message; /* of the request */
    char *request;          /* owned until the call's end */
    size_t request_size;
    struct server *server; /* to be told that the call is over; NULL for a call that only a channel knows */
    char *answer;          /* owned; NULL until there is one */
    unsigned readies;
    char **messages; /* owned: what came before the answer */
    size_t message_count;
    size_t messages_read;
};

/* For this request, which must be valid. */
struct fake_call *fake_call_new(const char *request);

/* Requires that it is over. */
void fake_call_free(struct fake_call *call);

/* What a server's owner does: submits the call, and gives it up. */
void fake_call_submit(struct fake_call *call, struct server *server, struct session *session);
void fake_call_give_up(struct fake_call *call);

/* Requires that the answer came, and is this. Frees the call. */
void fake_call_expect_answer(struct fake_call *call, const char *answer);

/* Requires that the next message is this one. */
void fake_call_expect_message(struct fake_call *call, const char *message);

/* Requires that there is no answer yet, and no message that was not looked at. */
void fake_call_expect_silence(const struct fake_call *call);

#endif
