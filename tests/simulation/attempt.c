#include "tests/simulation/attempt.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/message.h"
#include "tests/simulation/child_actor.h"
#include "tests/simulation/errors.h"
#include "tests/simulation/modern_client.h"
#include "tests/simulation/modern_text.h"

#include <stdio.h>
#include <stdlib.h>

static struct simulation *simulation_of(const struct attempt *attempt)
{
    return attempt->client->actor.simulation;
}

static unsigned client_of(const struct attempt *attempt)
{
    return attempt->client->actor.number;
}

static bool contains(struct slice text, const char *part)
{
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

void parked_release(struct parked *parked)
{
    memory_free_slice(&parked->state);
    *parked = (struct parked){.count = 0};
}

static void free_attempt(struct attempt *attempt)
{
    if (attempt->parked != NULL) {
        parked_release(attempt->parked);
        free(attempt->parked);
    }
    list_remove(&attempt->link);
    free(attempt);
}

static void end_request(const struct attempt *attempt)
{
    request_leave(attempt->request, REQUEST_ENDED, simulation_of(attempt)->step_began_ms);
}

/* ---- Questions ---- */

/* Whose question it is, and whether its client may be asked it. */
static void judge_question(const struct attempt *attempt, const struct saying *question, struct slice text)
{
    struct simulation *simulation = simulation_of(attempt);
    char expected[128];
    simulation_require(simulation, question != NULL && question->kind == SAYING_QUESTION, "nobody asked %.*s",
                       SLICE_PRINT(text));
    simulation_require(simulation, question->request == attempt->request,
                       "client %u was asked question %u, which is not of its request %u", client_of(attempt),
                       question->number, attempt->request->number);
    simulation_require(simulation, !question->is_taken_back && !question->is_answered,
                       "question %u was passed on too late", question->number);
    snprintf(expected, sizeof(expected), "{\"method\":\"%s\",\"params\":{\"m\":%u}}", question->method,
             question->number);
    simulation_require(simulation, slice_is(text, expected), "question %u was changed: %.*s", question->number,
                       SLICE_PRINT(text));
    size_t size = strcspn(question->method, "/");
    simulation_require(
        simulation,
        memmem(attempt->request->capabilities, strlen(attempt->request->capabilities), question->method, size) != NULL,
        "client %u was asked what it has not declared: %s", client_of(attempt), question->method);
}

static void judge_round(struct attempt *attempt, const struct message *message, bool is_translated)
{
    struct simulation *simulation = simulation_of(attempt);
    struct parked *parked = modern_client_park(attempt->client);
    struct slice requests = members_find(message->result, "inputRequests");
    struct slice state = members_find(message->result, "requestState");
    struct member member;
    simulation_require(simulation, slice_exists(requests) || slice_exists(state), "a round of nothing");
    parked->request = attempt->request;
    parked->is_translated = is_translated;
    parked->parked_ms = simulation->step_began_ms; /* or later */
    if (slice_exists(state)) {
        parked->state = memory_copy(state);
    }
    while (members_next(&requests, &member) && parked->count < ATTEMPT_QUESTIONS) {
        struct saying *question = sayings_find(&simulation->sayings, member.value);
        judge_question(attempt, question, member.value);
        snprintf(parked->keys[parked->count], sizeof(parked->keys[0]), "%.*s", SLICE_PRINT(member.key));
        parked->questions[parked->count++] = question;
    }
    simulation_require(simulation, !is_translated || parked->count > 0, "a round without a question");
    request_leave(attempt->request, REQUEST_LEFT, simulation->step_began_ms);
}

/* ---- Answers ---- */

static void judge_childs_answer(struct attempt *attempt, const struct message *message, const struct saying *saying)
{
    struct simulation *simulation = simulation_of(attempt);
    struct request *request = attempt->request;
    struct buffer expected;
    simulation_require(simulation, saying->kind == SAYING_ANSWER && saying->request == request,
                       "request %u was given what is not its answer: %.*s", request->number,
                       SLICE_PRINT(message->bytes));
    simulation_require(simulation, saying->is_round || request->answer == saying,
                       "request %u was given an answer too late or a second one", request->number);
    simulation_require(simulation, !saying->is_misshapen, "a result of the wrong shape reached request %u",
                       request->number);
    buffer_init(&expected, 0);
    if (saying->is_modern) {
        buffer_add(&expected, saying->before);
        buffer_add_text(&expected, attempt->id);
        buffer_add(&expected, saying->after);
    } else {
        modern_text_write_answer(saying, request, attempt->id, &expected);
    }
    simulation_require(simulation, slice_equals(buffer_slice(&expected), message->bytes),
                       "request %u was given a changed answer: %.*s", request->number, SLICE_PRINT(message->bytes));
    buffer_release(&expected);
    if (saying->is_round) {
        judge_round(attempt, message, false);
    } else {
        end_request(attempt);
    }
}

static bool is_refusal_of_state(const struct message *message)
{
    return message->kind == MESSAGE_ERROR && (contains(message->error, "requestState is not valid") ||
                                              contains(message->error, "requestState has expired"));
}

/* Who comes again in time, and is who was asked, is let in. */
static void judge_expiry(const struct attempt *attempt, const struct message *message)
{
    struct simulation *simulation = simulation_of(attempt);
    uint64_t timeout_ms = simulation->profile.settings.callback_timeout_ms;
    simulation_require(simulation,
                       attempt->parked != NULL && contains(message->error, "requestState has expired") &&
                           (simulation->phase == SIMULATION_END ||
                            (timeout_ms > 0 && simulation_now(simulation) >= attempt->parked->parked_ms + timeout_ms)),
                       "request %u came again in time, and was refused", attempt->request->number);
}

static bool is_crowded(const struct message *message)
{
    return contains(message->error, "Too many requests in flight") || contains(message->error, "Too many children");
}

/* It was not looked at, and can be sent once more. */
static void park_again(struct attempt *attempt)
{
    *modern_client_park(attempt->client) = *attempt->parked;
    free(attempt->parked);
    attempt->parked = NULL;
    request_leave(attempt->request, REQUEST_LEFT, simulation_of(attempt)->step_began_ms);
}

static void judge_own_error(struct attempt *attempt, const struct message *message)
{
    struct simulation *simulation = simulation_of(attempt);
    if (attempt->is_header_wrong && contains(message->error, "-32020")) {
        if (attempt->parked != NULL) {
            park_again(attempt);
        } else {
            end_request(attempt);
        }
    } else if (is_refusal_of_state(message)) {
        judge_expiry(attempt, message);
        end_request(attempt);
    } else if (attempt->parked != NULL && is_crowded(message)) {
        park_again(attempt);
    } else {
        errors_judge(simulation, attempt->request, message);
        end_request(attempt);
    }
}

static void judge_own_result(struct attempt *attempt, const struct message *message)
{
    struct simulation *simulation = simulation_of(attempt);
    bool is_discover = strcmp(attempt->request->method, "server/discover") == 0;
    bool is_listen = attempt->purpose == ATTEMPT_LISTEN;
    simulation_require(simulation,
                       (is_discover && contains(message->result, "\"supportedVersions\":[\"2026-07-28\"]")) ||
                           (is_listen && slice_is(message->result_subscription, attempt->id)),
                       "the bridge answered request %u: %.*s", attempt->request->number, SLICE_PRINT(message->bytes));
    /* A subscription ends with its child, or with who does not read. */
    end_request(attempt);
}

static void judge_answer(struct attempt *attempt, const struct message *message)
{
    struct simulation *simulation = simulation_of(attempt);
    const struct saying *saying = sayings_find(&simulation->sayings, message->bytes);
    /* A bridge that shuts down refuses before it has read what it is asked. */
    bool is_unread = attempt->exchange->status == 503 && simulation->phase == SIMULATION_END;
    simulation_require(
        simulation,
        (slice_is(message->id, attempt->id) || (is_unread && slice_is(message->id, "null"))) && !attempt->is_answered,
        "client %u asked nothing that this answers: %.*s", client_of(attempt), SLICE_PRINT(message->bytes));
    attempt->is_answered = true;
    if (attempt->purpose == ATTEMPT_FORGERY) {
        simulation_require(simulation, message->kind == MESSAGE_ERROR && saying == NULL, "client %u got in with %.*s",
                           client_of(attempt), SLICE_PRINT(message->bytes));
    } else if (saying != NULL && saying->kind == SAYING_QUESTION) {
        simulation_require(simulation, slice_is(message->result_type, "\"input_required\""),
                           "a question in an answer: %.*s", SLICE_PRINT(message->bytes));
        judge_round(attempt, message, true);
    } else if (saying != NULL) {
        judge_childs_answer(attempt, message, saying);
    } else if (message->kind == MESSAGE_ERROR) {
        judge_own_error(attempt, message);
    } else {
        judge_own_result(attempt, message);
    }
}

/* ---- What comes before ---- */

static void judge_change(struct attempt *attempt, const struct message *message, const struct saying *saying)
{
    struct simulation *simulation = simulation_of(attempt);
    struct buffer expected;
    buffer_init(&expected, 0);
    if (!attempt->is_acknowledged) {
        simulation_require(simulation, message_is(message, "notifications/subscriptions/acknowledged"),
                           "a subscription begins with %.*s", SLICE_PRINT(message->bytes));
        attempt->is_acknowledged = true;
    } else if (saying == NULL) {
        simulation_require(simulation, attempt->wants_tools && message_is(message, "notifications/tools/list_changed"),
                           "nobody said %.*s", SLICE_PRINT(message->bytes));
    } else {
        bool is_right = saying->kind == SAYING_LIST_CHANGED
                            ? attempt->wants_tools
                            : saying->kind == SAYING_UPDATED && attempt->wants_uri[saying->argument];
        simulation_require(simulation, is_right && saying->child->credential == attempt->client->credential,
                           "a subscription of client %u was told what is not for it: saying %u", client_of(attempt),
                           saying->number);
        if (saying->is_modern) {
            simulation_require(simulation, saying->request == attempt->request, "the subscription of another");
            buffer_add(&expected, saying->before);
            buffer_add_text(&expected, attempt->id);
            buffer_add(&expected, saying->after);
        } else {
            modern_text_write_change(saying, attempt->id, &expected);
        }
        simulation_require(simulation, slice_equals(buffer_slice(&expected), message->bytes),
                           "saying %u was changed: %.*s", saying->number, SLICE_PRINT(message->bytes));
    }
    simulation_require(simulation, slice_is(message->meta_subscription, attempt->id), "no subscription's: %.*s",
                       SLICE_PRINT(message->bytes));
    buffer_release(&expected);
}

static void judge_note(const struct attempt *attempt, const struct message *message, const struct saying *saying)
{
    struct simulation *simulation = simulation_of(attempt);
    const struct request *request = attempt->request;
    simulation_require(simulation, saying != NULL && saying->request == request && !attempt->is_answered,
                       "client %u was told what is not about its request %u: %.*s", client_of(attempt), request->number,
                       SLICE_PRINT(message->bytes));
    bool is_log = saying->kind == SAYING_LOG && saying->argument >= request->level;
    bool is_progress = saying->kind == SAYING_PROGRESS && attempt->token[0] != '\0';
    simulation_require(simulation, is_log || is_progress, "client %u was told what it did not ask for: %.*s",
                       client_of(attempt), SLICE_PRINT(message->bytes));
    simulation_require(simulation, saying_is(saying, message->bytes, slice_text(is_log ? "" : attempt->token)),
                       "saying %u was changed: %.*s", saying->number, SLICE_PRINT(message->bytes));
}

static void judge_bytes(struct attempt *attempt, struct slice bytes)
{
    struct simulation *simulation = simulation_of(attempt);
    struct message message;
    simulation_require(simulation, message_scan_whole(&message, bytes) == MESSAGE_FAULT_NONE, "no message: %.*s",
                       SLICE_PRINT(bytes));
    switch (message.kind) {
    case MESSAGE_REQUEST:
        simulation_fail(simulation, "client %u was sent a request: %.*s", client_of(attempt), SLICE_PRINT(bytes));
        break;
    case MESSAGE_NOTIFICATION:
        simulation_require(simulation, attempt->purpose != ATTEMPT_FORGERY, "a forgery was told %.*s",
                           SLICE_PRINT(bytes));
        if (attempt->purpose == ATTEMPT_LISTEN) {
            judge_change(attempt, &message, sayings_find(&simulation->sayings, bytes));
        } else {
            judge_note(attempt, &message, sayings_find(&simulation->sayings, bytes));
        }
        break;
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        judge_answer(attempt, &message);
        break;
    }
}

/* ---- The exchange ---- */

static void judge_event(struct attempt *attempt, size_t index)
{
    const struct fake_exchange *exchange = attempt->exchange;
    simulation_note(simulation_of(attempt), "client %u is sent: %s", client_of(attempt), exchange->events[index]);
    simulation_require(simulation_of(attempt), exchange->event_ids[index][0] == '\0', "an event with an id");
    judge_bytes(attempt, slice_text(exchange->events[index]));
}

static void judge_end(struct attempt *attempt)
{
    struct fake_exchange *exchange = attempt->exchange;
    struct simulation *simulation = simulation_of(attempt);
    if (exchange->state == FAKE_EXCHANGE_ANSWERED) {
        simulation_note(simulation, "client %u is answered %d %.*s", client_of(attempt), exchange->status,
                        SLICE_PRINT(buffer_slice(&exchange->answer)));
        judge_bytes(attempt, buffer_slice(&exchange->answer));
        simulation_require(simulation,
                           exchange->status == 200 || exchange->status == 400 || exchange->status == 404 ||
                               exchange->status == 503,
                           "client %u was answered with %d", client_of(attempt), exchange->status);
    }
    simulation_require(simulation, attempt->is_answered, "request %u was left without an answer",
                       attempt->request->number);
}

void attempt_look(struct attempt *attempt)
{
    const struct request *request = attempt->request;
    while (attempt->judged < attempt->exchange->event_count) {
        judge_event(attempt, attempt->judged++);
    }
    if (!attempt->is_slow) {
        attempt_read(attempt);
    }
    if (fake_exchange_has_ended(attempt->exchange)) {
        judge_end(attempt);
        free_attempt(attempt);
    } else {
        /* Who comes again may wait until it is known which headers its tool wants. */
        bool may_wait = attempt->parked != NULL && strcmp(request->method, "tools/call") == 0;
        simulation_require(simulation_of(attempt),
                           attempt->purpose == ATTEMPT_FORGERY || may_wait || request->answer == NULL ||
                               request->state == REQUEST_ENDED,
                           "the answer to request %u was lost", request->number);
    }
}

void attempt_read(struct attempt *attempt)
{
    struct fake_exchange *exchange = attempt->exchange;
    bool was_full = exchange->queued > 0;
    exchange->queued = 0;
    if (was_full && !fake_exchange_has_ended(exchange) && exchange->exchange.on_drained != NULL) {
        exchange->exchange.on_drained(&exchange->exchange);
    }
}

/* A call that its client leaves is over; one that waits for its client is not. */
static size_t count_translated(const struct attempt *attempt)
{
    size_t count = 0;
    LIST_FOR_EACH(link, &simulation_of(attempt)->streamable.era.calls) {
        count++;
    }
    return count;
}

void attempt_cut(struct attempt *attempt)
{
    simulation_note(simulation_of(attempt), "client %u cuts the connection of request %u", client_of(attempt),
                    attempt->request->number);
    size_t calls = count_translated(attempt);
    fake_exchange_vanish(attempt->exchange);
    bool was_let_in = count_translated(attempt) < calls;
    if (attempt->parked != NULL && attempt->parked->is_translated && !was_let_in) {
        park_again(attempt);
    } else if (attempt->purpose != ATTEMPT_FORGERY) {
        end_request(attempt);
    }
    free_attempt(attempt);
}
