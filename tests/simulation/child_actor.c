#include "tests/simulation/child_actor.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/message.h"
#include "tests/simulation/client.h"
#include "tests/simulation/modern_server.h"
#include "tests/simulation/modern_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BACKOFF_MS = 100, FORGOTTEN_MS = 60 * 1000 };

static struct child_actor *from(struct actor *actor)
{
    return container_of(actor, struct child_actor, actor);
}

static struct simulation *simulation_of(const struct child_actor *child)
{
    return child->actor.simulation;
}

bool child_actor_is_well(const struct child_actor *child)
{
    return child->fake->state == FAKE_CHILD_UP && !child->fake->is_closing &&
           child->fake->restarts == child->restarts_seen;
}

/* ---- What it reads ---- */

struct child_work *child_actor_find_work(const struct child_actor *child, uint64_t wire_id)
{
    for (size_t i = 0; i < child->work_count; i++) {
        if (child->works[i].wire_id == wire_id) {
            return &child->works[i];
        }
    }
    return NULL;
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

struct child_work *child_actor_add_work(struct child_actor *child, const struct child_work *work)
{
    if (child->work_count % 16 == 0) {
        child->works = memory_resize(child->works, (child->work_count + 16) * sizeof(child->works[0]));
    }
    child->works[child->work_count] = *work;
    return &child->works[child->work_count++];
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

/* Who has read everything knows of every request that nobody waits for any more. */
static void read_all(struct child_actor *child)
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

static void act_read(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    size_t unread = fake_child_unread(child->fake);
    if (child->fake->is_full || unread == 0) {
        return;
    }
    if (simulation_chance(simulation, 50)) {
        read_all(child);
        return;
    }
    for (size_t count = simulation_below(simulation, unread) + 1; count > 0; count--) {
        read_line(child);
    }
}

/* ---- What it says ---- */

void words_init(struct words *words, const struct child_actor *child, enum saying_kind kind, struct request *request)
{
    struct simulation *simulation = simulation_of(child);
    buffer_init(&words->text, 0);
    words->hole = 0;
    words->saying = sayings_add(&simulation->sayings);
    words->saying->kind = kind;
    words->saying->child = (struct child_actor *)(uintptr_t)child;
    words->saying->process = child->fake->ups;
    words->saying->request = request;
    words->saying->step = simulation->step;
    words->saying->is_modern = child->is_modern;
}

void words_hole(struct words *words)
{
    words->hole = words->text.size;
}

void child_actor_say(struct child_actor *child, struct words *words, struct slice middle)
{
    struct buffer line;
    saying_set(words->saying, buffer_slice(&words->text), words->hole);
    buffer_init(&line, 0);
    buffer_add(&line, words->saying->before);
    buffer_add(&line, middle);
    buffer_add(&line, words->saying->after);
    buffer_release(&words->text);
    simulation_note(simulation_of(child), "child %u says %.*s", child->actor.number, SLICE_PRINT(buffer_slice(&line)));
    fake_child_say_bytes(child->fake, buffer_slice(&line));
    buffer_release(&line);
}

void child_actor_say_plain(struct child_actor *child, const char *line)
{
    simulation_note(simulation_of(child), "child %u says %s", child->actor.number, line);
    fake_child_say(child->fake, line);
}

static void say_handshake(struct child_actor *child)
{
    struct buffer line;
    if (child->is_modern) {
        modern_server_shake(child);
        return;
    }
    buffer_init(&line, 0);
    buffer_add_format(&line,
                      "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"protocolVersion\":\"%s\",\"capabilities\":"
                      "{\"logging\":{},\"resources\":{\"subscribe\":true},\"tools\":{\"listChanged\":true}},"
                      "\"serverInfo\":{\"name\":\"s\",\"version\":\"1\",\"opener\":%u}}}",
                      child->handshake_id, simulation_of(child)->profile.child_version,
                      child->opener != NULL ? child->opener->number : 0);
    buffer_add(&line, slice_of("", 1));
    child->is_asked_for_handshake = false;
    child->is_ready = true;
    child_actor_say_plain(child, line.data);
    buffer_release(&line);
}

static void act_shake(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    if (child->is_refusing) {
        modern_server_refuse(child);
        return;
    }
    if (!simulation_chance(simulation, simulation->profile.refuse_percent)) {
        say_handshake(child);
    } else if (simulation_chance(simulation, 30)) {
        char line[128];
        bool is_error = simulation_chance(simulation, 50);
        snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"%s\":{\"code\":-1,\"message\":\"no\"}}",
                 child->handshake_id, is_error ? "error" : "result");
        child_actor_say_plain(child, line);
    }
}

struct child_work *child_actor_pick_work(const struct child_actor *child, bool is_answered)
{
    struct child_work *picked = NULL;
    size_t seen = 0;
    for (size_t i = 0; i < child->work_count; i++) {
        if (child->works[i].is_answered == is_answered && !child->works[i].is_listen &&
            simulation_below(simulation_of(child), ++seen) == 0) {
            picked = &child->works[i];
        }
    }
    return picked;
}

/* The first answer while somebody wants one is the answer; any other must reach nobody. */
static void answer(struct child_actor *child, struct child_work *work)
{
    struct simulation *simulation = simulation_of(child);
    struct request *request = work->request;
    struct words words;
    char id[32];
    bool is_text = simulation_chance(simulation, 5);
    snprintf(id, sizeof(id), is_text ? "\"%" PRIu64 "\"" : "%" PRIu64, work->wire_id);
    words_init(&words, child, SAYING_ANSWER, request);
    buffer_add_text(&words.text, simulation_chance(simulation, 20) ? "{ \"id\" :" : "{\"jsonrpc\":\"2.0\",\"id\":");
    words_hole(&words);
    buffer_add_text(&words.text, slice_starts_with(buffer_slice(&words.text), "{ ") ? ",\"jsonrpc\":\"2.0\"," : ",");
    unsigned number = request != NULL ? request->number : 0;
    if (child->is_modern || (request != NULL && request->is_modern) || work->is_tool_list) {
        modern_server_write_answer(child, work, &words);
    } else if (work->will_fail) {
        buffer_add_format(&words.text,
                          "\"error\":{\"code\":-32000,\"message\":\"e\",\"data\":{\"m\":%u,\"secret\":\"R%u\"}}}",
                          words.saying->number, number);
    } else {
        bool is_task = request != NULL && request->kind == REQUEST_CALL &&
                       simulation_chance(simulation, simulation->profile.task_percent);
        buffer_add_format(&words.text, "\"result\":{%s", is_task ? "\"task\":{\"taskId\":" : "");
        buffer_add_format(&words.text, is_task ? "\"T%u\"}," : "", number);
        buffer_add_format(&words.text, "\"m\":%u,\"secret\":\"R%u\",\"n\":9007199254740993,\"z\":\"\\u0000\\/\"}}",
                          words.saying->number, number);
    }
    bool is_first = !work->is_answered;
    work->is_answered = true;
    if (is_first && request != NULL && request->answer == NULL && request->state != REQUEST_ENDED &&
        !words.saying->is_round && !(work->is_cancelled && (child->is_modern || request->is_modern))) {
        request->answer = words.saying;
    }
    child_actor_say(child, &words, slice_text(id));
}

static void act_answer(struct child_actor *child, bool is_again)
{
    struct child_work *work = child_actor_pick_work(child, is_again);
    if (child->is_asked_for_handshake) {
        act_shake(child);
    } else if (work != NULL) {
        answer(child, work);
    }
}

static void act_answer_nobody(struct child_actor *child)
{
    struct child_work work = {.wire_id = 1000000 + simulation_below(simulation_of(child), 10)};
    answer(child, &work);
}

static void act_progress(struct child_actor *child, bool is_for_nobody)
{
    struct simulation *simulation = simulation_of(child);
    const struct child_work *work = child_actor_pick_work(child, false);
    if (work == NULL || work->request == NULL) {
        return;
    }
    struct words words;
    char token[32];
    snprintf(token, sizeof(token), "%" PRIu64, is_for_nobody ? work->wire_id + 777777 : work->wire_id);
    words_init(&words, child, SAYING_PROGRESS, is_for_nobody ? NULL : work->request);
    buffer_add_text(&words.text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{");
    buffer_add_format(&words.text, "\"m\":%u,\"progress\":1e2,\"progressToken\":", words.saying->number);
    words_hole(&words);
    buffer_add_text(&words.text, simulation_chance(simulation, 50) ? ",\"x\":\"\\n\"}}" : "}}");
    child_actor_say(child, &words, slice_text(token));
}

/*
 * What is said about a request that was given up more than a minute ago may be taken for another's: the bridge does not
 * wait longer. So that is not said here.
 */
static void act_log(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    const struct child_work *work = child_actor_pick_work(child, false);
    if (work == NULL || work->request == NULL ||
        (work->request->state != REQUEST_OPEN && work->request->left_ms + FORGOTTEN_MS <= simulation_now(simulation))) {
        return;
    }
    struct words words;
    words_init(&words, child, SAYING_LOG, work->request);
    words.saying->argument = (unsigned)simulation_below(simulation, REQUEST_LEVELS);
    buffer_add_format(&words.text,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"m\":%u,\"level\":\"%s\","
                      "\"data\":1.0}}",
                      words.saying->number, request_level_name(words.saying->argument));
    words_hole(&words);
    child_actor_say(child, &words, slice_text(""));
}

/* What a lent child asks, it asks for the one that it works for. */
static struct request *asker_of(const struct child_actor *child)
{
    for (size_t i = 0; i < child->work_count && child->is_lent; i++) {
        if (!child->works[i].is_answered && child->works[i].request != NULL) {
            return child->works[i].request;
        }
    }
    return NULL;
}

void child_actor_add_question(struct child_actor *child, struct saying *question)
{
    if (child->question_count % 16 == 0) {
        child->questions = memory_resize(child->questions, (child->question_count + 16) * sizeof(child->questions[0]));
    }
    child->questions[child->question_count++] = question;
}

static void act_ask(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    struct words words;
    if (child->is_lent && asker_of(child) == NULL && fake_child_unread(child->fake) > 0) {
        return; /* It would be taken for a question of the request that it has not read. */
    }
    words_init(&words, child, SAYING_QUESTION, asker_of(child));
    struct saying *question = words.saying;
    question->method = simulation_chance(simulation, 50) ? "sampling/createMessage" : "elicitation/create";
    snprintf(question->child_id, sizeof(question->child_id), child->question_count % 2 ? "%zu" : "\"q%zu\"",
             child->question_count);
    /* Whoever asks and does not read is not heard. */
    question->may_be_lost = child->fake->is_full;
    child_actor_add_question(child, question);
    buffer_add_text(&words.text, "{\"jsonrpc\":\"2.0\",\"id\":");
    words_hole(&words);
    buffer_add_format(&words.text, ",\"method\":\"%s\",\"params\":{\"m\":%u}}", question->method, question->number);
    child_actor_say(child, &words, slice_text(question->child_id));
}

static void act_take_back(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    struct saying *question =
        child->question_count > 0 ? child->questions[simulation_below(simulation, child->question_count)] : NULL;
    /* Who has not read everything may have the answer already. */
    if (question == NULL || question->is_answered || child->is_shared || fake_child_unread(child->fake) > 0) {
        return;
    }
    struct words words;
    words_init(&words, child, SAYING_TAKE_BACK, NULL);
    buffer_add_format(&words.text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"m\":%u,",
                      words.saying->number);
    buffer_add_text(&words.text, "\"requestId\":");
    words_hole(&words);
    buffer_add_text(&words.text, "}}");
    question->is_answered = true;
    question->is_taken_back = true;
    child_actor_say(child, &words, slice_text(question->child_id));
}

static void act_change_lists(struct child_actor *child)
{
    struct words words;
    words_init(&words, child, SAYING_LIST_CHANGED, NULL);
    buffer_add_format(&words.text,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"m\":%u}}",
                      words.saying->number);
    words_hole(&words);
    child_actor_say(child, &words, slice_text(""));
}

static void act_update(struct child_actor *child)
{
    struct words words;
    words_init(&words, child, SAYING_UPDATED, NULL);
    words.saying->argument = (unsigned)simulation_below(simulation_of(child), REQUEST_URIS);
    buffer_add_format(&words.text,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\","
                      "\"params\":{\"uri\":\"u:/%u\",\"m\":%u}}",
                      words.saying->argument, words.saying->number);
    words_hole(&words);
    child_actor_say(child, &words, slice_text(""));
}

static void act_tell_task(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    if (simulation->requests.count == 0) {
        return;
    }
    struct words words;
    words_init(&words, child, SAYING_TASK_STATUS, NULL);
    words.saying->argument = 1 + (unsigned)simulation_below(simulation, simulation->requests.count);
    buffer_add_format(&words.text,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tasks/status\","
                      "\"params\":{\"taskId\":\"T%u\",\"m\":%u}}",
                      words.saying->argument, words.saying->number);
    words_hole(&words);
    child_actor_say(child, &words, slice_text(""));
}

static void act_say_other(struct child_actor *child)
{
    struct words words;
    words_init(&words, child, SAYING_OTHER, NULL);
    buffer_add_format(&words.text, "{\"method\":\"notifications/x\",\"params\":{\"m\":%u},\"jsonrpc\":\"2.0\"}",
                      words.saying->number);
    words_hole(&words);
    child_actor_say(child, &words, slice_text(""));
}

static void act_babble(struct child_actor *child)
{
    static const char *const lines[] = {
        "Server listening on stdio",
        "",
        "{",
        "[]",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"result\":{}}",
        "\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"?\"}}",
        "\xff\xfe",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":999}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"x\"}}"};
    child_actor_say_plain(child, lines[simulation_below(simulation_of(child), sizeof(lines) / sizeof(lines[0]))]);
}

/* ---- Its life ---- */

static void forget_process(struct child_actor *child)
{
    free(child->works);
    free(child->questions);
    child->works = NULL;
    child->questions = NULL;
    child->work_count = 0;
    child->question_count = 0;
    child->is_asked_for_handshake = false;
    child->is_ready = false;
    child->is_modern = child->is_probed = child->is_refusing = false;
    memset(child->is_subscribed, 0, sizeof(child->is_subscribed));
    child->level = REQUEST_LEVELS;
}

static void go_down(struct child_actor *child, uint64_t delivered)
{
    struct simulation *simulation = simulation_of(child);
    bool has_settled = child->fake->settles > child->settles_before;
    child->failures = has_settled ? 0 : child->failures + 1;
    child->settles_before = child->fake->settles;
    child->restarts_seen = child->fake->restarts;
    child->up_at_ms = simulation_now(simulation) + BACKOFF_MS;
    forget_process(child);
    simulation_note(simulation, "child %u ends, %" PRIu64 " of %" PRIu64 " bytes delivered, %u failures",
                    child->actor.number, delivered, child->fake->written, child->failures);
    fake_child_down(child->fake, "exited with status 3", delivered, child->failures);
}

/* What it has read was delivered; what it has not, maybe. */
void child_actor_crash(struct child_actor *child)
{
    const struct fake_child *fake = child->fake;
    uint64_t read = fake->lines_read > 0 ? fake->lines[fake->lines_read - 1].written_end : 0;
    uint64_t unread = fake->written - read;
    go_down(child, read + simulation_below(simulation_of(child), unread + 1));
}

static void start(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    if (simulation_now(simulation) < child->up_at_ms) {
        return;
    }
    if (simulation->phase == SIMULATION_STORM &&
        simulation_chance(simulation, simulation->profile.refuse_percent / 3)) {
        go_down(child, 0);
        return;
    }
    forget_process(child);
    simulation_note(simulation, "child %u starts", child->actor.number);
    child->up_step = simulation->step;
    fake_child_up(child->fake);
}

/* By now every question that was heard has an answer, if only that nobody could be asked. */
static void finish(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    if (child->fake->state == FAKE_CHILD_UP && child->fake->restarts == child->restarts_seen) {
        read_all(child);
        for (size_t i = 0; i < child->question_count; i++) {
            /* A child that is lent may be ended with the server before it is told that nobody answers. */
            bool may_be_open = child->is_lent && simulation->phase == SIMULATION_END;
            simulation_require(simulation,
                               child->questions[i]->is_answered || child->questions[i]->may_be_lost || may_be_open,
                               "question %u was never answered", child->questions[i]->number);
        }
    }
    forget_process(child);
    simulation_note(simulation, "child %u is finished", child->actor.number);
    fake_child_finish(child->fake);
}

static void act_when_up(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    enum child_act act = (enum child_act)simulation_pick(simulation, simulation->profile.child_acts, CHILD_ACT_COUNT);
    if (modern_server_acts(child, act)) {
        return;
    }
    switch (act) {
    case CHILD_READS:
        act_read(child);
        break;
    case CHILD_ANSWERS:
        act_answer(child, false);
        break;
    case CHILD_ANSWERS_AGAIN:
        act_answer(child, true);
        break;
    case CHILD_ANSWERS_NOBODY:
        act_answer_nobody(child);
        break;
    case CHILD_PROGRESSES:
        act_progress(child, false);
        break;
    case CHILD_PROGRESSES_FOR_NOBODY:
        act_progress(child, true);
        break;
    case CHILD_LOGS:
        act_log(child);
        break;
    case CHILD_ASKS:
        /* Before it knows in which era it is spoken to, it asks nothing. */
        if (!child->fake->is_closing && (child->is_ready || !simulation->profile.has_eras)) {
            act_ask(child);
        }
        break;
    case CHILD_TAKES_BACK:
        act_take_back(child);
        break;
    case CHILD_PINGS:
        child_actor_say_plain(child, "{\"jsonrpc\":\"2.0\",\"id\":\"ping\",\"method\":\"ping\"}");
        break;
    case CHILD_CHANGES_LISTS:
        act_change_lists(child);
        break;
    case CHILD_UPDATES:
        act_update(child);
        break;
    case CHILD_TELLS_TASK:
        act_tell_task(child);
        break;
    case CHILD_SAYS_OTHER:
        act_say_other(child);
        break;
    case CHILD_BABBLES:
        act_babble(child);
        break;
    case CHILD_FILLS:
        child->fake->is_full = true;
        break;
    case CHILD_DRAINS:
        fake_child_drain(child->fake);
        break;
    case CHILD_CRASHES:
        child_actor_crash(child);
        break;
    case CHILD_ACT_COUNT:
        break;
    }
}

static void act(struct actor *actor)
{
    struct child_actor *child = from(actor);
    struct simulation *simulation = simulation_of(child);
    bool must_end = child->fake->restarts > child->restarts_seen;
    if (child->fake->state == FAKE_CHILD_CLOSED) {
        return;
    }
    if (child->fake->is_closing && simulation_chance(simulation, 40)) {
        finish(child);
    } else if (child->fake->state == FAKE_CHILD_UP && must_end && simulation_chance(simulation, 50)) {
        child_actor_crash(child);
    } else if (child->fake->state == FAKE_CHILD_UP) {
        act_when_up(child);
    } else if (!child->fake->is_closing) {
        start(child);
    }
}

static bool settle_up(struct child_actor *child)
{
    bool is_busy = child->fake->is_full || fake_child_unread(child->fake) > 0;
    if (child->fake->is_full) {
        fake_child_drain(child->fake);
    }
    read_all(child);
    if (modern_server_settles(child)) {
        return true;
    }
    if (child->is_refusing) {
        modern_server_refuse(child);
        return true;
    }
    if (child->is_asked_for_handshake) {
        say_handshake(child);
        return true;
    }
    for (size_t i = 0; i < child->work_count; i++) {
        if (!child->works[i].is_answered && !child->works[i].is_cancelled && !child->works[i].is_listen) {
            answer(child, &child->works[i]);
            is_busy = true;
        }
    }
    return is_busy;
}

static bool settle(struct actor *actor)
{
    struct child_actor *child = from(actor);
    if (child->fake->state == FAKE_CHILD_CLOSED) {
        return false;
    }
    if (child->fake->is_closing) {
        finish(child);
    } else if (child->fake->state == FAKE_CHILD_DOWN) {
        start(child);
    } else if (child->fake->restarts > child->restarts_seen) {
        child_actor_crash(child);
    } else {
        return settle_up(child);
    }
    return true;
}

/* Whether a client's request was read and given up before its answer: then the bridge cannot know what came of it. */
static bool was_given_up(const struct child_work *work)
{
    return work->request != NULL && (work->request->answer == NULL || work->is_cancelled);
}

/* A level is certain all the same, unless the request went to an earlier process first. */
static bool is_level_uncertain(const struct child_actor *child)
{
    for (size_t i = 0; i < child->work_count; i++) {
        const struct child_work *work = &child->works[i];
        if (was_given_up(work) && work->request->kind == REQUEST_SET_LEVEL &&
            work->request->sent_step < child->up_step) {
            return true;
        }
    }
    return false;
}

/* What its sessions want to be told it tells. */
static void check_wishes(const struct child_actor *child, const struct conversation *conversation)
{
    struct simulation *simulation = simulation_of(child);
    for (unsigned uri = 0; uri < REQUEST_URIS; uri++) {
        simulation_require(simulation, !conversation_wants(conversation, uri) || child->is_subscribed[uri],
                           "session %u is subscribed to %u and its child is not", conversation->opener->number, uri);
    }
    simulation_require(simulation,
                       conversation->level == REQUEST_LEVELS || child->level <= conversation->level ||
                           is_level_uncertain(child),
                       "session %u set the level %u and its child has %u", conversation->opener->number,
                       conversation->level, child->level);
}

static void check_calm(struct actor *actor)
{
    const struct child_actor *child = from(actor);
    if (!child_actor_is_well(child) || !child->is_ready || child->is_modern) {
        return;
    }
    LIST_FOR_EACH(link, &simulation_of(child)->clients) {
        const struct conversation *conversation = client_conversation(container_of(link, struct actor, link));
        if (conversation != NULL && conversation_is_alive(conversation) &&
            (conversation->has_own_child ? conversation->opener == child->opener
                                         : child->is_shared && conversation->opener->credential == child->credential)) {
            check_wishes(child, conversation);
        }
    }
}

static void look(struct actor *actor)
{
    (void)actor;
}

static void leave(struct actor *actor)
{
    (void)actor;
}

static void free_child(struct actor *actor)
{
    struct child_actor *child = from(actor);
    forget_process(child);
    free(child);
}

const struct actor_kind child_actor_kind = {
    .name = "child",
    .act = act,
    .look = look,
    .settle = settle,
    .check_calm = check_calm,
    .leave = leave,
    .free = free_child,
};

struct child_actor *child_actor_new(struct simulation *simulation, struct fake_child *fake, unsigned number)
{
    struct child_actor *child = memory_new(sizeof(*child));
    child->actor = (struct actor){.kind = &child_actor_kind, .simulation = simulation, .number = number};
    child->fake = fake;
    child->level = REQUEST_LEVELS;
    for (const char *const *at = fake->command->environment; at != NULL && *at != NULL; at++) {
        child->credential = said_number(slice_text(*at), "KEY=k");
    }
    return child;
}
