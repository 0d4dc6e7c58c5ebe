#include "bridge/transport/gate.h"

#include "tests/unit/bridge/fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct gate loopback = {.checks_host = true};
static const struct gate anywhere = {.checks_host = false};

/* What becomes of a request with these fields: 0 when it passes, else the status. NULL is no field. */
static int knock(struct fake_world *world, const struct gate *gate, const char *host, const char *origin)
{
    struct fake_exchange *exchange = fake_exchange_new(world, EXCHANGE_POST);
    if (host != NULL) {
        fake_exchange_add_field(exchange, "Host", host);
    }
    if (origin != NULL) {
        fake_exchange_add_field(exchange, "Origin", origin);
    }
    struct slice principal;
    bool is_recognized = gate_recognizes(gate, &exchange->exchange);
    bool is_admitted = gate_admit(gate, &exchange->exchange, &principal);
    assert_int_equal(is_recognized, is_admitted);
    assert_int_equal(fake_exchange_has_ended(exchange), !is_admitted);
    if (is_admitted) {
        exchange->state = FAKE_EXCHANGE_GONE;
    }
    return exchange->status;
}

static void loopback_hosts_pass_at_any_port(void **state)
{
    static const char *const hosts[] = {
        "localhost",   "localhost:8000", "127.0.0.1",  "127.0.0.1:1", "[::1]",
        "[::1]:65535", "LocalHost",      "localhost:", "127.0.0.2",   "127.255.0.255:9"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        assert_int_equal(knock(*state, &loopback, hosts[i], NULL), 0);
    }
}

static void other_hosts_are_turned_away_from_a_loopback_address(void **state)
{
    static const char *const hosts[] = {"evil.example",
                                        "localhost.evil.example",
                                        "evil.example:8000",
                                        "127.0.0.1.evil.example",
                                        "localhost:80:80",
                                        "localhost:80x",
                                        "[::1",
                                        "[::1]x",
                                        "[::2]",
                                        "::1",
                                        "",
                                        ":8000",
                                        "0.0.0.0",
                                        "127.0.0",
                                        "127.0.0.0.1",
                                        "127.0.0.256",
                                        "127.0.0.1000",
                                        "127.0.0.",
                                        "127..0.1",
                                        "127.0.0.x",
                                        "128.0.0.1",
                                        "0127.0.0.1",
                                        "x@localhost",
                                        "localhost@evil.example",
                                        "localhost/",
                                        "local host"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        assert_int_equal(knock(*state, &loopback, hosts[i], NULL), 403);
    }
}

static void a_request_without_host_passes(void **state)
{
    assert_int_equal(knock(*state, &loopback, NULL, NULL), 0);
}

static void two_hosts_are_one_too_many(void **state)
{
    struct slice principal;
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Host", "localhost");
    fake_exchange_add_field(exchange, "Host", "localhost");
    assert_false(gate_admit(&loopback, &exchange->exchange, &principal));
    assert_int_equal(exchange->status, 403);
}

static void the_host_does_not_matter_where_the_bridge_can_be_reached_from_elsewhere(void **state)
{
    assert_int_equal(knock(*state, &anywhere, "mcp.example", NULL), 0);
    assert_int_equal(knock(*state, &anywhere, "", NULL), 0);
}

static void allowed_hosts_pass_at_any_port(void **state)
{
    static const char *const hosts[] = {"mcp.example", "10.0.0.1", NULL};
    const struct gate gate = {.checks_host = true, .allowed_hosts = hosts};
    assert_int_equal(knock(*state, &gate, "MCP.example:80", NULL), 0);
    assert_int_equal(knock(*state, &gate, "10.0.0.1", NULL), 0);
    assert_int_equal(knock(*state, &gate, "localhost", NULL), 0);
    assert_int_equal(knock(*state, &gate, "x.mcp.example", NULL), 403);
    assert_int_equal(knock(*state, &gate, "mcp.example.", NULL), 403);
}

static void loopback_origins_pass_at_any_port(void **state)
{
    static const char *const origins[] = {"http://localhost", "https://localhost:3000", "http://127.0.0.1:8000",
                                          "http://[::1]:5173"};
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        assert_int_equal(knock(*state, &loopback, "localhost", origins[i]), 0);
        assert_int_equal(knock(*state, &anywhere, "mcp.example", origins[i]), 0);
    }
}

/* MCP 2025-11-25, Transports, "Security Warning": an invalid Origin is 403. */
static void other_origins_are_turned_away(void **state)
{
    static const char *const origins[] = {"null",
                                          "",
                                          "http://evil.example",
                                          "https://localhost.evil.example",
                                          "http://localhost@evil.example",
                                          "http://localhost:80@evil.example",
                                          "http://localhost/x",
                                          "file://localhost",
                                          "ftp://localhost",
                                          "localhost",
                                          "http://",
                                          "http://localhost, http://evil.example",
                                          "chrome-extension://abc"};
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        assert_int_equal(knock(*state, &anywhere, "mcp.example", origins[i]), 403);
    }
}

static void allowed_origins_pass_as_a_whole(void **state)
{
    static const char *const origins[] = {"https://app.example", NULL};
    const struct gate gate = {.allowed_origins = origins};
    assert_int_equal(knock(*state, &gate, NULL, "https://app.example"), 0);
    assert_int_equal(knock(*state, &gate, NULL, "http://app.example"), 403);
    assert_int_equal(knock(*state, &gate, NULL, "https://app.example:444"), 403);
    assert_int_equal(knock(*state, &gate, NULL, "https://app.example.evil"), 403);
}

static void two_origins_are_one_too_many(void **state)
{
    struct slice principal;
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Origin", "http://localhost");
    fake_exchange_add_field(exchange, "Origin", "http://localhost");
    assert_false(gate_admit(&anywhere, &exchange->exchange, &principal));
    fake_exchange_expect(exchange, 403,
                         "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
                         "\"message\":\"Invalid Origin header (--allow-origin accepts one): http://localhost\"}}");
}

static void a_refusal_shows_what_was_wrong_without_what_could_harm(void **state)
{
    struct slice principal;
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Host", "a\xff\"\x01<b>");
    assert_false(gate_admit(&loopback, &exchange->exchange, &principal));
    fake_exchange_expect(exchange, 403,
                         "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
                         "\"message\":\"Invalid Host header (--allow-host accepts a name): a?\\\"?<b>\"}}");
}

static void a_long_host_is_shown_in_part(void **state)
{
    struct slice principal;
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    char host[5000];
    memset(host, 'h', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    fake_exchange_add_field(exchange, "Host", host);
    assert_false(gate_admit(&loopback, &exchange->exchange, &principal));
    assert_true(exchange->answer.size < 300);
}

/* ---- Tokens ---- */

static bool find_token(const struct token_list *list, struct slice token, struct slice *principal)
{
    (void)list;
    *principal = slice_text("alice");
    return slice_is(token, "secret");
}

static bool has_principal(const struct token_list *list, struct slice principal)
{
    (void)list;
    return slice_is(principal, "alice");
}

static const struct token_list tokens = {.find = find_token, .has = has_principal};
static const struct gate locked = {.checks_host = true, .tokens = &tokens};
static const char unauthorized[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
                                   "\"message\":\"Unauthorized: a valid bearer token is required\"}}";

/* The exchange, after a request with this Authorization; NULL is no field. */
static struct fake_exchange *show(struct fake_world *world, const struct gate *gate, const char *authorization)
{
    struct fake_exchange *exchange = fake_exchange_new(world, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Host", "localhost:8000");
    if (authorization != NULL) {
        fake_exchange_add_field(exchange, "Authorization", authorization);
    }
    struct slice principal = slice_of(NULL, 0);
    bool is_recognized = gate_recognizes(gate, &exchange->exchange);
    assert_int_equal(exchange->state, FAKE_EXCHANGE_WAITING);
    bool is_admitted = gate_admit(gate, &exchange->exchange, &principal);
    assert_int_equal(is_recognized, is_admitted);
    if (is_admitted) {
        assert_true(slice_is(principal, gate->tokens != NULL ? "alice" : ""));
        exchange->state = FAKE_EXCHANGE_GONE;
    }
    return exchange;
}

static void whoever_was_admitted_is_known_as_long_as_the_list_has_the_name(void **state)
{
    (void)state;
    assert_true(gate_knows(&locked, slice_text("alice")));
    assert_false(gate_knows(&locked, slice_text("bob")));
    assert_true(gate_knows(&loopback, slice_text("")));
}

static void a_known_token_passes_and_names_its_holder(void **state)
{
    static const char *const headers[] = {"Bearer secret", "bearer secret", "BEARER  secret", "Bearer secret "};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        assert_int_equal(show(*state, &locked, headers[i])->status, 0);
    }
}

static void without_a_list_nobody_has_a_name(void **state)
{
    assert_int_equal(show(*state, &loopback, "Bearer whatever")->status, 0);
    assert_int_equal(show(*state, &loopback, NULL)->status, 0);
}

/* RFC 6750 3; and nobody learns how near he was. */
static void no_token_and_every_wrong_one_get_the_same_answer(void **state)
{
    static const char *const headers[] = {NULL,
                                          "",
                                          "Bearer",
                                          "Bearer ",
                                          "Bearer Secret",
                                          "Bearer secre",
                                          "secret",
                                          "Basic c2VjcmV0",
                                          "Bearersecret",
                                          "Bearer secret x",
                                          "Bearer secret, Bearer secret"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct fake_exchange *exchange = show(*state, &locked, headers[i]);
        fake_exchange_expect(exchange, 401, unauthorized);
        assert_string_equal(fake_exchange_answer_field(exchange, "www-authenticate"), "Bearer");
        assert_int_equal(exchange->answer_field_count, 2);
    }
}

static void two_authorizations_are_none(void **state)
{
    struct slice principal;
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_POST);
    fake_exchange_add_field(exchange, "Authorization", "Bearer secret");
    fake_exchange_add_field(exchange, "Authorization", "Bearer secret");
    assert_false(gate_admit(&locked, &exchange->exchange, &principal));
    fake_exchange_expect(exchange, 401, unauthorized);
}

/* A web page must not find out whether its guess is right. */
static void host_and_origin_are_looked_at_before_the_token(void **state)
{
    assert_int_equal(knock(*state, &locked, "evil.example", NULL), 403);
    assert_int_equal(knock(*state, &locked, "localhost", "http://evil.example"), 403);
    assert_int_equal(knock(*state, &locked, "localhost", "http://localhost"), 401);
}

static void a_refusal_says_where_to_get_a_token(void **state)
{
    struct protected_resource resource;
    protected_resource_init(&resource, "https://auth.example");
    const struct gate gate = {.tokens = &tokens, .resource = &resource};
    struct fake_exchange *exchange = show(*state, &gate, NULL);
    fake_exchange_expect(exchange, 401, unauthorized);
    assert_string_equal(fake_exchange_answer_field(exchange, "www-authenticate"),
                        "Bearer resource_metadata=\"http://localhost:8000/.well-known/oauth-protected-resource/mcp\"");
    protected_resource_release(&resource);
}

static void what_is_open_to_anyone_asks_for_no_token_but_for_the_rest(void **state)
{
    struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_GET);
    fake_exchange_add_field(exchange, "Host", "localhost");
    assert_true(gate_admit_anyone(&locked, &exchange->exchange));
    exchange->state = FAKE_EXCHANGE_GONE;
    exchange = fake_exchange_new(*state, EXCHANGE_GET);
    fake_exchange_add_field(exchange, "Host", "evil.example");
    assert_false(gate_admit_anyone(&locked, &exchange->exchange));
    assert_int_equal(exchange->status, 403);
}

/* ---- CORS ---- */

static void an_origin_that_may_read_may_come_in(void **state)
{
    static const char *const one[] = {"https://app.example", NULL};
    static const char *const all[] = {"*", NULL};
    const struct cors of_one = {.origins = one};
    const struct cors of_all = {.origins = all};
    const struct gate gate = {.cors = &of_one};
    const struct gate open = {.cors = &of_all};
    assert_int_equal(knock(*state, &gate, "x", "https://app.example"), 0);
    assert_int_equal(knock(*state, &gate, "x", "https://other.example"), 403);
    assert_int_equal(knock(*state, &open, "x", "https://other.example"), 0);
    assert_int_equal(knock(*state, &open, "x", "null"), 403);
}

static void a_preflight_passes_without_a_token_and_gets_no_further(void **state)
{
    static const char *const origins[] = {"https://app.example", NULL};
    const struct cors cors = {.origins = origins};
    const struct gate gate = {.tokens = &tokens, .cors = &cors};
    static const struct {
        const char *origin;
        const char *method;
        int status;
    } questions[] = {{"https://app.example", "POST", 204},
                     {"https://app.example", NULL, 401},
                     {"http://localhost", "POST", 401},
                     {"https://evil.example", "POST", 403},
                     {NULL, "POST", 401}};
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        struct slice principal;
        struct fake_exchange *exchange = fake_exchange_new(*state, EXCHANGE_OPTIONS);
        if (questions[i].origin != NULL) {
            fake_exchange_add_field(exchange, "Origin", questions[i].origin);
        }
        if (questions[i].method != NULL) {
            fake_exchange_add_field(exchange, "Access-Control-Request-Method", questions[i].method);
        }
        assert_false(gate_admit(&gate, &exchange->exchange, &principal));
        assert_int_equal(exchange->status, questions[i].status);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_set_up, fake_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(loopback_hosts_pass_at_any_port),
        TEST(other_hosts_are_turned_away_from_a_loopback_address),
        TEST(a_request_without_host_passes),
        TEST(two_hosts_are_one_too_many),
        TEST(the_host_does_not_matter_where_the_bridge_can_be_reached_from_elsewhere),
        TEST(allowed_hosts_pass_at_any_port),
        TEST(loopback_origins_pass_at_any_port),
        TEST(other_origins_are_turned_away),
        TEST(allowed_origins_pass_as_a_whole),
        TEST(two_origins_are_one_too_many),
        TEST(a_refusal_shows_what_was_wrong_without_what_could_harm),
        TEST(a_long_host_is_shown_in_part),
        TEST(whoever_was_admitted_is_known_as_long_as_the_list_has_the_name),
        TEST(a_known_token_passes_and_names_its_holder),
        TEST(without_a_list_nobody_has_a_name),
        TEST(no_token_and_every_wrong_one_get_the_same_answer),
        TEST(two_authorizations_are_none),
        TEST(host_and_origin_are_looked_at_before_the_token),
        TEST(a_refusal_says_where_to_get_a_token),
        TEST(what_is_open_to_anyone_asks_for_no_token_but_for_the_rest),
        TEST(an_origin_that_may_read_may_come_in),
        TEST(a_preflight_passes_without_a_token_and_gets_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
