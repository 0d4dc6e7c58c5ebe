#include "src/figures.h"

#include "bridge/transport/refusal.h"

struct counter_row {
    size_t offset;
    const char *name;
    const char *help;
};

#define OF_SERVER(member) offsetof(struct server_counters, member)
#define OF_HTTP(member) offsetof(struct http_counters, member)

static const struct counter_row server_rows[] = {
    {OF_SERVER(calls), "mcp_bridge_requests_total", "Requests of clients, but for initialize"},
    {OF_SERVER(answers), "mcp_bridge_answers_total", "Results of the server"},
    {OF_SERVER(errors), "mcp_bridge_errors_total", "Errors of the server"},
    {OF_SERVER(failures), "mcp_bridge_failures_total", "Requests that failed because the server was not there"},
    {OF_SERVER(timeouts), "mcp_bridge_timeouts_total", "Requests that took too long"},
    {OF_SERVER(cancelled), "mcp_bridge_cancelled_total", "Requests that their clients cancelled"},
    {OF_SERVER(given_up), "mcp_bridge_given_up_total", "Requests whose clients went, and would not come back"},
    {OF_SERVER(sessions), "mcp_bridge_sessions_opened_total", "Sessions opened"},
    {OF_SERVER(sessions_ended), "mcp_bridge_sessions_ended_total", "Sessions ended, for whatever reason"},
    {OF_SERVER(sessions_expired), "mcp_bridge_sessions_expired_total", "Sessions that were idle for too long"},
    {OF_SERVER(dropped), "mcp_bridge_dropped_messages_total", "Messages of the server that belong to nobody"},
    {OF_SERVER(notifications_lost), "mcp_bridge_lost_notifications_total",
     "Notifications of clients that the server did not read"},
    {OF_SERVER(child_starts), "mcp_bridge_child_starts_total", "Processes started"},
    {OF_SERVER(child_crashes), "mcp_bridge_child_crashes_total", "Processes that ended unasked, or did not start"},
    {OF_SERVER(restarts), "mcp_bridge_child_restarts_total", "Processes that took the place of one that had served"},
    {OF_SERVER(callbacks), "mcp_bridge_callbacks_total", "Questions of the server to clients"},
    {OF_SERVER(callbacks_answered), "mcp_bridge_callbacks_answered_total", "Questions that clients answered"},
    {OF_SERVER(callbacks_failed), "mcp_bridge_callbacks_failed_total", "Questions that no client answered"},
    {OF_SERVER(slow_streams), "mcp_bridge_slow_streams_closed_total", "Event streams closed for a slow reader"},
    {OF_SERVER(messages_withheld), "mcp_bridge_withheld_messages_total", "Messages withheld from a slow reader"},
    {OF_SERVER(streams_held_back), "mcp_bridge_held_back_streams_total",
     "Event streams not opened at a session's ceiling"},
};

static const struct counter_row http_rows[] = {
    {OF_HTTP(requests), "mcp_bridge_http_requests_total", "HTTP requests"},
    {OF_HTTP(refusals), "mcp_bridge_http_refused_total", "HTTP requests that were malformed or too large"},
    {OF_HTTP(accepted_connections), "mcp_bridge_http_connections_total", "Connections accepted"},
    {OF_HTTP(cuts), "mcp_bridge_http_cut_connections_total", "Connections closed for what all had not read"},
    {OF_HTTP(pauses), "mcp_bridge_http_accept_pauses_total", "Times that clients had to wait to be accepted"},
    {OF_HTTP(received_bytes), "mcp_bridge_http_received_bytes_total", "Bytes from clients"},
    {OF_HTTP(sent_bytes), "mcp_bridge_http_sent_bytes_total", "Bytes to clients"},
};

/* Where the figures of one visit go. */
struct visit {
    figure_fn visit;
    void *to;
    struct slice server;
};

static void show(const struct visit *visit, struct figure figure)
{
    figure.server = visit->server;
    visit->visit(visit->to, &figure);
}

static void show_counters(const struct visit *visit, const struct counter_row *rows, size_t count, const void *counters)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = *(const uint64_t *)(const void *)((const char *)counters + rows[i].offset);
        show(visit, (struct figure){.name = rows[i].name, .help = rows[i].help, .is_counter = true, .value = value});
    }
}

static void show_gauge(const struct visit *visit, const char *name, const char *help, uint64_t value)
{
    show(visit, (struct figure){.name = name, .help = help, .value = value});
}

static void show_server(const struct visit *visit, const struct server *server)
{
    bool is_ready = server->shared != NULL && server->shared->channel.state == CHANNEL_READY;
    show_gauge(visit, "mcp_bridge_ready", "Whether the process that sessions share is ready", is_ready);
    show_gauge(visit, "mcp_bridge_sessions", "Open sessions", server->sessions.sessions.count);
    show_gauge(visit, "mcp_bridge_children", "Processes of the server", server->children.count);
    show_gauge(visit, "mcp_bridge_requests_in_flight", "Requests that wait or run", server->call_count);
    show_gauge(visit, "mcp_bridge_streams", "Open event streams", server->stream_count);
    show_gauge(visit, "mcp_bridge_replay_bytes", "Bytes kept for clients that come back", server->replay_store.bytes);
    show_counters(visit, server_rows, sizeof(server_rows) / sizeof(server_rows[0]), &server->counters);
    show(visit, (struct figure){.name = "mcp_bridge_replay_evictions_total",
                                .help = "Events forgotten to make room for newer ones",
                                .is_counter = true,
                                .value = server->replay_store.evicted});
}

static void show_refusals(const struct visit *visit)
{
    for (size_t i = 0; i < REFUSAL_COUNTERS; i++) {
        struct figure figure = {.name = "mcp_bridge_refused_total", .help = "Requests refused", .is_counter = true};
        figure.value = refusal_counter(i, &figure.reason);
        show(visit, figure);
    }
}

static void show_http(const struct visit *visit, const struct http_listener *listener)
{
    const struct http_counters *counters = http_listener_counters(listener);
    show_gauge(visit, "mcp_bridge_http_connections", "Open connections", counters->connections);
    show_gauge(visit, "mcp_bridge_http_queued_bytes", "Bytes that clients have not taken yet",
               http_listener_queued(listener));
    show_counters(visit, http_rows, sizeof(http_rows) / sizeof(http_rows[0]), counters);
}

void figures_visit(void *context, figure_fn visit, void *to)
{
    const struct figures *figures = context;
    const struct visit of_server = {visit, to, figures->server->name};
    const struct visit of_program = {visit, to, slice_of(NULL, 0)};
    size_t resident_bytes = 0;
    show_server(&of_server, figures->server);
    show_refusals(&of_program);
    if (*figures->listener != NULL) {
        show_http(&of_program, *figures->listener);
    }
    show_gauge(&of_program, "mcp_bridge_uptime_seconds", "Seconds since the start",
               (uv_now(figures->loop) - figures->started_ms) / 1000);
    if (uv_resident_set_memory(&resident_bytes) == 0) {
        show_gauge(&of_program, "process_resident_memory_bytes", "Resident memory of this process", resident_bytes);
    }
}
