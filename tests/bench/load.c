/*
 * The load client: so many connections, each with one request under way, over so many sessions. It checks each answer's
 * id and content, and prints one JSON object.
 *
 *     load [OPTION VALUE]...     see `options`; --port is needed
 *
 * 1. The sessions are opened, and with --streams and --idle others that stay beside them.
 * 2. With --hold 1, it prints {"ready": true} and waits for a line on stdin.
 * 3. The calls run: a while without being counted, then the window that is measured.
 * 4. The sessions are ended.
 */
#include "tests/bench/load_direct.h"
#include "tests/bench/load_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* So many are opened at the same time, fewer than any peer's queue of connections to accept. */
enum { OPENING = 64 };

struct load {
    long port, connections, sessions, streams, idle, churn, modern, payload, progress, calls, hold;
    double seconds, warmup, patience;
    const char *path;
    struct users users;
    struct user *all; /* first the connections that call, then the streams, then the idle */
    struct user_session *all_sessions;
};

static uint64_t nanoseconds(double seconds)
{
    return (uint64_t)(seconds * 1e9);
}

/* ---- Options ---- */

static long *find_number(struct load *load, const char *name)
{
    const struct {
        const char *name;
        long *value;
    } options[] = {
        {"--port", &load->port}, /* of 127.0.0.1 */
        {"--connections", &load->connections},
        {"--sessions", &load->sessions}, /* at most as many as connections; 0: stateless */
        {"--streams", &load->streams},   /* sessions with an open GET stream that do nothing */
        {"--idle", &load->idle},         /* sessions that are left alone, without a connection */
        {"--churn", &load->churn},       /* 1: a session for each call */
        {"--modern", &load->modern},     /* 1: calls of revision 2026-07-28 */
        {"--payload", &load->payload},   /* bytes */
        {"--progress", &load->progress}, /* notifications before each answer */
        {"--calls", &load->calls},       /* end after so many, instead of --seconds */
        {"--hold", &load->hold},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].name, name) == 0) {
            return options[i].value;
        }
    }
    return NULL;
}

static double *find_seconds(struct load *load, const char *name)
{
    return strcmp(name, "--seconds") == 0    ? &load->seconds
           : strcmp(name, "--warmup") == 0   ? &load->warmup
           : strcmp(name, "--patience") == 0 ? &load->patience /* for the opening */
                                             : NULL;
}

static void read_option(struct load *load, const char *name, const char *value)
{
    struct meter *meter = &load->users.meter;
    long *number = find_number(load, name);
    double *seconds = find_seconds(load, name);
    if (number != NULL) {
        *number = strtol(value, NULL, 10);
    } else if (seconds != NULL) {
        *seconds = strtod(value, NULL);
    } else if (strcmp(name, "--path") == 0) {
        load->path = value;
    } else if (strcmp(name, "--watch") == 0 && meter->pid_count < METER_MAX_PIDS) {
        meter->pids[meter->pid_count++] = strtol(value, NULL, 10);
    } else {
        fprintf(stderr, "load: what is %s?\n", name);
        exit(2);
    }
}

static void read_options(struct load *load, int argc, char **argv)
{
    *load = (struct load){.connections = 1, .payload = 64, .seconds = 1, .warmup = 0.2, .patience = 30, .path = "/mcp"};
    for (int i = 1; i + 1 < argc; i += 2) {
        read_option(load, argv[i], argv[i + 1]);
    }
    if (argc % 2 == 0 || load->port == 0 || load->sessions > load->connections || load->payload < MESSAGE_ID_DIGITS) {
        fprintf(stderr, "usage: load --port NUMBER [OPTION VALUE]...\n");
        exit(2);
    }
    load->users.target = (struct message_target){
        .path = load->path,
        .port = (int)load->port,
        .payload_bytes = (size_t)load->payload,
        .is_modern = load->modern != 0,
        .progress = (unsigned)load->progress,
    };
    load->users.is_churning = load->churn != 0;
    load->users.unit_limit = (size_t)load->calls;
    load->users.last_id = MESSAGE_FIRST_ID;
}

/* ---- The phases ---- */

static void *new_array(size_t count, size_t size)
{
    void *array = calloc(count + 1, size);
    if (array == NULL) {
        abort();
    }
    return array;
}

static void create_users(struct load *load)
{
    size_t callers = (size_t)load->connections;
    size_t listeners = callers + (size_t)load->streams;
    size_t count = listeners + (size_t)load->idle;
    load->all = new_array(count, sizeof(*load->all));
    load->all_sessions = new_array(count, sizeof(*load->all_sessions));
    for (size_t i = 0; i < count; i++) {
        bool is_shared = i < callers && load->sessions > 0;
        struct user_session *session = &load->all_sessions[is_shared ? i % (size_t)load->sessions : i];
        user_init(&load->all[i], &load->users, session);
        load->all[i].listens = i >= callers && i < listeners;
        load->all[i].leaves = i >= listeners;
    }
}

/* The n-th of those who open a session. */
static struct user *opener(struct load *load, size_t number)
{
    size_t sessions = (size_t)load->sessions;
    return &load->all[number < sessions ? number : number - sessions + (size_t)load->connections];
}

static bool open_sessions(struct load *load)
{
    struct users *users = &load->users;
    size_t count = users->is_churning ? 0 : (size_t)(load->sessions + load->streams + load->idle);
    size_t started = 0;
    uint64_t end_ns = meter_now_ns() + nanoseconds(load->patience);
    while (users->opened_count < count && users->error_count == 0 && meter_now_ns() < end_ns) {
        while (started < count && started - users->opened_count < OPENING) {
            user_open(opener(load, started++));
        }
        wire_turn(100);
    }
    if (users->opened_count < count && users->error_count == 0) {
        snprintf(users->error, sizeof(users->error), "only %zu of %zu sessions were open after %.0f s",
                 users->opened_count, count, load->patience);
        users->error_count = 1;
    }
    return users->error_count == 0;
}

static void wait_for_line(void)
{
    char line[16];
    printf("{\"ready\": true}\n");
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL) {
        exit(0);
    }
}

static void turn_until(const struct users *users, uint64_t end_ns)
{
    while (users->is_running && meter_now_ns() < end_ns) {
        wire_turn(100);
    }
}

static void run_calls(struct load *load)
{
    struct users *users = &load->users;
    users->is_running = true;
    uint64_t start_ns = meter_now_ns();
    meter_start(&users->meter);
    for (long i = 0; i < load->connections; i++) {
        user_run(&load->all[i]);
    }
    if (load->calls == 0) {
        turn_until(users, start_ns + nanoseconds(load->warmup));
        meter_start(&users->meter);
    }
    turn_until(users, meter_now_ns() + nanoseconds(load->calls == 0 ? load->seconds : 600));
    meter_stop(&users->meter);
    users->is_running = false;
}

static void wait_until_idle(const struct load *load)
{
    uint64_t end_ns = meter_now_ns() + nanoseconds(5);
    while (load->users.busy_count > 0 && meter_now_ns() < end_ns) {
        wire_turn(100);
    }
}

static void end_sessions(struct load *load)
{
    for (long i = 0; i < load->sessions && !load->users.is_churning; i++) {
        user_end(&load->all[i]);
    }
    wait_until_idle(load);
}

static void print(struct load *load)
{
    printf("{");
    meter_print(&load->users.meter);
    printf(", \"units\": %zu, \"reconnects\": %u, \"errors\": %u", load->users.unit_count, wire_reconnects(),
           load->users.error_count);
    if (load->users.error_count > 0) {
        printf(", \"error\": \"%s\"", load->users.error);
    }
    printf("}\n");
}

static void release(struct load *load)
{
    for (long i = 0; i < load->connections + load->streams + load->idle; i++) {
        user_release(&load->all[i]);
    }
    free(load->all);
    free(load->all_sessions);
    meter_release(&load->users.meter);
}

int main(int argc, char **argv)
{
    static struct load load;
    struct rlimit files;
    if (argc > 2 && strcmp(argv[1], "direct") == 0) {
        return load_direct(argc - 2, argv + 2);
    }
    read_options(&load, argc, argv);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    wire_setup((int)load.port, &user_wire_events);
    create_users(&load);
    if (open_sessions(&load)) {
        if (load.hold != 0) {
            wait_for_line();
        }
        run_calls(&load);
        /* What is still under way is not counted, but it is waited for, and checked. */
        size_t counted = load.users.meter.count;
        wait_until_idle(&load);
        load.users.meter.count = counted;
        end_sessions(&load);
    }
    print(&load);
    release(&load);
    return load.users.error_count > 0;
}
