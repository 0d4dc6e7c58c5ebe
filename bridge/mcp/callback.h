/*
 * Questions of the child's to its client: sampling, elicitation, roots. The client sees an id of ours, so that
 * an answer which comes late, twice, or from a process that is gone, cannot be taken for another's.
 */
#ifndef BRIDGE_MCP_CALLBACK_H
#define BRIDGE_MCP_CALLBACK_H

#include "bridge/base/list.h"
#include "bridge/base/timer.h"
#include "bridge/jsonrpc/message.h"

struct call;
struct hub;
struct session;

/*
 * Who asks in place of a child that waits for the answer. Nothing comes any more after one of the two.
 */
struct asker {
    /* The client's answer, a result or an error; valid during the call. */
    void (*on_answer)(struct asker *asker, const struct message *answer);
    /* There will be none. */
    void (*on_failure)(struct asker *asker, const char *why);
    struct callback *callback; /* NULL when nothing is asked */
    struct call *call;         /* borrowed: on whose stream the question went out; NULL for none */
};

/* The open questions to one session. */
struct callbacks {
    struct list open;
    size_t count;
    uint64_t last_id;
};

void callbacks_init(struct callbacks *callbacks);

/* Asks the hub's session; a child that cannot be answered gets an error at once. */
void callback_ask(struct hub *hub, const struct message *message);

/*
 * Asks a session on behalf of `asker`: on the stream of `call`, if its client takes one, else on the GET stream. The
 * question is a method and its params, which may be absent. One of the asker's functions may be called before this
 * returns.
 */
void callback_ask_session(struct session *session, struct call *call, struct asker *asker, struct slice method,
                          struct slice params);

/* The asker does not want the answer any more. */
void callback_take_back(struct asker *asker);

/* The same, and the client is told. The call on whose stream it was asked must be there still. */
void callback_withdraw(struct asker *asker);

/* The client's answer, or error, goes to the child. False when nothing is open under this id. */
bool callback_answer(struct session *session, const struct message *message);

/* The child gives up a question: the client is told under the id that it knows. */
void callback_cancel(struct session *session, const struct message *message);

/* A question that waited for a GET stream has made room for others: the child gets an error. */
void callback_lost(struct session *session, uint64_t id);

/* The process that asked is gone: its questions are forgotten. Those of askers stay. */
void callbacks_forget(struct callbacks *callbacks, struct timers *timers);

/* The client is gone: whoever waits gets an error for each. */
void callbacks_refuse(struct callbacks *callbacks);

#endif
