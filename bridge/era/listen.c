#include "bridge/era/listen.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/rewrite.h"

#include <assert.h>
#include <stdlib.h>

struct listen {
    struct call_shim shim; /* of the client's call */
    struct call *client;
    struct slice principal; /* owned: who listens */
    struct era *era;
    struct list link;        /* among the era's listens */
    struct hub *hub;         /* held */
    struct call call;        /* a modern child's subscription, or one resources/subscribe after the other */
    struct slice line;       /* owned: of resources/subscribe */
    struct slice uris;       /* in the client's bytes: the array's rest, whose turn is still to come */
    size_t uri_count;        /* of those whose turn has come */
    struct session *session; /* on a legacy child; held */
    struct session_outlet outlet;
    struct buffer honoured; /* the URIs that the child takes, with commas */
    unsigned lists;         /* bits, as in struct handshake: the list changes that are honoured */
    bool is_acknowledged;
    bool is_subscribing;
    bool is_walking;  /* over the URIs: the next one's turn comes by itself */
    struct timer end; /* of one whose reader is too slow: who delivers may be walking over sessions just now */
};

static const struct {
    const char *wish;   /* in params.notifications */
    const char *method; /* of the notification */
} lists[] = {
    {"toolsListChanged", "notifications/tools/list_changed"},
    {"promptsListChanged", "notifications/prompts/list_changed"},
    {"resourcesListChanged", "notifications/resources/list_changed"},
};

enum { LIST_COUNT = sizeof(lists) / sizeof(lists[0]) };

static const char draining[] = "The bridge is shutting down";

#define SUBSCRIPTION_ID "\"io.modelcontextprotocol/subscriptionId\":"

static struct server *server_of(const struct listen *listen)
{
    return listen->era->server;
}

/* ---- The end ---- */

static void stop_subscribing(struct listen *listen)
{
    if (listen->is_subscribing) {
        listen->is_subscribing = false;
        server_give_up(server_of(listen), &listen->call);
    }
}

static void end_session(struct listen *listen)
{
    struct session *session = listen->session;
    listen->session = NULL;
    if (session == NULL) {
        return;
    }
    session->outlet = NULL;
    if (!session->is_ended) {
        server_end_session(server_of(listen), session);
    }
    session_table_let_go(session);
}

static void free_listen(struct listen *listen)
{
    timer_stop(server_of(listen)->world->timers, &listen->end);
    stop_subscribing(listen);
    end_session(listen);
    channel_give_up(&listen->hub->channel, &listen->call);
    hub_let_go(listen->hub);
    list_remove(&listen->link);
    buffer_release(&listen->honoured);
    memory_free_slice(&listen->line);
    memory_free_slice(&listen->principal);
    free(listen);
}

static void on_give_up(struct call_shim *shim)
{
    struct listen *listen = container_of(shim, struct listen, shim);
    listen->client->shim = NULL;
    free_listen(listen);
}

static struct call *take_client(struct listen *listen)
{
    struct call *client = listen->client;
    client->shim = NULL;
    free_listen(listen);
    return client;
}

/* The server ends it: with a result, which is not an error. */
static void end_gracefully(struct listen *listen)
{
    struct buffer result;
    struct call *client = take_client(listen);
    buffer_init(&result, 0);
    buffer_add_text(&result, "{\"resultType\":\"complete\",\"_meta\":{" SUBSCRIPTION_ID);
    buffer_add(&result, client->id);
    buffer_add_text(&result, "}}");
    call_answer_result(client, buffer_slice(&result));
    buffer_release(&result);
}

static void on_end(struct timer *timer)
{
    end_gracefully(container_of(timer, struct listen, end));
}

/* A reader that is too slow has missed something: it is told by the end, and may listen again. */
static void send_to_client(struct listen *listen, const struct slice *parts, size_t count)
{
    if (timer_is_running(&listen->end)) {
        return;
    }
    if (!listen->client->events->on_message(listen->client, parts, count)) {
        timer_start(server_of(listen)->world->timers, &listen->end, 0, on_end);
    }
}

/* ---- A modern child ---- */

static void on_modern_answer(struct call *call, const struct slice *parts, size_t count)
{
    struct listen *listen = container_of(call, struct listen, call);
    if (call->error_code != 0 && listen->is_acknowledged) {
        end_gracefully(listen);
        return;
    }
    int error_code = call->error_code;
    struct call *client = take_client(listen);
    client->error_code = error_code;
    call_answer(client, parts, count);
}

static bool on_modern_message(struct call *call, const struct slice *parts, size_t count)
{
    struct listen *listen = container_of(call, struct listen, call);
    listen->is_acknowledged = true;
    send_to_client(listen, parts, count);
    return true;
}

static const struct call_events modern_events = {.on_answer = on_modern_answer, .on_message = on_modern_message};

static void listen_to_modern(struct listen *listen)
{
    const struct call *client = listen->client;
    listen->call = (struct call){.events = &modern_events,
                                 .bytes = client->bytes,
                                 .id = client->id,
                                 .token = client->token,
                                 .hub = listen->hub,
                                 .is_modern = true,
                                 .has_no_timeout = true,
                                 .level = SEVERITY_UNSET};
    channel_submit(&listen->hub->channel, &listen->call);
}

/* ---- A legacy child ---- */

/* The notification with the subscription's id in its _meta. */
static void add_subscription_id(struct rewrite *rewrite, const struct message *message, struct buffer *text,
                                struct slice id)
{
    bool has_params = slice_exists(message->params) && message->params.data[0] == '{';
    bool has_meta = slice_exists(message->meta) && message->meta.data[0] == '{';
    struct slice object = has_meta ? message->meta : message->params;
    struct member member;
    bool is_empty = !has_params || !members_next(&object, &member);
    buffer_add_text(text, has_params ? "" : ",\"params\":{");
    buffer_add_text(text, has_meta ? "" : "\"_meta\":{");
    buffer_add_text(text, SUBSCRIPTION_ID);
    buffer_add(text, id);
    buffer_add_text(text, has_meta ? "" : "}");
    buffer_add_text(text, has_params ? is_empty ? "" : "," : "}");
    const char *end = message->bytes.data + message->bytes.size - 1;
    const char *at = has_meta ? message->meta.data + 1 : has_params ? message->params.data + 1 : end;
    const struct replacement replacement = {slice_of(at, 0), buffer_slice(text)};
    rewrite_splice(rewrite, message->bytes, &replacement, 1);
}

static bool is_wanted(const struct listen *listen, const struct message *message)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        if (message_is(message, lists[i].method)) {
            return (listen->lists & (1u << i)) != 0;
        }
    }
    return message_is(message, "notifications/resources/updated");
}

static void deliver(struct session_outlet *outlet, const struct slice *parts, size_t count)
{
    struct listen *listen = container_of(outlet, struct listen, outlet);
    struct message message;
    struct buffer text;
    assert(count == 1);
    (void)count;
    if (message_scan_whole(&message, parts[0]) != MESSAGE_FAULT_NONE || !is_wanted(listen, &message)) {
        return;
    }
    struct rewrite notification;
    buffer_init(&text, 0);
    add_subscription_id(&notification, &message, &text, listen->client->id);
    send_to_client(listen, notification.parts, notification.count);
    buffer_release(&text);
}

static void close_outlet(struct session_outlet *outlet)
{
    end_gracefully(container_of(outlet, struct listen, outlet));
}

static void acknowledge(struct listen *listen)
{
    struct buffer text;
    const char *separator = "";
    buffer_init(&text, 0);
    buffer_add_text(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":"
                           "{\"_meta\":{" SUBSCRIPTION_ID);
    buffer_add(&text, listen->client->id);
    buffer_add_text(&text, "},\"notifications\":{");
    for (size_t i = 0; i < LIST_COUNT; i++) {
        if ((listen->lists & (1u << i)) != 0) {
            buffer_add_format(&text, "%s\"%s\":true", separator, lists[i].wish);
            separator = ",";
        }
    }
    if (listen->honoured.size > 0) {
        buffer_add_format(&text, "%s\"resourceSubscriptions\":[", separator);
        buffer_add(&text, buffer_slice(&listen->honoured));
        buffer_add_text(&text, "]");
    }
    buffer_add_text(&text, "}}}");
    listen->is_acknowledged = true;
    listen->outlet = (struct session_outlet){deliver, close_outlet};
    listen->session->outlet = &listen->outlet;
    struct slice part = buffer_slice(&text);
    send_to_client(listen, &part, 1);
    buffer_release(&text);
}

static void subscribe_all(struct listen *listen);

/* What the child does not take is left out of what is acknowledged. */
static void on_subscribed(struct call *call, const struct slice *parts, size_t count)
{
    struct listen *listen = container_of(call, struct listen, call);
    (void)parts;
    (void)count;
    listen->is_subscribing = false;
    server_finish(server_of(listen), call);
    if (subscriptions_has_session(&listen->hub->subscriptions, listen->session, call->argument)) {
        buffer_add_text(&listen->honoured, listen->honoured.size > 0 ? "," : "");
        buffer_add(&listen->honoured, call->argument);
    }
    if (!listen->is_walking) {
        subscribe_all(listen);
    }
}

static bool on_no_message(struct call *call, const struct slice *parts, size_t count)
{
    (void)call;
    (void)parts;
    (void)count;
    return false;
}

static const struct call_events subscribe_events = {.on_answer = on_subscribed, .on_message = on_no_message};

static void subscribe(struct listen *listen, struct slice uri)
{
    struct message message;
    struct buffer text;
    struct buffer params;
    buffer_init(&text, 0);
    buffer_init(&params, 0);
    buffer_add_text(&params, "{\"uri\":");
    buffer_add(&params, uri);
    buffer_add_text(&params, "}");
    reply_call(&text, slice_text("0"), "resources/subscribe", buffer_slice(&params));
    memory_free_slice(&listen->line);
    listen->line = buffer_take(&text);
    buffer_release(&params);
    message_scan_again(&message, listen->line);
    listen->call = (struct call){.events = &subscribe_events,
                                 .bytes = message.bytes,
                                 .id = message.id,
                                 .argument = message.uri,
                                 .hub = listen->hub,
                                 .session = listen->session,
                                 .level = SEVERITY_UNSET};
    listen->is_subscribing = true;
    server_submit(server_of(listen), &listen->call, &message);
}

/* The next URI that can be subscribed to and is not yet. A session may not have more than so many. */
static bool next_uri(struct listen *listen, struct slice *uri)
{
    while (listen->uri_count < LIMIT_SESSION_SUBSCRIPTIONS && elements_next(&listen->uris, uri)) {
        listen->uri_count++;
        if (slice_exists(json_string_inside(*uri)) && uri->size <= LIMIT_URI_BYTES &&
            !subscriptions_has_session(&listen->hub->subscriptions, listen->session, *uri)) {
            return true;
        }
    }
    return false;
}

/* One after the other. An answer that comes at once leads to the next one here, not from within itself. */
static void subscribe_all(struct listen *listen)
{
    struct slice uri;
    listen->is_walking = true;
    while (!listen->is_subscribing && !listen->session->is_ended && next_uri(listen, &uri)) {
        subscribe(listen, uri);
    }
    listen->is_walking = false;
    if (listen->is_subscribing) {
        return;
    }
    if (listen->session->is_ended) {
        call_answer_error(take_client(listen), REPLY_INTERNAL_ERROR, draining);
    } else {
        acknowledge(listen);
    }
}

static void listen_to_legacy(struct listen *listen, struct slice wishes)
{
    const struct handshake *handshake = &listen->hub->channel.handshake;
    struct slice resources = members_find(handshake->capabilities, "resources");
    for (size_t i = 0; i < LIST_COUNT; i++) {
        bool is_wished = slice_is(members_find(wishes, lists[i].wish), "true");
        listen->lists |= (unsigned)is_wished << i;
    }
    listen->lists &= handshake->has_list_changes;
    if (slice_exists(resources) && slice_is(members_find(resources, "subscribe"), "true")) {
        listen->uris = members_find(wishes, "resourceSubscriptions");
    }
    listen->session = server_open_session(server_of(listen), listen->hub, NULL, slice_text(""));
    if (listen->session == NULL) {
        call_answer_error(take_client(listen), REPLY_INTERNAL_ERROR, "Too many subscriptions and sessions are open");
        return;
    }
    session_table_hold(listen->session);
    subscribe_all(listen);
}

/* ---- Both ---- */

void listen_submit(struct era *era, struct call *call, const struct message *message, const struct caller *caller,
                   struct hub *hub)
{
    struct slice wishes = members_find(message->params, "notifications");
    if (!slice_exists(wishes) || wishes.data[0] != '{') {
        call_answer_error(call, REPLY_INVALID_PARAMS, "params.notifications must be an object");
        return;
    }
    if (era->is_draining) {
        call_answer_error(call, REPLY_INTERNAL_ERROR, draining);
        return;
    }
    struct listen *listen = memory_new(sizeof(*listen));
    listen->shim.give_up = on_give_up;
    listen->client = call;
    listen->principal = memory_copy(caller->principal);
    listen->era = era;
    listen->hub = hub;
    hub_hold(hub);
    buffer_init(&listen->honoured, 0);
    list_append(&era->listens, &listen->link);
    call->shim = &listen->shim;
    call->state = CALL_RUNNING;
    if (hub->channel.is_modern) {
        listen_to_modern(listen);
    } else {
        listen_to_legacy(listen, wishes);
    }
}

void listen_end_all(struct era *era)
{
    while (!list_is_empty(&era->listens)) {
        end_gracefully(container_of(era->listens.next, struct listen, link));
    }
}

void listen_end_strangers(struct era *era, caller_is_known_fn is_known, const void *context)
{
    LIST_FOR_EACH(link, &era->listens) {
        struct listen *listen = container_of(link, struct listen, link);
        if (!is_known(context, listen->principal)) {
            end_gracefully(listen);
        }
    }
}
