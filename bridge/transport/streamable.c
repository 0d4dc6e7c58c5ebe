#include "bridge/transport/streamable.h"

#include "bridge/era/listen.h"
#include "bridge/jsonrpc/batch.h"
#include "bridge/mcp/revision.h"
#include "bridge/transport/incoming.h"
#include "bridge/transport/legacy_sse.h"
#include "bridge/transport/modern_head.h"
#include "bridge/transport/refusal.h"
#include "bridge/transport/resume.h"

static const struct slice no_id = {NULL, 0};

void streamable_init(struct streamable *streamable, struct server *server, const struct streamable_settings *settings)
{
    *streamable = (struct streamable){
        .server = server,
        .settings = settings,
        .posts = {.server = server, .settings = settings->post},
        .streams = {.world = server->world, .heartbeat_ms = settings->post.heartbeat_ms},
    };
    list_init(&streamable->streams.streams);
    era_init(&streamable->era, server);
}

void streamable_release(struct streamable *streamable)
{
    era_release(&streamable->era);
}

/* ---- Sessions ---- */

/*
 * For an exchange without a session id. Where it is optional, GET and DELETE have nothing to act on, and 405 is what
 * clients that lost theirs take quietly. True when the exchange may go on.
 */
static bool may_go_without_session(struct streamable *streamable, struct exchange *exchange, struct slice id)
{
    if (streamable->settings->mode == STREAMABLE_STATEFUL) {
        refuse(exchange, REFUSAL_SESSION_MISSING, id, NULL);
        return false;
    }
    if (exchange->method != EXCHANGE_POST) {
        refuse(exchange, REFUSAL_METHOD_STATELESS, id, NULL);
        return false;
    }
    return true;
}

/*
 * Finds the session that the exchange names; *session is NULL when it names none and need not. False when the
 * exchange has been refused (MCP 2025-03-26, Transports, "Session Management" 2 and 3).
 */
static bool find_session(struct streamable *streamable, struct exchange *exchange, const struct caller *caller,
                         struct slice id, struct session **session)
{
    struct slice name;
    *session = NULL;
    if (streamable->settings->mode == STREAMABLE_STATELESS) {
        return true;
    }
    size_t count = exchange->operations->header(exchange, "mcp-session-id", &name);
    if (count > 1) {
        refuse(exchange, REFUSAL_SESSION_TWICE, id, NULL);
        return false;
    }
    /* A header that is there but empty is what clients send that lost their id. */
    if (count == 0 || name.size == 0) {
        return may_go_without_session(streamable, exchange, id);
    }
    exchange->session = name;
    *session = server_find_session(streamable->server, name, caller->principal);
    if (*session == NULL || !credentials_match(caller, *session)) {
        refuse(exchange, REFUSAL_SESSION_UNKNOWN, id, NULL);
        return false;
    }
    session_table_touch(*session);
    return true;
}

/* MCP 2025-06-18, Transports, "Protocol Version Header": a revision that we do not know is 400. False when refused. */
static bool check_version(struct exchange *exchange, struct slice id)
{
    struct slice version;
    size_t count = exchange->operations->header(exchange, "mcp-protocol-version", &version);
    if (count == 0 || (count == 1 && revision_find(version) != NULL)) {
        return true;
    }
    struct buffer detail;
    buffer_init(&detail, 0);
    buffer_add(&detail, slice_of(version.data, version.size < 64 ? version.size : 64));
    buffer_add_text(&detail, " (supported versions: ");
    /* The modern ones are served as well, but to requests that say so in _meta: this was none. */
    if (revision_find_modern(version) == NULL) {
        revision_add_text_list(&detail, REVISION_MODERN);
        buffer_add_text(&detail, ", ");
    }
    revision_add_text_list(&detail, REVISION_LEGACY);
    buffer_add(&detail, slice_of(")", 2));
    refuse(exchange, REFUSAL_VERSION, id, buffer_slice(&detail).data);
    buffer_release(&detail);
    return false;
}

/* ---- POST ---- */

static bool is_initialize(const struct message *message)
{
    return message->kind == MESSAGE_REQUEST && message_is(message, "initialize");
}

/* A message of the legacy era. */
static void post_legacy(struct incoming *incoming, struct message *message)
{
    struct exchange *exchange = incoming->exchange;
    /* A probe that does not even say of what era it is: its client falls back too. */
    if (message->kind == MESSAGE_REQUEST && message_is(message, "server/discover")) {
        refuse(exchange, REFUSAL_MODERN_DISCOVER, message->id, NULL);
        return;
    }
    if (is_initialize(message) && incoming->streamable->server->phase != SERVER_SERVING) {
        refuse(exchange, REFUSAL_DRAINING, message->id, NULL);
    } else if ((is_initialize(message) ||
                find_session(incoming->streamable, exchange, incoming->caller, message->id, &incoming->session)) &&
               check_version(exchange, message->id)) {
        incoming_take(incoming, message);
    }
}

static void post_single(struct incoming *incoming)
{
    struct exchange *exchange = incoming->exchange;
    struct message message;
    enum message_fault fault = message_scan_whole(&message, exchange->body);
    if (fault != MESSAGE_FAULT_NONE) {
        refuse_fault(exchange, message_refused_id(&message, fault), message_fault_code(fault),
                     message_fault_text(fault));
        return;
    }
    exchange->topic = message.method;
    switch (modern_head_classify(exchange, &message)) {
    case MODERN_NOT:
        post_legacy(incoming, &message);
        break;
    case MODERN_REQUEST:
        incoming->is_modern = true;
        incoming_take(incoming, &message);
        break;
    case MODERN_NOTIFICATION:
        respond_empty(exchange, 202, NULL, 0);
        break;
    case MODERN_REFUSED:
        break;
    }
}

static void post_batch(struct incoming *incoming)
{
    struct exchange *exchange = incoming->exchange;
    size_t count;
    enum message_fault fault = batch_check(exchange->body, &count);
    if (fault != MESSAGE_FAULT_NONE) {
        refuse_fault(exchange, no_id, message_fault_code(fault), message_fault_text(fault));
        return;
    }
    if (modern_head_is_named(exchange)) {
        refuse(exchange, REFUSAL_BATCH, no_id, NULL);
        return;
    }
    if (!find_session(incoming->streamable, exchange, incoming->caller, no_id, &incoming->session) ||
        !check_version(exchange, no_id)) {
        return;
    }
    incoming_take_batch(incoming);
}

static void handle_post(struct streamable *streamable, struct exchange *exchange, const struct caller *caller)
{
    struct incoming incoming = {
        .streamable = streamable, .exchange = exchange, .accept = accept_read(exchange), .caller = caller};
    if (!incoming.accept.json && !incoming.accept.stream) {
        refuse(exchange, REFUSAL_ACCEPT, no_id, NULL);
    } else if (!accept_has_json_body(exchange)) {
        refuse(exchange, REFUSAL_CONTENT_TYPE, no_id, NULL);
    } else if (!accept_has_plain_body(exchange)) {
        refuse(exchange, REFUSAL_CONTENT_ENCODING, no_id, NULL);
    } else if (batch_is_array(exchange->body)) {
        post_batch(&incoming);
    } else {
        post_single(&incoming);
    }
}

/* ---- GET, DELETE and the rest ---- */

static void open_listen_stream(struct streamable *streamable, struct exchange *exchange, struct session *session)
{
    struct slice last_event_id;
    if (exchange->operations->header(exchange, "last-event-id", &last_event_id) > 0 && last_event_id.size > 0) {
        resume_stream(&streamable->streams, exchange, session, last_event_id);
    } else {
        listen_stream_open(&streamable->streams, exchange, session);
    }
}

static void handle_get(struct streamable *streamable, struct exchange *exchange, const struct caller *caller)
{
    struct session *session;
    if (streamable->settings->mode == STREAMABLE_STATELESS || modern_head_is_named(exchange)) {
        refuse(exchange, REFUSAL_METHOD_STATELESS, no_id, NULL);
    } else if (!accept_read(exchange).stream) {
        refuse(exchange, REFUSAL_ACCEPT_STREAM, no_id, NULL);
    } else if (find_session(streamable, exchange, caller, no_id, &session) && check_version(exchange, no_id)) {
        open_listen_stream(streamable, exchange, session);
    }
}

/* The session ends; its running calls are other exchanges', and go on to their answers. */
static void handle_delete(struct streamable *streamable, struct exchange *exchange, const struct caller *caller)
{
    struct session *session;
    if (streamable->settings->mode == STREAMABLE_STATELESS || modern_head_is_named(exchange)) {
        refuse(exchange, REFUSAL_METHOD_STATELESS, no_id, NULL);
    } else if (find_session(streamable, exchange, caller, no_id, &session) && check_version(exchange, no_id)) {
        server_end_session(streamable->server, session);
        respond_empty(exchange, 200, NULL, 0);
    }
}

static void handle_other(struct streamable *streamable, struct exchange *exchange)
{
    bool is_stateless = streamable->settings->mode == STREAMABLE_STATELESS;
    if (exchange->method == EXCHANGE_OPTIONS) {
        const struct header allow = {"Allow",
                                     slice_text(is_stateless ? "POST, OPTIONS" : "GET, POST, DELETE, OPTIONS")};
        respond_empty(exchange, 204, &allow, 1);
    } else {
        refuse(exchange, is_stateless ? REFUSAL_METHOD_STATELESS : REFUSAL_METHOD, no_id, NULL);
    }
}

static void handle(struct streamable *streamable, struct exchange *exchange, const struct caller *caller)
{
    switch (exchange->method) {
    case EXCHANGE_POST:
        handle_post(streamable, exchange, caller);
        break;
    case EXCHANGE_GET:
        handle_get(streamable, exchange, caller);
        break;
    case EXCHANGE_DELETE:
        handle_delete(streamable, exchange, caller);
        break;
    case EXCHANGE_HEAD:
    case EXCHANGE_OPTIONS:
    case EXCHANGE_OTHER:
        handle_other(streamable, exchange);
        break;
    }
}

static bool has_header(const struct exchange *exchange, const char *name)
{
    struct slice value;
    return exchange->operations->header(exchange, name, &value) > 0;
}

/*
 * MCP 2025-03-26, Transports, "Backwards Compatibility": a client of 2024-11-05 begins with a GET, for an event stream
 * and nothing else. A newer one does not: it has a session and says so, or lost it and still names its revision
 * (2025-06-18 and later), or takes JSON as well, whatever it asks for (the Python SDK). The one that is left is the
 * TypeScript SDK of 2025-03-26 whose session id got lost: it passes over an event of a name that it does not know.
 */
static bool is_old_client(const struct streamable *streamable, const struct exchange *exchange)
{
    if (streamable->legacy == NULL || streamable->settings->mode == STREAMABLE_STATELESS ||
        exchange->method != EXCHANGE_GET || has_header(exchange, "mcp-session-id") ||
        has_header(exchange, "mcp-protocol-version") || has_header(exchange, "last-event-id")) {
        return false;
    }
    struct accept accept = accept_read(exchange);
    return accept.stream && !accept.json;
}

/* Whether the exchange is still taken: while the server drains, if it names a session. */
static bool is_served(const struct streamable *streamable, const struct exchange *exchange, const struct caller *caller)
{
    const struct server *server = streamable->server;
    struct slice name;
    switch (server->phase) {
    case SERVER_SERVING:
        return true;
    case SERVER_DRAINING:
        return streamable->settings->mode != STREAMABLE_STATELESS &&
               exchange->operations->header(exchange, "mcp-session-id", &name) == 1 &&
               server_find_session(server, name, caller->principal) != NULL;
    case SERVER_SETTLED:
        break;
    }
    return false;
}

void streamable_handle(struct streamable *streamable, struct exchange *exchange)
{
    if (is_old_client(streamable, exchange)) {
        legacy_sse_handle_stream(streamable->legacy, exchange);
        return;
    }
    struct caller caller = {0};
    struct buffer environment;
    if (!gate_admit(&streamable->settings->gate, exchange, &caller.principal)) {
        return;
    }
    if (!is_served(streamable, exchange, &caller)) {
        refuse(exchange, REFUSAL_DRAINING, no_id, NULL);
        return;
    }
    if (credentials_read(&streamable->settings->credentials, exchange, &environment, &caller)) {
        handle(streamable, exchange, &caller);
    }
    buffer_release(&environment);
}

static bool is_known(const void *gate, struct slice principal)
{
    return gate_knows(gate, principal);
}

void streamable_end_strangers(struct streamable *streamable)
{
    const struct gate *gate = &streamable->settings->gate;
    server_end_strangers(streamable->server, is_known, gate);
    listen_end_strangers(&streamable->era, is_known, gate);
}

void streamable_drain(struct streamable *streamable)
{
    era_drain(&streamable->era);
}

void streamable_settle(struct streamable *streamable)
{
    listen_stream_close_all(&streamable->streams);
}
