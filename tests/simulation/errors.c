#include "tests/simulation/errors.h"

#include "tests/simulation/client.h"
#include "tests/simulation/visit.h"

static bool has_passed(struct simulation *simulation, const struct request *request, uint64_t timeout_ms)
{
    return timeout_ms > 0 && simulation_now(simulation) >= request->sent_ms + timeout_ms;
}

static bool always(struct simulation *simulation, const struct request *request)
{
    (void)request;
    return simulation->step > 0;
}

static bool request_is_old(struct simulation *simulation, const struct request *request)
{
    return has_passed(simulation, request, simulation->profile.settings.channel.request_timeout_ms);
}

static bool start_is_old(struct simulation *simulation, const struct request *request)
{
    return has_passed(simulation, request, simulation->profile.settings.channel.start_timeout_ms);
}

static bool was_cancelled(struct simulation *simulation, const struct request *request)
{
    (void)simulation;
    return request->was_cancelled;
}

static bool is_without_session(struct simulation *simulation, const struct request *request)
{
    (void)simulation;
    return request->conversation == NULL;
}

/* The child's end, or one that could not start: it has not answered. */
static bool was_not_answered(struct simulation *simulation, const struct request *request)
{
    (void)simulation;
    return request->answer == NULL || request->state == REQUEST_LEFT;
}

static bool was_not_read(struct simulation *simulation, const struct request *request)
{
    (void)simulation;
    return request->reads == 0 || request->was_asked; /* what it is asked again may never be read */
}

static bool is_the_end(struct simulation *simulation, const struct request *request)
{
    /* While it drains, sessions are served. */
    bool is_over = request->conversation == NULL || simulation->is_settled || simulation->server.on_closed != NULL;
    return (simulation->phase == SIMULATION_END && is_over) || request->kind == REQUEST_INITIALIZE ||
           (request->conversation != NULL && request->conversation->has_own_child);
}

static bool is_crowded(struct simulation *simulation, const struct request *request)
{
    (void)request;
    return simulation->profile.settings.max_in_flight < 1024;
}

static bool is_about_task(struct simulation *simulation, const struct request *request)
{
    (void)simulation;
    return request->kind == REQUEST_TASK;
}

static bool is_initialize(struct simulation *simulation, const struct request *request)
{
    (void)simulation;
    return request->kind == REQUEST_INITIALIZE;
}

static bool is_modern_or_initialize(struct simulation *simulation, const struct request *request)
{
    return request->is_modern || is_initialize(simulation, request);
}

static bool loan_is_old(struct simulation *simulation, const struct request *request)
{
    return request->is_modern && start_is_old(simulation, request);
}

static bool has_no_shape(struct simulation *simulation, const struct request *request)
{
    return simulation->profile.shape_percent > 0 && request->answer != NULL && request->answer->is_misshapen;
}

static bool is_legacy_on_modern(struct simulation *simulation, const struct request *request)
{
    return simulation->profile.server == PROFILE_SERVER_MODERN && !request->is_modern &&
           (request->kind == REQUEST_TASK || request->conversation == NULL);
}

static const struct {
    const char *text; /* somewhere in the error */
    bool (*is_right)(struct simulation *simulation, const struct request *request);
} errors[] = {
    {"before it answered", was_not_answered},
    {"Request timed out", request_is_old},
    {"The server is not ready after", start_is_old},
    {"The server is not available", was_not_read},
    {"Request cancelled", was_cancelled},
    {"resources/subscribe needs a session", is_without_session},
    {"The bridge is shutting down", is_the_end},
    {"Too many requests in flight", is_crowded},
    {"Task not found", is_about_task},
    {"\"message\":\"no\"", is_modern_or_initialize}, /* its child's own refusal */
    {"Too many open sessions", is_initialize},
    {"Too many children", is_modern_or_initialize},
    {"All children of the server are in use", loan_is_old},
    {"Too many subscriptions and sessions", is_modern_or_initialize},
    {"is not one of the revision 2026-07-28", has_no_shape},
    {"cannot be one of the revision 2026-07-28", has_no_shape},
    {"result is not an object", has_no_shape},
    {"Method not found", is_legacy_on_modern},
    {"\"code\":-1,\"message\":\"no\"",
     is_modern_or_initialize},     /* the child's own words, to the client whose child it is */
    {"Session not found", always}, /* judged by its status */
};

void errors_judge(struct simulation *simulation, const struct request *request, const struct message *message)
{
    struct slice error = message->error;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (memmem(error.data, error.size, errors[i].text, strlen(errors[i].text)) != NULL) {
            simulation_require(simulation, errors[i].is_right(simulation, request), "request %u, without reason: %.*s",
                               request->number, SLICE_PRINT(error));
            return;
        }
    }
    simulation_fail(simulation, "request %u, an unknown error: %.*s", request->number, SLICE_PRINT(error));
}

/* A session that was heard of within its timeout is there. */
static bool may_be_gone(const struct visit *visit)
{
    const struct conversation *conversation = visit->conversation;
    struct simulation *simulation = visit->client->actor.simulation;
    uint64_t timeout_ms = simulation->profile.settings.session_timeout_ms;
    return visit->client->is_lost || conversation == NULL || conversation->is_over ||
           simulation->phase == SIMULATION_END || conversation->is_sse ||
           (timeout_ms > 0 && simulation_now(simulation) >= conversation->previously_heard_ms + timeout_ms);
}

/* Whether a 503 may say that the bridge shuts down: not to a session, as long as it drains and has not settled. */
static bool may_be_turned_away(const struct visit *visit)
{
    const struct simulation *simulation = visit->client->actor.simulation;
    const char *answer = fake_exchange_answer(visit->exchange);
    if (answer == NULL || strstr(answer, "shutting down") == NULL) {
        return true;
    }
    return simulation->is_settled || simulation->server.on_closed != NULL || visit->is_lost ||
           visit->conversation == NULL || !conversation_is_alive(visit->conversation) ||
           (visit->request_count > 0 && visit->requests[0]->kind == REQUEST_INITIALIZE);
}

void errors_judge_status(const struct visit *visit, int status)
{
    struct simulation *simulation = visit->client->actor.simulation;
    enum streamable_mode mode = simulation->profile.endpoint.mode;
    bool is_right = false;
    switch (status) {
    case 400:
        is_right = visit->kind == VISIT_OTHER || visit->conversation == NULL || visit->is_batch ||
                   (visit->kind == VISIT_SSE_POST && visit->request_count > 0);
        break;
    case 404:
        is_right = visit->kind == VISIT_OTHER || may_be_gone(visit);
        break;
    case 405:
        is_right = mode == STREAMABLE_STATELESS || visit->kind == VISIT_RESUME || visit->kind == VISIT_OTHER;
        break;
    case 503:
        is_right = may_be_turned_away(visit);
        break;
    default:
        break;
    }
    simulation_require(simulation, is_right, "client %u was refused with %d", visit->client->actor.number, status);
}
