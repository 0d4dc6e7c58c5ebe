#include "bridge/transport/cors.h"

#include "tests/unit/bridge/fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const exact_origins[] = {"https://app.example", "http://127.0.0.1:3000", NULL};
static const char *const every_origin[] = {"https://app.example", "*", NULL};
static const char *const no_origin[] = {NULL};
static const struct cors exact = {.origins = exact_origins};
static const struct cors wild = {.origins = every_origin};
static const struct cors off = {.origins = NULL};
static const struct cors empty = {.origins = no_origin};

static struct fake_exchange *ask(struct fake_world *world, enum exchange_method method, const char *origin)
{
    struct fake_exchange *exchange = fake_exchange_new(world, method);
    if (origin != NULL) {
        fake_exchange_add_field(exchange, "Origin", origin);
    }
    return exchange;
}

/* The headers of an answer to this origin, as "Name: value" lines. */
static const char *headers_for(struct fake_world *world, const struct cors *cors, const char *origin)
{
    static char text[512];
    struct header headers[CORS_HEADERS];
    struct fake_exchange *exchange = ask(world, EXCHANGE_GET, origin);
    size_t count = cors_headers(cors, &exchange->exchange, headers);
    assert_true(count <= CORS_HEADERS);
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        int added =
            snprintf(text + size, sizeof(text) - size, "%s: %.*s\n", headers[i].name, SLICE_PRINT(headers[i].value));
        size += (size_t)added;
    }
    exchange->state = FAKE_EXCHANGE_GONE;
    return text;
}

static void nothing_is_said_while_it_is_off(void **state)
{
    assert_string_equal(headers_for(*state, &off, "https://app.example"), "");
    assert_string_equal(headers_for(*state, &empty, "https://app.example"), "");
    assert_false(cors_allows(NULL, slice_text("https://app.example")));
}

static void a_listed_origin_is_named_and_caches_are_told(void **state)
{
    assert_string_equal(headers_for(*state, &exact, "http://127.0.0.1:3000"),
                        "Vary: Origin\nAccess-Control-Allow-Origin: http://127.0.0.1:3000\n"
                        "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate\n");
}

static void any_other_origin_gets_nothing_that_it_could_read_by(void **state)
{
    static const char *const origins[] = {NULL,
                                          "",
                                          "null",
                                          "*",
                                          "http://app.example",
                                          "https://app.example:443",
                                          "https://app.example.evil",
                                          "https://app.example/",
                                          "http://127.0.0.1:3001"};
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        assert_string_equal(headers_for(*state, &exact, origins[i]), "Vary: Origin\n");
    }
}

static void two_origins_are_none(void **state)
{
    struct header headers[CORS_HEADERS];
    struct fake_exchange *exchange = ask(*state, EXCHANGE_GET, "https://app.example");
    fake_exchange_add_field(exchange, "Origin", "https://app.example");
    assert_int_equal(cors_headers(&exact, &exchange->exchange, headers), 1);
    exchange->state = FAKE_EXCHANGE_GONE;
}

/* And there are never credentials, neither with the star nor without. */
static void the_star_stands_for_every_origin_but_null(void **state)
{
    static const char all[] = "Access-Control-Allow-Origin: *\n"
                              "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate\n";
    assert_string_equal(headers_for(*state, &wild, "https://who.knows"), all);
    assert_string_equal(headers_for(*state, &wild, "null"), "");
    assert_string_equal(headers_for(*state, &wild, NULL), "");
}

static void a_preflight_is_told_what_clients_send(void **state)
{
    struct fake_exchange *exchange = ask(*state, EXCHANGE_OPTIONS, "https://app.example");
    fake_exchange_add_field(exchange, "Access-Control-Request-Method", "POST");
    fake_exchange_add_field(
        exchange, "Access-Control-Request-Headers",
        "x-other,mcp-param-a_1, MCP-Param-AZ-az09 ,mcp-param-,mcp-param-x;y,mcp-param-\",mcp-param-@,"
        "mcp-param-[,mcp-param-`,mcp-param-{,mcp-param-/,mcp-param-:");
    assert_true(cors_answer_preflight(&exact, &exchange->exchange));
    assert_int_equal(exchange->status, 204);
    assert_int_equal(exchange->answer.size, 0);
    assert_string_equal(fake_exchange_answer_field(exchange, "access-control-allow-methods"), "GET, POST, DELETE");
    assert_string_equal(fake_exchange_answer_field(exchange, "access-control-allow-headers"),
                        "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, "
                        "mcp-protocol-version, mcp-session-id, mcp-param-a_1, MCP-Param-AZ-az09");
    assert_string_equal(fake_exchange_answer_field(exchange, "access-control-max-age"), "7200");
    assert_null(fake_exchange_answer_field(exchange, "access-control-allow-credentials"));
}

static void a_preflight_is_told_of_our_own_headers(void **state)
{
    static const char *const headers[] = {"x-api-key", "x-tenant", NULL};
    const struct cors cors = {.origins = exact_origins, .headers = headers};
    struct fake_exchange *exchange = ask(*state, EXCHANGE_OPTIONS, "https://app.example");
    fake_exchange_add_field(exchange, "Access-Control-Request-Method", "POST");
    fake_exchange_add_field(exchange, "Access-Control-Request-Headers", "mcp-param-a, x-api-key, x-other");
    assert_true(cors_answer_preflight(&cors, &exchange->exchange));
    assert_string_equal(fake_exchange_answer_field(exchange, "access-control-allow-headers"),
                        "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, "
                        "mcp-protocol-version, mcp-session-id, x-api-key, x-tenant, mcp-param-a");
}

static void what_is_no_preflight_is_left_alone(void **state)
{
    struct fake_exchange *exchange = ask(*state, EXCHANGE_OPTIONS, "https://app.example");
    assert_false(cors_answer_preflight(&exact, &exchange->exchange));
    fake_exchange_add_field(exchange, "Access-Control-Request-Method", "POST");
    assert_false(cors_answer_preflight(&off, &exchange->exchange));
    exchange->state = FAKE_EXCHANGE_GONE;
    exchange = ask(*state, EXCHANGE_GET, "https://app.example");
    fake_exchange_add_field(exchange, "Access-Control-Request-Method", "POST");
    assert_false(cors_answer_preflight(&exact, &exchange->exchange));
    exchange->state = FAKE_EXCHANGE_GONE;
    exchange = ask(*state, EXCHANGE_OPTIONS, "https://evil.example");
    fake_exchange_add_field(exchange, "Access-Control-Request-Method", "POST");
    assert_false(cors_answer_preflight(&exact, &exchange->exchange));
    exchange->state = FAKE_EXCHANGE_GONE;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_set_up, fake_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_said_while_it_is_off),
        TEST(a_listed_origin_is_named_and_caches_are_told),
        TEST(any_other_origin_gets_nothing_that_it_could_read_by),
        TEST(two_origins_are_none),
        TEST(the_star_stands_for_every_origin_but_null),
        TEST(a_preflight_is_told_what_clients_send),
        TEST(a_preflight_is_told_of_our_own_headers),
        TEST(what_is_no_preflight_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
