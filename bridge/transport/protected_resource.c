#include "bridge/transport/protected_resource.h"

#include "bridge/base/memory.h"
#include "bridge/transport/refusal.h"

#include <cjson/cJSON.h>

static const char prefix[] = PROTECTED_RESOURCE_PATH;

void protected_resource_init(struct protected_resource *resource, const char *authorization_server)
{
    *resource = (struct protected_resource){.authorization_server = authorization_server};
    buffer_init(&resource->url, 0);
}

/* ---- A document that is given ---- */

/* Where the path of an http or https URL begins; NULL when it is none, or has bytes that no URL has. */
static const char *path_of(const char *url)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (const char *at = url; *at != '\0'; at++) {
        if (*at <= ' ' || *at >= 0x7f || strchr("\"\\<>#", *at) != NULL) {
            return NULL;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(schemes[i]);
        if (strncmp(url, schemes[i], size) == 0 && strchr("/?", url[size]) == NULL) {
            return url + size + strcspn(url + size, "/?");
        }
    }
    return NULL;
}

/* RFC 9728 3.1: the well-known path goes between the host and the path, of which a mere slash is none. */
static int find_url(struct protected_resource *resource, const cJSON *document, struct error *error)
{
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, "resource"));
    const char *path = url != NULL ? path_of(url) : NULL;
    if (path == NULL) {
        return error_set(error, "its member \"resource\" must be an http or https URL");
    }
    buffer_add(&resource->url, slice_of(url, (size_t)(path - url)));
    buffer_add_text(&resource->url, prefix);
    buffer_add_text(&resource->url, strcmp(path, "/") == 0 ? "" : path);
    return 0;
}

int protected_resource_init_document(struct protected_resource *resource, struct slice document, struct error *error)
{
    protected_resource_init(resource, NULL);
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(document.data, document.size, &end, false);
    size_t rest = tree != NULL ? document.size - (size_t)(end - document.data) : 0;
    while (rest > 0 && strchr(" \t\r\n", end[rest - 1]) != NULL && end[rest - 1] != '\0') {
        rest--;
    }
    int result = cJSON_IsObject(tree) && rest == 0 ? find_url(resource, tree, error)
                                                   : error_set(error, "it must hold one JSON object (RFC 9728 3.2)");
    cJSON_Delete(tree);
    resource->document = memory_copy(document);
    return result;
}

void protected_resource_release(struct protected_resource *resource)
{
    memory_free_slice(&resource->document);
    buffer_release(&resource->url);
    *resource = (struct protected_resource){.authorization_server = NULL};
}

/* ---- A document that is made ---- */

/*
 * "https://host", as the client sees us; nothing when it did not say. Who forges these fields changes what it is told
 * itself, and no cache keeps it.
 */
static void add_origin(const struct exchange *exchange, struct buffer *out)
{
    struct slice host;
    struct slice scheme;
    if (exchange->operations->header(exchange, "host", &host) == 1) {
        exchange->operations->header(exchange, "x-forwarded-proto", &scheme);
        bool is_https = slice_equals_ignoring_case(scheme, slice_text("https"));
        buffer_add_text(out, is_https ? "https://" : "http://");
        buffer_add(out, host);
    }
}

static void make_document(const struct protected_resource *resource, const struct exchange *exchange, struct slice path,
                          struct buffer *out)
{
    struct buffer url;
    buffer_init(&url, 0);
    add_origin(exchange, &url);
    buffer_add(&url, path);
    buffer_add(&url, slice_of("", 1));
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "resource", buffer_slice(&url).data);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(document, "authorization_servers"),
                         cJSON_CreateString(resource->authorization_server));
    cJSON_AddItemToArray(cJSON_AddArrayToObject(document, "bearer_methods_supported"), cJSON_CreateString("header"));
    char *text = cJSON_PrintUnformatted(document);
    buffer_add_text(out, text);
    cJSON_free(text);
    cJSON_Delete(document);
    buffer_release(&url);
}

/* ---- Requests ---- */

bool protected_resource_take_prefix(struct slice *path)
{
    size_t size = sizeof(prefix) - 1;
    if (!slice_starts_with(*path, prefix) || (path->size > size && path->data[size] != '/')) {
        return false;
    }
    struct slice rest = slice_of(path->data + size, path->size - size);
    *path = rest.size > 1 ? rest : slice_of(rest.data, 0);
    return true;
}

void protected_resource_answer(const struct protected_resource *resource, struct exchange *exchange, struct slice path)
{
    if (exchange->method != EXCHANGE_GET && exchange->method != EXCHANGE_HEAD) {
        refuse(exchange, REFUSAL_METHOD_READ, slice_of(NULL, 0), NULL);
        return;
    }
    struct buffer made;
    buffer_init(&made, 0);
    if (!slice_exists(resource->document)) {
        make_document(resource, exchange, path, &made);
    }
    const struct header headers[] = {
        {"Content-Type", SLICE_LITERAL("application/json")},
        {"Cache-Control", SLICE_LITERAL("no-store")},
    };
    struct slice body = slice_exists(resource->document) ? resource->document : buffer_slice(&made);
    const struct response response = {
        .status = 200, .headers = headers, .header_count = 2, .body = &body, .body_count = 1};
    exchange->operations->respond(exchange, &response);
    buffer_release(&made);
}

void protected_resource_add_challenge(const struct protected_resource *resource, const struct exchange *exchange,
                                      struct buffer *out)
{
    buffer_add_text(out, "Bearer");
    struct buffer url;
    buffer_init(&url, 0);
    if (resource != NULL && slice_exists(resource->document)) {
        buffer_add(&url, buffer_slice(&resource->url));
    } else if (resource != NULL) {
        add_origin(exchange, &url);
        if (url.size > 0) {
            buffer_add_text(&url, prefix);
            buffer_add(&url, exchange->path);
        }
    }
    if (url.size > 0) {
        buffer_add_text(out, " resource_metadata=\"");
        buffer_add(out, buffer_slice(&url));
        buffer_add_text(out, "\"");
    }
    buffer_release(&url);
}
