#include "tests/simulation/client.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "tests/simulation/client_acts.h"

#include <stdio.h>
#include <stdlib.h>

static struct client *from(struct actor *actor)
{
    return container_of(actor, struct client, actor);
}

static struct simulation *simulation_of(const struct client *client)
{
    return client->actor.simulation;
}

struct client *client_new(struct simulation *simulation, const struct client_kind *kind, unsigned number)
{
    struct client *client = memory_new(sizeof(*client));
    client->actor = (struct actor){.kind = &kind->actor, .simulation = simulation, .number = number};
    client->kind = kind;
    client->credential = simulation->profile.has_credentials ? (unsigned)simulation_below(simulation, 3) : 0;
    client->principal = simulation->profile.has_tokens ? 1 + (unsigned)simulation_below(simulation, 2) : 0;
    list_init(&client->visits);
    list_init(&client->conversations);
    return client;
}

void client_free(struct actor *actor)
{
    struct client *client = from(actor);
    LIST_FOR_EACH(link, &client->conversations) {
        conversation_free(container_of(link, struct conversation, link));
    }
    free(client);
}

struct conversation *client_conversation(struct actor *actor)
{
    return from(actor)->conversation;
}

/* ---- Requests ---- */

/*
 * All clients count from 0, and some use an id again while it is in use. Not on one stream, though, and not in one
 * batch: there nobody could say whose an error is.
 */
static void choose_id(struct client *client, char id[REQUEST_ID], bool may_be_equal)
{
    struct simulation *simulation = simulation_of(client);
    bool is_equal = may_be_equal && simulation_chance(simulation, 20);
    unsigned number = is_equal ? client->last_id : ++client->last_id;
    switch (simulation_below(simulation, 6)) {
    case 0:
        snprintf(id, REQUEST_ID, "\"%u\"", number);
        break;
    case 1:
        snprintf(id, REQUEST_ID, "\"\\u00e9\\/%u\"", number);
        break;
    case 2:
        snprintf(id, REQUEST_ID, "-%u", number);
        break;
    default:
        snprintf(id, REQUEST_ID, "%u", number);
        break;
    }
}

struct request *client_new_request(struct client *client, enum request_kind kind, unsigned argument)
{
    struct simulation *simulation = simulation_of(client);
    struct request *request = requests_add(&simulation->requests, kind);
    request->conversation = client->conversation;
    request->argument = argument;
    request->credential = client->credential;
    request->sent_ms = simulation_now(simulation);
    request->sent_step = simulation->step;
    choose_id(client, request->id, client->kind->has_get_streams && !client->is_in_batch);
    if (simulation_chance(simulation, 60)) {
        choose_id(client, request->token, true);
    }
    return request;
}

void client_add_fields(const struct client *client, struct fake_exchange *exchange)
{
    fake_exchange_add_field(exchange, "Host", "localhost");
    if (client->credential > 0) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", client->credential);
        fake_exchange_add_field(exchange, "X-Key", key);
    }
    if (client->principal > 0) {
        char token[24];
        snprintf(token, sizeof(token), "Bearer t%u", client->principal);
        fake_exchange_add_field(exchange, "Authorization", token);
    }
}

struct visit *client_post_request(struct client *client, struct request *request)
{
    struct buffer body;
    buffer_init(&body, 0);
    request_write(request, &body, request->id, request->token, false);
    struct visit *visit = client->kind->post(client, buffer_slice(&body), &request, 1);
    buffer_release(&body);
    return visit;
}

void client_post_text(struct client *client, const char *text)
{
    (void)client->kind->post(client, slice_text(text), NULL, 0);
}

struct request *client_new_initialize(struct client *client)
{
    static const char *const versions[] = {"2025-11-25", "2025-11-25", "2025-11-25", "2025-06-18",
                                           "2025-03-26", "2024-11-05", "1"};
    struct simulation *simulation = simulation_of(client);
    struct request *request = client_new_request(client, REQUEST_INITIALIZE, 0);
    request->token[0] = '\0';
    request->version = versions[simulation_below(simulation, 7)];
    request->has_callbacks = simulation_chance(simulation, simulation->profile.callback_percent);
    client->opening = request;
    return request;
}

void client_write_answer(struct buffer *out, uint32_t question, const char *id)
{
    buffer_add_format(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"q\":%u,\"n\":1e400}}", id, question);
}

/* ---- What comes ---- */

void client_look(struct actor *actor)
{
    struct client *client = from(actor);
    LIST_FOR_EACH(link, &client->visits) {
        visit_look(container_of(link, struct visit, link));
    }
    if (client->opening != NULL && client->opening->state == REQUEST_ENDED) {
        client->opening = NULL;
    }
}

static void agree(struct conversation *conversation, struct request *request, const struct message *message)
{
    struct simulation *simulation = conversation->client->actor.simulation;
    enum server_children children = simulation->profile.settings.children;
    struct slice version = json_string_inside(message->result_version);
    conversation->opener = request;
    conversation->is_open = true;
    conversation->has_own_child =
        children == SERVER_CHILDREN_SESSION || (children == SERVER_CHILDREN_AUTO && request->has_callbacks);
    conversation->has_resumption = !conversation->is_sse && slice_is(version, "2025-11-25");
    conversation->has_batches = slice_is(version, "2025-03-26") || slice_is(version, "2024-11-05");
    snprintf(conversation->version, sizeof(conversation->version), "%.*s", SLICE_PRINT(version));
    conversation->heard_ms = conversation->previously_heard_ms = simulation->step_began_ms;
    uint32_t opener = said_number(message->bytes, "\"opener\":");
    if (simulation->profile.server == PROFILE_SERVER_MODERN) {
        request->conversation = conversation;
        return;
    }
    simulation_require(simulation, opener == (conversation->has_own_child ? request->number : 0),
                       "initialize %u was answered by a child of %u", request->number, opener);
    request->conversation = conversation;
}

void client_take_handshake(const struct visit *visit, struct request *request, const struct message *message)
{
    struct client *client = visit->client;
    if (request->state == REQUEST_ENDED) {
        return;
    }
    if (visit->kind == VISIT_SSE) {
        agree(visit->conversation, request, message);
        return;
    }
    const char *name = fake_exchange_answer_field(visit->exchange, "mcp-session-id");
    bool is_stateless = client->actor.simulation->profile.endpoint.mode == STREAMABLE_STATELESS;
    simulation_require(client->actor.simulation, is_stateless == (name == NULL), "initialize without a session");
    if (name != NULL) {
        struct conversation *conversation = conversation_new(client);
        snprintf(conversation->name, sizeof(conversation->name), "%s", name);
        agree(conversation, request, message);
        client->conversation = conversation;
    }
}

void client_take_endpoint(struct visit *visit, struct slice data)
{
    static const char before[] = "/messages?sessionId=";
    simulation_require(visit->client->actor.simulation, slice_starts_with(data, before), "no endpoint: %.*s",
                       SLICE_PRINT(data));
    snprintf(visit->conversation->name, CONVERSATION_NAME, "%.*s", (int)(data.size - sizeof(before) + 1),
             data.data + sizeof(before) - 1);
}

/* The stream of HTTP+SSE is the session: nothing will be answered any more. */
void client_lose_stream(struct visit *visit)
{
    struct simulation *simulation = visit->client->actor.simulation;
    struct requests *requests = &simulation->requests;
    for (size_t i = 0; i < requests->count; i++) {
        if (requests->all[i]->conversation == visit->conversation) {
            request_leave(requests->all[i], REQUEST_ENDED, simulation->step_began_ms);
        }
    }
    visit->conversation->is_over = true;
}

/* ---- The end ---- */

bool client_settle(struct actor *actor)
{
    struct client *client = from(actor);
    bool is_busy = false;
    LIST_FOR_EACH(link, &client->visits) {
        struct visit *visit = container_of(link, struct visit, link);
        if (visit_has_unread(visit) || visit->is_slow) {
            visit->is_slow = false;
            visit->exchange->weight = 0;
            visit_read(visit);
            is_busy = true;
        }
    }
    return client_acts_answer(client) || is_busy;
}

/* Of a batch, one that was asked is enough to be waited for. */
static bool was_asked(const struct visit *visit)
{
    for (size_t i = 0; i < visit->request_count; i++) {
        if (visit->requests[i]->was_asked) {
            return true;
        }
    }
    return false;
}

void client_check_calm(struct actor *actor)
{
    struct client *client = from(actor);
    LIST_FOR_EACH(link, &client->visits) {
        const struct visit *visit = container_of(link, struct visit, link);
        /* A question that went with a connection, or with a session's name, is waited for until its time is over. */
        bool may_wait = simulation_of(client)->profile.server == PROFILE_SERVER_MODERN &&
                        (visit->conversation != client->conversation || was_asked(visit));
        simulation_require(simulation_of(client), visit->kind == VISIT_LISTEN || visit->kind == VISIT_SSE || may_wait,
                           "client %u still waits for an answer, to request %u", client->actor.number,
                           visit->request_count > 0 ? visit->requests[0]->number : 0);
    }
}

void client_leave(struct actor *actor)
{
    struct client *client = from(actor);
    if (client->conversation != NULL && !client->conversation->is_over &&
        simulation_chance(simulation_of(client), 50)) {
        client->kind->end(client);
        client_look(actor);
    }
    LIST_FOR_EACH(link, &client->visits) {
        visit_cut(container_of(link, struct visit, link));
    }
}
