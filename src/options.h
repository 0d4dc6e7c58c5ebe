/*
 * The command line and the environment, parsed by the table in option_table.h.
 */
#ifndef SRC_OPTIONS_H
#define SRC_OPTIONS_H

#include "bridge/base/error.h"
#include "bridge/base/log.h"
#include "bridge/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Values of a repeatable option, in order; owned, NULL-terminated. The strings are borrowed from argv. */
struct option_list {
    const char **values; /* NULL while empty */
    size_t count;
};

/* A variable of the server's environment whose value comes with each client. Both are owned. */
struct header_variable {
    char *variable;
    char *header; /* in lower case */
};

struct options {
    const char *host;
    uint64_t port;
    const char *listen; /* "ADDR:PORT" or "unix:PATH", the other way to say host and port; NULL when not given */
    uint64_t listen_mode;
    const char *path;
    const char *sse_path;
    const char *message_path;
    bool no_sse;
    bool no_metrics;
    bool open_metrics;
    const char *name; /* of the server; NULL stands for the command's file name */

    int children;   /* enum server_children */
    int server_era; /* enum server_era, but for the one that is not an option */
    bool is_stateful;
    bool is_stateless;
    bool json_response;

    uint64_t session_timeout_ms;
    uint64_t request_timeout_ms;
    uint64_t start_timeout_ms;
    uint64_t callback_timeout_ms;
    uint64_t child_idle_timeout_ms;
    uint64_t shared_idle_timeout_ms;
    uint64_t drain_timeout_ms;
    uint64_t stream_after_ms;
    uint64_t heartbeat_ms;

    uint64_t replay_bytes;
    uint64_t replay_age_ms;
    uint64_t max_body_bytes;
    uint64_t max_line_bytes;
    uint64_t max_sessions;
    uint64_t max_children;
    uint64_t min_idle_children;
    uint64_t max_in_flight;
    uint64_t max_session_calls;
    uint64_t max_session_streams;
    uint64_t max_stream_queue_bytes;
    uint64_t max_child_queue_bytes;
    uint64_t max_replay_bytes;
    uint64_t max_connections;

    struct option_list environment;
    struct option_list env_from_header;       /* "NAME=Header-Name", as given */
    struct header_variable *header_variables; /* owned: the same, parted; env_from_header.count of them */
    const char *directory;
    struct option_list allowed_hosts;
    struct option_list allowed_origins;
    struct option_list cors_origins;
    const char *state_key_file; /* NULL for a key of this run */
    const char *auth_token_file;
    char *auth_token;                        /* owned; only ever from the environment, where it is wiped */
    const char *protected_resource_metadata; /* a URL or a file */

    int log_level;  /* enum log_level */
    int log_format; /* enum log_format */
    bool is_quiet;
    bool is_check;
    bool wants_help;
    bool wants_version;

    char **command;    /* borrowed: what stands behind "--", NULL-terminated; NULL when there is none */
    char *listen_host; /* owned: the part of `listen` that `host` points to */

    /* For options_parse() alone. */
    unsigned typed_flags;      /* which of the flags that exclude each other stand on the command line */
    bool has_inherited_socket; /* `host` is the Unix socket of MCP_BRIDGE_LISTEN */
};

/*
 * Defaults, then the environment (MCP_BRIDGE_PORT for --port), then the arguments. Returns 0, or -1 with an error that
 * names the option, what it takes, and the nearest spelling of an unknown one. The strings of argv are borrowed.
 */
int options_parse(struct options *options, int argc, char **argv, struct error *error)
    __attribute__((warn_unused_result));
void options_release(struct options *options);

/* The command to run, in the options' own memory. */
struct child_command options_command(const struct options *options);

#endif
