#include "bridge/transport/protected_resource.h"

#include "bridge/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* An exchange of two header fields, of which the answer is kept. */
struct visit {
    struct exchange exchange;
    const char *host;
    const char *proto;
    int status;
    struct buffer body;
};

static size_t header(const struct exchange *exchange, const char *name, struct slice *value)
{
    const struct visit *visit = container_of(exchange, const struct visit, exchange);
    const char *text = strcmp(name, "host") == 0                ? visit->host
                       : strcmp(name, "x-forwarded-proto") == 0 ? visit->proto
                                                                : NULL;
    *value = text != NULL ? slice_text(text) : slice_of(NULL, 0);
    return text != NULL ? 1 : 0;
}

static void respond(struct exchange *exchange, const struct response *response)
{
    struct visit *visit = container_of(exchange, struct visit, exchange);
    visit->status = response->status;
    for (size_t i = 0; i < response->body_count; i++) {
        buffer_add(&visit->body, response->body[i]);
    }
    buffer_add(&visit->body, slice_of("", 1));
    assert_string_equal(response->headers[0].name, "Content-Type");
    assert_true(slice_is(response->headers[0].value, "application/json"));
}

static const struct exchange_operations operations = {.header = header, .respond = respond};

static void init_visit(struct visit *visit, const char *host, const char *proto, const char *path)
{
    *visit = (struct visit){.exchange = {.operations = &operations, .method = EXCHANGE_GET, .path = slice_text(path)},
                            .host = host,
                            .proto = proto};
    buffer_init(&visit->body, 0);
}

static const char *text_of(struct buffer *buffer)
{
    return buffer_slice(buffer).data;
}

static void the_path_is_that_of_the_resource_behind_the_well_known_one(void **state)
{
    static const struct {
        const char *path;
        const char *rest; /* NULL: no metadata stands there */
    } paths[] = {{"/.well-known/oauth-protected-resource", ""},
                 {"/.well-known/oauth-protected-resource/", ""},
                 {"/.well-known/oauth-protected-resource/mcp", "/mcp"},
                 {"/.well-known/oauth-protected-resource/a/b/", "/a/b/"},
                 {"/.well-known/oauth-protected-resourcex", NULL},
                 {"/.well-known/oauth-authorization-server", NULL},
                 {"/mcp", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct slice path = slice_text(paths[i].path);
        assert_int_equal(protected_resource_take_prefix(&path), paths[i].rest != NULL);
        assert_true(slice_is(path, paths[i].rest != NULL ? paths[i].rest : paths[i].path));
    }
}

/* RFC 9728 3.3: "resource" must be what the client asked for, under whatever name it knows us. */
static void a_document_is_made_for_the_name_that_the_client_uses(void **state)
{
    static const struct {
        const char *host;
        const char *proto;
        const char *path;
        const char *resource;
    } visits[] = {{"127.0.0.1:8000", NULL, "/mcp", "http://127.0.0.1:8000/mcp"},
                  {"mcp.example", "https", "", "https://mcp.example"},
                  {"mcp.example", "HTTPS", "/sse", "https://mcp.example/sse"},
                  {"mcp.example", "javascript", "/mcp", "http://mcp.example/mcp"}};
    struct protected_resource resource;
    (void)state;
    protected_resource_init(&resource, "https://auth.example/tenant");
    for (size_t i = 0; i < sizeof(visits) / sizeof(visits[0]); i++) {
        struct visit visit;
        char wanted[512];
        init_visit(&visit, visits[i].host, visits[i].proto, "/unused");
        protected_resource_answer(&resource, &visit.exchange, slice_text(visits[i].path));
        snprintf(wanted, sizeof(wanted),
                 "{\"resource\":\"%s\",\"authorization_servers\":[\"https://auth.example/tenant\"],"
                 "\"bearer_methods_supported\":[\"header\"]}",
                 visits[i].resource);
        assert_int_equal(visit.status, 200);
        assert_string_equal(text_of(&visit.body), wanted);
        buffer_release(&visit.body);
    }
    protected_resource_release(&resource);
}

static void a_document_that_is_given_is_served_as_it_is(void **state)
{
    static const char document[] = "{ \"resource\" : \"https://mcp.example/a?b\", \"x\": 1e400 }\n";
    struct protected_resource resource;
    struct error error;
    struct visit visit;
    (void)state;
    assert_int_equal(protected_resource_init_document(&resource, slice_text(document), &error), 0);
    init_visit(&visit, "elsewhere", NULL, "/mcp");
    protected_resource_answer(&resource, &visit.exchange, slice_text("/mcp"));
    assert_int_equal(visit.status, 200);
    assert_string_equal(text_of(&visit.body), document);
    buffer_release(&visit.body);
    protected_resource_release(&resource);
}

/* RFC 9728 3.1. */
static void the_challenge_of_a_given_document_follows_from_its_resource(void **state)
{
    static const struct {
        const char *resource;
        const char *url;
    } documents[] = {
        {"https://mcp.example", "https://mcp.example/.well-known/oauth-protected-resource"},
        {"https://mcp.example/", "https://mcp.example/.well-known/oauth-protected-resource"},
        {"https://mcp.example:444/a/b", "https://mcp.example:444/.well-known/oauth-protected-resource/a/b"},
        {"http://h?x", "http://h/.well-known/oauth-protected-resource?x"}};
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct protected_resource resource;
        struct error error;
        struct visit visit;
        struct buffer challenge;
        char text[256];
        snprintf(text, sizeof(text), "{\"resource\":\"%s\"}", documents[i].resource);
        assert_int_equal(protected_resource_init_document(&resource, slice_text(text), &error), 0);
        init_visit(&visit, "elsewhere", NULL, "/mcp");
        buffer_init(&challenge, 0);
        protected_resource_add_challenge(&resource, &visit.exchange, &challenge);
        buffer_add(&challenge, slice_of("", 1));
        snprintf(text, sizeof(text), "Bearer resource_metadata=\"%s\"", documents[i].url);
        assert_string_equal(text_of(&challenge), text);
        buffer_release(&challenge);
        protected_resource_release(&resource);
    }
}

static void what_is_no_metadata_is_an_error(void **state)
{
    static const char *const documents[] = {"",
                                            "[]",
                                            "null",
                                            "{\"resource\":\"https://a\"",
                                            "{\"resource\":\"https://a\"} x",
                                            "{}",
                                            "{\"Resource\":\"https://a\"}",
                                            "{\"resource\":1}",
                                            "{\"resource\":\"\"}",
                                            "{\"resource\":\"https://\"}",
                                            "{\"resource\":\"https:///x\"}",
                                            "{\"resource\":\"ftp://a\"}",
                                            "{\"resource\":\"https://a#b\"}",
                                            "{\"resource\":\"https://a\\\"b\"}",
                                            "{\"resource\":\"https://a\\nb\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct protected_resource resource;
        struct error error;
        assert_int_equal(protected_resource_init_document(&resource, slice_text(documents[i]), &error), -1);
        assert_true(strlen(error.text) > 0);
        protected_resource_release(&resource);
    }
}

static void without_a_host_the_challenge_is_a_plain_one(void **state)
{
    struct protected_resource resource;
    struct visit visit;
    struct buffer challenge;
    (void)state;
    protected_resource_init(&resource, "https://auth.example");
    init_visit(&visit, NULL, NULL, "/mcp");
    buffer_init(&challenge, 0);
    protected_resource_add_challenge(&resource, &visit.exchange, &challenge);
    assert_true(slice_is(buffer_slice(&challenge), "Bearer"));
    buffer_release(&challenge);
    protected_resource_release(&resource);
}

static void it_can_only_be_read(void **state)
{
    static const enum exchange_method methods[] = {EXCHANGE_POST, EXCHANGE_DELETE, EXCHANGE_OPTIONS, EXCHANGE_OTHER};
    struct protected_resource resource;
    struct visit visit;
    (void)state;
    protected_resource_init(&resource, "https://auth.example");
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        init_visit(&visit, "h", NULL, "/mcp");
        visit.exchange.method = methods[i];
        protected_resource_answer(&resource, &visit.exchange, slice_text("/mcp"));
        assert_int_equal(visit.status, 405);
        buffer_release(&visit.body);
    }
    protected_resource_release(&resource);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_is_that_of_the_resource_behind_the_well_known_one),
        cmocka_unit_test(a_document_is_made_for_the_name_that_the_client_uses),
        cmocka_unit_test(a_document_that_is_given_is_served_as_it_is),
        cmocka_unit_test(the_challenge_of_a_given_document_follows_from_its_resource),
        cmocka_unit_test(what_is_no_metadata_is_an_error),
        cmocka_unit_test(without_a_host_the_challenge_is_a_plain_one),
        cmocka_unit_test(it_can_only_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
