#include "bridge/transport/cors.h"

#include "bridge/base/buffer.h"
#include "bridge/transport/refusal.h"

/* What clients send to any of our paths; and how long a browser may remember that they can. */
static const char allowed_methods[] = "GET, POST, DELETE";
static const char allowed_headers[] = "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, "
                                      "mcp-protocol-version, mcp-session-id";
static const char parameter_prefix[] = "mcp-param-";
static const char max_age_seconds[] = "7200"; /* no browser keeps it for longer */

static bool allows_all(const struct cors *cors)
{
    for (const char *const *origin = cors->origins; *origin != NULL; origin++) {
        if (strcmp(*origin, "*") == 0) {
            return true;
        }
    }
    return false;
}

static bool is_on(const struct cors *cors)
{
    return cors != NULL && cors->origins != NULL && cors->origins[0] != NULL;
}

static bool is_listed(const struct cors *cors, struct slice origin)
{
    for (const char *const *listed = cors->origins; *listed != NULL; listed++) {
        if (slice_equals_ignoring_case(origin, slice_text(*listed))) {
            return true;
        }
    }
    return false;
}

bool cors_allows(const struct cors *cors, struct slice origin)
{
    if (!is_on(cors) || !slice_exists(origin) || slice_is(origin, "null")) {
        return false;
    }
    return allows_all(cors) || is_listed(cors, origin);
}

/* The request's only Origin; absent when it has none, or several. */
static struct slice origin_of(const struct exchange *exchange)
{
    struct slice origin;
    size_t count = exchange->operations->header(exchange, "origin", &origin);
    return count == 1 ? origin : slice_of(NULL, 0);
}

size_t cors_headers(const struct cors *cors, const struct exchange *exchange, struct header headers[CORS_HEADERS])
{
    size_t count = 0;
    if (!is_on(cors)) {
        return 0;
    }
    struct slice origin = origin_of(exchange);
    bool is_allowed = cors_allows(cors, origin);
    bool is_wild = allows_all(cors);
    if (!is_wild) {
        /* Also without an Origin: a cache must not give this answer to one that has an allowed one. */
        headers[count++] = (struct header){"Vary", SLICE_LITERAL("Origin")};
    }
    if (is_allowed) {
        headers[count++] = (struct header){"Access-Control-Allow-Origin", is_wild ? slice_text("*") : origin};
        headers[count++] =
            (struct header){"Access-Control-Expose-Headers", SLICE_LITERAL("Mcp-Session-Id, WWW-Authenticate")};
    }
    return count;
}

/* A field name as Mcp-Param-* has it. */
static bool is_parameter(struct slice name)
{
    size_t size = sizeof(parameter_prefix) - 1;
    if (name.size <= size || !slice_equals_ignoring_case(slice_of(name.data, size), slice_text(parameter_prefix))) {
        return false;
    }
    for (size_t i = size; i < name.size; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}

/* MCP 2026-07-28, Transports: a tool's parameters may stand in Mcp-Param-NAME, which a list cannot foresee. */
static void add_parameters(const struct exchange *exchange, struct buffer *text)
{
    struct slice names;
    struct slice name;
    exchange->operations->header(exchange, "access-control-request-headers", &names);
    while (slice_split(&names, ',', &name)) {
        name = slice_trim(name);
        if (is_parameter(name)) {
            buffer_add_text(text, ", ");
            buffer_add(text, name);
        }
    }
}

static void add_own_headers(const struct cors *cors, struct buffer *text)
{
    for (const char *const *name = cors->headers; name != NULL && *name != NULL; name++) {
        buffer_add_text(text, ", ");
        buffer_add_text(text, *name);
    }
}

bool cors_answer_preflight(const struct cors *cors, struct exchange *exchange)
{
    struct slice method;
    if (exchange->method != EXCHANGE_OPTIONS || !cors_allows(cors, origin_of(exchange)) ||
        exchange->operations->header(exchange, "access-control-request-method", &method) == 0) {
        return false;
    }
    struct buffer names;
    buffer_init(&names, 0);
    buffer_add_text(&names, allowed_headers);
    add_own_headers(cors, &names);
    add_parameters(exchange, &names);
    const struct header headers[] = {
        {"Access-Control-Allow-Methods", slice_text(allowed_methods)},
        {"Access-Control-Allow-Headers", buffer_slice(&names)},
        {"Access-Control-Max-Age", slice_text(max_age_seconds)},
    };
    respond_empty(exchange, 204, headers, 3);
    buffer_release(&names);
    return true;
}
