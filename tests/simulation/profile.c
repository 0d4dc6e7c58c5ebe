#include "tests/simulation/profile.h"

#include "tests/unit/bridge/fake_world.h"

static char program[] = "simulated";
static char *const arguments[] = {program, NULL};

static const unsigned usual_child_acts[CHILD_ACT_COUNT] = {
    [CHILD_READS] = 30,         [CHILD_ANSWERS] = 30,      [CHILD_ANSWERS_AGAIN] = 2,
    [CHILD_ANSWERS_NOBODY] = 1, [CHILD_PROGRESSES] = 6,    [CHILD_PROGRESSES_FOR_NOBODY] = 1,
    [CHILD_LOGS] = 6,           [CHILD_ASKS] = 8,          [CHILD_TAKES_BACK] = 1,
    [CHILD_PINGS] = 1,          [CHILD_CHANGES_LISTS] = 2, [CHILD_UPDATES] = 4,
    [CHILD_TELLS_TASK] = 2,     [CHILD_SAYS_OTHER] = 1,    [CHILD_BABBLES] = 1,
    [CHILD_FILLS] = 1,          [CHILD_DRAINS] = 6,        [CHILD_CRASHES] = 1,
};

static const unsigned usual_client_acts[CLIENT_ACT_COUNT] = {
    [CLIENT_CALLS] = 30,        [CLIENT_BATCHES] = 4,        [CLIENT_SUBSCRIBES] = 4, [CLIENT_UNSUBSCRIBES] = 2,
    [CLIENT_SETS_LEVEL] = 3,    [CLIENT_ASKS_FOR_TASK] = 3,  [CLIENT_LISTENS] = 6,    [CLIENT_CANCELS] = 3,
    [CLIENT_CUTS] = 8,          [CLIENT_COMES_BACK] = 12,    [CLIENT_READS] = 6,      [CLIENT_ANSWERS] = 12,
    [CLIENT_ANSWERS_AGAIN] = 1, [CLIENT_ANSWERS_NOBODY] = 1, [CLIENT_NOTIFIES] = 3,   [CLIENT_STEALS] = 1,
    [CLIENT_BABBLES] = 1,       [CLIENT_ENDS] = 1,           [CLIENT_FORGETS] = 1,
};

static const unsigned usual_modern_acts[MODERN_ACT_COUNT] = {
    [MODERN_CALLS] = 30,  [MODERN_DISCOVERS] = 3, [MODERN_LISTENS] = 4, [MODERN_ANSWERS] = 25,
    [MODERN_REPLAYS] = 6, [MODERN_MISTAKES] = 4,  [MODERN_STEALS] = 6,  [MODERN_CUTS] = 5,
};

static uint64_t one_of(uint64_t *state, const uint64_t *values, size_t count)
{
    return values[fake_random_below(state, count)];
}

#define ONE_OF(state, ...) \
    one_of(state, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* Off in a quarter of the runs, usual in half of them, and four times as likely in a quarter. */
static void choose_weights(unsigned *weights, const unsigned *usual, size_t count, uint64_t *state)
{
    static const unsigned factors[] = {0, 1, 1, 4};
    for (size_t i = 0; i < count; i++) {
        weights[i] = usual[i] * factors[fake_random_below(state, 4)];
    }
}

static void choose_settings(struct profile *profile, uint64_t *state)
{
    static const struct credential key = {.variable = "KEY", .header = "x-key"};
    profile->has_credentials = fake_random_below(state, 4) == 0;
    const struct credentials credentials = {.list = &key, .count = profile->has_credentials};
    profile->settings = (struct server_settings){
        .channel = {.start_timeout_ms = ONE_OF(state, 0, 500, 5000, 60000),
                    .request_timeout_ms = ONE_OF(state, 0, 300, 5000, 120000)},
        .children = (enum server_children)ONE_OF(state, SERVER_CHILDREN_AUTO, SERVER_CHILDREN_AUTO,
                                                 SERVER_CHILDREN_SHARED, SERVER_CHILDREN_SESSION),
        .session_timeout_ms = ONE_OF(state, 0, 2000, 30000, 1800000),
        .callback_timeout_ms = ONE_OF(state, 0, 400, 10000, 300000),
        .replay_bytes = ONE_OF(state, 0, 1500, 8000, 1 << 20),
        .replay_age_ms = ONE_OF(state, 500, 10000, 300000),
        .max_sessions = ONE_OF(state, 2, 5, 100),
        .max_children = ONE_OF(state, 1, 3, 64),
        .min_idle_children = ONE_OF(state, 0, 0, 2),
        .shared_idle_timeout_ms = ONE_OF(state, 0, 0, 0, 3000),
        .child_idle_timeout_ms = 3000,
        .max_replay_bytes = 64 << 20,
        .max_stream_queue_bytes = 4 << 20,
        .has_credentials = profile->has_credentials,
        .max_in_flight = ONE_OF(state, 3, 8, 1024),
    };
    profile->endpoint = (struct streamable_settings){
        .mode = (enum streamable_mode)ONE_OF(state, STREAMABLE_BOTH, STREAMABLE_BOTH, STREAMABLE_BOTH,
                                             STREAMABLE_STATEFUL, STREAMABLE_STATELESS),
        .gate = {.checks_host = true},
        .credentials = credentials,
        .post = {.json_only = fake_random_below(state, 8) == 0,
                 .stream_after_ms = ONE_OF(state, 0, 20, 100, 5000),
                 .heartbeat_ms = ONE_OF(state, 0, 300, 15000)},
    };
    profile->sse = (struct legacy_sse_settings){.gate = profile->endpoint.gate,
                                                .credentials = credentials,
                                                .message_path = "/messages",
                                                .heartbeat_ms = profile->endpoint.post.heartbeat_ms};
}

static bool find_token(const struct token_list *list, struct slice token, struct slice *principal)
{
    (void)list;
    *principal = slice_starts_with(token, "t") ? slice_of(token.data + 1, token.size - 1) : slice_of("", 0);
    return principal->size > 0;
}

static const struct token_list tokens = {.find = find_token};

static void choose_eras(struct profile *profile, uint64_t *state)
{
    static const enum server_era eras[] = {SERVER_ERA_LEGACY, SERVER_ERA_BOTH, SERVER_ERA_MODERN};
    profile->server = (enum profile_server)ONE_OF(state, PROFILE_SERVER_LEGACY, PROFILE_SERVER_LEGACY,
                                                  PROFILE_SERVER_BOTH, PROFILE_SERVER_MODERN);
    profile->settings.era = fake_random_below(state, 3) == 0 ? eras[profile->server] : SERVER_ERA_UNKNOWN;
    profile->settings.callback_timeout_ms = ONE_OF(state, 400, 10000, 300000);
    profile->modern_clients = (unsigned)ONE_OF(state, 1, 2, 4);
    profile->round_percent = (unsigned)ONE_OF(state, 0, 30, 70);
    profile->shape_percent = (unsigned)ONE_OF(state, 0, 0, 10);
    profile->probe_mood = (unsigned)fake_random_below(state, 4);
    profile->has_drain = true; /* what is parked ends with that */
    profile->has_param_headers = fake_random_below(state, 3) == 0;
    profile->has_tokens = fake_random_below(state, 2) == 0;
    profile->endpoint.gate.tokens = profile->has_tokens ? &tokens : NULL;
    profile->sse.gate.tokens = profile->endpoint.gate.tokens;
    choose_weights(profile->modern_acts, usual_modern_acts, MODERN_ACT_COUNT, state);
    profile->modern_acts[MODERN_CALLS] = usual_modern_acts[MODERN_CALLS];
    /* Calls that are parked are what is worth seeing: a child asks more often than it answers, and there is time. */
    if (fake_random_below(state, 4) > 0) {
        profile->callback_percent = 80;
        profile->settings.max_children = ONE_OF(state, 3, 8, 64);
        profile->child_acts[CHILD_ASKS] = 40;
        profile->child_acts[CHILD_ANSWERS] = 15;
        profile->child_percent = 65;
        profile->time_percent = 15;
        profile->time_ms = ONE_OF(state, 20, 100);
        profile->refuse_percent = 0;
        profile->modern_acts[MODERN_ANSWERS] = usual_modern_acts[MODERN_ANSWERS];
    }
}

void profile_init(struct profile *profile, uint64_t *state)
{
    static const char *const versions[] = {"2025-11-25", "2025-11-25", "2025-11-25",
                                           "2025-06-18", "2025-03-26", "2024-11-05"};
    *profile = (struct profile){.command = {.name = SLICE_LITERAL("simulated"), .argv = arguments}};
    choose_settings(profile, state);
    profile->child_version = versions[fake_random_below(state, 6)];
    profile->steps = 100 + (unsigned)fake_random_below(state, 500);
    profile->stateless_clients = (unsigned)fake_random_below(state, 3);
    profile->session_clients = 1 + (unsigned)fake_random_below(state, 4);
    profile->sse_clients = (unsigned)fake_random_below(state, 3);
    profile->callback_percent = (unsigned)ONE_OF(state, 0, 40, 90);
    profile->slow_percent = (unsigned)ONE_OF(state, 0, 10, 50);
    profile->time_percent = (unsigned)ONE_OF(state, 2, 10, 30);
    profile->time_ms = ONE_OF(state, 5, 100, 2000);
    profile->refuse_percent = (unsigned)ONE_OF(state, 0, 5, 30);
    profile->error_percent = (unsigned)ONE_OF(state, 0, 10, 40);
    profile->task_percent = (unsigned)ONE_OF(state, 0, 10);
    profile->child_percent = (unsigned)ONE_OF(state, 30, 50, 65);
    profile->has_calm = fake_random_below(state, 4) > 0;
    profile->has_drain = fake_random_below(state, 2) > 0;
    choose_weights(profile->child_acts, usual_child_acts, CHILD_ACT_COUNT, state);
    choose_weights(profile->client_acts, usual_client_acts, CLIENT_ACT_COUNT, state);
    /* Without these nothing would ever happen. */
    profile->child_acts[CHILD_READS] = usual_child_acts[CHILD_READS];
    profile->child_acts[CHILD_DRAINS] = usual_child_acts[CHILD_DRAINS];
    profile->client_acts[CLIENT_CALLS] = usual_client_acts[CLIENT_CALLS];
    profile->has_eras = fake_random_below(state, 3) == 0;
    if (profile->has_eras) {
        choose_eras(profile, state);
    }
}
