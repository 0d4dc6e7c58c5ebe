#include "src/plan.h"

#include "src/version.h"

#include <stdio.h>
#include <string.h>

static bool is_unix(const char *address)
{
    return strncmp(address, "unix:", 5) == 0;
}

/* An IPv6 address stands in brackets (RFC 3986 3.2.2). */
void plan_address(const struct options *options, char *text, size_t size)
{
    bool is_v6 = strchr(options->host, ':') != NULL && options->host[0] != '[';
    if (is_unix(options->host)) {
        snprintf(text, size, "%s", options->host);
    } else {
        snprintf(text, size, "%s%s%s:%d", is_v6 ? "[" : "", options->host, is_v6 ? "]" : "", (int)options->port);
    }
}

/* http://127.0.0.1:8000/mcp; of a Unix socket there is no URL. */
static void add_url(struct buffer *text, const struct options *options, const char *address)
{
    if (is_unix(address)) {
        buffer_add_format(text, "%s, at %s", address, options->path);
    } else {
        buffer_add_format(text, "http://%s%s", address, options->path);
    }
}

static const char *mode(const struct options *options)
{
    return options->is_stateful ? "stateful"
           : options->is_stateless
               ? "stateless"
               : "stateful for clients that initialize, stateless for requests without a session id";
}

static void add_command(struct buffer *text, const struct options *options)
{
    for (char **word = options->command; *word != NULL; word++) {
        bool needs_quotes = **word == '\0' || strpbrk(*word, " \t'\"\\$*?") != NULL;
        buffer_add_format(text, "%s%s%s%s", word > options->command ? " " : "", needs_quotes ? "'" : "", *word,
                          needs_quotes ? "'" : "");
    }
}

void plan_describe(const struct options *options, const char *address, struct buffer *out)
{
    buffer_add_format(out, "mcp-bridge %s\n  endpoint  ", MCP_BRIDGE_VERSION);
    add_url(out, options, address);
    buffer_add_format(out, "\n  mode      %s\n  server    ", mode(options));
    add_command(out, options);
    buffer_add_text(out, "\n");
}

void plan_log(const struct options *options, const char *address, struct log *log)
{
    struct buffer text;
    buffer_init(&text, 0);
    buffer_add_text(&text, "listening at ");
    add_url(&text, options, address);
    log_line(log, LOG_LEVEL_INFO, slice_text("bridge"), "%.*s", SLICE_PRINT(buffer_slice(&text)));
    buffer_release(&text);
}
