#include "tests/simulation/child_hearing.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/message.h"
#include "tests/simulation/client.h"
#include "tests/simulation/modern_server.h"
#include "tests/simulation/modern_text.h"

#include <stdio.h>

static struct simulation *simulation_of(const struct child_actor *child)
{
    return child->actor.simulation;
}

/* The request came byte for byte, with the wire id in the place of its id and of its token. */
static void check_bytes(const struct child_actor *child, const struct request *request, struct slice line,
                        struct slice wire_id)
{
    char id[32];
    struct buffer expected;
    buffer_init(&expected, 0);
    snprintf(id, sizeof(id), "%.*s", SLICE_PRINT(wire_id));
    request_write(request, &expected, id, request->token[0] != '\0' ? id : "", true);
    simulation_require(simulation_of(child), slice_equals(buffer_slice(&expected), line),
                       "request %u reached a child changed: %.*s", request->number, SLICE_PRINT(line));
    buffer_release(&expected);
}

static void check_owner(const struct child_actor *child, const struct request *request)
{
    struct simulation *simulation = simulation_of(child);
    const struct conversation *conversation = request->conversation;
    simulation_require(simulation, request->credential == child->credential,
                       "request %u was given to a child with the credential %u", request->number, child->credential);
    if (child->is_shared) {
        simulation_require(simulation, conversation == NULL || !conversation->has_own_child,
                           "request %u is for a child of its own and reached the shared one", request->number);
    } else {
        /* Over HTTP+SSE the answer to initialize may have been too much for a slow reader. */
        bool is_opener = conversation != NULL &&
                         (conversation->opener == child->opener || child->opener->conversation == conversation);
        simulation_require(simulation, is_opener, "request %u reached the child of another session", request->number);
    }
    if (request->kind == REQUEST_TASK && child->is_shared) {
        const struct request *task = simulation->requests.all[request->argument - 1];
        simulation_require(simulation, task->conversation == conversation,
                           "request %u is about the task of another session", request->number);
    }
}

/* A server that refuses has done nothing. */
static void obey(struct child_actor *child, const struct message *message)
{
    uint32_t uri = said_number(message->uri, "/");
    if (message_is(message, "resources/subscribe")) {
        child->is_subscribed[uri] = true;
    } else if (message_is(message, "resources/unsubscribe")) {
        child->is_subscribed[uri] = false;
    } else if (message_is(message, "logging/setLevel")) {
        child->level = request_level(json_string_inside(message->level));
    }
}

/* A child that is lent works for one at a time, and for nobody who might be asked other things. */
static void check_borrower(struct child_actor *child, struct request *request)
{
    struct simulation *simulation = simulation_of(child);
    struct request *last = child->borrower;
    for (size_t i = 0; i < child->work_count; i++) {
        simulation_require(simulation, child->works[i].is_answered || child->works[i].request == NULL,
                           "request %u reached a lent child that is at work for another", request->number);
    }
    simulation_require(simulation, strcmp(child->capabilities, request->capabilities) == 0,
                       "request %u reached a child that may ask %s", request->number, child->capabilities);
    simulation_require(simulation, last == NULL || last->principal == request->principal,
                       "request %u reached a child that is lent to another", request->number);
    child->borrower = request;
}

/* The call of a client of the modern era, translated. */
static void check_translated(struct child_actor *child, struct request *request, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    struct buffer expected;
    char id[32];
    bool may_ask = strcmp(request->method, "tools/call") == 0 || strcmp(request->method, "prompts/get") == 0 ||
                   strcmp(request->method, "resources/read") == 0;
    bool may_be_asked = may_ask && strcmp(request->capabilities, "{}") != 0;
    snprintf(id, sizeof(id), "%.*s", SLICE_PRINT(message->id));
    buffer_init(&expected, 0);
    modern_text_write_legacy(request, &expected, id, request->token[0] != '\0' ? id : "");
    simulation_require(simulation, slice_equals(buffer_slice(&expected), message->bytes),
                       "request %u was translated wrongly: %.*s", request->number, SLICE_PRINT(message->bytes));
    buffer_release(&expected);
    simulation_require(simulation, request->credential == child->credential,
                       "request %u was given to a child with the credential %u", request->number, child->credential);
    simulation_require(simulation, may_be_asked ? child->is_lent : child->is_shared,
                       "request %u reached a child of the wrong kind", request->number);
    if (child->is_lent) {
        check_borrower(child, request);
    }
}

static void read_request(struct child_actor *child, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    struct request *request = requests_find(&simulation->requests, message->bytes);
    struct child_work work = {.request = request};
    simulation_require(simulation, json_parse_id(message->id, &work.wire_id), "a wire id that is no number");
    if (request != NULL) {
        if (request->is_modern) {
            check_translated(child, request, message);
        } else {
            check_bytes(child, request, message->bytes, message->id);
            check_owner(child, request);
        }
        simulation_require(simulation, request->reads++ == 0, "request %u reached a child twice", request->number);
        work.will_fail = simulation_chance(simulation, simulation->profile.error_percent);
    }
    if (!work.will_fail) {
        obey(child, message);
    }
    work.is_tool_list = request == NULL && message_is(message, "tools/list");
    (void)child_actor_add_work(child, &work);
}

static void read_initialize(struct child_actor *child, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    struct request *request = requests_find(&simulation->requests, message->bytes);
    simulation_require(simulation, !child->is_asked_for_handshake && !child->is_ready, "initialize came twice");
    simulation_require(simulation, json_parse_id(message->id, &child->handshake_id), "a wire id that is no number");
    bool is_shared = request == NULL && slice_is(message->capabilities, "{}");
    simulation_require(simulation, !child->has_purpose || child->is_shared == is_shared,
                       "initialize of the wrong kind");
    child->has_purpose = true;
    child->is_shared = is_shared;
    child->is_lent = request == NULL && !is_shared;
    if (child->is_lent) {
        snprintf(child->capabilities, sizeof(child->capabilities), "%.*s", SLICE_PRINT(message->capabilities));
    }
    if (request != NULL) {
        check_bytes(child, request, message->bytes, message->id);
        simulation_require(simulation, child->opener == NULL || child->opener == request,
                           "a child of a session's own was given to another");
        simulation_require(simulation, request->credential == child->credential, "a child with the credential %u",
                           child->credential);
        child->opener = request;
    }
    child->is_asked_for_handshake = true;
}

static void read_cancelled(struct child_actor *child, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    uint64_t wire_id = 0;
    struct child_work *work =
        json_parse_id(message->request_id, &wire_id) ? child_actor_find_work(child, wire_id) : NULL;
    simulation_require(simulation, work != NULL && work->request != NULL, "cancelled names no request: %.*s",
                       SLICE_PRINT(message->bytes));
    simulation_require(simulation,
                       work->request->state != REQUEST_OPEN || work->request->was_cancelled ||
                           work->request->is_in_batch ||
                           slice_exists(work->request->again), /* what was given up while it was parked */
                       "request %u was cancelled and still runs", work->request->number);
    simulation_require(simulation, !work->is_cancelled, "request %u was cancelled twice", work->request->number);
    work->is_cancelled = true;
}

static void read_notification(struct child_actor *child, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    if (message_is(message, "notifications/cancelled")) {
        read_cancelled(child, message);
        return;
    }
    const struct request *opener = requests_find(&simulation->requests, message->bytes);
    if (opener != NULL && !child->is_shared) {
        simulation_require(simulation, opener == child->opener, "a notification reached the child of another session");
    }
}

/* An answer to what it asked: to be had once, by the one it asked, and not after it took the question back. */
static void read_answer(struct child_actor *child, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    for (size_t i = 0; i < child->question_count; i++) {
        struct saying *question = child->questions[i];
        if (question->is_answered || !slice_is(message->id, question->child_id)) {
            continue;
        }
        uint32_t number = said_number(message->bytes, "\"q\":");
        simulation_require(simulation, number == 0 || !child->is_lent || question->was_told,
                           "question %u was answered by nobody", question->number);
        if (number > 0) {
            struct buffer expected;
            buffer_init(&expected, 0);
            client_write_answer(&expected, number, question->child_id);
            simulation_require(simulation,
                               number == question->number && slice_equals(buffer_slice(&expected), message->bytes),
                               "question %u was given the answer %.*s", question->number, SLICE_PRINT(message->bytes));
            buffer_release(&expected);
        } else {
            simulation_require(simulation, message->kind == MESSAGE_ERROR, "question %u: no client said %.*s",
                               question->number, SLICE_PRINT(message->bytes));
        }
        question->is_answered = true;
        return;
    }
    simulation_require(simulation, slice_is(message->id, "\"ping\""), "an answer to nothing asked: %.*s",
                       SLICE_PRINT(message->bytes));
}

static void read_line(struct child_actor *child)
{
    struct message message;
    struct slice line = slice_text(fake_child_take(child->fake));
    simulation_note(simulation_of(child), "child %u reads %.*s", child->actor.number, SLICE_PRINT(line));
    if (message_scan_whole(&message, line) != MESSAGE_FAULT_NONE) {
        simulation_fail(simulation_of(child), "a line is no message");
    }
    if (modern_server_reads(child, &message)) {
        return;
    }
    switch (message.kind) {
    case MESSAGE_REQUEST:
        if (message_is(&message, "initialize")) {
            read_initialize(child, &message);
        } else {
            read_request(child, &message);
        }
        break;
    case MESSAGE_NOTIFICATION:
        read_notification(child, &message);
        break;
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        read_answer(child, &message);
        break;
    }
}

void child_hearing_read_all(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    while (fake_child_unread(child->fake) > 0) {
        read_line(child);
    }
    for (size_t i = 0; i < child->work_count && child_actor_is_well(child); i++) {
        const struct child_work *work = &child->works[i];
        simulation_require(simulation,
                           work->request == NULL || work->is_answered || work->is_cancelled ||
                               work->request->state != REQUEST_ENDED,
                           "request %u is over and its child was not told", work->request->number);
    }
}

void child_hearing_read_some(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    size_t unread = fake_child_unread(child->fake);
    if (child->fake->is_full || unread == 0) {
        return;
    }
    if (simulation_chance(simulation, 50)) {
        child_hearing_read_all(child);
        return;
    }
    for (size_t count = simulation_below(simulation, unread) + 1; count > 0; count--) {
        read_line(child);
    }
}
