#include "src/options.h"

#include "bridge/base/memory.h"
#include "src/option_check.h"
#include "src/option_value.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_COUNT,
    OPTION_SIZE,
    OPTION_DURATION,
    OPTION_CHOICE,
    OPTION_MODE,
    OPTION_LIST,
    OPTION_SECRET, /* comes from the environment alone, since everybody can read a command line */
};

struct option {
    const char *name;
    enum option_kind kind;
    size_t offset;        /* in struct options */
    const char *argument; /* what --help calls its value; of a choice, the words with commas */
    const char *preset;   /* the default, as it would be written; NULL for none */
    const char *help;
    uint64_t max; /* of a count, or a size; 0 for any size */
    char letter;  /* its short form, or 0 */
};

#define AT(member) offsetof(struct options, member)

/* What is read and written in one piece: libuv counts in 32 bits. */
enum { MESSAGE_BYTES_MAX = 1 << 30 };

static const struct option table[] = {
    {"host", OPTION_TEXT, AT(host), "ADDR", "127.0.0.1", "address to listen on", 0, 0},
    {"port", OPTION_COUNT, AT(port), "PORT", "8000", "port to listen on; 0 takes a free one and prints it", 65535, 0},
    {"listen", OPTION_TEXT, AT(listen), "ADDR:PORT", NULL,
     "both in one, as in [::1]:8000; or a Unix socket, as in unix:/run/mcp.sock", 0, 0},
    {"listen-mode", OPTION_MODE, AT(listen_mode), "MODE", "0600", "permissions of the Unix socket", 0, 0},
    {"path", OPTION_TEXT, AT(path), "PATH", "/mcp", "path of the MCP endpoint", 0, 0},
    {"sse-path", OPTION_TEXT, AT(sse_path), "PATH", "/sse",
     "path of the streams of HTTP+SSE, the transport of 2024-11-05", 0, 0},
    {"message-path", OPTION_TEXT, AT(message_path), "PATH", "/messages", "path of the messages of HTTP+SSE", 0, 0},
    {"no-sse", OPTION_FLAG, AT(no_sse), NULL, NULL, "serve no HTTP+SSE", 0, 0},
    {"no-metrics", OPTION_FLAG, AT(no_metrics), NULL, NULL, "serve neither /metrics nor /status", 0, 0},
    {"open-metrics", OPTION_FLAG, AT(open_metrics), NULL, NULL, "serve both to who shows no token, too", 0, 0},
    {"name", OPTION_TEXT, AT(name), "NAME", NULL, "the server's name in logs; the command's file name if not given", 0,
     0},
    {"stateful", OPTION_FLAG, AT(is_stateful), NULL, NULL, "refuse requests without a session id", 0, 0},
    {"stateless", OPTION_FLAG, AT(is_stateless), NULL, NULL, "issue no session ids; GET and DELETE are refused", 0, 0},
    {"json-response", OPTION_FLAG, AT(json_response), NULL, NULL,
     "answer with one JSON body, never with an event stream", 0, 0},
    {"children", OPTION_CHOICE, AT(children), "auto,shared,session", "auto",
     "who gets a process of its own: with auto, clients that the server may ask something (sampling, elicitation, "
     "roots); with session, each session",
     0, 0},
    {"server-era", OPTION_CHOICE, AT(server_era), "auto,legacy,modern", "auto",
     "which protocol the server speaks: legacy is 2024-11-05 to 2025-11-25, modern is 2026-07-28; auto finds out", 0,
     0},
    {"session-timeout", OPTION_DURATION, AT(session_timeout_ms), "TIME", "30min",
     "end a session that was idle for so long; 0 is never", 0, 0},
    {"request-timeout", OPTION_DURATION, AT(request_timeout_ms), "TIME", "1h",
     "answer a request with an error when the server is silent about it for so long; 0 is never", 0, 0},
    {"start-timeout", OPTION_DURATION, AT(start_timeout_ms), "TIME", "60s",
     "how long the server may take to start, and requests wait for it; 0 is for ever", 0, 0},
    {"callback-timeout", OPTION_DURATION, AT(callback_timeout_ms), "TIME", "5min",
     "how long a client may take to answer a question of the server's; 0 is for ever", 0, 0},
    {"child-idle-timeout", OPTION_DURATION, AT(child_idle_timeout_ms), "TIME", "5min",
     "end a process that nobody has used for so long, of those kept for certain credentials, or for calls that may be "
     "asked something; 0 is never",
     0, 0},
    {"shared-idle-timeout", OPTION_DURATION, AT(shared_idle_timeout_ms), "TIME", "0",
     "the same for the process that all other clients share; the next request starts it again; 0 is never", 0, 0},
    {"drain-timeout", OPTION_DURATION, AT(drain_timeout_ms), "TIME", "25s",
     "how long running requests may go on after SIGTERM; 0 is for ever", 0, 0},
    {"stream-after", OPTION_DURATION, AT(stream_after_ms), "TIME", "5s",
     "open an event stream for an answer that takes longer; 0 is never", 0, 0},
    {"heartbeat", OPTION_DURATION, AT(heartbeat_ms), "TIME", "15s",
     "time between the comments that keep event streams open; 0 is none", 0, 0},
    {"replay-bytes", OPTION_SIZE, AT(replay_bytes), "SIZE", "1MiB",
     "how much a session keeps of its event streams for a client whose connection breaks; 0 is nothing", 0, 0},
    {"replay-age", OPTION_DURATION, AT(replay_age_ms), "TIME", "5min",
     "how long that is kept; 0 is as long as there is room", 0, 0},
    {"max-body", OPTION_SIZE, AT(max_body_bytes), "SIZE", "16MiB", "ceiling for the body of a request",
     MESSAGE_BYTES_MAX, 0},
    {"max-line", OPTION_SIZE, AT(max_line_bytes), "SIZE", "64MiB", "ceiling for a message of the server's",
     MESSAGE_BYTES_MAX, 0},
    {"max-sessions", OPTION_COUNT, AT(max_sessions), "N", "10000", "ceiling for open sessions", 10000000, 0},
    {"max-children", OPTION_COUNT, AT(max_children), "N", "64", "ceiling for processes of the server", 100000, 0},
    {"min-idle-children", OPTION_COUNT, AT(min_idle_children), "N", "0",
     "processes kept ready for clients that will get one of their own", 100000, 0},
    {"max-in-flight", OPTION_COUNT, AT(max_in_flight), "N", "1024", "ceiling for requests that wait or run", 10000000,
     0},
    {"max-in-flight-per-session", OPTION_COUNT, AT(max_session_calls), "N", "256",
     "ceiling for one session's requests that wait or run; 0 is none", 10000000, 0},
    {"max-streams-per-session", OPTION_COUNT, AT(max_session_streams), "N", "128",
     "ceiling for one session's open event streams, past which answers are JSON; 0 is none", 10000000, 0},
    {"max-stream-queue", OPTION_SIZE, AT(max_stream_queue_bytes), "SIZE", "4MiB",
     "ceiling for what waits for the slow reader of an event stream", 0, 0},
    {"max-child-queue", OPTION_SIZE, AT(max_child_queue_bytes), "SIZE", "1MiB",
     "ceiling for what waits for a process that is slow to read; clients wait then", 0, 0},
    {"max-replay", OPTION_SIZE, AT(max_replay_bytes), "SIZE", "64MiB",
     "ceiling for what all sessions keep of their event streams", 0, 0},
    {"max-connections", OPTION_COUNT, AT(max_connections), "N", "16384", "ceiling for client connections", 10000000, 0},
    {"env", OPTION_LIST, AT(environment), "NAME=VALUE", NULL, "set a variable for the server; repeatable", 0, 0},
    {"env-from-header", OPTION_LIST, AT(env_from_header), "NAME=HEADER", NULL,
     "set a variable for the server from a header of the client's; clients with different values never share a "
     "process; repeatable",
     0, 0},
    {"cwd", OPTION_TEXT, AT(directory), "DIR", NULL, "the server's working directory", 0, 0},
    {"allow-host", OPTION_LIST, AT(allowed_hosts), "NAME", NULL,
     "accept this name in the Host header beside loopback names; repeatable", 0, 0},
    {"allow-origin", OPTION_LIST, AT(allowed_origins), "ORIGIN", NULL,
     "accept this Origin beside loopback ones, as in https://app.example; repeatable", 0, 0},
    {"state-key-file", OPTION_TEXT, AT(state_key_file), "FILE", NULL,
     "a secret of 32 bytes or more, the same for all replicas: by it a requestState is known again after a restart; "
     "random if not given",
     0, 0},
    {"auth-token-file", OPTION_TEXT, AT(auth_token_file), "FILE", NULL,
     "let in only who sends a bearer token of this file: TOKEN or NAME:TOKEN on each line, # begins a comment; read "
     "again on SIGHUP",
     0, 0},
    {"auth-token", OPTION_SECRET, AT(auth_token), "TOKEN", NULL,
     "the same with one token, TOKEN or NAME:TOKEN; in the environment only, where the server does not see it", 0, 0},
    {"protected-resource-metadata", OPTION_TEXT, AT(protected_resource_metadata), "URL|FILE", NULL,
     "tell clients without a token where to get one: the URL of the authorization server, or a file with the whole "
     "document (RFC 9728), read again on SIGHUP",
     0, 0},
    {"cors-origin", OPTION_LIST, AT(cors_origins), "ORIGIN", NULL,
     "let web pages of this origin in and read the answers, as in https://app.example; * is all; repeatable", 0, 0},
    {"log-level", OPTION_CHOICE, AT(log_level), "debug,info,warn,error", "info", "what is logged, to standard error", 0,
     0},
    {"log-format", OPTION_CHOICE, AT(log_format), "text,json", "text", "one line a record, or one JSON object a record",
     0, 0},
    {"quiet", OPTION_FLAG, AT(is_quiet), NULL, NULL, "log errors only, and print nothing at the start", 0, 'q'},
    {"check", OPTION_FLAG, AT(is_check), NULL, NULL, "check options and command, say what would run, and exit", 0, 0},
    {"version", OPTION_FLAG, AT(wants_version), NULL, NULL, "print the version and exit", 0, 'V'},
    {"help", OPTION_FLAG, AT(wants_help), NULL, NULL, "print this help and exit", 0, 'h'},
};

enum { OPTION_COUNT_ALL = sizeof(table) / sizeof(table[0]) };

static void *value_of(struct options *options, const struct option *option)
{
    return (char *)options + option->offset;
}

static void add_to_list(struct option_list *list, const char *value)
{
    list->values = memory_resize(list->values, (list->count + 2) * sizeof(*list->values));
    list->values[list->count++] = value;
    list->values[list->count] = NULL;
}

static bool read_choice(struct options *options, const struct option *option, const char *text)
{
    int choice = option_read_choice(text, option->argument);
    if (choice >= 0) {
        *(int *)value_of(options, option) = choice;
    }
    return choice >= 0;
}

/* Whether `text` is a value of the option; then it is set. */
static bool read_value(struct options *options, const struct option *option, const char *text)
{
    void *value = value_of(options, option);
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)value = option_read_choice(text, "1,true,yes,on") >= 0;
        return *(bool *)value || option_read_choice(text, "0,false,no,off") >= 0;
    case OPTION_TEXT:
        *(const char **)value = text;
        return *text != '\0';
    case OPTION_COUNT:
        return option_read_count(text, option->max, value);
    case OPTION_SIZE:
        return option_read_size(text, value) && (option->max == 0 || *(uint64_t *)value <= option->max);
    case OPTION_DURATION:
        return option_read_duration(text, value);
    case OPTION_CHOICE:
        return read_choice(options, option, text);
    case OPTION_MODE:
        return option_read_mode(text, value);
    case OPTION_LIST:
        add_to_list(value, text);
        return *text != '\0';
    case OPTION_SECRET:
        *(char **)value = memory_copy_text(text);
        return true;
    }
    return false;
}

/* What a value of this kind looks like, for an error. */
static const char *describe_kind(const struct option *option, char *text, size_t size)
{
    switch (option->kind) {
    case OPTION_FLAG:
        return "true or false";
    case OPTION_TEXT:
    case OPTION_LIST:
    case OPTION_SECRET:
        snprintf(text, size, "%s", option->argument);
        return text;
    case OPTION_MODE:
        return "permissions in octal such as 0660";
    case OPTION_COUNT:
        snprintf(text, size, "a number from 0 to %llu", (unsigned long long)option->max);
        return text;
    case OPTION_SIZE:
        return option->max > 0 ? "a size such as 512KiB or 4MiB, up to 1GiB" : "a size such as 512KiB, 4MiB or 1GiB";
    case OPTION_DURATION:
        return "a time such as 500ms, 30s, 5min or 2h";
    case OPTION_CHOICE:
        snprintf(text, size, "one of %s", option->argument);
        return text;
    }
    return "";
}

static int set_value(struct options *options, const struct option *option, const char *text, struct error *error)
{
    char kind[128];
    if (read_value(options, option, text)) {
        return 0;
    }
    return error_set(error, "--%s takes %s, not \"%s\"", option->name, describe_kind(option, kind, sizeof(kind)), text);
}

static const struct option *find_option(struct slice name)
{
    for (size_t i = 0; i < OPTION_COUNT_ALL; i++) {
        if (slice_is(name, table[i].name)) {
            return &table[i];
        }
    }
    return NULL;
}

static int report_unknown(struct slice name, struct error *error)
{
    char text[64];
    snprintf(text, sizeof(text), "%.*s", SLICE_PRINT(name));
    const struct option *nearest = &table[0];
    for (size_t i = 1; i < OPTION_COUNT_ALL; i++) {
        if (option_distance(text, table[i].name) < option_distance(text, nearest->name)) {
            nearest = &table[i];
        }
    }
    bool is_near = option_distance(text, nearest->name) <= strlen(nearest->name) / 2;
    return error_set(error, "there is no option --%s%s%s%s", text, is_near ? "; did you mean --" : "",
                     is_near ? nearest->name : "", is_near ? "?" : "; --help lists them all");
}

/* --start-timeout is MCP_BRIDGE_START_TIMEOUT. */
static void environment_name(const struct option *option, char *name, size_t size)
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

/* Does not show the value, of course. */
static int report_secret(const struct option *option, struct error *error)
{
    char name[64];
    environment_name(option, name, sizeof(name));
    return error_set(error, "--%s is taken from the environment only, as %s: everybody can read a command line",
                     option->name, name);
}

/* "--name", "--name value" or "--name=value" at argv[*index]; moves *index to the last word used. */
static int parse_long(struct options *options, char **argv, int *index, struct error *error)
{
    struct slice word = slice_text(argv[*index] + 2);
    const char *equals = strchr(word.data, '=');
    if (equals != NULL) {
        word.size = (size_t)(equals - word.data);
    }
    const struct option *option = find_option(word);
    if (option == NULL) {
        return report_unknown(word, error);
    }
    if (option->kind == OPTION_SECRET) {
        return report_secret(option, error);
    }
    if (equals != NULL) {
        return set_value(options, option, equals + 1, error);
    }
    if (option->kind == OPTION_FLAG) {
        return set_value(options, option, "true", error);
    }
    if (argv[*index + 1] == NULL) {
        char kind[128];
        return error_set(error, "--%s needs a value: %s", option->name, describe_kind(option, kind, sizeof(kind)));
    }
    return set_value(options, option, argv[++*index], error);
}

static int parse_short(struct options *options, const char *word, struct error *error)
{
    for (size_t i = 0; i < OPTION_COUNT_ALL; i++) {
        if (word[1] != '\0' && word[1] == table[i].letter && word[2] == '\0') {
            return set_value(options, &table[i], "true", error);
        }
    }
    return error_set(error, "there is no option %s; --help lists them all", word);
}

static int parse_arguments(struct options *options, int argc, char **argv, struct error *error)
{
    for (int i = 1; i < argc; i++) {
        int result;
        if (strcmp(argv[i], "--") == 0) {
            options->command = argv[i + 1] != NULL ? argv + i + 1 : NULL;
            return 0;
        }
        if (strncmp(argv[i], "--", 2) == 0) {
            result = parse_long(options, argv, &i, error);
        } else if (argv[i][0] == '-') {
            result = parse_short(options, argv[i], error);
        } else {
            return error_set(error, "unexpected \"%s\": the server's command stands behind --, as in: mcp-bridge -- %s",
                             argv[i], argv[i]);
        }
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

/* Options that only make sense when somebody types them are not taken from the environment. */
static bool has_environment(const struct option *option)
{
    return option->kind != OPTION_LIST && option->letter != 'h' && option->letter != 'V';
}

/* Gone from where children, and who looks into /proc, would see it. */
static void wipe(const char *name, char *value)
{
    sodium_memzero(value, strlen(value));
    unsetenv(name);
}

/* Kubernetes says so to every pod beside a Service that is called mcp-bridge: "tcp://10.0.0.1:8000". */
static bool is_service_link(const struct option *option, const char *text)
{
    return option->offset == AT(port) && strstr(text, "://") != NULL;
}

/* Mostly a template that was not filled in. As good as unset, but where that would let everybody in. */
static int take_empty(const struct option *option, struct error *error)
{
    if (option->kind == OPTION_SECRET || option->offset == AT(auth_token_file)) {
        return error_set(error, "it is empty, and without a token everybody could come in; unset it if that is meant");
    }
    return 0;
}

static int take_variable(struct options *options, const struct option *option, const char *text, struct error *error)
{
    if (*text == '\0') {
        return take_empty(option, error);
    }
    return is_service_link(option, text) ? 0 : set_value(options, option, text, error);
}

static int parse_environment(struct options *options, struct error *error)
{
    for (size_t i = 0; i < OPTION_COUNT_ALL; i++) {
        char name[64];
        environment_name(&table[i], name, sizeof(name));
        char *text = has_environment(&table[i]) ? getenv(name) : NULL;
        if (text != NULL && take_variable(options, &table[i], text, error) != 0) {
            return error_wrap(error, "%s in the environment", name);
        }
        if (text != NULL && table[i].kind == OPTION_SECRET) {
            wipe(name, text);
        }
    }
    return 0;
}

static void set_presets(struct options *options)
{
    for (size_t i = 0; i < OPTION_COUNT_ALL; i++) {
        bool is_right = table[i].preset == NULL || read_value(options, &table[i], table[i].preset);
        assert(is_right);
        (void)is_right;
    }
}

/* The part of --listen before the port, without the brackets that an IPv6 address must have there; absent if wrong. */
static struct slice host_of(struct slice text)
{
    bool is_bracketed = text.size > 2 && text.data[0] == '[' && text.data[text.size - 1] == ']';
    if (is_bracketed) {
        return slice_of(text.data + 1, text.size - 2);
    }
    /* Of 2001:db8::1:8000 nobody knows whether it has a port. */
    bool is_plain = text.size > 0 && memchr(text.data, ':', text.size) == NULL;
    return is_plain ? text : slice_of(NULL, 0);
}

/* Splits --listen into host and port, if it has them. */
static int apply_listen(struct options *options, struct error *error)
{
    if (options->listen == NULL) {
        return 0;
    }
    if (strncmp(options->listen, "unix:", 5) == 0) {
        options->host = options->listen;
        return 0;
    }
    const char *colon = strrchr(options->listen, ':');
    size_t host_size = colon != NULL ? (size_t)(colon - options->listen) : 0;
    struct slice host = host_of(slice_of(options->listen, host_size));
    if (!slice_exists(host) || !option_read_count(colon + 1, 65535, &options->port)) {
        return error_set(error, "--listen takes ADDR:PORT or unix:PATH, as in 127.0.0.1:8000 or [::1]:8000, not \"%s\"",
                         options->listen);
    }
    options->listen_host = (char *)(uintptr_t)memory_copy(host).data;
    options->host = options->listen_host;
    return 0;
}

/* No ceiling can be 0, which would be a program that does nothing; one that is a session's own can be off. */
static int check_ceilings(const struct options *options, struct error *error)
{
    for (size_t i = 0; i < OPTION_COUNT_ALL; i++) {
        const uint64_t *value = (const uint64_t *)(const void *)((const char *)options + table[i].offset);
        bool may_be_off = strstr(table[i].name, "-per-session") != NULL;
        if (strncmp(table[i].name, "max-", 4) == 0 && *value == 0 && !may_be_off) {
            return error_set(error, "--%s must be at least 1", table[i].name);
        }
    }
    return 0;
}

static int check(const struct options *options, struct error *error)
{
    if (check_ceilings(options, error) != 0 || options_check(options, error) != 0) {
        return -1;
    }
    if (options->command == NULL) {
        return error_set(error, "no server to run: its command stands behind --, as in: "
                                "mcp-bridge -- npx -y @modelcontextprotocol/server-everything");
    }
    return 0;
}

static bool is_word(const char *text, size_t size, const char *others)
{
    for (size_t i = 0; i < size; i++) {
        bool is_letter = (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z';
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_letter && !is_digit && strchr(others, text[i]) == NULL) {
            return false;
        }
    }
    return size > 0;
}

static int part_header_variable(struct header_variable *pair, const char *text, struct error *error)
{
    const char *equals = strchr(text, '=');
    size_t size = equals != NULL ? (size_t)(equals - text) : 0;
    /* RFC 9110 5.6.2: what the name of a header may be made of. */
    if (equals == NULL || !is_word(text, size, "_") || !is_word(equals + 1, strlen(equals + 1), "!#$%&'*+-.^_`|~")) {
        return error_set(error, "--env-from-header takes NAME=HEADER, as in API_KEY=X-Api-Key, not \"%s\"", text);
    }
    pair->variable = memory_copy_text(text);
    pair->variable[size] = '\0';
    pair->header = memory_copy_text(equals + 1);
    for (char *at = pair->header; *at != '\0'; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at | 0x20 : *at);
    }
    return 0;
}

static int apply_env_from_header(struct options *options, struct error *error)
{
    const struct option_list *list = &options->env_from_header;
    options->header_variables = memory_new((list->count + 1) * sizeof(*options->header_variables));
    for (size_t i = 0; i < list->count; i++) {
        if (part_header_variable(&options->header_variables[i], list->values[i], error) != 0) {
            return -1;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(options->header_variables[i].variable, options->header_variables[j].variable) == 0) {
                return error_set(error, "--env-from-header sets %s twice", options->header_variables[i].variable);
            }
        }
    }
    return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct error *error)
{
    *options = (struct options){0};
    set_presets(options);
    if (parse_environment(options, error) != 0 || parse_arguments(options, argc, argv, error) != 0) {
        return -1;
    }
    if (options->wants_help || options->wants_version) {
        return 0;
    }
    if (apply_listen(options, error) != 0 || apply_env_from_header(options, error) != 0) {
        return -1;
    }
    return check(options, error);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

struct child_command options_command(const struct options *options)
{
    return (struct child_command){
        .name = slice_text(options->name != NULL ? options->name : file_name(options->command[0])),
        .argv = options->command,
        .environment = options->environment.values,
        .directory = options->directory,
    };
}

void options_release(struct options *options)
{
    for (size_t i = 0; options->header_variables != NULL && i < options->env_from_header.count; i++) {
        free(options->header_variables[i].variable);
        free(options->header_variables[i].header);
    }
    free(options->header_variables);
    free(options->env_from_header.values);
    free(options->environment.values);
    free(options->allowed_hosts.values);
    free(options->allowed_origins.values);
    free(options->cors_origins.values);
    if (options->auth_token != NULL) {
        sodium_memzero(options->auth_token, strlen(options->auth_token));
    }
    free(options->auth_token);
    free(options->listen_host);
    *options = (struct options){0};
}

static void print_usage(FILE *out, const struct option *option)
{
    char usage[96];
    char name[64];
    environment_name(option, name, sizeof(name));
    if (option->kind == OPTION_SECRET) {
        snprintf(usage, sizeof(usage), "%s=%s", name, option->argument);
    } else {
        snprintf(usage, sizeof(usage), "--%s%s%s", option->name, option->argument != NULL ? " " : "",
                 option->argument != NULL ? option->argument : "");
    }
    fprintf(out, "  %c%c%s%-34s %s", option->letter != 0 ? '-' : ' ', option->letter != 0 ? option->letter : ' ',
            option->letter != 0 ? ", " : "  ", usage, option->help);
    if (option->preset != NULL) {
        fprintf(out, " [%s]", option->preset);
    }
    fputc('\n', out);
}

void options_print_help(FILE *out)
{
    fputs("Usage: mcp-bridge [OPTION...] -- COMMAND [ARGUMENT...]\n\n"
          "Runs COMMAND, a stdio MCP server, and serves it over Streamable HTTP.\n\n",
          out);
    for (size_t i = 0; i < OPTION_COUNT_ALL; i++) {
        print_usage(out, &table[i]);
    }
    fputs("\nTimes take ms, s, min, h, d; sizes take KiB, MiB, GiB.\n"
          "Each option but the repeatable ones, --version and --help can be given in the environment as well:\n"
          "--port is MCP_BRIDGE_PORT, --start-timeout is MCP_BRIDGE_START_TIMEOUT. The command line is stronger.\n\n"
          "  mcp-bridge -- npx -y @modelcontextprotocol/server-everything\n"
          "  mcp-bridge --port 9000 --stateless --env TZ=UTC -- uvx mcp-server-time\n",
          out);
}

static void print_entry(FILE *out, const struct option *option)
{
    char name[64];
    environment_name(option, name, sizeof(name));
    fputs(".TP\n", out);
    if (option->letter != 0) {
        fprintf(out, ".BR \\-%c \", \" ", option->letter);
    } else {
        fputs(".BR ", out);
    }
    if (option->kind == OPTION_SECRET) {
        fprintf(out, "%s =", name);
    } else {
        fprintf(out, "\\-\\-%s", option->name);
    }
    if (option->argument != NULL) {
        fprintf(out, " \"%s\\fI%s\\fR\"", option->kind == OPTION_SECRET ? "" : " ", option->argument);
    }
    fprintf(out, "\n%s.", option->help);
    if (option->preset != NULL) {
        fprintf(out, " Default: %s.", option->preset);
    }
    if (has_environment(option) && option->kind != OPTION_SECRET) {
        fprintf(out, "\n.br\nEnvironment: %s", name);
    }
    fputc('\n', out);
}

void options_print_manual(FILE *out)
{
    for (size_t i = 0; i < OPTION_COUNT_ALL; i++) {
        print_entry(out, &table[i]);
    }
}
