/*
 * The `requestState` of an input_required result: what names a call that waits for its client's answers, in a form that
 * the client cannot make or change, good for the same caller and the same request only (MCP 2026-07-28, "Multi
 * Round-Trip Requests"). How long it is good, and how often, is up to the one who keeps the call.
 */
#ifndef BRIDGE_ERA_REQUEST_STATE_H
#define BRIDGE_ERA_REQUEST_STATE_H

#include "bridge/base/buffer.h"
#include "bridge/base/slice.h"
#include "bridge/jsonrpc/message.h"
#include "bridge/port.h"

#include <stdbool.h>
#include <stdint.h>

enum { REQUEST_STATE_HANDLE_BYTES = 16 };

struct request_state {
    uint8_t handle[REQUEST_STATE_HANDLE_BYTES];
    uint32_t round;
};

/* What a state is good for: this caller, and this method with these params (params_digest.h says which count). */
struct request_binding {
    struct slice principal; /* empty for nobody */
    const struct message *request;
};

/* Appends it as a JSON string, with quotes. */
void request_state_write(struct world *world, const struct request_state *state, const struct request_binding *binding,
                         struct buffer *out);

/*
 * Reads the value of params.requestState, as it is written. False when it is not what request_state_write() wrote
 * under this world's secret for this caller and request; then *state is not touched.
 */
bool request_state_read(struct world *world, struct slice json, const struct request_binding *binding,
                        struct request_state *state) __attribute__((warn_unused_result));

#endif
