/*
 * The handshake with a child: made once by the bridge, kept, and answered from ever after (MCP, Lifecycle,
 * "Initialization"). A child hears initialize once, however many clients send it.
 */
#ifndef BRIDGE_MCP_HANDSHAKE_H
#define BRIDGE_MCP_HANDSHAKE_H

#include "bridge/base/buffer.h"
#include "bridge/jsonrpc/message.h"
#include "bridge/jsonrpc/rewrite.h"

#include <stdbool.h>

/* Room for the longest name of a revision that is accepted, with quotes and a NUL. */
enum { HANDSHAKE_VERSION_TEXT = 17 };

struct handshake {
    /*
     * Owned: the child's InitializeResult as it wrote it, or made of a modern child's DiscoverResult; absent before the
     * first handshake.
     */
    struct slice result;
    struct slice version;      /* the span of its protocolVersion, with quotes */
    struct slice server_info;  /* the span of its serverInfo; absent when it has none */
    struct slice capabilities; /* and of its capabilities */
    struct slice discover;     /* owned: a modern child's DiscoverResult as it wrote it; absent for a legacy child */
    bool has_logging;          /* the child declared the capability */
    unsigned has_list_changes; /* bits: tools, prompts, resources */
};

void handshake_release(struct handshake *handshake);

/* Appends the bridge's own initialize request and, for after its answer, the initialized notification. */
void handshake_write_initialize(struct buffer *out, struct slice id, const char *program_version);
void handshake_write_initialized(struct buffer *out);

/* The same for a child of the modern era: server/discover (MCP 2026-07-28, Lifecycle). */
void handshake_write_discover(struct buffer *out, struct slice id, const char *program_version);

/* Appends what a request of ours to such a child carries in params._meta: an object. */
void handshake_add_meta(struct buffer *out, const char *program_version);

/* Keeps the child's answer, in place of an earlier one. False, with the reason, when it is not one. */
bool handshake_accept(struct handshake *handshake, const struct message *answer, char *why, size_t why_size);
bool handshake_accept_discover(struct handshake *handshake, const struct message *answer, char *why, size_t why_size);

/*
 * Whether the child has the method of this request, given in its bytes: it declared the feature that consists of it. An
 * error -32601 is its handler's then, and about what the request names.
 */
bool handshake_has_method(const struct handshake *handshake, struct slice request);

/* Whether this answer to initialize says that the server has no revision with a handshake. */
bool handshake_is_for_modern_only(const struct message *answer);

/*
 * The InitializeResult for a client that asked for `requested`. The parts live as long as the handshake and
 * `version_text`.
 */
struct slice handshake_answer(const struct handshake *handshake, struct slice requested, struct rewrite *parts,
                              char version_text[HANDSHAKE_VERSION_TEXT]);

#endif
