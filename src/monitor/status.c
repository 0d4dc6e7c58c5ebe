#include "src/monitor/status.h"

#include "src/monitor/page.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

/* ---- JSON ---- */

/* Numbers are kept as they are: cJSON has doubles only. */
static void add_number(cJSON *object, const char *name, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    cJSON_AddRawToObject(object, name, digits);
}

/* What counts by reason is an object of its own. */
static void add_to_json(void *context, const struct figure *figure)
{
    cJSON *object = context;
    if (figure->reason == NULL) {
        add_number(object, figure->name, figure->value);
        return;
    }
    cJSON *reasons = cJSON_GetObjectItemCaseSensitive(object, figure->name);
    if (reasons == NULL) {
        reasons = cJSON_AddObjectToObject(object, figure->name);
    }
    add_number(reasons, figure->reason, figure->value);
}

static void respond_json(const struct status_subject *subject, struct exchange *exchange)
{
    cJSON *object = health_describe(subject->health, NULL);
    cJSON_AddStringToObject(object, "version", subject->version);
    cJSON *figures = cJSON_AddObjectToObject(object, "figures");
    subject->figures->visit(subject->figures->context, add_to_json, figures);
    char *text = cJSON_PrintUnformatted(object);
    page_respond(exchange, 200, "application/json", slice_text(text));
    cJSON_free(text);
    cJSON_Delete(object);
}

/* ---- A page ---- */

static void add_escaped(struct buffer *page, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buffer_add_text(page, "&amp;");
            break;
        case '<':
            buffer_add_text(page, "&lt;");
            break;
        case '>':
            buffer_add_text(page, "&gt;");
            break;
        default:
            buffer_add(page, slice_of(text, 1));
            break;
        }
    }
}

static void add_row(struct buffer *page, const char *name, const char *value)
{
    buffer_add_text(page, "<tr><th>");
    add_escaped(page, name);
    buffer_add_text(page, "</th><td>");
    add_escaped(page, value);
    buffer_add_text(page, "</td></tr>\n");
}

/* A refusal that was never given is not worth a row. */
static void add_to_page(void *context, const struct figure *figure)
{
    char name[256];
    char value[24];
    snprintf(name, sizeof(name), "%s%s%s", figure->help, figure->reason != NULL ? ": " : "",
             figure->reason != NULL ? figure->reason : "");
    snprintf(value, sizeof(value), "%" PRIu64, figure->value);
    if (figure->reason == NULL || figure->value > 0) {
        add_row(context, name, value);
    }
}

static void respond_page(const struct status_subject *subject, struct exchange *exchange)
{
    struct buffer page;
    buffer_init(&page, 0);
    buffer_add_text(&page,
                    "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta http-equiv=refresh content=5>\n"
                    "<title>mcp-bridge</title>\n<style>body{font:15px sans-serif;margin:2em}"
                    "th{text-align:left;font-weight:normal;padding-right:2em}td{text-align:right}"
                    "tr:nth-child(odd){background:#f4f4f4}</style>\n<h1>mcp-bridge</h1>\n<table>\n");
    cJSON *object = health_describe(subject->health, NULL);
    cJSON_AddStringToObject(object, "version", subject->version);
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        add_row(&page, member->string, cJSON_GetStringValue(member));
    }
    cJSON_Delete(object);
    subject->figures->visit(subject->figures->context, add_to_page, &page);
    buffer_add_text(&page, "</table>\n");
    page_respond(exchange, 200, "text/html; charset=utf-8", buffer_slice(&page));
    buffer_release(&page);
}

/* Browsers name the type; what takes anything is a program. */
static bool wants_page(const struct exchange *exchange)
{
    struct slice accept;
    struct slice range;
    if (exchange->operations->header(exchange, "accept", &accept) == 0) {
        return false;
    }
    while (slice_split(&accept, ',', &range)) {
        if (slice_starts_with(slice_trim(range), "text/html")) {
            return true;
        }
    }
    return false;
}

void status_handle(void *context, struct exchange *exchange)
{
    const struct status_subject *subject = context;
    if (!page_check_method(exchange)) {
        return;
    }
    if (wants_page(exchange)) {
        respond_page(subject, exchange);
    } else {
        respond_json(subject, exchange);
    }
}
