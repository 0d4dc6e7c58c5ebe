#include "tests/simulation/visit.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/batch.h"
#include "bridge/jsonrpc/json.h"
#include "tests/simulation/child_actor.h"
#include "tests/simulation/client.h"
#include "tests/simulation/errors.h"

#include <stdio.h>
#include <stdlib.h>

static struct simulation *simulation_of(const struct visit *visit)
{
    return visit->client->actor.simulation;
}

bool visit_is_open(const struct visit *visit)
{
    return !fake_exchange_has_ended(visit->exchange);
}

bool visit_has_unread(const struct visit *visit)
{
    return visit->read < visit->exchange->event_count;
}

bool visit_has_history(const struct visit *visit)
{
    return visit->last_id[0] != '\0' &&
           (visit->kind == VISIT_POST || visit->kind == VISIT_RESUME || visit->kind == VISIT_LISTEN);
}

/* ---- Answers ---- */

static bool is_waiting(const struct visit *visit, const struct request *request)
{
    if (visit->kind == VISIT_SSE) {
        return request->conversation == visit->conversation;
    }
    for (size_t i = 0; i < visit->request_count; i++) {
        if (visit->requests[i] == request) {
            return true;
        }
    }
    return false;
}

/* The open request that an answer without a secret is for: any of those with its id. */
static struct request *find_by_id(const struct visit *visit, struct slice id, const char *event_id)
{
    const struct requests *requests = &simulation_of(visit)->requests;
    bool is_sse = visit->kind == VISIT_SSE;
    size_t count = is_sse ? requests->count : visit->request_count;
    for (size_t i = 0; i < count; i++) {
        struct request *request = is_sse ? requests->all[i] : visit->requests[i];
        bool is_again = event_id[0] != '\0' && strcmp(request->event_id, event_id) == 0;
        if (is_waiting(visit, request) && slice_is(id, request->id) && (request->state != REQUEST_ENDED || is_again)) {
            return request;
        }
    }
    return NULL;
}

/* Whether an unsubscribe that never ran has changed anything is not for the client to know. */
static void note_failure(const struct request *request)
{
    struct conversation *conversation = request->conversation;
    if (conversation != NULL && request->kind == REQUEST_UNSUBSCRIBE &&
        request->sent_step == conversation->unsubscribe_step[request->argument]) {
        conversation->is_unsure[request->argument] = true;
    }
}

/* What was granted counts from now on. */
static void note_grant(struct request *request, const struct message *message)
{
    struct conversation *conversation = request->conversation;
    bool is_granted = message->kind == MESSAGE_RESULT;
    if (conversation == NULL) {
        return;
    }
    if (request->kind == REQUEST_SUBSCRIBE && request->sent_step == conversation->subscribe_step[request->argument]) {
        conversation->is_subscribed[request->argument] = is_granted;
    }
    if (!is_granted && request->reads == 0) {
        note_failure(request);
    }
    if (request->kind == REQUEST_SET_LEVEL && request->sent_step == conversation->level_step) {
        conversation->level = is_granted ? request->argument : REQUEST_LEVELS;
    }
}

/* It was sent before, on a connection that broke: then it is the same event again. */
static void check_again(const struct visit *visit, const struct request *request, struct slice bytes,
                        const char *event_id)
{
    simulation_require(simulation_of(visit),
                       event_id[0] != '\0' && visit->kind == VISIT_RESUME && strcmp(event_id, request->event_id) == 0 &&
                           slice_equals(bytes, request->sent),
                       "request %u was answered twice: %.*s", request->number, SLICE_PRINT(bytes));
}

static void end_request(const struct visit *visit, struct request *request, const struct message *message,
                        const char *event_id)
{
    if (request->state == REQUEST_ENDED) {
        check_again(visit, request, message->bytes, event_id);
        return;
    }
    note_grant(request, message);
    request_leave(request, REQUEST_ENDED, simulation_of(visit)->step_began_ms);
    request->sent = memory_copy(message->bytes);
    snprintf(request->event_id, sizeof(request->event_id), "%s", event_id);
}

static void judge_childs_answer(const struct visit *visit, const struct message *message, const struct saying *saying,
                                const char *event_id)
{
    struct simulation *simulation = simulation_of(visit);
    struct request *request = saying->request;
    simulation_require(simulation, saying->kind == SAYING_ANSWER && request != NULL, "no answer: %.*s",
                       SLICE_PRINT(message->bytes));
    simulation_require(simulation, is_waiting(visit, request), "request %u was answered to somebody else: client %u",
                       request->number, visit->client->actor.number);
    simulation_require(simulation, saying_is(saying, message->bytes, slice_text(request->id)),
                       "request %u was given a changed answer: %.*s", request->number, SLICE_PRINT(message->bytes));
    simulation_require(simulation, request->answer == saying, "request %u was given an answer too late or a second one",
                       request->number);
    simulation_require(simulation, !saying->is_misshapen, "request %u was given a result of no shape", request->number);
    end_request(visit, request, message, event_id);
}

/* A batch that is refused as a whole is answered with one error that names no id. */
static bool is_batch_refusal(const struct visit *visit, const struct message *message)
{
    if (!visit->is_batch || message->kind != MESSAGE_ERROR || !slice_is(message->id, "null")) {
        return false;
    }
    for (size_t i = 0; i < visit->request_count; i++) {
        errors_judge(simulation_of(visit), visit->requests[i], message);
        request_leave(visit->requests[i], REQUEST_ENDED, simulation_of(visit)->step_began_ms);
    }
    return true;
}

static void judge_own_answer(const struct visit *visit, const struct message *message, const char *event_id)
{
    struct simulation *simulation = simulation_of(visit);
    if (is_batch_refusal(visit, message)) {
        return;
    }
    struct request *request = find_by_id(visit, message->id, event_id);
    simulation_require(simulation, request != NULL, "an answer to nothing that client %u asked: %.*s",
                       visit->client->actor.number, SLICE_PRINT(message->bytes));
    if (message->kind == MESSAGE_ERROR) {
        errors_judge(simulation, request, message);
    } else if (request->kind == REQUEST_INITIALIZE) {
        client_take_handshake(visit, request, message);
    } else {
        bool may_be = request->kind == REQUEST_SUBSCRIBE || request->kind == REQUEST_UNSUBSCRIBE ||
                      request->kind == REQUEST_SET_LEVEL;
        may_be &= slice_is(message->result, "{}");
        may_be |=
            request->was_asked && memmem(message->bytes.data, message->bytes.size, "\"isError\":true", 14) != NULL;
        simulation_require(simulation, may_be, "the bridge answered request %u: %.*s", request->number,
                           SLICE_PRINT(message->bytes));
    }
    end_request(visit, request, message, event_id);
}

/* ---- What belongs to no answer ---- */

static bool is_session_stream(const struct visit *visit)
{
    return visit->kind == VISIT_LISTEN || visit->kind == VISIT_SSE;
}

/* Whose words may come here at all. */
static void judge_source(const struct visit *visit, const struct saying *saying)
{
    struct simulation *simulation = simulation_of(visit);
    const struct child_actor *child = saying->child;
    const struct conversation *conversation = visit->conversation;
    bool has_own = conversation != NULL && conversation->has_own_child;
    simulation_require(simulation, child->credential == visit->client->credential,
                       "client %u was told what a child with the credential %u said", visit->client->actor.number,
                       child->credential);
    if (saying->is_modern) {
        return; /* It says to which request it belongs. */
    }
    simulation_require(simulation, child->is_shared ? !has_own : has_own && conversation->opener == child->opener,
                       "client %u was told what child %u said", visit->client->actor.number, child->actor.number);
}

static void judge_level(const struct visit *visit, const struct saying *saying)
{
    const struct conversation *conversation = visit->conversation;
    simulation_require(simulation_of(visit),
                       conversation == NULL || conversation->level == REQUEST_LEVELS ||
                           saying->step < conversation->level_step || saying->argument >= conversation->level,
                       "client %u was told a log message below its level", visit->client->actor.number);
}

static bool may_have_own_modern(const struct visit *visit, const struct saying *saying)
{
    return saying->is_modern && visit->conversation != NULL && visit->conversation->has_own_child;
}

static void judge_shared(const struct visit *visit, const struct saying *saying)
{
    struct simulation *simulation = simulation_of(visit);
    const struct requests *requests = &simulation->requests;
    bool is_right = false;
    switch (saying->kind) {
    case SAYING_PROGRESS:
    case SAYING_LOG:
        is_right = (saying->request != NULL && is_waiting(visit, saying->request)) ||
                   (saying->kind == SAYING_LOG && may_have_own_modern(visit, saying));
        break;
    case SAYING_LIST_CHANGED:
        is_right = is_session_stream(visit) || may_have_own_modern(visit, saying);
        break;
    case SAYING_UPDATED:
        is_right = (is_session_stream(visit) || may_have_own_modern(visit, saying)) &&
                   conversation_may_hear(visit->conversation, saying);
        break;
    case SAYING_TASK_STATUS:
        is_right = is_session_stream(visit) && requests->all[saying->argument - 1]->conversation == visit->conversation;
        break;
    case SAYING_ANSWER:
    case SAYING_QUESTION:
    case SAYING_TAKE_BACK:
    case SAYING_OTHER:
        break;
    }
    simulation_require(simulation, is_right, "client %u was told what is not for it: saying %u",
                       visit->client->actor.number, saying->number);
}

/* What a child of the modern era says to the bridge's own subscription: without what names that. */
static bool is_of_watch(const struct saying *saying, struct slice bytes)
{
    static const char meta[] = ",\"_meta\"";
    const char *at = memmem(saying->before.data, saying->before.size, meta, sizeof(meta) - 1);
    size_t size = at != NULL ? (size_t)(at - saying->before.data) : 0;
    return saying->is_modern && saying->request == NULL && at != NULL && bytes.size == size + 2 &&
           slice_starts_with(slice_of(bytes.data + size, 2), "}}") && memcmp(bytes.data, at - size, size) == 0;
}

static void judge_notification(const struct visit *visit, const struct message *message, const struct saying *saying)
{
    struct simulation *simulation = simulation_of(visit);
    struct slice middle = slice_text("");
    if (saying == NULL) {
        bool is_list = message_is(message, "notifications/tools/list_changed") && is_session_stream(visit);
        bool is_take_back = message_is(message, "notifications/cancelled") && visit->conversation != NULL &&
                            (visit->conversation->has_own_child || simulation->profile.server == PROFILE_SERVER_MODERN);
        simulation_require(simulation, is_list || is_take_back, "nobody said %.*s", SLICE_PRINT(message->bytes));
        return;
    }
    judge_source(visit, saying);
    if (saying->kind == SAYING_PROGRESS) {
        simulation_require(simulation,
                           saying->request != NULL && is_waiting(visit, saying->request) &&
                               saying->request->token[0] != '\0',
                           "progress of another's request: saying %u", saying->number);
        middle = slice_text(saying->request->token);
    } else if (saying->kind == SAYING_TAKE_BACK) {
        middle = message->request_id;
    } else if (saying->kind == SAYING_LOG) {
        judge_level(visit, saying);
    }
    simulation_require(simulation, saying_is(saying, message->bytes, middle) || is_of_watch(saying, message->bytes),
                       "saying %u was changed: %.*s", saying->number, SLICE_PRINT(message->bytes));
    if (saying->child->is_shared || saying->is_modern) {
        judge_shared(visit, saying);
    }
}

static void judge_question(const struct visit *visit, const struct message *message, const struct saying *saying)
{
    struct simulation *simulation = simulation_of(visit);
    simulation_require(simulation, saying != NULL && saying->kind == SAYING_QUESTION, "nobody asked %.*s",
                       SLICE_PRINT(message->bytes));
    judge_source(visit, saying);
    simulation_require(simulation, !saying->child->is_shared || saying->is_modern, "a question of a shared child's");
    simulation_require(simulation,
                       !saying->is_modern || (saying->request->conversation == visit->conversation &&
                                              (is_waiting(visit, saying->request) || visit->kind == VISIT_LISTEN)),
                       "client %u was asked question %u, which is not of its request", visit->client->actor.number,
                       saying->number);
    simulation_require(simulation, saying_is(saying, message->bytes, message->id), "question %u was changed: %.*s",
                       saying->number, SLICE_PRINT(message->bytes));
}

static void judge_message(const struct visit *visit, const struct message *message, const char *event_id)
{
    const struct saying *saying = sayings_find(&simulation_of(visit)->sayings, message->bytes);
    switch (message->kind) {
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        if (saying != NULL) {
            judge_childs_answer(visit, message, saying, event_id);
        } else {
            judge_own_answer(visit, message, event_id);
        }
        break;
    case MESSAGE_NOTIFICATION:
        judge_notification(visit, message, saying);
        break;
    case MESSAGE_REQUEST:
        judge_question(visit, message, saying);
        break;
    }
}

static void judge_bytes(const struct visit *visit, struct slice bytes, const char *event_id)
{
    struct message message;
    if (batch_is_array(bytes)) {
        simulation_require(simulation_of(visit), visit->is_batch, "an array for a single message");
        while (batch_next(&bytes, &message)) {
            judge_message(visit, &message, event_id);
        }
    } else if (message_scan_whole(&message, bytes) == MESSAGE_FAULT_NONE) {
        judge_message(visit, &message, event_id);
    } else {
        simulation_fail(simulation_of(visit), "no message: %.*s", SLICE_PRINT(bytes));
    }
}

/* ---- Events ---- */

static unsigned long number_of_event(const char *id, size_t *stream_size)
{
    const char *dash = strchr(id, '-');
    *stream_size = dash != NULL ? (size_t)(dash - id) : 0;
    return dash != NULL ? strtoul(dash + 1, NULL, 10) : 0;
}

/* The events of a stream are numbered without a gap, also from one connection to the next. */
static void judge_event_id(struct visit *visit, const char *id)
{
    struct simulation *simulation = simulation_of(visit);
    size_t stream_size;
    size_t previous_size;
    bool has_ids = visit->previous_id[0] != '\0';
    simulation_require(simulation, has_ids == (id[0] != '\0'), "an event with the id \"%s\" after \"%s\"", id,
                       visit->previous_id);
    if (has_ids) {
        unsigned long number = number_of_event(id, &stream_size);
        unsigned long previous = number_of_event(visit->previous_id, &previous_size);
        simulation_require(simulation,
                           number == previous + 1 && stream_size == previous_size &&
                               memcmp(id, visit->previous_id, stream_size) == 0,
                           "the event %s follows %s", id, visit->previous_id);
        snprintf(visit->previous_id, sizeof(visit->previous_id), "%s", id);
    }
}

static void judge_event(struct visit *visit, size_t index)
{
    struct fake_exchange *exchange = visit->exchange;
    struct slice data = slice_text(exchange->events[index]);
    simulation_note(simulation_of(visit), "client %u is sent, as %s: %.*s", visit->client->actor.number,
                    exchange->event_ids[index], SLICE_PRINT(data));
    if (visit->kind == VISIT_SSE && index == 0) {
        client_take_endpoint(visit, data);
        return;
    }
    judge_event_id(visit, exchange->event_ids[index]);
    judge_bytes(visit, data, exchange->event_ids[index]);
}

/* ---- Reading ---- */

static void read_message(struct visit *visit, const struct message *message)
{
    struct simulation *simulation = simulation_of(visit);
    struct saying *saying = sayings_find(&simulation->sayings, message->bytes);
    struct conversation *conversation = visit->conversation;
    uint64_t id;
    if (saying == NULL || conversation == NULL) {
        return;
    }
    simulation_require(simulation, conversation_hear(conversation, saying), "client %u has read saying %u twice",
                       visit->client->actor.number, saying->number);
    if (saying->kind == SAYING_QUESTION && json_parse_id(message->id, &id)) {
        conversation_take_question(conversation, saying, id);
    }
}

static void read_bytes(struct visit *visit, struct slice bytes)
{
    struct message message;
    if (batch_is_array(bytes)) {
        while (batch_next(&bytes, &message)) {
            read_message(visit, &message);
        }
    } else if (message_scan_whole(&message, bytes) == MESSAGE_FAULT_NONE) {
        read_message(visit, &message);
    }
}

static void read_opening(struct visit *visit)
{
    struct fake_exchange *exchange = visit->exchange;
    if (exchange->openings > 0 && !visit->has_read_opening) {
        visit->has_read_opening = true;
        snprintf(visit->last_id, sizeof(visit->last_id), "%s", exchange->opening_id);
        snprintf(visit->previous_id, sizeof(visit->previous_id), "%s", exchange->opening_id);
    }
}

void visit_read(struct visit *visit)
{
    struct fake_exchange *exchange = visit->exchange;
    for (; visit->read < exchange->event_count; visit->read++) {
        if (visit->kind != VISIT_SSE || visit->read > 0) {
            read_bytes(visit, slice_text(exchange->events[visit->read]));
        }
        if (exchange->event_ids[visit->read][0] != '\0') {
            snprintf(visit->last_id, sizeof(visit->last_id), "%s", exchange->event_ids[visit->read]);
        }
    }
    bool was_full = exchange->queued > 0;
    exchange->queued = 0;
    if (was_full && visit_is_open(visit) && exchange->exchange.on_drained != NULL) {
        exchange->exchange.on_drained(&exchange->exchange);
    }
}

/* ---- Its end ---- */

static void judge_refusal(struct visit *visit)
{
    struct fake_exchange *exchange = visit->exchange;
    struct simulation *simulation = simulation_of(visit);
    errors_judge_status(visit, exchange->status);
    simulation_require(simulation, !visit->must_work, "client %u could not come back to %s",
                       visit->client->actor.number, visit->previous_id);
    for (size_t i = 0; i < visit->request_count; i++) {
        note_failure(visit->requests[i]);
        /* Where it cannot go on, its call runs nevertheless, for nobody. */
        request_leave(visit->requests[i], visit->kind == VISIT_RESUME ? REQUEST_LEFT : REQUEST_ENDED,
                      simulation->step_began_ms);
    }
    if (exchange->status == 404 && visit->conversation != NULL) {
        conversation_end(visit->conversation);
    }
}

static void judge_answer(struct visit *visit)
{
    struct fake_exchange *exchange = visit->exchange;
    simulation_note(simulation_of(visit), "client %u is answered %d %s", visit->client->actor.number, exchange->status,
                    fake_exchange_answer(exchange) != NULL ? fake_exchange_answer(exchange) : "");
    if (visit->kind == VISIT_SSE_POST) {
        if (exchange->status == 202) {
            return;
        }
        judge_refusal(visit);
    } else if (exchange->status != 200 && exchange->status != 202) {
        judge_refusal(visit);
    } else if (exchange->answer.size > 0) {
        judge_bytes(visit, buffer_slice(&exchange->answer), "");
        read_bytes(visit, buffer_slice(&exchange->answer));
    }
}

/* An exchange that the bridge has ended leaves no request without its end. */
static void judge_end(struct visit *visit)
{
    struct simulation *simulation = simulation_of(visit);
    if (visit->exchange->state == FAKE_EXCHANGE_ANSWERED) {
        judge_answer(visit);
    } else {
        simulation_note(simulation, "client %u: its stream is closed", visit->client->actor.number);
        visit_read(visit);
    }
    for (size_t i = 0; i < visit->request_count && visit->kind != VISIT_SSE_POST; i++) {
        simulation_require(simulation, visit->requests[i]->state != REQUEST_OPEN,
                           "request %u was left without an answer", visit->requests[i]->number);
    }
    if (visit->kind == VISIT_SSE) {
        client_lose_stream(visit);
    }
}

/* What the child has answered is on its way at once, unless it waits for the rest of its batch. */
static void check_delivery(const struct visit *visit)
{
    const struct requests *requests = &simulation_of(visit)->requests;
    bool may_wait = visit->is_batch || (visit->kind == VISIT_SSE && visit->was_slow);
    for (size_t i = 0; i < requests->count && !may_wait; i++) {
        const struct request *request = requests->all[i];
        simulation_require(simulation_of(visit),
                           request->answer == NULL || request->state == REQUEST_ENDED || !is_waiting(visit, request),
                           "the answer to request %u was lost", request->number);
    }
}

void visit_look(struct visit *visit)
{
    read_opening(visit);
    while (visit->judged < visit->exchange->event_count) {
        judge_event(visit, visit->judged++);
    }
    if (!visit->is_slow) {
        visit_read(visit);
    }
    if (!visit_is_open(visit)) {
        judge_end(visit);
        visit_free(visit);
    } else if (visit->kind != VISIT_SSE_POST) {
        check_delivery(visit);
    }
}

/* ---- The connection breaks ---- */

static void remember_broken(const struct visit *visit)
{
    struct conversation *conversation = visit->conversation;
    struct simulation *simulation = simulation_of(visit);
    if (!visit_has_history(visit) || conversation->broken_count == CONVERSATION_BROKEN) {
        return;
    }
    struct broken_stream *broken = &conversation->broken[conversation->broken_count++];
    *broken = (struct broken_stream){
        .is_listen = visit->kind == VISIT_LISTEN,
        .must_work = !visit->is_slow && simulation->profile.settings.replay_bytes >= 1 << 20,
        .broken_ms = simulation_now(simulation),
        .request_count = visit->request_count,
    };
    memcpy(broken->requests, visit->requests, sizeof(broken->requests));
    snprintf(broken->last_id, sizeof(broken->last_id), "%s", visit->last_id);
}

void visit_cut(struct visit *visit)
{
    simulation_note(simulation_of(visit), "client %u cuts a connection, having read %s", visit->client->actor.number,
                    visit->last_id);
    fake_exchange_vanish(visit->exchange);
    bool is_in_session = visit->conversation != NULL && !visit->conversation->is_over;
    for (size_t i = 0; i < visit->request_count && visit->kind != VISIT_SSE_POST; i++) {
        struct request *request = visit->requests[i];
        if (request->state == REQUEST_OPEN) {
            request_leave(request, is_in_session ? REQUEST_LEFT : REQUEST_ENDED, simulation_of(visit)->step_began_ms);
        }
    }
    if (is_in_session) {
        remember_broken(visit);
    }
    if (visit->kind == VISIT_SSE) {
        client_lose_stream(visit);
    }
    visit_free(visit);
}

/* ---- Its start ---- */

struct visit *visit_new(struct client *client, struct conversation *conversation, enum visit_kind kind,
                        struct fake_exchange *exchange)
{
    struct simulation *simulation = client->actor.simulation;
    struct visit *visit = memory_new(sizeof(*visit));
    visit->client = client;
    visit->conversation = conversation;
    visit->kind = kind;
    visit->exchange = exchange;
    visit->is_lost = client->is_lost;
    visit->is_slow = kind != VISIT_OTHER && simulation->phase == SIMULATION_STORM &&
                     simulation_chance(simulation, simulation->profile.slow_percent);
    visit->was_slow = visit->is_slow;
    /* As if a byte were many, so that the ceilings of a slow reader's queue are met in a short run. */
    exchange->weight = visit->is_slow ? simulation_below(simulation, 12) * 1024 : 0;
    list_append(&client->visits, &visit->link);
    return visit;
}

void visit_free(struct visit *visit)
{
    list_remove(&visit->link);
    free(visit);
}
