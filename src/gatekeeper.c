#include "src/gatekeeper.h"

#include "bridge/base/memory.h"
#include "bridge/transport/refusal.h"
#include "src/file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct slice scope = SLICE_LITERAL("gate");

_Static_assert((int)CORS_HEADERS <= (int)HTTP_COMMON_HEADERS, "the headers of CORS have room in every answer");

/* ---- What the options name ---- */

/* The metadata are in a file, rather than made from the URL of an authorization server. */
static bool has_document(const struct options *options)
{
    const char *metadata = options->protected_resource_metadata;
    return metadata != NULL && strncmp(metadata, "https://", 8) != 0 && strncmp(metadata, "http://", 7) != 0;
}

/* To be released in any case. */
static int read_document(struct protected_resource *resource, const char *file, struct error *error)
{
    struct buffer text;
    buffer_init(&text, LIMIT_METADATA_BYTES);
    int result = file_read(file, &text, error);
    if (result == 0) {
        result = protected_resource_init_document(resource, buffer_slice(&text), error);
        if (result != 0) {
            error_wrap(error, "%s", file);
        }
    }
    buffer_release(&text);
    return result != 0 ? error_wrap(error, "--protected-resource-metadata") : 0;
}

static int init_resource(struct gatekeeper *keeper, struct error *error)
{
    const char *metadata = keeper->options->protected_resource_metadata;
    if (has_document(keeper->options)) {
        return read_document(&keeper->resource, metadata, error);
    }
    if (metadata != NULL) {
        protected_resource_init(&keeper->resource, metadata);
    }
    return 0;
}

static bool needs_token(const struct options *options)
{
    return options->auth_token_file != NULL || options->auth_token != NULL;
}

/* What has no route: the metadata of what has one, and nothing. */
static void handle_other(void *context, struct exchange *exchange)
{
    const struct gatekeeper *keeper = context;
    struct slice path = exchange->path;
    if (!gate_admit_anyone(&keeper->open_gate, exchange)) {
        return;
    }
    if (keeper->gate.resource != NULL && protected_resource_take_prefix(&path) &&
        (path.size == 0 || http_router_has(keeper->router, path))) {
        protected_resource_answer(keeper->gate.resource, exchange, path);
    } else {
        refuse(exchange, REFUSAL_PATH, slice_of(NULL, 0), NULL);
    }
}

/* A page that may read our answers may send what --env-from-header asks of clients. */
static void init_cors(struct gatekeeper *keeper)
{
    const struct options *options = keeper->options;
    size_t count = options->env_from_header.count;
    keeper->cors_headers = memory_new((count + 1) * sizeof(*keeper->cors_headers));
    for (size_t i = 0; i < count; i++) {
        keeper->cors_headers[i] = options->header_variables[i].header;
    }
    keeper->cors = (struct cors){.origins = options->cors_origins.values, .headers = keeper->cors_headers};
}

int gatekeeper_init(struct gatekeeper *keeper, const struct options *options, struct http_router *router,
                    struct error *error)
{
    *keeper = (struct gatekeeper){.options = options, .router = router};
    tokens_init(&keeper->tokens);
    init_cors(keeper);
    http_router_add_other(router, handle_other, keeper);
    if (needs_token(options) &&
        tokens_load(&keeper->tokens, options->auth_token_file, options->auth_token, error) != 0) {
        return -1;
    }
    return init_resource(keeper, error);
}

void gatekeeper_release(struct gatekeeper *keeper)
{
    free(keeper->cors_headers);
    tokens_release(&keeper->tokens);
    protected_resource_release(&keeper->resource);
}

/* ---- The gate ---- */

static bool allows_every_origin(const struct options *options)
{
    for (size_t i = 0; i < options->cors_origins.count; i++) {
        if (strcmp(options->cors_origins.values[i], "*") == 0) {
            return true;
        }
    }
    return false;
}

static void warn(const struct gatekeeper *keeper, enum http_reach reach, struct log *log)
{
    if (keeper->gate.tokens != NULL) {
        return;
    }
    if (reach == HTTP_REACH_NETWORK) {
        log_line(log, LOG_LEVEL_WARN, scope,
                 "whoever reaches this address can use the server: there is no token (--auth-token-file)");
    }
    if (reach != HTTP_REACH_UNIX && allows_every_origin(keeper->options)) {
        log_line(log, LOG_LEVEL_WARN, scope,
                 "any web page that is open on a machine which reaches this address can use the server: "
                 "--cors-origin is *, and there is no token (--auth-token-file)");
    }
}

void gatekeeper_open(struct gatekeeper *keeper, enum http_reach reach, struct log *log)
{
    const struct options *options = keeper->options;
    bool has_list = options->allowed_hosts.count > 0;
    keeper->gate = (struct gate){
        .checks_host = reach == HTTP_REACH_LOOPBACK || has_list,
        .allowed_hosts = options->allowed_hosts.values,
        .allowed_origins = options->allowed_origins.values,
        .cors = &keeper->cors,
        .tokens = needs_token(options) ? &keeper->tokens.list : NULL,
        .resource = options->protected_resource_metadata != NULL ? &keeper->resource : NULL,
    };
    keeper->open_gate = keeper->gate;
    keeper->open_gate.checks_host = reach == HTTP_REACH_LOOPBACK;
    warn(keeper, reach, log);
}

/* ---- Reading again ---- */

bool gatekeeper_has_files(const struct gatekeeper *keeper)
{
    return keeper->options->auth_token_file != NULL || has_document(keeper->options);
}

static void reload_tokens(struct gatekeeper *keeper, struct log *log)
{
    const struct options *options = keeper->options;
    struct error error = {.exit_status = 0};
    if (tokens_load(&keeper->tokens, options->auth_token_file, options->auth_token, &error) == 0) {
        log_line(log, LOG_LEVEL_INFO, scope, "read %s again; callers have %zu tokens", options->auth_token_file,
                 keeper->tokens.count);
    } else {
        log_line(log, LOG_LEVEL_ERROR, scope, "%s; the tokens from before stay", error.text);
    }
}

static void reload_document(struct gatekeeper *keeper, struct log *log)
{
    const char *file = keeper->options->protected_resource_metadata;
    struct protected_resource fresh = {.authorization_server = NULL};
    struct error error = {.exit_status = 0};
    if (read_document(&fresh, file, &error) == 0) {
        protected_resource_release(&keeper->resource);
        keeper->resource = fresh;
        log_line(log, LOG_LEVEL_INFO, scope, "read %s again", file);
    } else {
        protected_resource_release(&fresh);
        log_line(log, LOG_LEVEL_ERROR, scope, "%s; the metadata from before stay", error.text);
    }
}

void gatekeeper_reload(struct gatekeeper *keeper, struct log *log)
{
    if (keeper->options->auth_token_file != NULL) {
        reload_tokens(keeper, log);
    }
    if (has_document(keeper->options)) {
        reload_document(keeper, log);
    }
}

size_t gatekeeper_headers(void *context, const struct exchange *exchange, struct header *headers)
{
    const struct gatekeeper *keeper = context;
    return cors_headers(&keeper->cors, exchange, headers);
}

bool gatekeeper_takes_body(void *context, const struct exchange *exchange)
{
    const struct gatekeeper *keeper = context;
    return gate_recognizes(&keeper->gate, exchange);
}

/* ---- Pages ---- */

static void handle_page(void *context, struct exchange *exchange)
{
    const struct gatekeeper_page *page = context;
    struct slice principal;
    bool is_admitted = page->is_open ? gate_admit_anyone(&page->keeper->open_gate, exchange)
                                     : gate_admit(&page->keeper->gate, exchange, &principal);
    if (is_admitted) {
        page->handler(page->context, exchange);
    }
}

void gatekeeper_add_page(struct gatekeeper *keeper, const char *path, http_handler_fn handler, void *context,
                         bool is_open)
{
    assert(keeper->page_count < GATEKEEPER_PAGES);
    struct gatekeeper_page *page = &keeper->pages[keeper->page_count++];
    *page = (struct gatekeeper_page){.keeper = keeper, .is_open = is_open, .handler = handler, .context = context};
    http_router_add(keeper->router, path, handle_page, page);
}
