#include "tests/simulation/modern_client.h"

#include "bridge/base/memory.h"
#include "tests/simulation/modern_text.h"

#include <stdio.h>
#include <stdlib.h>

static struct modern_client *from(struct actor *actor)
{
    return container_of(actor, struct modern_client, actor);
}

static struct simulation *simulation_of(const struct modern_client *client)
{
    return client->actor.simulation;
}

/* ---- Parked calls ---- */

struct parked *modern_client_park(struct modern_client *client)
{
    for (size_t i = 0; i < MODERN_CLIENT_PARKED; i++) {
        if (client->parked[i].request == NULL) {
            return &client->parked[i];
        }
    }
    /* It forgets one: that one expires. */
    struct parked *forgotten = &client->parked[simulation_below(simulation_of(client), MODERN_CLIENT_PARKED)];
    parked_release(forgotten);
    return forgotten;
}

static struct parked *pick_parked(struct simulation *simulation, struct parked *all)
{
    struct parked *picked = NULL;
    size_t seen = 0;
    for (size_t i = 0; i < MODERN_CLIENT_PARKED; i++) {
        if (all[i].request != NULL && simulation_below(simulation, ++seen) == 0) {
            picked = &all[i];
        }
    }
    return picked;
}

static void keep_used(struct modern_client *client, const struct parked *parked)
{
    struct parked *used = &client->used[client->used_count++ % MODERN_CLIENT_PARKED];
    parked_release(used);
    *used = *parked;
    used->state = memory_copy(parked->state);
}

/* ---- Posting ---- */

static struct fake_exchange *new_exchange(const struct modern_client *client, const struct request *request)
{
    struct simulation *simulation = simulation_of(client);
    struct fake_exchange *exchange = fake_exchange_new(&simulation->world, EXCHANGE_POST);
    static const char *const accepts[] = {"application/json, text/event-stream", "*/*", "text/event-stream",
                                          "application/json"};
    bool is_listen = strcmp(request->method, "subscriptions/listen") == 0;
    char text[32];
    fake_exchange_add_field(exchange, "Host", "localhost");
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_add_field(exchange, "Accept", accepts[simulation_below(simulation, is_listen ? 3 : 4)]);
    fake_exchange_add_field(exchange, "MCP-Protocol-Version", "2026-07-28");
    fake_exchange_add_field(exchange, "Mcp-Method", request->method);
    if (request->name != NULL) {
        fake_exchange_add_field(exchange, "Mcp-Name", request->name);
    }
    if (client->credential > 0) {
        snprintf(text, sizeof(text), "k%u", client->credential);
        fake_exchange_add_field(exchange, "X-Key", text);
    }
    if (client->principal > 0) {
        snprintf(text, sizeof(text), "Bearer t%u", client->principal);
        fake_exchange_add_field(exchange, "Authorization", text);
    }
    return exchange;
}

static void add_param_header(struct attempt *attempt)
{
    struct simulation *simulation = simulation_of(attempt->client);
    if (strcmp(attempt->request->method, "tools/call") != 0 || !simulation->profile.has_param_headers) {
        return;
    }
    attempt->is_header_wrong = simulation_chance(simulation, 5);
    if (!attempt->is_header_wrong) {
        fake_exchange_add_field(attempt->exchange, "Mcp-Param-N", "9007199254740993");
    } else if (simulation_chance(simulation, 50)) {
        fake_exchange_add_field(attempt->exchange, "Mcp-Param-N", "9007199254740992");
    }
}

static void choose_id(struct modern_client *client, char id[REQUEST_ID])
{
    struct simulation *simulation = simulation_of(client);
    unsigned number = simulation_chance(simulation, 20) ? client->last_id : ++client->last_id;
    snprintf(id, REQUEST_ID, simulation_chance(simulation, 20) ? "\"\\u00e9\\/%u\"" : "%u", number);
}

static struct attempt *post(struct modern_client *client, struct request *request, enum attempt_purpose purpose,
                            struct parked *parked)
{
    struct simulation *simulation = simulation_of(client);
    struct attempt *attempt = memory_new(sizeof(*attempt));
    struct buffer body;
    attempt->client = client;
    attempt->request = request;
    attempt->purpose = purpose;
    attempt->parked = parked;
    attempt->sent_step = simulation->step;
    choose_id(client, attempt->id);
    if (request->token[0] != '\0') {
        choose_id(client, attempt->token);
    }
    attempt->exchange = new_exchange(client, request);
    add_param_header(attempt);
    attempt->is_slow =
        simulation->phase == SIMULATION_STORM && simulation_chance(simulation, simulation->profile.slow_percent);
    attempt->exchange->weight = attempt->is_slow ? simulation_below(simulation, 12) * 1024 : 0;
    buffer_init(&body, 0);
    modern_text_write(request, &body, attempt->id, attempt->token);
    fake_exchange_set_body(attempt->exchange, buffer_slice(&body));
    simulation_note(simulation, "client %u posts, as %u: %.*s", client->actor.number, client->principal,
                    SLICE_PRINT(buffer_slice(&body)));
    buffer_release(&body);
    list_append(&client->attempts, &attempt->link);
    return attempt;
}

static void send_attempt(struct attempt *attempt)
{
    streamable_handle(&simulation_of(attempt->client)->streamable, &attempt->exchange->exchange);
}

/* ---- Requests ---- */

static struct request *new_request(struct modern_client *client, const char *method, const char *params,
                                   const char *name)
{
    static const char *const capabilities[] = {"{}", "{\"sampling\":{}}", "{\"elicitation\":{}}",
                                               "{\"sampling\":{},\"elicitation\":{},\"roots\":{}}"};
    struct simulation *simulation = simulation_of(client);
    struct request *request = requests_add(&simulation->requests, REQUEST_CALL);
    bool is_open = simulation_chance(simulation, simulation->profile.callback_percent);
    request->is_modern = true;
    request->method = method;
    request->params = params;
    request->name = name;
    request->capabilities = capabilities[is_open ? 1 + simulation_below(simulation, 3) : 0];
    request->credential = client->credential;
    request->principal = client->principal;
    request->level =
        simulation_chance(simulation, 30) ? (unsigned)simulation_below(simulation, REQUEST_LEVELS) : REQUEST_LEVELS;
    request->sent_ms = simulation_now(simulation);
    request->sent_step = simulation->step;
    if (simulation_chance(simulation, 60)) {
        snprintf(request->token, sizeof(request->token), "1"); /* each time another one */
    }
    return request;
}

static const struct {
    const char *method;
    const char *params;
    const char *name;
} calls[] = {
    {"tools/call", "\"name\":\"t\",\"arguments\":{\"n\":9007199254740993,\"z\":\"\\u0000\\/\",\"e\":1e400}", "t"},
    {"tools/call", "\"name\":\"t\",\"arguments\":{\"n\":9007199254740993,\"z\":\"\\u0000\\/\",\"e\":1e400}", "t"},
    {"prompts/get", "\"name\":\"\\u0070\"", "p"},
    {"resources/read", "\"uri\":\"u:\\/1\"", "u:/1"},
    {"tools/list", "", NULL},
    {"completion/complete", "\"ref\":{}", NULL},
};

static void act_call(struct modern_client *client)
{
    size_t index = simulation_below(simulation_of(client), sizeof(calls) / sizeof(calls[0]));
    struct request *request = new_request(client, calls[index].method, calls[index].params, calls[index].name);
    send_attempt(post(client, request, ATTEMPT_CALL, NULL));
}

static void act_discover(struct modern_client *client)
{
    send_attempt(post(client, new_request(client, "server/discover", "", NULL), ATTEMPT_CALL, NULL));
}

static void act_listen(struct modern_client *client)
{
    static const char *const wishes[] = {
        "\"notifications\":{\"toolsListChanged\":true}",
        "\"notifications\":{\"resourceSubscriptions\":[\"u:\\/0\",\"u:/1\",7,\"u:/0\"]}",
        ("\"notifications\":{\"toolsListChanged\":true,\"promptsListChanged\":true,"
         "\"resourceSubscriptions\":[\"u:/2\"]}"),
        "\"notifications\":{\"resourcesListChanged\":true}",
    };
    size_t index = simulation_below(simulation_of(client), 4);
    struct request *request = new_request(client, "subscriptions/listen", wishes[index], NULL);
    request->token[0] = '\0';
    struct attempt *attempt = post(client, request, ATTEMPT_LISTEN, NULL);
    attempt->wants_tools = index == 0 || index == 2;
    attempt->wants_uri[0] = attempt->wants_uri[1] = index == 1;
    attempt->wants_uri[2] = index == 2;
    send_attempt(attempt);
}

/* ---- Coming again ---- */

static void add_again(struct request *request, const struct buffer *text)
{
    memory_free_slice(&request->again);
    request->again = memory_copy(buffer_slice(text));
}

static void write_state(struct buffer *out, struct slice state)
{
    if (slice_exists(state)) {
        buffer_add_text(out, ",\"requestState\":");
        buffer_add(out, state);
    }
}

/* With some answers, or all of them. */
static void come_again(struct modern_client *client, struct parked *place, bool is_whole)
{
    struct simulation *simulation = simulation_of(client);
    struct parked *parked = memory_new(sizeof(*parked));
    struct request *request = place->request;
    struct buffer again;
    const char *separator = "";
    *parked = *place;
    *place = (struct parked){.count = 0};
    buffer_init(&again, 0);
    buffer_add_text(&again, parked->count > 0 ? ",\"inputResponses\":{" : "");
    for (size_t i = 0; i < parked->count; i++) {
        if (is_whole || simulation_chance(simulation, 85)) {
            buffer_add_format(&again, "%s\"%s\":{\"q\":%u,\"n\":1e400}", separator, parked->keys[i],
                              parked->questions[i]->number);
            parked->questions[i]->was_told = true;
            separator = ",";
        }
    }
    if (parked->count > 0 && simulation_chance(simulation, 20)) {
        buffer_add_format(&again, "%s\"q99\":{\"q\":4000000}", separator);
    }
    buffer_add_text(&again, parked->count > 0 ? "}" : "");
    write_state(&again, parked->state);
    add_again(request, &again);
    buffer_release(&again);
    request->state = REQUEST_OPEN;
    if (parked->is_translated) {
        keep_used(client, parked);
    }
    size_t count = simulation->streamable.era.parked.count;
    struct attempt *attempt = post(client, request, ATTEMPT_CALL, parked);
    send_attempt(attempt);
    attempt->may_be_unused = parked->is_translated && simulation->streamable.era.parked.count == count;
}

static void act_answer(struct modern_client *client)
{
    struct parked *parked = pick_parked(simulation_of(client), client->parked);
    if (parked != NULL) {
        come_again(client, parked, false);
    }
}

/* Posts what must be refused: the request of `parked`, or a new one, with a state that is not good for it. */
static void forge(struct modern_client *client, struct request *request, const struct parked *parked)
{
    static const char *const answers = ",\"inputResponses\":{\"q1\":{\"q\":4000001},\"q2\":{\"q\":4000001}}";
    struct buffer again;
    struct slice kept = request->again;
    if (simulation_of(client)->server.era != SERVER_ERA_LEGACY) {
        return; /* A child of the modern era has states of its own, and judges them. */
    }
    buffer_init(&again, 0);
    buffer_add_text(&again, answers);
    write_state(&again, parked->state);
    request->again = memory_copy(buffer_slice(&again));
    buffer_release(&again);
    struct attempt *attempt = post(client, request, ATTEMPT_FORGERY, NULL);
    memory_free_slice(&request->again);
    request->again = kept;
    send_attempt(attempt);
}

/* Who was refused for want of room has not used it; nor has yet who waits for the list of tools. */
static bool is_still_good(const struct modern_client *client, const struct parked *used)
{
    LIST_FOR_EACH(link, &client->attempts) {
        const struct attempt *attempt = container_of(link, struct attempt, link);
        if (attempt->may_be_unused && slice_equals(attempt->parked->state, used->state)) {
            return true;
        }
    }
    for (size_t i = 0; i < MODERN_CLIENT_PARKED; i++) {
        if (client->parked[i].request != NULL && slice_equals(client->parked[i].state, used->state)) {
            return true;
        }
    }
    return false;
}

/* What was used before. Its request may run: that must not be disturbed. */
static void act_replay(struct modern_client *client)
{
    const struct parked *used = pick_parked(simulation_of(client), client->used);
    for (size_t i = 0; i < MODERN_CLIENT_PARKED && simulation_chance(simulation_of(client), 80); i++) {
        if (client->used[i].request != NULL && client->used[i].request->state == REQUEST_LEFT) {
            used = &client->used[i]; /* It waits once more, for another round. */
        }
    }
    if (used != NULL && !is_still_good(client, used)) {
        forge(client, used->request, used);
    }
}

/* Its own state, for another request of its own. */
static void act_mistake(struct modern_client *client)
{
    const struct parked *parked = pick_parked(simulation_of(client), client->parked);
    if (parked != NULL && parked->is_translated) {
        struct request *request =
            new_request(client, parked->request->method, parked->request->params, parked->request->name);
        request->capabilities = parked->request->capabilities;
        request->state = REQUEST_ENDED;
        forge(client, request, parked);
    }
}

/* Another's state, for the same request. */
static void act_steal(struct modern_client *client)
{
    struct simulation *simulation = simulation_of(client);
    LIST_FOR_EACH(link, &simulation->modern_clients) {
        struct modern_client *other = from(container_of(link, struct actor, link));
        const struct parked *parked = pick_parked(simulation, other->parked);
        if (parked != NULL && parked->is_translated &&
            (other->principal != client->principal || other->credential != client->credential)) {
            forge(client, parked->request, parked);
            return;
        }
    }
}

/* ---- Acts ---- */

static struct attempt *pick_attempt(const struct modern_client *client)
{
    struct attempt *picked = NULL;
    size_t seen = 0;
    LIST_FOR_EACH(link, &client->attempts) {
        if (simulation_below(simulation_of(client), ++seen) == 0) {
            picked = container_of(link, struct attempt, link);
        }
    }
    return picked;
}

static void act_cut(struct modern_client *client)
{
    struct attempt *attempt = pick_attempt(client);
    if (attempt != NULL) {
        attempt_cut(attempt);
    }
}

static void act(struct actor *actor)
{
    struct modern_client *client = from(actor);
    const struct profile *profile = &simulation_of(client)->profile;
    switch ((enum modern_act)simulation_pick(simulation_of(client), profile->modern_acts, MODERN_ACT_COUNT)) {
    case MODERN_CALLS:
        act_call(client);
        break;
    case MODERN_DISCOVERS:
        act_discover(client);
        break;
    case MODERN_LISTENS:
        act_listen(client);
        break;
    case MODERN_ANSWERS:
        act_answer(client);
        break;
    case MODERN_REPLAYS:
        act_replay(client);
        break;
    case MODERN_MISTAKES:
        act_mistake(client);
        break;
    case MODERN_STEALS:
        act_steal(client);
        break;
    case MODERN_CUTS:
        act_cut(client);
        break;
    case MODERN_ACT_COUNT:
        break;
    }
}

static void look(struct actor *actor)
{
    LIST_FOR_EACH(link, &from(actor)->attempts) {
        attempt_look(container_of(link, struct attempt, link));
    }
}

static bool settle(struct actor *actor)
{
    struct modern_client *client = from(actor);
    struct parked *parked = pick_parked(simulation_of(client), client->parked);
    LIST_FOR_EACH(link, &client->attempts) {
        struct attempt *attempt = container_of(link, struct attempt, link);
        attempt->is_slow = false;
        attempt->exchange->weight = 0;
    }
    if (parked != NULL && simulation_chance(simulation_of(client), 20)) {
        parked_release(parked); /* It never comes again: the call ends with its time. */
    } else if (parked != NULL) {
        come_again(client, parked, true);
    }
    /* Where all children are parked and all calls that may be wait for one, it is refused until its time is over. */
    return parked != NULL && list_is_empty(&simulation_of(client)->server.children.loans);
}

static void check_calm(struct actor *actor)
{
    struct modern_client *client = from(actor);
    LIST_FOR_EACH(link, &client->attempts) {
        const struct attempt *attempt = container_of(link, struct attempt, link);
        /* Where all children are in use, it waits for one. */
        simulation_require(simulation_of(client),
                           (attempt->purpose == ATTEMPT_LISTEN && attempt->is_acknowledged) ||
                               !list_is_empty(&simulation_of(client)->server.children.loans),
                           "client %u still waits for an answer, to request %u", client->actor.number,
                           attempt->request->number);
    }
}

static void leave(struct actor *actor)
{
    LIST_FOR_EACH(link, &from(actor)->attempts) {
        attempt_cut(container_of(link, struct attempt, link));
    }
    for (size_t i = 0; i < MODERN_CLIENT_PARKED; i++) {
        parked_release(&from(actor)->parked[i]);
    }
}

static void free_client(struct actor *actor)
{
    struct modern_client *client = from(actor);
    for (size_t i = 0; i < MODERN_CLIENT_PARKED; i++) {
        parked_release(&client->parked[i]);
        parked_release(&client->used[i]);
    }
    free(client);
}

static const struct actor_kind kind = {
    .name = "modern client",
    .act = act,
    .look = look,
    .settle = settle,
    .check_calm = check_calm,
    .leave = leave,
    .free = free_client,
};

struct modern_client *modern_client_new(struct simulation *simulation, unsigned number)
{
    struct modern_client *client = memory_new(sizeof(*client));
    client->actor = (struct actor){.kind = &kind, .simulation = simulation, .number = number};
    list_init(&client->attempts);
    client->credential = simulation->profile.has_credentials ? (unsigned)simulation_below(simulation, 3) : 0;
    client->principal = simulation->profile.has_tokens ? 1 + (unsigned)simulation_below(simulation, 2) : 0;
    return client;
}
