/*
 *                        a child            its handshake is made
 *     BORROWING ----------------> STARTING -----------------------> RUNNING
 *         (a call that may be asked              (a shared child      |  ^
 *          something has a child                  has been ready      |  | the client comes again
 *          to itself)                             before: at once)    v  | with its answers
 *                                                                    PARKED
 *
 * From RUNNING the client is answered: with the child's answer, and the call is over, or with the questions. What the
 * child says while the call is parked waits for the client. A call that is given up ends the child that was lent to
 * it, which may still be at work and ask something that would look like the next one's.
 */
#include "bridge/era/legacy_child.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/era/legacy_text.h"
#include "bridge/era/questions.h"
#include "bridge/era/request_state.h"
#include "bridge/mcp/log_levels.h"

#include <assert.h>
#include <stdlib.h>

/* How long the child's questions are gathered, so that those that it asks at once go to the client at once. */
static const uint64_t gather_ms = 10;

static const char draining[] = "The bridge is shutting down";

enum translated_state {
    TRANSLATED_BORROWING,
    TRANSLATED_STARTING,
    TRANSLATED_RUNNING,
    TRANSLATED_PARKED,
};

struct translated {
    struct call_shim shim; /* the client's call's, as long as there is one */
    struct call call;      /* as the child knows it */
    struct call *client;   /* NULL while it is parked */
    struct era *era;
    struct list link; /* among the era's calls */
    enum translated_state state;

    struct slice line;         /* owned: the call's bytes */
    struct slice token;        /* owned: the client's progress token of this round; absent for none */
    struct caller caller;      /* owned */
    struct slice capabilities; /* owned: what the client may be asked */
    struct slice key;          /* owned: of the loan */
    struct slice initialize;   /* owned: of the loan */
    bool is_cacheable;
    bool is_followed; /* the child knows a progress token */
    bool has_level;   /* the child was told of its level */
    bool has_handler; /* as in struct call, when the child has answered */

    struct hub *hub; /* held; NULL while there is none */
    struct loan loan;
    bool is_borrower; /* the hub is lent to it */

    struct questions questions;
    struct timer timer; /* while questions are gathered, then while it is parked */
    struct request_state handle;
    struct map_node by_handle; /* while it is parked */
    struct slice late;         /* owned: what the child answered meanwhile; absent for nothing */
};

static struct world *world_of(const struct translated *translated)
{
    return translated->era->server->world;
}

/* ---- The end ---- */

/* Which log messages it wants is said by each request of its client's. */
static void drop_level(struct translated *translated)
{
    if (translated->has_level) {
        log_levels_remove_call(translated->hub, translated->call.level);
        translated->has_level = false;
    }
}

static void leave_hub(struct translated *translated, bool is_at_work)
{
    struct hub *hub = translated->hub;
    if (hub == NULL) {
        return;
    }
    drop_level(translated);
    translated->hub = NULL;
    questions_refuse(&translated->questions, &hub->channel, "Nobody waits for the answer any more");
    if (translated->is_borrower) {
        children_give_back(&translated->era->server->children, hub, is_at_work);
    } else {
        hub_let_go(hub);
    }
}

/* What a call that is over costs until its client comes again. */
static size_t late_size(const struct translated *translated)
{
    return slice_exists(translated->late) ? sizeof(*translated) + translated->late.size + translated->line.size : 0;
}

static void unpark(struct translated *translated)
{
    timer_stop(world_of(translated)->timers, &translated->timer);
    if (translated->state == TRANSLATED_PARKED) {
        map_remove(&translated->era->parked, &translated->by_handle);
        translated->state = TRANSLATED_RUNNING;
    }
}

static void free_translated(struct translated *translated, bool is_at_work)
{
    unpark(translated);
    if (translated->client != NULL) {
        translated->client->shim = NULL;
    }
    leave_hub(translated, is_at_work);
    assert(translated->questions.count == 0);
    list_remove(&translated->link);
    translated->era->late_bytes -= late_size(translated);
    memory_free_slice(&translated->line);
    memory_free_slice(&translated->token);
    caller_release(&translated->caller);
    memory_free_slice(&translated->capabilities);
    memory_free_slice(&translated->key);
    memory_free_slice(&translated->initialize);
    memory_free_slice(&translated->late);
    free(translated);
}

/* Nobody waits any more: the child is told, and what it asked is refused. */
static void give_up(struct translated *translated)
{
    bool is_at_work = translated->call.state == CALL_RUNNING;
    if (translated->state == TRANSLATED_BORROWING) {
        children_take_back(&translated->era->server->children, &translated->loan);
    } else if (translated->hub != NULL) {
        questions_refuse(&translated->questions, &translated->hub->channel, "The client is gone");
        channel_give_up(&translated->hub->channel, &translated->call);
    }
    free_translated(translated, is_at_work);
}

static void on_give_up(struct call_shim *shim)
{
    give_up(container_of(shim, struct translated, shim));
}

static struct call *take_client(struct translated *translated)
{
    struct call *client = translated->client;
    translated->client = NULL;
    client->shim = NULL;
    return client;
}

/* ---- The child has answered ---- */

/* No child can be had now: the client may come again. */
static void fail_busy(struct translated *translated, const char *why)
{
    translated->state = TRANSLATED_STARTING; /* no loan is open */
    struct call *client = take_client(translated);
    free_translated(translated, false);
    call_answer_busy(client, why);
}

/* The parts in one piece; the caller's to free. */
static struct slice joined(const struct slice *parts, size_t count)
{
    struct buffer text;
    buffer_init(&text, 0);
    for (size_t i = 0; i < count; i++) {
        buffer_add(&text, parts[i]);
    }
    return buffer_take(&text);
}

/* Those that began first go first. */
static void make_late_room(struct era *era)
{
    LIST_FOR_EACH(link, &era->calls) {
        if (era->late_bytes <= LIMIT_LATE_BYTES) {
            return;
        }
        struct translated *translated = container_of(link, struct translated, link);
        if (slice_exists(translated->late)) {
            free_translated(translated, false);
        }
    }
}

/*
 * The call is over, and nobody is there to hear of it: what would have been said is kept for the one who comes, while
 * somebody can come.
 */
static void keep_late(struct translated *translated, const struct slice *parts, size_t count, bool is_at_work)
{
    if (translated->era->server->children.is_closing) {
        free_translated(translated, is_at_work);
        return;
    }
    translated->late = joined(parts, count);
    leave_hub(translated, is_at_work);
    translated->era->late_bytes += late_size(translated);
    make_late_room(translated->era);
}

static void answer_client(struct translated *translated, const struct slice *parts, size_t count, int error_code)
{
    struct call *client = take_client(translated);
    client->error_code = error_code;
    client->has_handler = translated->has_handler;
    leave_hub(translated, false);
    call_answer(client, parts, count);
    free_translated(translated, false);
}

static void on_response(struct call *call, const struct message *message)
{
    struct translated *translated = container_of(call, struct translated, call);
    struct legacy_answer answer;
    struct slice id = translated->client != NULL ? translated->client->id : message->id;
    const struct legacy_question question = {
        .handshake = &translated->hub->channel.handshake,
        .capabilities = translated->is_borrower ? translated->capabilities : slice_of(NULL, 0),
        .is_cacheable = translated->is_cacheable,
    };
    legacy_answer_write(&answer, message, id, &question);
    translated->has_handler = answer.error_code != 0 && handshake_has_method(question.handshake, translated->line);
    if (translated->client != NULL) {
        answer_client(translated, answer.parts.parts, answer.parts.count, answer.error_code);
    } else {
        keep_late(translated, answer.parts.parts, answer.parts.count, false);
    }
    legacy_answer_release(&answer);
}

/* An answer that has been written already, with whatever id, for the client that waits now. */
static void answer_again(struct translated *translated, struct slice text)
{
    struct message message;
    struct rewrite answer;
    if (message_scan_whole(&message, text) != MESSAGE_FAULT_NONE) {
        /* What the bridge has added made it too deep. */
        struct call *client = take_client(translated);
        free_translated(translated, false);
        call_answer_error(client, REPLY_INTERNAL_ERROR, "The server's answer is nested too deep");
        return;
    }
    const struct replacement replacement = {message.id, translated->client->id};
    rewrite_splice(&answer, message.bytes, &replacement, 1);
    int error_code = message.kind == MESSAGE_ERROR ? message_error_code(&message) : 0;
    answer_client(translated, answer.parts, answer.count, error_code);
}

/*
 * An error of ours: the child is gone, or was silent for too long, and then it is still at work; or its own, when it
 * refuses the handshake.
 */
static void on_answer(struct call *call, const struct slice *parts, size_t count)
{
    struct translated *translated = container_of(call, struct translated, call);
    bool is_at_work = translated->hub->channel.state == CHANNEL_READY;
    if (translated->client == NULL) {
        keep_late(translated, parts, count, is_at_work);
        return;
    }
    struct slice text = joined(parts, count);
    leave_hub(translated, is_at_work);
    answer_again(translated, text);
    memory_free_slice(&text);
}

/* Progress has the token of the first round, unless there was none; a client that comes again has another one. */
static bool on_message(struct call *call, const struct slice *parts, size_t count)
{
    struct translated *translated = container_of(call, struct translated, call);
    return translated->client != NULL && translated->client->events->on_message(translated->client, parts, count);
}

/* ---- Questions ---- */

static void on_park_timeout(struct timer *timer)
{
    give_up(container_of(timer, struct translated, timer));
}

/* MCP 2026-07-28, "Multi Round-Trip Requests": the client is told what is asked, and comes again. */
static void park(struct translated *translated)
{
    struct world *world = world_of(translated);
    struct call *client = take_client(translated);
    struct message request;
    struct buffer result;
    message_scan_again(&request, client->bytes);
    buffer_init(&result, 0);
    translated->handle.round++;
    const struct request_binding binding = {translated->caller.principal, &request};
    buffer_add_text(&result, "{\"resultType\":\"input_required\",\"inputRequests\":");
    questions_write(&translated->questions, &result);
    buffer_add_text(&result, ",\"requestState\":");
    request_state_write(world, &translated->handle, &binding, &result);
    buffer_add_text(&result, "}");
    translated->state = TRANSLATED_PARKED;
    map_add(&translated->era->parked, &translated->by_handle,
            map_hash_bytes(slice_of((const char *)translated->handle.handle, REQUEST_STATE_HANDLE_BYTES)));
    uint64_t timeout_ms = translated->era->server->settings->callback_timeout_ms;
    if (timeout_ms > 0) {
        timer_start(world->timers, &translated->timer, timeout_ms, on_park_timeout);
    }
    call_answer_result(client, buffer_slice(&result));
    buffer_release(&result);
}

static void on_gathered(struct timer *timer)
{
    park(container_of(timer, struct translated, timer));
}

static void gather(struct translated *translated)
{
    if (translated->client != NULL && !timer_is_running(&translated->timer)) {
        timer_start(world_of(translated)->timers, &translated->timer, gather_ms, on_gathered);
    }
}

static void on_question(struct call *call, const struct message *message)
{
    struct translated *translated = container_of(call, struct translated, call);
    struct channel *channel = &translated->hub->channel;
    /* Who asks knows of the call, even if its pipe has not taken the line to its end: nobody is to begin it anew. */
    call->written_end = 0;
    if (translated->era->is_draining) {
        questions_refuse_one(channel, message->id, REPLY_INTERNAL_ERROR, draining);
    } else if (!legacy_text_may_be_asked(translated->capabilities, message)) {
        questions_refuse_one(channel, message->id, REPLY_METHOD_NOT_FOUND, "This client declared no such capability");
    } else if (!questions_add(&translated->questions, message)) {
        questions_refuse_one(channel, message->id, REPLY_INTERNAL_ERROR, "Too many questions are open");
    } else {
        gather(translated);
    }
}

static void on_question_cancelled(struct call *call, const struct message *message)
{
    struct translated *translated = container_of(call, struct translated, call);
    questions_cancel(&translated->questions, message->request_id);
    if (translated->questions.count == 0 && translated->state == TRANSLATED_RUNNING) {
        timer_stop(world_of(translated)->timers, &translated->timer);
    }
}

/* ---- The client comes again ---- */

static bool has_handle(const struct map_node *node, const void *key)
{
    const struct translated *translated = container_of(node, const struct translated, by_handle);
    return memcmp(translated->handle.handle, key, REQUEST_STATE_HANDLE_BYTES) == 0;
}

static struct translated *find_parked(const struct era *era, const struct request_state *state)
{
    uint64_t hash = map_hash_bytes(slice_of((const char *)state->handle, REQUEST_STATE_HANDLE_BYTES));
    struct map_node *node = map_find(&era->parked, hash, has_handle, state->handle);
    struct translated *translated = node != NULL ? container_of(node, struct translated, by_handle) : NULL;
    return translated != NULL && translated->handle.round == state->round ? translated : NULL;
}

/* From now on it is no span of the line, which is not sent again: see on_question(). */
static void set_token(struct translated *translated, struct slice token)
{
    memory_free_slice(&translated->token);
    if (slice_exists(token)) {
        translated->token = memory_copy(token);
    }
    translated->call.token = translated->token;
}

static void take_level(struct translated *translated, enum log_severity level)
{
    drop_level(translated);
    translated->call.level = level;
    translated->has_level = log_levels_add_call(translated->hub, level);
}

static void go_on(struct translated *translated, struct call *call, const struct message *message)
{
    unpark(translated);
    translated->client = call;
    call->shim = &translated->shim;
    call->state = CALL_RUNNING;
    if (slice_exists(translated->late)) {
        answer_again(translated, translated->late);
        return;
    }
    if (translated->is_followed) {
        set_token(translated, message->meta_token);
    }
    take_level(translated, call->level);
    questions_answer(&translated->questions, message->input_responses, &translated->hub->channel);
    channel_extend(&translated->hub->channel, &translated->call);
    /* What was not answered is asked again. */
    if (translated->questions.count > 0) {
        gather(translated);
    }
}

static void submit_again(struct era *era, struct call *call, const struct message *message, const struct caller *caller)
{
    struct request_state state;
    const struct request_binding binding = {caller->principal, message};
    if (!request_state_read(era->server->world, message->request_state, &binding, &state)) {
        call_answer_error(call, REPLY_INVALID_PARAMS, "requestState is not valid for this request");
        return;
    }
    struct translated *translated = find_parked(era, &state);
    if (translated == NULL || !caller_is_same(&translated->caller, caller)) {
        call_answer_error(call, REPLY_INVALID_PARAMS,
                          "requestState has expired or was used before: send the request without it");
    } else if (slice_exists(message->input_responses) && message->input_responses.data[0] != '{') {
        call_answer_error(call, REPLY_INVALID_PARAMS, "inputResponses must be an object");
    } else {
        go_on(translated, call, message);
    }
}

/* ---- The first time ---- */

static void run(struct translated *translated)
{
    struct hub *hub = translated->hub;
    translated->state = TRANSLATED_RUNNING;
    translated->call.state = CALL_NEW;
    translated->call.wish = CALL_SENDS;
    take_level(translated, translated->call.level);
    channel_submit(&hub->channel, &translated->call);
}

/* The server turned out to be of the modern era while the call waited: there is nothing to translate. */
static void go_untranslated(struct translated *translated)
{
    struct era *era = translated->era;
    struct caller caller = translated->caller;
    translated->caller = (struct caller){0};
    struct call *client = take_client(translated);
    free_translated(translated, true);
    era_take_again(era, client, &caller);
    caller_release(&caller);
}

static void on_ready(struct call *call)
{
    struct translated *translated = container_of(call, struct translated, call);
    if (translated->hub->channel.is_modern) {
        go_untranslated(translated);
    } else {
        run(translated);
    }
}

static const struct call_events call_events = {
    .on_response = on_response,
    .on_answer = on_answer,
    .on_message = on_message,
    .on_ready = on_ready,
    .on_question = on_question,
    .on_question_cancelled = on_question_cancelled,
};

/* The child's handshake says what is to be told of it, so a child that never made one is waited for. */
static void start(struct translated *translated, struct hub *hub)
{
    translated->hub = hub;
    if (hub->was_ready) {
        run(translated);
        return;
    }
    translated->state = TRANSLATED_STARTING;
    translated->call.wish = CALL_WAITS_FOR_CHILD;
    channel_submit(&hub->channel, &translated->call);
}

static void on_hub(struct loan *loan, struct hub *hub)
{
    start(container_of(loan, struct translated, loan), hub);
}

static void on_loan_failure(struct loan *loan, const char *why)
{
    fail_busy(container_of(loan, struct translated, loan), why);
}

static struct slice written(void (*write)(struct buffer *out, const struct message *message),
                            const struct message *message)
{
    struct buffer text;
    buffer_init(&text, 0);
    write(&text, message);
    return buffer_take(&text);
}

static void write_capabilities(struct buffer *out, const struct message *message)
{
    legacy_text_write_capabilities(out, message->meta_capabilities);
}

static struct translated *make(struct era *era, struct call *client, const struct message *message,
                               const struct caller *caller)
{
    struct translated *translated = memory_new(sizeof(*translated));
    struct message line;
    translated->shim.give_up = on_give_up;
    translated->era = era;
    translated->client = client;
    translated->caller = caller_copy(caller);
    translated->capabilities = written(write_capabilities, message);
    translated->line = written(legacy_text_write_request, message);
    translated->is_cacheable = legacy_text_is_cacheable(message);
    questions_init(&translated->questions);
    list_append(&era->calls, &translated->link);
    era->server->world->random(era->server->world, translated->handle.handle, REQUEST_STATE_HANDLE_BYTES);
    message_scan_again(&line, translated->line);
    translated->call = (struct call){.events = &call_events,
                                     .bytes = line.bytes,
                                     .id = line.id,
                                     .token = line.meta_token,
                                     .is_modern = true,
                                     .level = client->level};
    translated->is_followed = slice_exists(line.meta_token);
    client->shim = &translated->shim;
    client->state = CALL_RUNNING;
    return translated;
}

static void borrow(struct translated *translated)
{
    struct buffer initialize;
    struct buffer key;
    buffer_init(&initialize, 0);
    buffer_init(&key, 0);
    legacy_text_write_initialize(&initialize, translated->capabilities, world_of(translated)->version);
    translated->initialize = buffer_take(&initialize);
    legacy_text_write_key(&key, &translated->caller, translated->capabilities);
    translated->key = buffer_take(&key);
    translated->is_borrower = true;
    translated->loan = (struct loan){.key = translated->key,
                                     .initialize = translated->initialize,
                                     .environment = translated->caller.environment,
                                     .on_hub = on_hub,
                                     .on_failure = on_loan_failure};
    children_borrow(&translated->era->server->children, &translated->loan);
}

static void share(struct translated *translated, const struct caller *caller)
{
    struct hub *hub = server_shared_hub(translated->era->server, caller);
    if (hub == NULL) {
        fail_busy(translated, "Too many children of the server run");
        return;
    }
    hub_hold(hub);
    start(translated, hub);
}

void legacy_child_submit(struct era *era, struct call *call, const struct message *message, const struct caller *caller)
{
    bool may_ask = legacy_text_may_ask(message);
    if (legacy_text_is_of_tasks(message)) {
        call_answer_error(call, REPLY_METHOD_NOT_FOUND, "Method not found");
    } else if (may_ask && slice_exists(message->request_state)) {
        submit_again(era, call, message, caller);
    } else {
        struct translated *translated = make(era, call, message, caller);
        if (may_ask && !slice_is(translated->capabilities, "{}")) {
            borrow(translated);
        } else {
            share(translated, caller);
        }
    }
}

void legacy_child_drain(struct era *era)
{
    struct map_node *node;
    while ((node = map_any(&era->parked)) != NULL) {
        give_up(container_of(node, struct translated, by_handle));
    }
    LIST_FOR_EACH(link, &era->calls) {
        struct translated *translated = container_of(link, struct translated, link);
        if (translated->state == TRANSLATED_RUNNING) {
            timer_stop(world_of(translated)->timers, &translated->timer);
            questions_refuse(&translated->questions, &translated->hub->channel, draining);
        }
    }
}
