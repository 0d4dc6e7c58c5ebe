#include "tests/simulation/session_client.h"

#include "tests/simulation/client_acts.h"

static struct visit *post(struct client *client, struct slice body, struct request *const *requests, size_t count)
{
    struct simulation *simulation = client->actor.simulation;
    bool is_opening = count == 1 && requests[0]->kind == REQUEST_INITIALIZE;
    struct conversation *conversation = is_opening ? NULL : client->conversation;
    struct fake_exchange *exchange = fake_exchange_new(&simulation->world, EXCHANGE_POST);
    client_add_fields(client, exchange);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    static const char *const accepts[] = {"application/json, text/event-stream", "application/json, text/event-stream",
                                          "application/json", "text/event-stream", "*/*"};
    fake_exchange_add_field(exchange, "Accept", accepts[simulation_below(simulation, 5)]);
    if (conversation != NULL && !client->is_lost) {
        fake_exchange_add_field(exchange, "Mcp-Session-Id", conversation->name);
        conversation->previously_heard_ms = conversation->heard_ms;
        conversation->heard_ms = simulation_now(simulation);
    } else if (client->is_lost) {
        fake_exchange_add_field(exchange, "Mcp-Session-Id", "00000000000000000000000000000000");
    }
    fake_exchange_set_body(exchange, body);
    struct visit *visit = visit_new(client, conversation, count > 0 ? VISIT_POST : VISIT_OTHER, exchange);
    for (size_t i = 0; i < count; i++) {
        requests[i]->conversation = conversation;
        visit->requests[i] = requests[i];
    }
    visit->request_count = count;
    visit->is_batch = body.size > 1 && body.data[1] == '[';
    simulation_note(simulation, "client %u posts in %.6s: %.*s", client->actor.number,
                    conversation != NULL ? conversation->name : "-", SLICE_PRINT(body));
    streamable_handle(&simulation->streamable, &exchange->exchange);
    return visit;
}

static void begin(struct client *client)
{
    client->conversation = NULL;
    client_post_request(client, client_new_initialize(client));
}

static void end(struct client *client)
{
    struct simulation *simulation = client->actor.simulation;
    struct conversation *conversation = client->conversation;
    if (conversation == NULL) {
        return;
    }
    struct fake_exchange *exchange = fake_exchange_new(&simulation->world, EXCHANGE_DELETE);
    client_add_fields(client, exchange);
    fake_exchange_add_field(exchange, "Mcp-Session-Id", conversation->name);
    struct visit *visit = visit_new(client, conversation, VISIT_OTHER, exchange);
    simulation_note(simulation, "client %u ends its session", client->actor.number);
    streamable_handle(&simulation->streamable, &visit->exchange->exchange);
    if (exchange->status == 200) {
        conversation_end(conversation);
    }
    client->conversation = NULL;
}

const struct client_kind session_client_kind = {
    .actor = {.name = "session client",
              .act = client_acts_one,
              .look = client_look,
              .settle = client_settle,
              .check_calm = client_check_calm,
              .leave = client_leave,
              .free = client_free},
    .post = post,
    .begin = begin,
    .end = end,
    .has_get_streams = true,
};

/* It never asks for a session, and never had a name to give. */
static void begin_nothing(struct client *client)
{
    client_post_request(client, client_new_request(client, REQUEST_CALL, 0));
}

const struct client_kind stateless_client_kind = {
    .actor = {.name = "stateless client",
              .act = client_acts_one,
              .look = client_look,
              .settle = client_settle,
              .check_calm = client_check_calm,
              .leave = client_leave,
              .free = client_free},
    .post = post,
    .begin = begin_nothing,
    .end = end,
    .has_get_streams = true,
};
