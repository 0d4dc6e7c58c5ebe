#include "src/options.h"

#include "bridge/base/memory.h"
#include "src/option_check.h"
#include "src/option_table.h"
#include "src/option_value.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

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
        break;
    }
    return true;
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
        break;
    }
    return text;
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
    for (const struct option *option = option_table; option->name != NULL; option++) {
        if (slice_is(name, option->name)) {
            return option;
        }
    }
    return NULL;
}

static int report_unknown(struct slice name, struct error *error)
{
    char text[64];
    snprintf(text, sizeof(text), "%.*s", SLICE_PRINT(name));
    const struct option *nearest = option_table;
    for (const struct option *option = option_table; option->name != NULL; option++) {
        if (option_distance(text, option->name) < option_distance(text, nearest->name)) {
            nearest = option;
        }
    }
    bool is_near = option_distance(text, nearest->name) <= strlen(nearest->name) / 2;
    return error_set(error, "there is no option --%s%s%s%s", text, is_near ? "; did you mean --" : "",
                     is_near ? nearest->name : "", is_near ? "?" : "; --help lists them all");
}

/* Does not show the value, of course. */
static int report_secret(const struct option *option, struct error *error)
{
    char name[64];
    option_variable(option, name, sizeof(name));
    return error_set(error, "--%s is taken from the environment only, as %s: everybody can read a command line",
                     option->name, name);
}

/*
 * Of two flags that exclude each other, the environment's yields to the one that was typed. The rows stand in pairs.
 */
static const struct {
    size_t typed;
    size_t void_then;
} rivals[] = {
    {OPTION_AT(is_stateful), OPTION_AT(is_stateless)},
    {OPTION_AT(is_stateless), OPTION_AT(is_stateful)},
    {OPTION_AT(no_metrics), OPTION_AT(open_metrics)},
    {OPTION_AT(open_metrics), OPTION_AT(no_metrics)},
};

enum { RIVAL_COUNT = sizeof(rivals) / sizeof(rivals[0]) };

static bool *flag_at(struct options *options, size_t offset)
{
    return (bool *)(void *)((char *)options + offset);
}

static void drop_rivals(struct options *options)
{
    for (size_t i = 0; i < RIVAL_COUNT; i++) {
        bool is_alone = (options->typed_flags & (1u << i)) != 0 && (options->typed_flags & (1u << (i ^ 1))) == 0;
        if (is_alone && *flag_at(options, rivals[i].typed)) {
            *flag_at(options, rivals[i].void_then) = false;
        }
    }
}

/* A value from the command line. */
static int set_typed(struct options *options, const struct option *option, const char *text, struct error *error)
{
    for (size_t i = 0; i < RIVAL_COUNT; i++) {
        options->typed_flags |= (unsigned)(option->offset == rivals[i].typed) << i;
    }
    /* A port is no port of a Unix socket that the environment names. */
    if (option->offset == OPTION_AT(port) && options->has_inherited_socket) {
        options->host = find_option(slice_text("host"))->preset;
    }
    if (option->offset == OPTION_AT(port) || option->offset == OPTION_AT(host)) {
        options->has_inherited_socket = false;
    }
    return set_value(options, option, text, error);
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
        return set_typed(options, option, equals + 1, error);
    }
    if (option->kind == OPTION_FLAG) {
        return set_typed(options, option, "true", error);
    }
    /* A "--" is no value, but what stands before the command; who means it can write --name=--. */
    if (argv[*index + 1] == NULL || strcmp(argv[*index + 1], "--") == 0) {
        char kind[128];
        return error_set(error, "--%s needs a value: %s", option->name, describe_kind(option, kind, sizeof(kind)));
    }
    return set_typed(options, option, argv[++*index], error);
}

static int parse_short(struct options *options, const char *word, struct error *error)
{
    for (const struct option *option = option_table; option->name != NULL; option++) {
        if (word[1] != '\0' && word[1] == option->letter && word[2] == '\0') {
            return set_typed(options, option, "true", error);
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
            return error_set(error,
                             "\"%s\" is no option; the server's command stands behind --, as in: mcp-bridge -- %s ...",
                             argv[i], argv[i]);
        }
        if (result != 0) {
            return result;
        }
    }
    return 0;
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
    return option->offset == OPTION_AT(port) && strstr(text, "://") != NULL;
}

/* Mostly a template that was not filled in. As good as unset, but where that would let everybody in. */
static int take_empty(const struct option *option, struct error *error)
{
    if (option->kind == OPTION_SECRET || option->offset == OPTION_AT(auth_token_file)) {
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

/* Splits --listen into host and port, if it has them, and takes their place. */
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
    free(options->listen_host);
    options->listen_host = (char *)(uintptr_t)memory_copy(host).data;
    options->host = options->listen_host;
    return 0;
}

static int parse_environment(struct options *options, struct error *error)
{
    for (const struct option *option = option_table; option->name != NULL; option++) {
        char name[64];
        option_variable(option, name, sizeof(name));
        char *text = option_has_variable(option) ? getenv(name) : NULL;
        if (text != NULL && take_variable(options, option, text, error) != 0) {
            return error_wrap(error, "%s in the environment", name);
        }
        if (text != NULL && option->kind == OPTION_SECRET) {
            wipe(name, text);
        }
    }
    if (apply_listen(options, error) != 0) {
        return error_wrap(error, "MCP_BRIDGE_LISTEN in the environment");
    }
    /* From here on it is a host and a port, which --host and --port are stronger than. */
    options->has_inherited_socket = options->listen != NULL && options->host == options->listen;
    options->listen = NULL;
    return 0;
}

static void set_presets(struct options *options)
{
    for (const struct option *option = option_table; option->name != NULL; option++) {
        bool is_right = option->preset == NULL || read_value(options, option, option->preset);
        assert(is_right);
        (void)is_right;
    }
}

/* No ceiling can be 0, which would be a program that does nothing; one that is a session's own can be off. */
static int check_ceilings(const struct options *options, struct error *error)
{
    for (const struct option *option = option_table; option->name != NULL; option++) {
        const uint64_t *value = (const uint64_t *)(const void *)((const char *)options + option->offset);
        bool may_be_off = strstr(option->name, "-per-session") != NULL;
        if (strncmp(option->name, "max-", 4) == 0 && *value == 0 && !may_be_off) {
            return error_set(error, "--%s must be at least 1", option->name);
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
    /* Who asks for help may need it because of the environment. */
    struct error other;
    int environment = parse_environment(options, error);
    int arguments = parse_arguments(options, argc, argv, environment == 0 ? error : &other);
    if (arguments == 0 && (options->wants_help || options->wants_version)) {
        return 0;
    }
    if (environment != 0 || arguments != 0) {
        return -1;
    }
    drop_rivals(options);
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
