#include "src/settings.h"

#include "bridge/base/memory.h"

#include <stdlib.h>

static struct credentials make_credentials(struct settings *settings, const struct options *options)
{
    size_t count = options->env_from_header.count;
    settings->credentials = memory_new((count + 1) * sizeof(*settings->credentials));
    for (size_t i = 0; i < count; i++) {
        const struct header_variable *pair = &options->header_variables[i];
        settings->credentials[i] = (struct credential){.variable = pair->variable, .header = pair->header};
    }
    return (struct credentials){settings->credentials, count};
}

static struct server_settings make_server(const struct options *options)
{
    /* In the order of --server-era's values. */
    static const enum server_era eras[] = {SERVER_ERA_UNKNOWN, SERVER_ERA_LEGACY, SERVER_ERA_MODERN};
    return (struct server_settings){
        .channel = {.start_timeout_ms = options->start_timeout_ms, .request_timeout_ms = options->request_timeout_ms},
        .session_timeout_ms = options->session_timeout_ms,
        .children = (enum server_children)options->children,
        .callback_timeout_ms = options->callback_timeout_ms,
        .replay_bytes = options->replay_bytes,
        .replay_age_ms = options->replay_age_ms,
        .max_sessions = options->max_sessions,
        .max_children = options->max_children,
        .min_idle_children = options->min_idle_children,
        .child_idle_timeout_ms = options->child_idle_timeout_ms,
        .shared_idle_timeout_ms = options->shared_idle_timeout_ms,
        .has_credentials = options->env_from_header.count > 0,
        .era = eras[options->server_era],
        .max_in_flight = options->max_in_flight,
        .max_session_calls = options->max_session_calls,
        .max_session_streams = options->max_session_streams,
        .max_stream_queue_bytes = options->max_stream_queue_bytes,
        .max_replay_bytes = options->max_replay_bytes,
    };
}

void settings_init(struct settings *settings, const struct options *options, const struct gate *gate)
{
    struct credentials credentials = make_credentials(settings, options);
    settings->server = make_server(options);
    settings->streamable = (struct streamable_settings){
        .mode = options->is_stateful    ? STREAMABLE_STATEFUL
                : options->is_stateless ? STREAMABLE_STATELESS
                                        : STREAMABLE_BOTH,
        .gate = *gate,
        .credentials = credentials,
        .post = {.json_only = options->json_response,
                 .stream_after_ms = options->stream_after_ms,
                 .heartbeat_ms = options->heartbeat_ms},
    };
    settings->sse = (struct legacy_sse_settings){
        .gate = *gate,
        .credentials = credentials,
        .message_path = options->message_path,
        .heartbeat_ms = options->heartbeat_ms,
    };
}

void settings_release(struct settings *settings)
{
    free(settings->credentials);
}
