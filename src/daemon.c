/*
 *             SIGTERM, SIGINT             no connection is open,            the listener and the
 *                                         or --drain-timeout has passed     children are closed
 *     SERVING ---------------> DRAINING ------------------------------> CLOSING -----------------> the loop ends
 *
 * While it drains, running exchanges go on. New ones are refused, but for those of sessions while calls of theirs run
 * (server_drain()); the socket is closed when the last of these has been answered. Closing answers what still runs with
 * an error, so that no client is left with a broken connection, and stops the child by the stop ladder. Another signal,
 * a second after the first or later, ends the program at once, and leaves what is left of the child to the guardian.
 */
#include "src/daemon.h"

#include "bridge/jsonrpc/reply.h"
#include "bridge/mcp/server.h"
#include "bridge/transport/legacy_sse.h"
#include "bridge/transport/streamable.h"
#include "src/activation.h"
#include "src/child/file_limit.h"
#include "src/child/launcher.h"
#include "src/child/reaper.h"
#include "src/child/supervisor.h"
#include "src/figures.h"
#include "src/file.h"
#include "src/gatekeeper.h"
#include "src/heap.h"
#include "src/http/listener.h"
#include "src/log.h"
#include "src/monitor/health.h"
#include "src/monitor/metrics.h"
#include "src/monitor/status.h"
#include "src/plan.h"
#include "src/secret.h"
#include "src/settings.h"
#include "src/version.h"
#include "src/wakeup.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

enum daemon_state {
    DAEMON_SERVING,  /* Requests are taken. */
    DAEMON_DRAINING, /* Running exchanges may finish; new ones are refused. */
    DAEMON_CLOSING,  /* Everything is being closed. */
};

static const uint64_t http_header_timeout_ms = 10 * 1000;
static const uint64_t http_body_timeout_ms = 30 * 1000;
/* Above the 60 s of common load balancers, which must be the ones to close. */
static const uint64_t http_idle_timeout_ms = 75 * 1000;
static const uint64_t http_write_stall_timeout_ms = 60 * 1000;
static const uint64_t flush_ms = 200;
/* A process group and the parent that forwards to it, as in a container, say the same thing twice. */
static const uint64_t same_signal_ms = 1000;
static const uint64_t child_stop_grace_ms = 2 * 1000; /* as the SDKs' own stdio clients */

struct daemon {
    enum daemon_state state;
    const struct options *options;
    uv_loop_t loop;
    struct wakeup wakeup;
    struct heap heap;
    struct log_output log;
    uv_signal_t sigterm;
    uv_signal_t sigint;
    uv_signal_t sighup; /* only with a file to read again */
    struct reaper reaper;
    struct guardian *guardian; /* borrowed */

    struct world world;
    struct secret secret;
    struct supervisor_settings supervisor_settings;
    struct child_command command;
    struct settings settings;
    struct server server;
    struct streamable streamable;
    struct legacy_sse sse;
    struct health_subject health;
    struct figures figures;
    struct figure_source figure_source;
    struct status_subject status;
    struct http_router router;
    struct gatekeeper keeper;
    struct http_listener *listener; /* NULL once closed */
    struct timer drain_timer;
    struct timer hurry_timer;
    int last_signal;
    uint64_t first_signal_ms;
    bool is_server_closed;
    bool is_inherited; /* the socket was opened by who started us, wherever the options point */
};

static const struct slice scope = SLICE_LITERAL("bridge");

/* ---- What the bridge needs of the world ---- */

/* uv_random() reads getrandom(2) or its like, and cannot fail once the system's pool is filled. */
static void fill_random(void *bytes, size_t size)
{
    int result = uv_random(NULL, NULL, bytes, size, 0, NULL);
    assert(result == 0);
    (void)result;
}

static void world_random(struct world *world, void *bytes, size_t size)
{
    (void)world;
    fill_random(bytes, size);
}

static void supervisor_random(void *context, void *bytes, size_t size)
{
    (void)context;
    fill_random(bytes, size);
}

static void world_authenticate(struct world *world, const struct slice *parts, size_t count, uint8_t mac[32])
{
    secret_authenticate(&container_of(world, struct daemon, world)->secret, parts, count, mac);
}

static struct child *world_child_open(struct world *world, const struct child_command *command,
                                      const struct child_events *events, void *owner)
{
    struct daemon *daemon = container_of(world, struct daemon, world);
    return supervisor_open(&daemon->supervisor_settings, command, events, owner);
}

static void init_world(struct daemon *daemon, struct guardian *guardian)
{
    uint8_t secret[16];
    fill_random(secret, sizeof(secret));
    map_set_secret(secret);
    daemon->world = (struct world){
        .timers = &daemon->wakeup.timers,
        .log = &daemon->log.log,
        .version = MCP_BRIDGE_VERSION,
        .random = world_random,
        .authenticate = world_authenticate,
        .child_open = world_child_open,
    };
    daemon->supervisor_settings = (struct supervisor_settings){
        .process = {.loop = &daemon->loop,
                    .timers = &daemon->wakeup.timers,
                    .log = &daemon->log.log,
                    .guardian = guardian,
                    .launcher = launcher_path(),
                    .max_line_bytes = daemon->options->max_line_bytes,
                    .max_queue_bytes = daemon->options->max_child_queue_bytes,
                    .stop_grace_ms = child_stop_grace_ms},
        .random = supervisor_random,
    };
}

/* ---- The end ---- */

static void close_signal(uv_signal_t *handle)
{
    uv_close((uv_handle_t *)handle, NULL);
}

/* The last handles; without them the loop ends. */
static void finish_if_closed(struct daemon *daemon)
{
    if (daemon->listener == NULL && daemon->is_server_closed) {
        timer_stop(&daemon->wakeup.timers, &daemon->drain_timer);
        timer_stop(&daemon->wakeup.timers, &daemon->hurry_timer);
        heap_stop(&daemon->heap);
        close_signal(&daemon->sigterm);
        close_signal(&daemon->sigint);
        if (gatekeeper_has_files(&daemon->keeper)) {
            close_signal(&daemon->sighup);
        }
        reaper_close(&daemon->reaper);
        wakeup_close(&daemon->wakeup);
    }
}

static void on_listener_closed(void *owner)
{
    struct daemon *daemon = owner;
    daemon->listener = NULL;
    finish_if_closed(daemon);
}

static void on_server_closed(struct server *server)
{
    struct daemon *daemon = container_of(server, struct daemon, server);
    daemon->is_server_closed = true;
    finish_if_closed(daemon);
}

static void on_flushed(struct timer *timer)
{
    http_listener_close(container_of(timer, struct daemon, drain_timer)->listener);
}

/* Closing the server answers what still runs; the answers get a moment to leave before the connections are cut. */
static void close_everything(struct daemon *daemon)
{
    daemon->state = DAEMON_CLOSING;
    server_close(&daemon->server, on_server_closed);
    timer_start(&daemon->wakeup.timers, &daemon->drain_timer, flush_ms, on_flushed);
}

/* No connection is left. */
static void on_drained(void *owner)
{
    struct daemon *daemon = owner;
    if (daemon->state == DAEMON_DRAINING) {
        close_everything(daemon);
    }
    timer_stop(&daemon->wakeup.timers, &daemon->drain_timer);
    http_listener_close(daemon->listener);
}

static void on_hurried(struct timer *timer)
{
    exit(128 + container_of(timer, struct daemon, hurry_timer)->last_signal);
}

/* Somebody asked twice: answers what runs, and leaves the child to the guardian. */
static void stop_at_once(struct daemon *daemon)
{
    if (daemon->state == DAEMON_DRAINING) {
        close_everything(daemon);
    }
    timer_start(&daemon->wakeup.timers, &daemon->hurry_timer, flush_ms, on_hurried);
}

static void on_drain_timeout(struct timer *timer)
{
    struct daemon *daemon = container_of(timer, struct daemon, drain_timer);
    log_line(&daemon->log.log, LOG_LEVEL_WARN, scope, "requests still run after --drain-timeout and are ended");
    close_everything(daemon);
}

/* Nobody has to come any more: what is left are exchanges that run. */
static void on_settled(struct server *server)
{
    struct daemon *daemon = container_of(server, struct daemon, server);
    streamable_settle(&daemon->streamable);
    legacy_sse_settle(&daemon->sse);
    http_listener_drain(daemon->listener);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    uint64_t now_ms = uv_now(&daemon->loop);
    daemon->last_signal = number;
    if (daemon->state == DAEMON_SERVING) {
        daemon->first_signal_ms = now_ms;
        log_line(&daemon->log.log, LOG_LEVEL_INFO, scope,
                 "%s: finishing what runs; once more, after a second, to stop at once",
                 number == SIGTERM ? "SIGTERM" : "SIGINT");
        daemon->state = DAEMON_DRAINING;
        if (daemon->options->drain_timeout_ms > 0) {
            timer_start(&daemon->wakeup.timers, &daemon->drain_timer, daemon->options->drain_timeout_ms,
                        on_drain_timeout);
        }
        streamable_drain(&daemon->streamable);
        server_drain(&daemon->server, on_settled);
    } else if (now_ms - daemon->first_signal_ms >= same_signal_ms) {
        stop_at_once(daemon);
    }
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    (void)number;
    gatekeeper_reload(&daemon->keeper, &daemon->log.log);
    streamable_end_strangers(&daemon->streamable);
    legacy_sse_end_strangers(&daemon->sse);
}

/* ---- The start ---- */

static void format_error(struct buffer *body, int status, const char *text)
{
    (void)status;
    reply_error(body, slice_of(NULL, 0), REPLY_REFUSED, text, slice_of(NULL, 0));
}

static void handle_mcp(void *context, struct exchange *exchange)
{
    streamable_handle(context, exchange);
}

static void handle_sse_stream(void *context, struct exchange *exchange)
{
    legacy_sse_handle_stream(context, exchange);
}

static void handle_sse_message(void *context, struct exchange *exchange)
{
    legacy_sse_handle_message(context, exchange);
}

static bool is_ready(void *context, struct slice *name, const char **state, const char **reason)
{
    const struct daemon *daemon = context;
    *name = daemon->server.name;
    if (daemon->state == DAEMON_SERVING && daemon->server.shared == NULL) {
        *state = "idle";
        *reason = "the next request starts the server";
        return true;
    }
    if (daemon->server.shared == NULL) {
        *state = channel_state_name(CHANNEL_CLOSED);
        *reason = "the bridge is shutting down";
        return false;
    }
    const struct channel *channel = &daemon->server.shared->channel;
    *state = channel_state_name(channel->state);
    *reason = channel->failure;
    if (daemon->state != DAEMON_SERVING) {
        *reason = "the bridge is shutting down";
    } else if (channel->state != CHANNEL_READY && channel->failure[0] == '\0') {
        *reason = "the server is starting: it has not answered initialize yet";
    }
    return channel->state == CHANNEL_READY && daemon->state == DAEMON_SERVING;
}

static void init_bridge(struct daemon *daemon)
{
    daemon->command = options_command(daemon->options);
    settings_init(&daemon->settings, daemon->options, &daemon->keeper.gate);
    server_open(&daemon->server, &daemon->world, &daemon->command, &daemon->settings.server);
    streamable_init(&daemon->streamable, &daemon->server, &daemon->settings.streamable);
    legacy_sse_init(&daemon->sse, &daemon->server, &daemon->settings.sse);
    daemon->streamable.legacy = daemon->options->no_sse ? NULL : &daemon->sse;
}

static void init_monitor(struct daemon *daemon)
{
    daemon->figures = (struct figures){.server = &daemon->server,
                                       .listener = &daemon->listener,
                                       .loop = &daemon->loop,
                                       .started_ms = uv_now(&daemon->loop)};
    daemon->figure_source = (struct figure_source){.context = &daemon->figures, .visit = figures_visit};
    daemon->status = (struct status_subject){
        .health = &daemon->health, .figures = &daemon->figure_source, .version = MCP_BRIDGE_VERSION};
    if (!daemon->options->no_metrics) {
        bool is_open = daemon->options->open_metrics;
        gatekeeper_add_page(&daemon->keeper, "/metrics", metrics_handle, &daemon->figure_source, is_open);
        gatekeeper_add_page(&daemon->keeper, "/status", status_handle, &daemon->status, is_open);
    }
}

static void init_routes(struct daemon *daemon)
{
    daemon->health = (struct health_subject){.context = daemon, .is_ready = is_ready};
    http_router_add(&daemon->router, daemon->options->path, handle_mcp, &daemon->streamable);
    if (!daemon->options->no_sse) {
        http_router_add(&daemon->router, daemon->options->sse_path, handle_sse_stream, &daemon->sse);
        http_router_add(&daemon->router, daemon->options->message_path, handle_sse_message, &daemon->sse);
    }
    gatekeeper_add_page(&daemon->keeper, "/healthz", health_handle_live, NULL, true);
    gatekeeper_add_page(&daemon->keeper, "/readyz", health_handle_ready, &daemon->health, true);
    init_monitor(daemon);
}

static int open_listener(struct daemon *daemon, struct error *error)
{
    int descriptor = activation_take(error);
    if (descriptor < 0) {
        return -1;
    }
    const struct http_listener_options options = {
        .loop = &daemon->loop,
        .timers = &daemon->wakeup.timers,
        .log = &daemon->log.log,
        .router = &daemon->router,
        .settings = {.max_body_bytes = daemon->options->max_body_bytes,
                     .max_connections = daemon->options->max_connections,
                     .header_timeout_ms = http_header_timeout_ms,
                     .body_timeout_ms = http_body_timeout_ms,
                     .idle_timeout_ms = http_idle_timeout_ms,
                     .write_stall_timeout_ms = http_write_stall_timeout_ms,
                     .format_error = format_error,
                     .common_headers = gatekeeper_headers,
                     .takes_body = gatekeeper_takes_body,
                     .context = &daemon->keeper},
        .address = daemon->options->host,
        .port = (int)daemon->options->port,
        .mode = (unsigned)daemon->options->listen_mode,
        .descriptor = descriptor,
        .owner = daemon,
        .on_drained = on_drained,
        .on_closed = on_listener_closed,
    };
    daemon->listener = http_listener_open(&options, error);
    if (daemon->listener == NULL) {
        return -1;
    }
    daemon->is_inherited = descriptor > 0;
    return 0;
}

/* Nobody restarts it: a fork would now take all that is open along. */
static void on_reaped(struct reaper *reaper, pid_t pid)
{
    struct daemon *daemon = container_of(reaper, struct daemon, reaper);
    if (guardian_is_reaped(daemon->guardian, pid)) {
        log_line(&daemon->log.log, LOG_LEVEL_WARN, scope,
                 "the guardian was killed: what the children have started may outlive a crash of the bridge");
    }
}

static void open_signal(struct daemon *daemon, uv_signal_t *handle, uv_signal_cb on_event, int number)
{
    uv_signal_init(&daemon->loop, handle);
    handle->data = daemon;
    uv_signal_start(handle, on_event, number);
}

static void open_signals(struct daemon *daemon)
{
    open_signal(daemon, &daemon->sigterm, on_signal, SIGTERM);
    open_signal(daemon, &daemon->sigint, on_signal, SIGINT);
    if (gatekeeper_has_files(&daemon->keeper)) {
        open_signal(daemon, &daemon->sighup, on_hangup, SIGHUP);
    }
}

/* Nothing runs but the loop's own handles: takes those down. */
static void close_unstarted(struct daemon *daemon)
{
    wakeup_close(&daemon->wakeup);
    gatekeeper_release(&daemon->keeper);
    http_router_release(&daemon->router);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    uv_loop_close(&daemon->loop);
}

/* As the options have it, but for the port, which may be chosen by the system, and for what was handed over. */
static void write_address(const struct daemon *daemon, char *text, size_t size)
{
    if (daemon->is_inherited) {
        http_address_print(http_listener_address(daemon->listener), text, size);
    } else {
        struct options options = *daemon->options;
        options.port = (uint64_t)http_listener_port(daemon->listener);
        plan_address(&options, text, size);
    }
}

/* For people. Nobody may be reading: it goes the way of the log. */
static void print_plan(const struct daemon *daemon, const char *address)
{
    struct buffer text;
    buffer_init(&text, 0);
    plan_describe(daemon->options, address, &text);
    (void)log_write_plain(buffer_slice(&text));
    buffer_release(&text);
}

static void announce(struct daemon *daemon)
{
    char address[512];
    write_address(daemon, address, sizeof(address));
    if (daemon->options->log_format == LOG_FORMAT_JSON) {
        plan_log(daemon->options, address, &daemon->log.log);
    } else if (!daemon->options->is_quiet) {
        print_plan(daemon, address);
    }
    gatekeeper_open(&daemon->keeper, http_address_reach(http_listener_address(daemon->listener)), &daemon->log.log);
}

/* `path` may be NULL. */
static void warn_if_exposed(struct daemon *daemon, const char *what, const char *path)
{
    if (path != NULL && file_is_exposed(path)) {
        log_line(&daemon->log.log, LOG_LEVEL_WARN, scope, "the %s %s can be read or changed by every user", what, path);
    }
}

static void serve(struct daemon *daemon)
{
    init_bridge(daemon);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    http_router_release(&daemon->router);
    gatekeeper_release(&daemon->keeper);
    legacy_sse_release(&daemon->sse);
    streamable_release(&daemon->streamable);
    settings_release(&daemon->settings);
    int result = uv_loop_close(&daemon->loop);
    assert(result == 0);
    (void)result;
}

int daemon_check(const struct options *options, struct error *error)
{
    struct http_address address;
    struct http_router router;
    struct gatekeeper keeper;
    if (http_address_read(&address, options->host, (int)options->port, error) != 0) {
        return -1;
    }
    http_router_init(&router);
    int result = gatekeeper_init(&keeper, options, &router, error);
    gatekeeper_release(&keeper);
    http_router_release(&router);
    return result;
}

/* libuv does not survive every want of descriptors: there must be enough before it is called. */
static int open_loop(struct daemon *daemon, struct error *error)
{
    if (file_limit_raise(error) != 0) {
        return -1;
    }
    int result = uv_loop_init(&daemon->loop);
    return result == 0 ? 0 : error_set(error, "cannot start the event loop: %s", uv_strerror(result));
}

int daemon_run(const struct options *options, struct guardian *guardian, struct error *error)
{
    static struct daemon daemon;
    daemon = (struct daemon){.options = options, .guardian = guardian};
    if (secret_init(&daemon.secret, options->state_key_file, error) != 0) {
        return -1;
    }
    if (open_loop(&daemon, error) != 0) {
        secret_release(&daemon.secret);
        return -1;
    }
    log_output_init(&daemon.log, options->is_quiet ? LOG_LEVEL_ERROR : (enum log_level)options->log_level,
                    options->log_format == LOG_FORMAT_JSON);
    wakeup_open(&daemon.wakeup, &daemon.loop);
    init_world(&daemon, guardian);
    http_router_init(&daemon.router);
    if (gatekeeper_init(&daemon.keeper, options, &daemon.router, error) != 0 || open_listener(&daemon, error) != 0) {
        close_unstarted(&daemon);
        secret_release(&daemon.secret);
        return -1;
    }
    init_routes(&daemon);
    heap_start(&daemon.heap, &daemon.wakeup.timers);
    open_signals(&daemon);
    reaper_open(&daemon.reaper, &daemon.loop, &daemon.log.log);
    daemon.reaper.on_reaped = on_reaped;
    announce(&daemon);
    warn_if_exposed(&daemon, "key file", options->state_key_file);
    warn_if_exposed(&daemon, "token file", options->auth_token_file);
    serve(&daemon);
    secret_release(&daemon.secret);
    return 0;
}
