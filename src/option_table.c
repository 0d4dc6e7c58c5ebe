#include "src/option_table.h"

#include <stdio.h>

/* What is read and written in one piece: libuv counts in 32 bits. */
enum { MESSAGE_BYTES_MAX = 1 << 30 };

const struct option option_table[] = {
    {"host", OPTION_TEXT, OPTION_AT(host), "ADDR", "127.0.0.1", "address to listen on", 0, 0},
    {"port", OPTION_COUNT, OPTION_AT(port), "PORT", "8000", "port to listen on; 0 takes a free one and prints it",
     65535, 0},
    {"listen", OPTION_TEXT, OPTION_AT(listen), "ADDR:PORT", NULL,
     "both in one, and stronger: [::1]:8000; or a Unix socket: unix:/run/mcp.sock", 0, 0},
    {"listen-mode", OPTION_MODE, OPTION_AT(listen_mode), "MODE", "0600", "permissions of the Unix socket", 0, 0},
    {"path", OPTION_TEXT, OPTION_AT(path), "PATH", "/mcp", "path of the MCP endpoint", 0, 0},
    {"sse-path", OPTION_TEXT, OPTION_AT(sse_path), "PATH", "/sse",
     "path of the streams of HTTP+SSE, the transport of 2024-11-05", 0, 0},
    {"message-path", OPTION_TEXT, OPTION_AT(message_path), "PATH", "/messages", "path of the messages of HTTP+SSE", 0,
     0},
    {"no-sse", OPTION_FLAG, OPTION_AT(no_sse), NULL, NULL, "serve no HTTP+SSE", 0, 0},
    {"no-metrics", OPTION_FLAG, OPTION_AT(no_metrics), NULL, NULL, "serve neither /metrics nor /status", 0, 0},
    {"open-metrics", OPTION_FLAG, OPTION_AT(open_metrics), NULL, NULL, "serve both without a token, too", 0, 0},
    {"name", OPTION_TEXT, OPTION_AT(name), "NAME", NULL,
     "the server's name in logs, instead of the command's file name", 0, 0},
    {"stateful", OPTION_FLAG, OPTION_AT(is_stateful), NULL, NULL, "refuse requests without a session id", 0, 0},
    {"stateless", OPTION_FLAG, OPTION_AT(is_stateless), NULL, NULL, "issue no session ids; GET and DELETE are refused",
     0, 0},
    {"json-response", OPTION_FLAG, OPTION_AT(json_response), NULL, NULL,
     "answer with one JSON body, never with an event stream", 0, 0},
    {"children", OPTION_CHOICE, OPTION_AT(children), "auto,shared,session", "auto",
     "who has a process alone: auto: clients that it may ask something; session: each session", 0, 0},
    {"server-era", OPTION_CHOICE, OPTION_AT(server_era), "auto,legacy,modern", "auto",
     "protocol of the server: legacy is 2024-11-05 to 2025-11-25, modern is 2026-07-28", 0, 0},
    {"session-timeout", OPTION_DURATION, OPTION_AT(session_timeout_ms), "TIME", "30min",
     "end a session that was idle for so long; 0 is never", 0, 0},
    {"request-timeout", OPTION_DURATION, OPTION_AT(request_timeout_ms), "TIME", "1h",
     "how long the server may be silent about a request; 0 is for ever", 0, 0},
    {"start-timeout", OPTION_DURATION, OPTION_AT(start_timeout_ms), "TIME", "60s",
     "how long the server may take to start, and requests wait for it; 0 is for ever", 0, 0},
    {"callback-timeout", OPTION_DURATION, OPTION_AT(callback_timeout_ms), "TIME", "5min",
     "how long a client may take to answer a question of the server's; 0 is for ever", 0, 0},
    {"child-idle-timeout", OPTION_DURATION, OPTION_AT(child_idle_timeout_ms), "TIME", "5min",
     "end a process that is kept for credentials or questions, and unused; 0 is never", 0, 0},
    {"shared-idle-timeout", OPTION_DURATION, OPTION_AT(shared_idle_timeout_ms), "TIME", "0",
     "end the process that all other clients share, when unused; 0 is never", 0, 0},
    {"drain-timeout", OPTION_DURATION, OPTION_AT(drain_timeout_ms), "TIME", "25s",
     "how long running requests may go on after SIGTERM; 0 is for ever", 0, 0},
    {"stream-after", OPTION_DURATION, OPTION_AT(stream_after_ms), "TIME", "5s",
     "open an event stream for an answer that takes longer; 0 is never", 0, 0},
    {"heartbeat", OPTION_DURATION, OPTION_AT(heartbeat_ms), "TIME", "15s",
     "time between the comments that keep event streams open; 0 is none", 0, 0},
    {"replay-bytes", OPTION_SIZE, OPTION_AT(replay_bytes), "SIZE", "1MiB",
     "how much a session keeps of its streams for a client that comes back; 0 is nothing", 0, 0},
    {"replay-age", OPTION_DURATION, OPTION_AT(replay_age_ms), "TIME", "5min",
     "how long that is kept; 0 is as long as there is room", 0, 0},
    {"max-body", OPTION_SIZE, OPTION_AT(max_body_bytes), "SIZE", "16MiB", "ceiling for the body of a request",
     MESSAGE_BYTES_MAX, 0},
    {"max-line", OPTION_SIZE, OPTION_AT(max_line_bytes), "SIZE", "64MiB", "ceiling for a message of the server's",
     MESSAGE_BYTES_MAX, 0},
    {"max-sessions", OPTION_COUNT, OPTION_AT(max_sessions), "N", "10000", "ceiling for open sessions", 10000000, 0},
    {"max-children", OPTION_COUNT, OPTION_AT(max_children), "N", "64", "ceiling for processes of the server", 100000,
     0},
    {"min-idle-children", OPTION_COUNT, OPTION_AT(min_idle_children), "N", "0",
     "processes kept ready for clients that will get one of their own", 100000, 0},
    {"max-in-flight", OPTION_COUNT, OPTION_AT(max_in_flight), "N", "1024", "ceiling for requests that wait or run",
     10000000, 0},
    {"max-in-flight-per-session", OPTION_COUNT, OPTION_AT(max_session_calls), "N", "256",
     "ceiling for one session's requests that wait or run; 0 is none", 10000000, 0},
    {"max-streams-per-session", OPTION_COUNT, OPTION_AT(max_session_streams), "N", "128",
     "ceiling for one session's open event streams; then answers are JSON; 0 is none", 10000000, 0},
    {"max-stream-queue", OPTION_SIZE, OPTION_AT(max_stream_queue_bytes), "SIZE", "4MiB",
     "ceiling for what waits for the slow reader of an event stream", 0, 0},
    {"max-child-queue", OPTION_SIZE, OPTION_AT(max_child_queue_bytes), "SIZE", "1MiB",
     "ceiling for what waits for a process that is slow to read; clients wait then", 0, 0},
    {"max-replay", OPTION_SIZE, OPTION_AT(max_replay_bytes), "SIZE", "64MiB",
     "ceiling for what all sessions keep of their event streams", 0, 0},
    {"max-connections", OPTION_COUNT, OPTION_AT(max_connections), "N", "16384", "ceiling for client connections",
     10000000, 0},
    {"env", OPTION_LIST, OPTION_AT(environment), "NAME=VALUE", NULL, "set a variable for the server; repeatable", 0, 0},
    {"env-from-header", OPTION_LIST, OPTION_AT(env_from_header), "NAME=HEADER", NULL,
     "set a variable from a client's header, with a process for each value; repeatable", 0, 0},
    {"cwd", OPTION_TEXT, OPTION_AT(directory), "DIR", NULL, "the server's working directory", 0, 0},
    {"allow-host", OPTION_LIST, OPTION_AT(allowed_hosts), "NAME", NULL,
     "accept this name in the Host header beside loopback names; repeatable", 0, 0},
    {"allow-origin", OPTION_LIST, OPTION_AT(allowed_origins), "ORIGIN", NULL,
     "accept this Origin beside loopback ones, as in https://app.example; repeatable", 0, 0},
    {"state-key-file", OPTION_TEXT, OPTION_AT(state_key_file), "FILE", NULL,
     "secret that authenticates requestState, for replicas to share; random if not given", 0, 0},
    {"auth-token-file", OPTION_TEXT, OPTION_AT(auth_token_file), "FILE", NULL,
     "let in only bearer tokens of this file: TOKEN or NAME:TOKEN a line; SIGHUP reads it again", 0, 0},
    {"auth-token", OPTION_SECRET, OPTION_AT(auth_token), "TOKEN", NULL,
     "the same with one token; in the environment only, where the server does not see it", 0, 0},
    {"protected-resource-metadata", OPTION_TEXT, OPTION_AT(protected_resource_metadata), "URL|FILE", NULL,
     "tell who has no token where to get one (RFC 9728)", 0, 0},
    {"cors-origin", OPTION_LIST, OPTION_AT(cors_origins), "ORIGIN", NULL,
     "let web pages of this origin in and read the answers; * is all; repeatable", 0, 0},
    {"log-level", OPTION_CHOICE, OPTION_AT(log_level), "debug,info,warn,error", "info",
     "what is logged, to standard error", 0, 0},
    {"log-format", OPTION_CHOICE, OPTION_AT(log_format), "text,json", "text",
     "one line a record, or one JSON object a record", 0, 0},
    {"quiet", OPTION_FLAG, OPTION_AT(is_quiet), NULL, NULL, "log errors only, and print nothing at the start", 0, 'q'},
    {"check", OPTION_FLAG, OPTION_AT(is_check), NULL, NULL, "check options and command, say what would run, and exit",
     0, 0},
    {"version", OPTION_FLAG, OPTION_AT(wants_version), NULL, NULL, "print the version and exit", 0, 'V'},
    {"help", OPTION_FLAG, OPTION_AT(wants_help), NULL, NULL, "print this help and exit", 0, 'h'},
    {NULL, OPTION_FLAG, 0, NULL, NULL, NULL, 0, 0},
};

void option_variable(const struct option *option, char *name, size_t size)
{
    snprintf(name, size, "MCP_BRIDGE_%s", option->name);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '-') {
            *at = '_';
        } else if (*at >= 'a' && *at <= 'z') {
            *at = (char)(*at - 'a' + 'A');
        }
    }
}

bool option_has_variable(const struct option *option)
{
    return option->kind != OPTION_LIST && option->letter != 'h' && option->letter != 'V';
}
