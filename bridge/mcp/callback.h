/*
 * Questions of the child's to its client: sampling, elicitation, roots, ping. The client sees an id of ours, so that
 * an answer which comes late, twice, or from a process that is gone, cannot be taken for another's.
 */
#ifndef BRIDGE_MCP_CALLBACK_H
#define BRIDGE_MCP_CALLBACK_H

#include "bridge/base/list.h"
#include "bridge/base/map.h"
#include "bridge/base/timer.h"
#include "bridge/jsonrpc/message.h"

struct hub;
struct session;

/* The open questions to one session. */
struct callbacks {
    struct list open;
    size_t count;
    uint64_t last_id;
};

void callbacks_init(struct callbacks *callbacks);

/* Asks the hub's session; a child that cannot be answered gets an error at once. */
void callback_ask(struct hub *hub, const struct message *message);

/* The client's answer, or error, goes to the child. False when nothing is open under this id. */
bool callback_answer(struct session *session, const struct message *message);

/* The child gives up a question: the client is told under the id that it knows. */
void callback_cancel(struct session *session, const struct message *message);

/* A question that waited for a GET stream has made room for others: the child gets an error. */
void callback_lost(struct session *session, uint64_t id);

/* The process that asked is gone: its questions are forgotten. */
void callbacks_forget(struct callbacks *callbacks, struct timers *timers);

/* The client is gone: the child gets an error for each. */
void callbacks_refuse(struct callbacks *callbacks, struct hub *hub);

#endif
