#include "src/monitor/metrics.h"

#include "bridge/base/buffer.h"
#include "src/monitor/page.h"

#include <inttypes.h>

struct metrics {
    struct buffer text;
    const char *last_name; /* HELP and TYPE stand once, before the first of a name */
};

/* Backslash, quote and line feed are escaped in a label's value. */
static void add_label(struct buffer *text, const char *name, struct slice value)
{
    buffer_add_text(text, name);
    buffer_add_text(text, "=\"");
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (c == '\n') {
            buffer_add_text(text, "\\n");
            continue;
        }
        if (c == '\\' || c == '"') {
            buffer_add_text(text, "\\");
        }
        buffer_add(text, slice_of(&c, 1));
    }
    buffer_add_text(text, "\"");
}

static void add_labels(struct buffer *text, const struct figure *figure)
{
    bool has_server = slice_exists(figure->server);
    if (!has_server && figure->reason == NULL) {
        return;
    }
    buffer_add_text(text, "{");
    if (has_server) {
        add_label(text, "server", figure->server);
    }
    if (figure->reason != NULL) {
        buffer_add_text(text, has_server ? "," : "");
        add_label(text, "reason", slice_text(figure->reason));
    }
    buffer_add_text(text, "}");
}

static void add_figure(void *context, const struct figure *figure)
{
    struct metrics *metrics = context;
    struct buffer *text = &metrics->text;
    if (metrics->last_name == NULL || strcmp(metrics->last_name, figure->name) != 0) {
        buffer_add_format(text, "# HELP %s %s\n# TYPE %s %s\n", figure->name, figure->help, figure->name,
                          figure->is_counter ? "counter" : "gauge");
        metrics->last_name = figure->name;
    }
    buffer_add_text(text, figure->name);
    add_labels(text, figure);
    buffer_add_format(text, " %" PRIu64 "\n", figure->value);
}

void metrics_handle(void *context, struct exchange *exchange)
{
    if (!page_check_method(exchange)) {
        return;
    }
    const struct figure_source *source = context;
    struct metrics metrics = {.last_name = NULL};
    buffer_init(&metrics.text, 0);
    source->visit(source->context, add_figure, &metrics);
    page_respond(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", buffer_slice(&metrics.text));
    buffer_release(&metrics.text);
}
