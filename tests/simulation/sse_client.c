#include "tests/simulation/sse_client.h"

#include "bridge/base/memory.h"
#include "tests/simulation/client_acts.h"

static struct visit *stream_of(const struct client *client)
{
    LIST_FOR_EACH(link, &client->visits) {
        struct visit *visit = container_of(link, struct visit, link);
        if (visit->kind == VISIT_SSE && visit->conversation == client->conversation && visit_is_open(visit)) {
            return visit;
        }
    }
    return NULL;
}

static void open_stream(struct client *client)
{
    struct simulation *simulation = client->actor.simulation;
    struct fake_exchange *exchange = fake_exchange_new(&simulation->world, EXCHANGE_GET);
    client_add_fields(client, exchange);
    fake_exchange_add_field(exchange, "Accept", "text/event-stream");
    client->conversation = conversation_new(client);
    client->conversation->is_sse = true;
    struct visit *visit = visit_new(client, client->conversation, VISIT_SSE, exchange);
    simulation_note(simulation, "client %u opens a stream", client->actor.number);
    legacy_sse_handle_stream(&simulation->sse, &visit->exchange->exchange);
}

/* The POST is answered with 202 and the request's answer comes on the stream; anything else is its end. */
static struct visit *post(struct client *client, struct slice body, struct request *const *requests, size_t count)
{
    struct simulation *simulation = client->actor.simulation;
    struct conversation *conversation = client->conversation;
    if (conversation == NULL || conversation->name[0] == '\0') {
        for (size_t i = 0; i < count; i++) {
            /* It has nowhere to send it. */
            request_leave(requests[i], REQUEST_ENDED, simulation->step_began_ms);
        }
        return NULL;
    }
    struct fake_exchange *exchange = fake_exchange_new(&simulation->world, EXCHANGE_POST);
    client_add_fields(client, exchange);
    fake_exchange_add_field(exchange, "Content-Type", "application/json");
    fake_exchange_set_body(exchange, body);
    char query[CONVERSATION_NAME + 16] = "x=1&sessionId=";
    strncat(query, client->is_lost ? "0" : conversation->name, CONVERSATION_NAME);
    exchange->exchange.query = slice_text(query);
    struct visit *visit = visit_new(client, conversation, count > 0 ? VISIT_SSE_POST : VISIT_OTHER, exchange);
    for (size_t i = 0; i < count; i++) {
        visit->requests[i] = requests[i];
    }
    visit->request_count = count;
    simulation_note(simulation, "client %u posts beside its stream: %.*s", client->actor.number, SLICE_PRINT(body));
    legacy_sse_handle_message(&simulation->sse, &exchange->exchange);
    exchange->exchange.query = slice_of(NULL, 0);
    return visit;
}

static void begin(struct client *client)
{
    if (client->conversation == NULL || stream_of(client) == NULL) {
        open_stream(client);
    } else if (client->conversation->name[0] != '\0') {
        client_post_request(client, client_new_initialize(client));
    }
}

static void end(struct client *client)
{
    struct visit *stream = stream_of(client);
    if (stream != NULL) {
        visit_cut(stream);
    }
    client->conversation = NULL;
}

const struct client_kind sse_client_kind = {
    .actor = {.name = "sse client",
              .act = client_acts_one,
              .look = client_look,
              .settle = client_settle,
              .check_calm = client_check_calm,
              .leave = client_leave,
              .free = client_free},
    .post = post,
    .begin = begin,
    .end = end,
};
