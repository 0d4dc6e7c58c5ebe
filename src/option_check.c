#include "src/option_check.h"

#include "src/option_value.h"

#include <string.h>

static bool is_path(const char *path)
{
    if (path[0] != '/') {
        return false;
    }
    for (; *path != '\0'; path++) {
        if (*path <= ' ' || *path >= 0x7f || strchr("?#\"\\", *path) != NULL) {
            return false;
        }
    }
    return true;
}

/* As the router sees it: a slash at the end makes no difference. */
static bool is_same_path(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    a_size -= a_size > 1 && a[a_size - 1] == '/';
    b_size -= b_size > 1 && b[b_size - 1] == '/';
    return a_size == b_size && memcmp(a, b, a_size) == 0;
}

/* Each thing that is served has a path of its own. */
static int check_paths(const struct options *options, struct error *error)
{
    static const char *const names[] = {"health", "readiness",  "metrics",       "status",
                                        "--path", "--sse-path", "--message-path"};
    const char *const paths[] = {
        "/healthz",
        "/readyz",
        options->no_metrics ? NULL : "/metrics",
        options->no_metrics ? NULL : "/status",
        options->path,
        options->no_sse ? NULL : options->sse_path,
        options->no_sse ? NULL : options->message_path,
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (paths[i] == NULL) {
            continue;
        }
        if (!is_path(paths[i])) {
            return error_set(error, "%s takes a path that begins with / and has no query and no quotes, not \"%s\"",
                             names[i], paths[i]);
        }
        for (size_t j = 0; j < i; j++) {
            if (paths[j] != NULL && is_same_path(paths[i], paths[j])) {
                return error_set(error, "%s and %s cannot both be %s", names[j], names[i], paths[i]);
            }
        }
    }
    return 0;
}

/* Host names are compared without their ports. */
static bool is_host_name(const char *text)
{
    size_t size = strlen(text);
    bool is_v6 = text[0] == '[' && text[size - 1] == ']';
    return strpbrk(text, is_v6 ? "/@ " : "/@ :[]") == NULL;
}

static bool is_origin_list(const struct option_list *list, const char *name, struct error *error)
{
    for (size_t i = 0; i < list->count; i++) {
        bool is_wild = strcmp(list->values[i], "*") == 0 && strcmp(name, "--cors-origin") == 0;
        if (!is_wild && !option_is_origin(list->values[i])) {
            error_set(error,
                      "%s takes an origin without a path, as in https://app.example or http://127.0.0.1:3000, "
                      "not \"%s\"",
                      name, list->values[i]);
            return false;
        }
    }
    return true;
}

/* What could never match is a mistake that would be found late. */
static int check_gate(const struct options *options, struct error *error)
{
    for (size_t i = 0; i < options->allowed_hosts.count; i++) {
        if (!is_host_name(options->allowed_hosts.values[i])) {
            return error_set(error,
                             "--allow-host takes a name without port, as in mcp.example or [fd00::1], not \"%s\"",
                             options->allowed_hosts.values[i]);
        }
    }
    if (!is_origin_list(&options->allowed_origins, "--allow-origin", error) ||
        !is_origin_list(&options->cors_origins, "--cors-origin", error)) {
        return -1;
    }
    const char *metadata = options->protected_resource_metadata;
    if (metadata != NULL && strstr(metadata, "://") != NULL && strstr(metadata, "/.well-known/") != NULL) {
        return error_set(error,
                         "--protected-resource-metadata takes the URL of the authorization server, without "
                         "/.well-known/..., or a file, not \"%s\"",
                         metadata);
    }
    return 0;
}

/* Tokens are for us alone. Without a list of ours, what stands there is for the server, and it may have it. */
static bool gives_token_away(const struct options *options)
{
    bool has_tokens = options->auth_token_file != NULL || options->auth_token != NULL;
    for (size_t i = 0; has_tokens && i < options->env_from_header.count; i++) {
        if (strcmp(options->header_variables[i].header, "authorization") == 0) {
            return true;
        }
    }
    return false;
}

static int check_environment(const struct options *options, struct error *error)
{
    if (gives_token_away(options)) {
        return error_set(error, "--env-from-header cannot take Authorization: with --auth-token-file it holds a token "
                                "that is for the bridge alone");
    }
    for (size_t i = 0; i < options->environment.count; i++) {
        if (strchr(options->environment.values[i], '=') == NULL || options->environment.values[i][0] == '=') {
            return error_set(error, "--env takes NAME=VALUE, not \"%s\"", options->environment.values[i]);
        }
    }
    return 0;
}

int options_check(const struct options *options, struct error *error)
{
    if (options->no_metrics && options->open_metrics) {
        return error_set(error, "--no-metrics and --open-metrics exclude each other");
    }
    if (options->is_stateful && options->is_stateless) {
        return error_set(error,
                         "--stateful and --stateless exclude each other; neither is the default, which serves both");
    }
    if (options->min_idle_children >= options->max_children) {
        return error_set(error, "--min-idle-children must be less than --max-children (%llu)",
                         (unsigned long long)options->max_children);
    }
    if (check_paths(options, error) != 0 || check_gate(options, error) != 0) {
        return -1;
    }
    return check_environment(options, error);
}
