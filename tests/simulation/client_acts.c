#include "tests/simulation/client_acts.h"

#include <inttypes.h>
#include <stdio.h>

static struct client *from(struct actor *actor)
{
    return container_of(actor, struct client, actor);
}

static struct simulation *simulation_of(const struct client *client)
{
    return client->actor.simulation;
}

static void act_call(struct client *client)
{
    client_post_request(client, client_new_request(client, REQUEST_CALL, 0));
}

static void act_batch(struct client *client)
{
    struct simulation *simulation = simulation_of(client);
    struct request *requests[4];
    size_t count = 1 + simulation_below(simulation, 4);
    struct buffer body;
    if (!client->kind->has_get_streams) {
        return; /* HTTP+SSE has no batches. */
    }
    buffer_init(&body, 0);
    client->is_in_batch = true;
    for (size_t i = 0; i < count; i++) {
        requests[i] = client_new_request(client, REQUEST_CALL, 0);
        requests[i]->is_in_batch = true;
        buffer_add_text(&body, i == 0 ? " [" : ", ");
        request_write(requests[i], &body, requests[i]->id, requests[i]->token, false);
    }
    buffer_add_text(&body, "]");
    client->is_in_batch = false;
    client->kind->post(client, buffer_slice(&body), requests, count);
    buffer_release(&body);
}

static void act_subscribe(struct client *client, enum request_kind kind)
{
    struct simulation *simulation = simulation_of(client);
    struct conversation *conversation = client->conversation;
    unsigned uri = (unsigned)simulation_below(simulation, REQUEST_URIS);
    if (conversation != NULL && kind == REQUEST_SUBSCRIBE) {
        conversation->subscribe_step[uri] = simulation->step;
        conversation->is_subscribed[uri] = false;
        conversation->is_unsure[uri] = false;
    } else if (conversation != NULL) {
        conversation->unsubscribe_step[uri] = simulation->step;
    }
    client_post_request(client, client_new_request(client, kind, uri));
}

static void act_set_level(struct client *client)
{
    struct simulation *simulation = simulation_of(client);
    unsigned level = (unsigned)simulation_below(simulation, REQUEST_LEVELS);
    if (client->conversation != NULL) {
        client->conversation->level = REQUEST_LEVELS;
        client->conversation->level_step = simulation->step;
    }
    client_post_request(client, client_new_request(client, REQUEST_SET_LEVEL, level));
}

static void act_ask_for_task(struct client *client)
{
    struct simulation *simulation = simulation_of(client);
    unsigned task = 1 + (unsigned)simulation_below(simulation, simulation->requests.count + 1);
    client_post_request(client, client_new_request(client, REQUEST_TASK, task));
}

static void act_cancel(struct client *client)
{
    struct simulation *simulation = simulation_of(client);
    struct requests *requests = &simulation->requests;
    const struct request *picked = NULL;
    char text[160];
    size_t seen = 0;
    for (size_t i = 0; i < requests->count && client->conversation != NULL; i++) {
        if (requests->all[i]->conversation == client->conversation && requests->all[i]->state != REQUEST_ENDED &&
            simulation_below(simulation, ++seen) == 0) {
            picked = requests->all[i];
        }
    }
    if (picked == NULL) {
        return;
    }
    for (size_t i = 0; i < requests->count; i++) {
        if (requests->all[i]->conversation == client->conversation && strcmp(requests->all[i]->id, picked->id) == 0) {
            requests->all[i]->was_cancelled = true;
        }
    }
    snprintf(text, sizeof(text),
             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%s}}", picked->id);
    client_post_text(client, text);
}

static struct visit *pick_visit(const struct client *client, bool (*is_right)(const struct visit *visit))
{
    struct visit *picked = NULL;
    size_t seen = 0;
    LIST_FOR_EACH(link, &client->visits) {
        struct visit *visit = container_of(link, struct visit, link);
        if (visit_is_open(visit) && is_right(visit) && simulation_below(simulation_of(client), ++seen) == 0) {
            picked = visit;
        }
    }
    return picked;
}

static bool is_any(const struct visit *visit)
{
    return visit != NULL;
}

static void act_cut(struct client *client)
{
    struct visit *visit = pick_visit(client, is_any);
    if (visit != NULL) {
        visit_cut(visit);
    }
}

static void act_read(struct client *client)
{
    struct visit *visit = pick_visit(client, visit_has_unread);
    if (visit != NULL) {
        visit_read(visit);
    }
}

static struct visit *open_get(struct client *client, enum visit_kind kind, const char *last_event_id)
{
    struct simulation *simulation = simulation_of(client);
    struct conversation *conversation = client->conversation;
    struct fake_exchange *exchange = fake_exchange_new(&simulation->world, EXCHANGE_GET);
    client_add_fields(client, exchange);
    fake_exchange_add_field(exchange, "Accept", "text/event-stream");
    fake_exchange_add_field(exchange, "Mcp-Session-Id", conversation->name);
    if (last_event_id != NULL) {
        fake_exchange_add_field(exchange, "Last-Event-ID", last_event_id);
    }
    conversation->previously_heard_ms = conversation->heard_ms;
    conversation->heard_ms = simulation_now(simulation);
    return visit_new(client, conversation, kind, exchange);
}

static void act_listen(struct client *client)
{
    struct simulation *simulation = simulation_of(client);
    if (client->conversation == NULL || !client->kind->has_get_streams) {
        return;
    }
    struct visit *visit = open_get(client, VISIT_LISTEN, NULL);
    simulation_note(simulation, "client %u listens", client->actor.number);
    streamable_handle(&simulation->streamable, &visit->exchange->exchange);
}

static struct visit *come_back(struct client *client, const struct broken_stream *broken)
{
    struct simulation *simulation = simulation_of(client);
    const struct profile *profile = &simulation->profile;
    struct visit *visit = open_get(client, broken->is_listen ? VISIT_LISTEN : VISIT_RESUME, broken->last_id);
    uint64_t away_ms = simulation_now(simulation) - broken->broken_ms;
    visit->must_work = broken->must_work && away_ms < profile->settings.replay_age_ms &&
                       conversation_is_alive(client->conversation) && simulation->phase == SIMULATION_STORM;
    visit->request_count = broken->request_count;
    memcpy(visit->requests, broken->requests, sizeof(visit->requests));
    snprintf(visit->last_id, sizeof(visit->last_id), "%s", broken->last_id);
    snprintf(visit->previous_id, sizeof(visit->previous_id), "%s", broken->last_id);
    for (size_t i = 0; i < visit->request_count; i++) {
        visit->is_batch |= visit->request_count > 1;
        if (visit->requests[i]->state == REQUEST_LEFT) {
            visit->requests[i]->state = REQUEST_OPEN;
            visit->requests[i]->was_left = true;
        }
    }
    simulation_note(simulation, "client %u comes back to %s", client->actor.number, broken->last_id);
    streamable_handle(&simulation->streamable, &visit->exchange->exchange);
    return visit;
}

static bool can_be_replaced(const struct visit *visit)
{
    return visit_has_history(visit) && visit->kind != VISIT_LISTEN &&
           visit->conversation == visit->client->conversation;
}

static void act_come_back(struct client *client)
{
    struct simulation *simulation = simulation_of(client);
    struct conversation *conversation = client->conversation;
    struct visit *open = simulation_chance(simulation, 20) ? pick_visit(client, can_be_replaced) : NULL;
    if (open != NULL) {
        /* Its old connection is dead, and the bridge does not know that yet. */
        struct broken_stream broken = {.request_count = open->request_count, .broken_ms = simulation_now(simulation)};
        memcpy(broken.requests, open->requests, sizeof(broken.requests));
        snprintf(broken.last_id, sizeof(broken.last_id), "%s", open->last_id);
        open->is_slow = true;
        open->exchange->event_count = open->judged;
        open->read = open->judged;
        struct visit *visit = come_back(client, &broken);
        if (fake_exchange_has_ended(visit->exchange) && visit->exchange->state == FAKE_EXCHANGE_ANSWERED) {
            visit->request_count = 0;
        } else {
            open->request_count = 0;
        }
    } else if (conversation != NULL && conversation->broken_count > 0) {
        size_t index = simulation_below(simulation, conversation->broken_count);
        struct broken_stream broken = conversation->broken[index];
        conversation->broken[index] = conversation->broken[--conversation->broken_count];
        come_back(client, &broken);
    }
}

static void post_answer(struct client *client, uint32_t question, uint64_t id)
{
    struct buffer body;
    char text[32];
    buffer_init(&body, 0);
    snprintf(text, sizeof(text), "%" PRIu64, id);
    client_write_answer(&body, question, text);
    client->kind->post(client, buffer_slice(&body), NULL, 0);
    buffer_release(&body);
}

bool client_acts_answer(struct client *client)
{
    struct conversation *conversation = client->conversation;
    if (conversation == NULL || conversation->question_count == 0) {
        return false;
    }
    size_t index = simulation_below(simulation_of(client), conversation->question_count);
    const struct saying *question = conversation->questions[index];
    uint64_t id = conversation->question_ids[index];
    conversation->question_count--;
    conversation->questions[index] = conversation->questions[conversation->question_count];
    conversation->question_ids[index] = conversation->question_ids[conversation->question_count];
    conversation->last_answered = question->number;
    conversation->last_answered_id = id;
    post_answer(client, question->number, id);
    return true;
}

static void act_answer_again(struct client *client)
{
    const struct conversation *conversation = client->conversation;
    if (conversation != NULL && conversation->last_answered_id > 0) {
        post_answer(client, conversation->last_answered, conversation->last_answered_id);
    }
}

static void act_notify(struct client *client)
{
    const struct conversation *conversation = client->conversation;
    char text[160];
    const struct request *opener = conversation != NULL ? conversation->opener : NULL;
    snprintf(
        text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/%s\",\"params\":{\"secret\":\"R%u\"}}",
        simulation_chance(simulation_of(client), 50) ? "roots/list_changed" : "x", opener != NULL ? opener->number : 0);
    client_post_text(client, text);
}

static void act_babble(struct client *client)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "[1]",
                                        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1,\"method\":\"x\"}"};
    client->is_lost = true;
    client_post_text(client, texts[simulation_below(simulation_of(client), 6)]);
    client->is_lost = false;
}

/* Ends another's session, if the bridge lets it. */
static void act_steal(struct client *client)
{
    struct simulation *simulation = simulation_of(client);
    LIST_FOR_EACH(link, &simulation->clients) {
        const struct client *other = from(container_of(link, struct actor, link));
        if (other->credential != client->credential && other->conversation != NULL &&
            simulation_chance(simulation, 50)) {
            struct fake_exchange *exchange = fake_exchange_new(&simulation->world, EXCHANGE_DELETE);
            client_add_fields(client, exchange);
            fake_exchange_add_field(exchange, "Mcp-Session-Id", other->conversation->name);
            struct visit *visit = visit_new(client, NULL, VISIT_OTHER, exchange);
            simulation_note(simulation, "client %u wants the session of client %u", client->actor.number,
                            other->actor.number);
            streamable_handle(&simulation->streamable, &visit->exchange->exchange);
            simulation_require(simulation, exchange->status >= 400, "client %u has ended a session of client %u",
                               client->actor.number, other->actor.number);
            return;
        }
    }
}

static void act_forget(struct client *client)
{
    if (client->kind->has_get_streams) {
        simulation_note(simulation_of(client), "client %u forgets its session", client->actor.number);
        client->conversation = NULL;
    }
}

static void act_in_common(struct client *client, enum client_act act)
{
    switch (act) {
    case CLIENT_CALLS:
        act_call(client);
        break;
    case CLIENT_BATCHES:
        act_batch(client);
        break;
    case CLIENT_SUBSCRIBES:
        act_subscribe(client, REQUEST_SUBSCRIBE);
        break;
    case CLIENT_UNSUBSCRIBES:
        act_subscribe(client, REQUEST_UNSUBSCRIBE);
        break;
    case CLIENT_SETS_LEVEL:
        act_set_level(client);
        break;
    case CLIENT_ASKS_FOR_TASK:
        act_ask_for_task(client);
        break;
    case CLIENT_LISTENS:
        act_listen(client);
        break;
    case CLIENT_CANCELS:
        act_cancel(client);
        break;
    case CLIENT_CUTS:
        act_cut(client);
        break;
    case CLIENT_COMES_BACK:
        act_come_back(client);
        break;
    case CLIENT_READS:
        act_read(client);
        break;
    case CLIENT_ANSWERS:
        (void)client_acts_answer(client);
        break;
    case CLIENT_ANSWERS_AGAIN:
        act_answer_again(client);
        break;
    case CLIENT_ANSWERS_NOBODY:
        post_answer(client, 0, 100000);
        break;
    case CLIENT_NOTIFIES:
        act_notify(client);
        break;
    case CLIENT_STEALS:
        act_steal(client);
        break;
    case CLIENT_BABBLES:
        act_babble(client);
        break;
    case CLIENT_ENDS:
        client->kind->end(client);
        break;
    case CLIENT_FORGETS:
        act_forget(client);
        break;
    case CLIENT_ACT_COUNT:
        break;
    }
}

void client_acts_one(struct actor *actor)
{
    struct client *client = from(actor);
    struct simulation *simulation = simulation_of(client);
    if (client->conversation != NULL && client->conversation->is_over) {
        client->conversation = NULL;
    }
    bool has_session = client->conversation != NULL && client->conversation->is_open;
    if (!has_session && client->opening == NULL && simulation_chance(simulation, 70)) {
        client->kind->begin(client);
    } else {
        act_in_common(client,
                      (enum client_act)simulation_pick(simulation, simulation->profile.client_acts, CLIENT_ACT_COUNT));
    }
}
