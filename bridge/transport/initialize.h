/*
 * What an initialize is answered once its child is ready (MCP, Lifecycle, "Initialization"): the handshake that the
 * bridge keeps, or, from a child of the client's own, exactly what the child said.
 */
#ifndef BRIDGE_TRANSPORT_INITIALIZE_H
#define BRIDGE_TRANSPORT_INITIALIZE_H

#include "bridge/mcp/server.h"

struct initialize_answer {
    struct slice parts[REWRITE_MAX_PARTS + 4];
    size_t count;
    const struct revision *revision; /* what was agreed on; NULL when we do not know it */
    char version_text[HANDSHAKE_VERSION_TEXT];
};

/* For a call that waited for its child, with params.protocolVersion as its argument. The parts borrow from both. */
void initialize_answer_write(struct initialize_answer *answer, const struct call *call);

/* Opens the session that the answer is for, for this principal; NULL when there are too many. */
struct session *initialize_open_session(struct server *server, const struct initialize_answer *answer,
                                        const struct call *call, struct slice principal);

#endif
