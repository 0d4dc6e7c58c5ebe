#include "bridge/transport/legacy_sse.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/limits.h"
#include "bridge/transport/accept.h"
#include "bridge/transport/initialize.h"
#include "bridge/transport/refusal.h"

#include <stdlib.h>

struct sse_client {
    struct session_outlet outlet;
    struct legacy_sse *sse; /* borrowed */
    struct map_node by_name;
    struct list link;
    char name[SESSION_ID_TEXT + 1];
    struct exchange *exchange;
    struct caller caller;    /* owned: who opened the stream, and alone may POST to it */
    struct session *session; /* NULL until initialize is answered; held */
    bool is_initializing;    /* initialize was sent, and is not answered */
    bool is_closing;         /* it is closed from the timer, not from within what others do */
    struct list calls;       /* of sse_call; owned */
    struct timer heartbeat;
};

/* A request whose POST was answered with 202; the answer goes to the stream. */
struct sse_call {
    struct call call;
    struct sse_client *client;
    struct list link;
    struct slice body; /* owned: the call's bytes */
};

static const struct slice no_id = {NULL, 0};

void legacy_sse_init(struct legacy_sse *sse, struct server *server, const struct legacy_sse_settings *settings)
{
    *sse = (struct legacy_sse){.server = server, .settings = settings};
    map_init(&sse->clients);
    list_init(&sse->open);
}

void legacy_sse_release(struct legacy_sse *sse)
{
    map_release(&sse->clients);
}

static struct timers *timers_of(const struct sse_client *client)
{
    return client->sse->server->world->timers;
}

/* ---- The end of a client ---- */

static void free_call(struct sse_call *call)
{
    list_remove(&call->link);
    memory_free_slice(&call->body);
    free(call);
}

static void give_up_calls(struct sse_client *client)
{
    LIST_FOR_EACH(link, &client->calls) {
        struct sse_call *call = container_of(link, struct sse_call, link);
        bool is_initialize = call->call.wish == CALL_WAITS_FOR_CHILD;
        struct hub *hub = call->call.hub;
        server_give_up(client->sse->server, &call->call);
        free_call(call);
        if (is_initialize) {
            server_drop_hub(client->sse->server, hub);
        }
    }
}

/* The exchange is over, or about to be; so is the session, if it is not already. */
static void free_client(struct sse_client *client)
{
    struct session *session = client->session;
    timer_stop(timers_of(client), &client->heartbeat);
    map_remove(&client->sse->clients, &client->by_name);
    list_remove(&client->link);
    server_stream_closed(client->sse->server, NULL);
    give_up_calls(client);
    if (session != NULL) {
        session->outlet = NULL;
        if (!session->is_ended) {
            server_end_session(client->sse->server, session);
        }
        session_table_let_go(session);
    }
    caller_release(&client->caller);
    free(client);
}

static void on_client_gone(struct exchange *exchange)
{
    free_client(exchange->handler);
}

static void close_client(struct sse_client *client)
{
    struct exchange *exchange = client->exchange;
    free_client(client);
    exchange->operations->close_stream(exchange);
}

static void close_outlet(struct session_outlet *outlet)
{
    close_client(container_of(outlet, struct sse_client, outlet));
}

/* ---- The stream ---- */

static void on_close_due(struct timer *timer)
{
    close_client(container_of(timer, struct sse_client, heartbeat));
}

/* A reader that does not read loses its stream, and only that. Who delivers may be walking over sessions just now. */
static void close_soon(struct sse_client *client)
{
    client->is_closing = true;
    timer_start(timers_of(client), &client->heartbeat, 0, on_close_due);
}

/* Not at once: the end of its session may let another's initialize go on, and so end that client, too. */
static void close_if_settled(struct sse_client *client)
{
    if (client->sse->server->phase == SERVER_SETTLED && !client->is_closing && list_is_empty(&client->calls)) {
        close_soon(client);
    }
}

/* False when the reader is so slow that the message was not sent. */
static bool send_message(struct sse_client *client, const struct slice *parts, size_t count)
{
    struct exchange *exchange = client->exchange;
    if (client->is_closing) {
        return false;
    }
    struct server *server = client->sse->server;
    if (server_is_slow_reader(server, exchange->operations->queued(exchange))) {
        server->counters.slow_streams++;
        close_soon(client);
        return false;
    }
    const struct event event = {.data = parts, .data_count = count};
    exchange->operations->send_event(exchange, &event);
    return true;
}

/* The POST is accepted, and the refusal is the answer on the stream: where clients of this transport wait for it. */
static void refuse_on_stream(struct sse_client *client, struct exchange *exchange, enum refusal refusal,
                             struct slice id)
{
    struct buffer error;
    buffer_init(&error, 0);
    refusal_write(&error, refusal, id);
    struct slice part = buffer_slice(&error);
    send_message(client, &part, 1);
    buffer_release(&error);
    if (exchange != NULL) {
        respond_empty(exchange, 202, NULL, 0);
    }
}

static void deliver(struct session_outlet *outlet, const struct slice *parts, size_t count)
{
    (void)send_message(container_of(outlet, struct sse_client, outlet), parts, count);
}

static void on_heartbeat(struct timer *timer)
{
    struct sse_client *client = container_of(timer, struct sse_client, heartbeat);
    client->exchange->operations->send_comment(client->exchange, "heartbeat");
    timer_start(timers_of(client), timer, client->sse->settings->heartbeat_ms, on_heartbeat);
}

static void send_endpoint(const struct sse_client *client)
{
    struct buffer path;
    buffer_init(&path, 0);
    buffer_add_format(&path, "%s?sessionId=%s", client->sse->settings->message_path, client->name);
    struct slice part = buffer_slice(&path);
    const struct event event = {.name = "endpoint", .data = &part, .data_count = 1};
    client->exchange->operations->send_event(client->exchange, &event);
    buffer_release(&path);
}

static void open_client(struct legacy_sse *sse, struct exchange *exchange, const struct caller *caller)
{
    struct sse_client *client = memory_new(sizeof(*client));
    client->caller = caller_copy(caller);
    client->outlet = (struct session_outlet){deliver, close_outlet};
    client->sse = sse;
    client->exchange = exchange;
    list_init(&client->calls);
    session_make_name(sse->server->world, client->name);
    map_add(&sse->clients, &client->by_name, map_hash_bytes(slice_text(client->name)));
    list_append(&sse->open, &client->link);
    server_stream_opened(sse->server, NULL);
    exchange->handler = client;
    exchange->on_closed = on_client_gone;
    exchange->operations->open_stream(exchange, NULL, 0);
    send_endpoint(client);
    if (sse->settings->heartbeat_ms > 0) {
        timer_start(timers_of(client), &client->heartbeat, sse->settings->heartbeat_ms, on_heartbeat);
    }
}

static void admit_client(struct legacy_sse *sse, struct exchange *exchange, struct caller *caller)
{
    struct buffer environment;
    if (credentials_read(&sse->settings->credentials, exchange, &environment, caller)) {
        open_client(sse, exchange, caller);
    }
    buffer_release(&environment);
}

void legacy_sse_handle_stream(struct legacy_sse *sse, struct exchange *exchange)
{
    struct caller caller = {0};
    if (!gate_admit(&sse->settings->gate, exchange, &caller.principal)) {
        return;
    }
    if (sse->server->phase != SERVER_SERVING) {
        refuse(exchange, REFUSAL_DRAINING, no_id, NULL);
    } else if (exchange->method != EXCHANGE_GET) {
        refuse(exchange, REFUSAL_METHOD_STREAM, no_id, NULL);
    } else if (!accept_read(exchange).stream) {
        refuse(exchange, REFUSAL_ACCEPT_STREAM, no_id, NULL);
    } else {
        admit_client(sse, exchange, &caller);
    }
}

/* ---- What its calls tell ---- */

static struct sse_call *sse_call_of(struct call *call)
{
    return container_of(call, struct sse_call, call);
}

static void end_call(struct sse_call *call)
{
    struct sse_client *client = call->client;
    server_finish(client->sse->server, &call->call);
    free_call(call);
    close_if_settled(client);
}

static void on_answer(struct call *call, const struct slice *parts, size_t count)
{
    struct sse_client *client = sse_call_of(call)->client;
    struct hub *hub = call->hub;
    bool is_initialize = call->wish == CALL_WAITS_FOR_CHILD;
    client->is_initializing &= !is_initialize;
    (void)send_message(client, parts, count);
    struct server *server = client->sse->server;
    end_call(sse_call_of(call));
    if (is_initialize) {
        server_drop_hub(server, hub);
    }
}

static bool on_message(struct call *call, const struct slice *parts, size_t count)
{
    return send_message(sse_call_of(call)->client, parts, count);
}

/* The child is ready: initialize is answered, and the session opens. */
static void on_ready(struct call *call)
{
    struct sse_call *sse_call = sse_call_of(call);
    struct sse_client *client = sse_call->client;
    struct server *server = client->sse->server;
    struct initialize_answer answer;
    client->is_initializing = false;
    initialize_answer_write(&answer, call);
    client->session = initialize_open_session(server, &answer, call, client->caller.principal);
    if (client->session != NULL) {
        session_table_hold(client->session);
        client->session->outlet = &client->outlet;
        send_message(client, answer.parts, answer.count);
    } else {
        server_drop_hub(server, call->hub);
        refuse_on_stream(client, NULL, REFUSAL_SESSION_CEILING, call->id);
    }
    end_call(sse_call);
}

static const struct call_events call_events = {.on_answer = on_answer, .on_message = on_message, .on_ready = on_ready};

/* ---- Messages ---- */

static bool has_name(const struct map_node *node, const void *key)
{
    return slice_is(*(const struct slice *)key, container_of(node, const struct sse_client, by_name)->name);
}

/* The client that the query names: sessionId=NAME. NULL for nobody. */
static struct sse_client *find_client(const struct legacy_sse *sse, struct slice query)
{
    struct slice field;
    while (slice_split(&query, '&', &field)) {
        struct slice key;
        if (slice_split(&field, '=', &key) && slice_is(key, "sessionId") && slice_exists(field)) {
            struct map_node *node = map_find(&sse->clients, map_hash_bytes(field), has_name, &field);
            return node != NULL ? container_of(node, struct sse_client, by_name) : NULL;
        }
    }
    return NULL;
}

/* The call owns a copy of the message, as its POST is over before the call. *message is of the copy then. */
static struct sse_call *new_call(struct sse_client *client, struct message *message)
{
    struct sse_call *call = memory_new(sizeof(*call));
    call->client = client;
    call->body = memory_copy(message->bytes);
    message_scan_again(message, call->body);
    call->call.events = &call_events;
    call->call.bytes = message->bytes;
    call->call.id = message->id;
    call->call.token = message->meta_token;
    call->call.session = client->session;
    list_append(&client->calls, &call->link);
    return call;
}

/* A second initialize on one connection would be a second session, and there is only one stream for both. */
static void take_initialize(struct sse_client *client, struct exchange *exchange, struct message *message)
{
    struct server *server = client->sse->server;
    if (client->session != NULL || client->is_initializing) {
        refuse(exchange, REFUSAL_INITIALIZED, message->id, NULL);
        return;
    }
    if (message->bytes.size > LIMIT_INITIALIZE_BYTES) {
        refuse(exchange, REFUSAL_INITIALIZE_SIZE, message->id, NULL);
        return;
    }
    if (server->phase != SERVER_SERVING) {
        refuse(exchange, REFUSAL_DRAINING, message->id, NULL);
        return;
    }
    bool has_room = server_has_session_room(server);
    struct hub *hub = has_room ? server_choose_hub(server, &client->caller, message) : NULL;
    if (hub == NULL) {
        refuse_on_stream(client, exchange, has_room ? REFUSAL_CHILD_CEILING : REFUSAL_SESSION_CEILING, message->id);
        return;
    }
    struct sse_call *call = new_call(client, message);
    respond_empty(exchange, 202, NULL, 0);
    call->call.hub = hub;
    call->call.argument = message->protocol_version;
    client->is_initializing = true;
    call->call.wish = CALL_WAITS_FOR_CHILD;
    server_submit(server, &call->call, NULL);
}

static void take_request(struct sse_client *client, struct exchange *exchange, struct message *message)
{
    struct server *server = client->sse->server;
    if (client->session == NULL) {
        refuse(exchange, REFUSAL_NOT_INITIALIZED, message->id, NULL);
    } else if (server->phase == SERVER_SETTLED) {
        refuse(exchange, REFUSAL_DRAINING, message->id, NULL);
    } else if (!server_has_session_call_room(server, client->session, 1)) {
        refuse_on_stream(client, exchange, REFUSAL_SESSION_CALL_CEILING, message->id);
    } else if (!server_has_room(server, 1)) {
        refuse_on_stream(client, exchange, REFUSAL_CALL_CEILING_IN_SESSION, message->id);
    } else {
        struct sse_call *call = new_call(client, message);
        respond_empty(exchange, 202, NULL, 0);
        call->call.hub = client->session->hub;
        server_submit(server, &call->call, message);
    }
}

static void take_notification(struct sse_client *client, struct exchange *exchange, const struct message *message)
{
    if (client->session != NULL) {
        hub_notify(client->session->hub, client->session, message);
    }
    respond_empty(exchange, 202, NULL, 0);
}

static void take_message(struct sse_client *client, struct exchange *exchange, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_REQUEST:
        if (message_is(message, "initialize")) {
            take_initialize(client, exchange, message);
        } else {
            take_request(client, exchange, message);
        }
        break;
    case MESSAGE_NOTIFICATION:
        take_notification(client, exchange, message);
        break;
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        if (client->session != NULL) {
            (void)callback_answer(client->session, message);
        }
        respond_empty(exchange, 202, NULL, 0);
        break;
    }
}

/* A message is a line on a pipe. What is kept longer than this call is copied again. */
static void take_flat(struct sse_client *client, struct exchange *exchange, struct message *message)
{
    if (!message->has_line_breaks) {
        take_message(client, exchange, message);
        return;
    }
    struct slice copy = memory_copy(exchange->body);
    struct message flat;
    message_flatten((char *)(uintptr_t)copy.data, copy.size);
    message_scan_again(&flat, copy);
    take_message(client, exchange, &flat);
    memory_free_slice(&copy);
}

/* Whether the message comes from the one who opened the stream; for any other it is not there. */
static bool is_of_client(const struct legacy_sse *sse, struct exchange *exchange, struct caller *caller,
                         const struct sse_client *client)
{
    struct buffer environment;
    bool is_read = credentials_read(&sse->settings->credentials, exchange, &environment, caller);
    bool is_same = is_read && client != NULL && caller_is_same(caller, &client->caller);
    if (is_read && !is_same) {
        refuse(exchange, REFUSAL_SESSION_UNKNOWN, no_id, NULL);
    }
    buffer_release(&environment);
    return is_same;
}

static void scan_message(struct sse_client *client, struct exchange *exchange)
{
    struct message message;
    enum message_fault fault = message_scan_whole(&message, exchange->body);
    if (fault != MESSAGE_FAULT_NONE) {
        refuse_fault(exchange, message_refused_id(&message, fault), message_fault_code(fault),
                     message_fault_text(fault));
    } else {
        exchange->topic = message.method;
        take_flat(client, exchange, &message);
    }
}

void legacy_sse_handle_message(struct legacy_sse *sse, struct exchange *exchange)
{
    struct caller caller = {0};
    if (!gate_admit(&sse->settings->gate, exchange, &caller.principal)) {
        return;
    }
    struct sse_client *client = find_client(sse, exchange->query);
    if (exchange->method != EXCHANGE_POST) {
        refuse(exchange, REFUSAL_METHOD_STATELESS, no_id, NULL);
    } else if (!accept_has_json_body(exchange)) {
        refuse(exchange, REFUSAL_CONTENT_TYPE, no_id, NULL);
    } else if (!accept_has_plain_body(exchange)) {
        refuse(exchange, REFUSAL_CONTENT_ENCODING, no_id, NULL);
    } else if (is_of_client(sse, exchange, &caller, client)) {
        scan_message(client, exchange);
    }
}

void legacy_sse_end_strangers(struct legacy_sse *sse)
{
    LIST_FOR_EACH(link, &sse->open) {
        struct sse_client *client = container_of(link, struct sse_client, link);
        if (!gate_knows(&sse->settings->gate, client->caller.principal)) {
            close_client(client);
        }
    }
}

void legacy_sse_settle(struct legacy_sse *sse)
{
    LIST_FOR_EACH(link, &sse->open) {
        close_if_settled(container_of(link, struct sse_client, link));
    }
}
