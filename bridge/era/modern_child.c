/*
 *     SENT -- input_required --> ASKING -- the last answer --> SENT
 *      |                        |    ^
 *      | any other result       |    | nothing to ask, only a state: after a pause
 *      v                        v
 *     the client's answer      an error for the client: it cannot be asked, or does not answer
 */
#include "bridge/era/modern_child.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/era/legacy_text.h"
#include "bridge/era/modern_text.h"
#include "bridge/era/modern_watch.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"

#include <stdio.h>
#include <stdlib.h>

/* As the TypeScript SDK's own shim: a child that never has enough is not asked for ever. */
enum { MAX_ROUNDS = 8 };

/* Between rounds in which the child wants only to be asked again. */
static const uint64_t pause_ms = 250;

struct shimmed;

/* One question of a round. */
struct inquiry {
    struct asker asker;
    struct shimmed *shimmed;
    struct list link;
    struct slice key; /* owned: as the child wrote it, without quotes */
};

struct shimmed {
    struct call_shim shim; /* of the client's call */
    struct call *client;
    struct server *server;
    struct call call;        /* as the child knows it */
    struct slice line;       /* owned: the call's bytes */
    struct slice state;      /* owned: the child's requestState; absent for none */
    struct buffer responses; /* the members of inputResponses that are there */
    struct list inquiries;   /* that are not answered */
    struct timer pause;
    unsigned rounds;
    bool is_asking;      /* a round begins: what fails meanwhile fails at its end */
    const char *failure; /* of the round; NULL for none */
};

static struct channel *channel_of(const struct shimmed *shimmed)
{
    return &shimmed->client->hub->channel;
}

/* ---- The end ---- */

static void free_inquiry(struct inquiry *inquiry)
{
    callback_take_back(&inquiry->asker);
    list_remove(&inquiry->link);
    memory_free_slice(&inquiry->key);
    free(inquiry);
}

static struct call *free_shimmed(struct shimmed *shimmed)
{
    struct call *client = shimmed->client;
    timer_stop(shimmed->server->world->timers, &shimmed->pause);
    channel_give_up(channel_of(shimmed), &shimmed->call);
    LIST_FOR_EACH(link, &shimmed->inquiries) {
        free_inquiry(container_of(link, struct inquiry, link));
    }
    client->shim = NULL;
    buffer_release(&shimmed->responses);
    memory_free_slice(&shimmed->line);
    memory_free_slice(&shimmed->state);
    free(shimmed);
    return client;
}

static void on_give_up(struct call_shim *shim)
{
    free_shimmed(container_of(shim, struct shimmed, shim));
}

/* A tool says in its result that it failed, so that a model can read why (MCP, Tools, "Error Handling"). */
static void fail(struct shimmed *shimmed, const char *why)
{
    struct message request;
    bool is_tool = message_scan_whole(&request, shimmed->client->bytes) == MESSAGE_FAULT_NONE &&
                   message_is(&request, "tools/call");
    LIST_FOR_EACH(link, &shimmed->inquiries) {
        callback_withdraw(&container_of(link, struct inquiry, link)->asker);
    }
    struct call *client = free_shimmed(shimmed);
    if (!is_tool) {
        call_answer_error(client, REPLY_INTERNAL_ERROR, why);
        return;
    }
    struct buffer result;
    buffer_init(&result, 0);
    buffer_add_text(&result, "{\"content\":[{\"type\":\"text\",\"text\":");
    reply_add_string(&result, slice_text(why));
    buffer_add_text(&result, "}],\"isError\":true}");
    call_answer_result(client, buffer_slice(&result));
    buffer_release(&result);
}

/* ---- A round ---- */

static void send(struct shimmed *shimmed, const struct modern_retry *retry);

static void send_again(struct shimmed *shimmed)
{
    struct buffer responses;
    struct slice state = shimmed->state;
    buffer_init(&responses, 0);
    buffer_add_text(&responses, "{");
    buffer_add(&responses, buffer_slice(&shimmed->responses));
    buffer_add_text(&responses, "}");
    shimmed->state = slice_of(NULL, 0);
    const struct modern_retry retry = {
        .responses = shimmed->responses.size > 0 ? buffer_slice(&responses) : slice_of(NULL, 0), .state = state};
    buffer_clear(&shimmed->responses, 0);
    send(shimmed, &retry);
    buffer_release(&responses);
    memory_free_slice(&state);
}

static void on_pause_over(struct timer *timer)
{
    send_again(container_of(timer, struct shimmed, pause));
}

static void go_on_if_complete(struct shimmed *shimmed)
{
    if (list_is_empty(&shimmed->inquiries)) {
        send_again(shimmed);
    }
}

static void on_inquiry_answer(struct asker *asker, const struct message *answer)
{
    struct inquiry *inquiry = container_of(asker, struct inquiry, asker);
    struct shimmed *shimmed = inquiry->shimmed;
    if (answer->kind == MESSAGE_ERROR) {
        fail(shimmed, "The client refused to answer a question of the server's");
        return;
    }
    buffer_add_format(&shimmed->responses, "%s\"%.*s\":", shimmed->responses.size > 0 ? "," : "",
                      SLICE_PRINT(inquiry->key));
    buffer_add(&shimmed->responses, answer->result);
    free_inquiry(inquiry);
    go_on_if_complete(shimmed);
}

static void on_no_answer(struct asker *asker, const char *why)
{
    struct shimmed *shimmed = container_of(asker, struct inquiry, asker)->shimmed;
    shimmed->failure = why;
    if (!shimmed->is_asking) {
        fail(shimmed, why);
    }
}

/* MCP 2025-11-25, Elicitation, "URL Mode": the client will be told under this id that it is done. */
static void write_params(struct shimmed *shimmed, struct buffer *out, struct slice params)
{
    struct slice mode = json_string_inside(members_find(params, "mode"));
    bool is_url = slice_exists(params) && slice_exists(mode) && json_string_means(mode, "url");
    if (!is_url || slice_exists(members_find(params, "elicitationId"))) {
        buffer_add(out, slice_exists(params) ? params : slice_text("{}"));
        return;
    }
    char name[SESSION_ID_TEXT + 1];
    session_make_name(shimmed->server->world, name);
    buffer_add_format(out, "{\"elicitationId\":\"%s\",", name);
    buffer_add(out, slice_of(&params.data[1], params.size - 1));
}

/* Why the client cannot be asked this; NULL when it can. */
static const char *why_not(const struct session *session, const struct message *question)
{
    if (session == NULL || !slice_exists(question->method) ||
        !legacy_text_may_be_asked(session->client_capabilities, question)) {
        return "The server asks for something that this client has not declared that it can do";
    }
    if (slice_exists(question->params) && question->params.data[0] != '{') {
        return "The server asks something that is not right";
    }
    return session->is_ended ? "The client's session has ended" : NULL;
}

static void ask(struct shimmed *shimmed, struct slice key, struct slice request)
{
    struct session *session = shimmed->client->session;
    struct slice method = json_string_inside(members_find(request, "method"));
    struct message question = {.method = method, .params = members_find(request, "params")};
    shimmed->failure = why_not(session, &question);
    if (shimmed->failure != NULL) {
        return;
    }
    struct inquiry *inquiry = memory_new(sizeof(*inquiry));
    struct buffer params;
    inquiry->asker.on_answer = on_inquiry_answer;
    inquiry->asker.on_failure = on_no_answer;
    inquiry->shimmed = shimmed;
    inquiry->key = memory_copy(key);
    list_append(&shimmed->inquiries, &inquiry->link);
    buffer_init(&params, 0);
    write_params(shimmed, &params, question.params);
    callback_ask_session(session, shimmed->client, &inquiry->asker, method, buffer_slice(&params));
    buffer_release(&params);
}

/* ---- What the child answers ---- */

static void begin_round(struct shimmed *shimmed, const struct message *message)
{
    struct slice requests = members_find(message->result, "inputRequests");
    struct slice state = members_find(message->result, "requestState");
    struct member member;
    if (++shimmed->rounds > MAX_ROUNDS) {
        fail(shimmed, "The server asks again and again");
        return;
    }
    if (slice_exists(state)) {
        shimmed->state = memory_copy(state);
    }
    struct slice first = requests;
    if (!slice_exists(requests) || !members_next(&first, &member)) {
        timer_start(shimmed->server->world->timers, &shimmed->pause, pause_ms, on_pause_over);
        return;
    }
    /* An answer cannot come before this returns, but a failure can. */
    shimmed->is_asking = true;
    while (shimmed->failure == NULL && members_next(&requests, &member)) {
        ask(shimmed, member.key, member.value);
    }
    shimmed->is_asking = false;
    if (shimmed->failure != NULL) {
        fail(shimmed, shimmed->failure);
    }
}

static bool is_input_required(const struct message *message)
{
    struct slice type = json_string_inside(message->result_type);
    return message->kind == MESSAGE_RESULT && slice_exists(type) && json_string_means(type, "input_required");
}

static void on_response(struct call *call, const struct message *message)
{
    struct shimmed *shimmed = container_of(call, struct shimmed, call);
    if (is_input_required(message)) {
        begin_round(shimmed, message);
        return;
    }
    struct call *client = free_shimmed(shimmed);
    if (message->kind == MESSAGE_RESULT && message->result.data[0] != '{') {
        call_answer_error(client, REPLY_INTERNAL_ERROR, "The server's result is not an object");
        return;
    }
    struct rewrite answer;
    const struct replacement replacement = {message->id, client->id};
    rewrite_splice(&answer, message->bytes, &replacement, 1);
    call_answer(client, answer.parts, answer.count);
}

/* An error of ours: the id in it is the client's own, as the line has it. */
static void on_answer(struct call *call, const struct slice *parts, size_t count)
{
    struct shimmed *shimmed = container_of(call, struct shimmed, call);
    call_answer(free_shimmed(shimmed), parts, count);
}

static bool on_message(struct call *call, const struct slice *parts, size_t count)
{
    const struct shimmed *shimmed = container_of(call, struct shimmed, call);
    return shimmed->client->events->on_message(shimmed->client, parts, count);
}

static const struct call_events events = {.on_response = on_response, .on_answer = on_answer, .on_message = on_message};

static void send(struct shimmed *shimmed, const struct modern_retry *retry)
{
    const struct session *session = shimmed->client->session;
    struct message message;
    struct buffer line;
    message_scan_again(&message, shimmed->client->bytes);
    buffer_init(&line, 0);
    modern_text_write_request(&line, &message, session, retry);
    memory_free_slice(&shimmed->line);
    shimmed->line = buffer_take(&line);
    if (message_scan_whole(&message, shimmed->line) != MESSAGE_FAULT_NONE) {
        /* What the client said of itself, or the answers, stand deeper in it than where they came from. */
        fail(shimmed, "The request is nested too deep for the server");
        return;
    }
    shimmed->call = (struct call){.events = &events,
                                  .bytes = message.bytes,
                                  .id = message.id,
                                  .session = shimmed->client->session,
                                  .token = message.meta_token,
                                  .is_modern = true,
                                  .level = session != NULL ? session->log_level : SEVERITY_UNSET};
    channel_submit(channel_of(shimmed), &shimmed->call);
}

static void relay(struct server *server, struct call *call)
{
    struct shimmed *shimmed = memory_new(sizeof(*shimmed));
    shimmed->shim.give_up = on_give_up;
    shimmed->client = call;
    shimmed->server = server;
    buffer_init(&shimmed->responses, 0);
    list_init(&shimmed->inquiries);
    call->shim = &shimmed->shim;
    call->state = CALL_RUNNING;
    const struct modern_retry first = {{NULL, 0}, {NULL, 0}};
    send(shimmed, &first);
}

/* ---- What the modern era has not ---- */

static void answer_ping(struct call *call, const struct message *message)
{
    (void)message;
    call_answer_result(call, slice_text("{}"));
}

static void set_level(struct call *call, const struct message *message)
{
    enum log_severity level = log_severity_read(message->level);
    if (!call->hub->channel.handshake.has_logging) {
        call_answer_error(call, REPLY_METHOD_NOT_FOUND, "Method not found");
    } else if (level == SEVERITY_UNSET) {
        call_answer_error(call, REPLY_INVALID_PARAMS, "params.level must be a log level");
    } else {
        if (call->session != NULL) {
            call->session->log_level = level;
        }
        call_answer_result(call, slice_text("{}"));
    }
}

static void subscribe(struct call *call, const struct message *message)
{
    struct hub *hub = call->hub;
    struct slice resources = members_find(hub->channel.handshake.capabilities, "resources");
    bool is_known = slice_exists(message->uri) && subscriptions_has(&hub->subscriptions, message->uri);
    if (call->session == NULL || !slice_exists(resources) || !slice_is(members_find(resources, "subscribe"), "true")) {
        call_answer_error(call, REPLY_METHOD_NOT_FOUND, "Method not found");
    } else if (!slice_exists(message->uri) || !subscriptions_add(&hub->subscriptions, call->session, message->uri)) {
        call_answer_error(call, REPLY_INVALID_PARAMS,
                          "params.uri is missing or too long, or the session has too many subscriptions");
    } else {
        if (!is_known) {
            modern_watch_renew(hub);
        }
        call_answer_result(call, slice_text("{}"));
    }
}

static void unsubscribe(struct call *call, const struct message *message)
{
    if (call->session != NULL && slice_exists(message->uri) &&
        subscriptions_remove(&call->hub->subscriptions, call->session, message->uri)) {
        modern_watch_renew(call->hub);
    }
    call_answer_result(call, slice_text("{}"));
}

static void refuse(struct call *call, const struct message *message)
{
    (void)message;
    call_answer_error(call, REPLY_METHOD_NOT_FOUND, "Method not found");
}

static const struct {
    const char *method;
    void (*answer)(struct call *call, const struct message *message);
} answered_here[] = {
    {"ping", answer_ping},
    {"logging/setLevel", set_level},
    {"resources/subscribe", subscribe},
    {"resources/unsubscribe", unsubscribe},
    {"tasks/get", refuse},
    {"tasks/result", refuse},
    {"tasks/cancel", refuse},
    {"tasks/list", refuse},
};

void modern_child_submit(struct server *server, struct call *call, const struct message *message)
{
    for (size_t i = 0; i < sizeof(answered_here) / sizeof(answered_here[0]); i++) {
        if (message_is(message, answered_here[i].method)) {
            answered_here[i].answer(call, message);
            return;
        }
    }
    relay(server, call);
}
