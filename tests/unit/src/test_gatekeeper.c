#include "src/gatekeeper.h"

#include "bridge/base/memory.h"
#include "tests/unit/bridge/fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct fake_world world;
    struct options options;
    struct http_router router;
    struct gatekeeper keeper;
    struct error error;
    unsigned page_calls;
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    fake_world_init(&fixture->world, 1);
    http_router_init(&fixture->router);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    gatekeeper_release(&fixture->keeper);
    http_router_release(&fixture->router);
    fake_world_release(&fixture->world);
    free(fixture);
    return 0;
}

static void open_keeper(struct fixture *fixture, enum http_reach reach)
{
    assert_int_equal(gatekeeper_init(&fixture->keeper, &fixture->options, &fixture->router, &fixture->error), 0);
    gatekeeper_open(&fixture->keeper, reach, fixture->world.port.log);
}

static void set_list(struct option_list *list, const char **values)
{
    *list = (struct option_list){.values = values};
    while (values[list->count] != NULL) {
        list->count++;
    }
}

static const char anybody[] = "whoever reaches this address can use the server: there is no token";

static void a_network_without_a_token_is_warned_of(void **state)
{
    struct fixture *fixture = *state;
    open_keeper(fixture, HTTP_REACH_NETWORK);
    assert_true(fake_world_has_logged(&fixture->world, anybody));
    assert_false(fixture->keeper.gate.checks_host);
}

static void a_network_with_a_token_is_not(void **state)
{
    static char token[] = "alice:alice-token";
    struct fixture *fixture = *state;
    fixture->options.auth_token = token;
    open_keeper(fixture, HTTP_REACH_NETWORK);
    assert_false(fake_world_has_logged(&fixture->world, anybody));
    assert_non_null(fixture->keeper.gate.tokens);
}

static void the_loopback_and_a_unix_socket_need_no_warning(void **state)
{
    struct fixture *fixture = *state;
    open_keeper(fixture, HTTP_REACH_LOOPBACK);
    assert_true(fixture->keeper.gate.checks_host);
    gatekeeper_open(&fixture->keeper, HTTP_REACH_UNIX, fixture->world.port.log);
    assert_false(fixture->keeper.gate.checks_host);
    assert_false(fake_world_has_logged(&fixture->world, "can use the server"));
}

/* Whoever lists names wants them checked; a health probe comes by a number that nobody lists. */
static void a_list_of_hosts_holds_everywhere_but_for_what_is_open(void **state)
{
    static const char *hosts[] = {"mcp.example", NULL};
    struct fixture *fixture = *state;
    set_list(&fixture->options.allowed_hosts, hosts);
    open_keeper(fixture, HTTP_REACH_NETWORK);
    assert_true(fixture->keeper.gate.checks_host);
    assert_false(fixture->keeper.open_gate.checks_host);
}

static void every_page_without_a_token_is_warned_of(void **state)
{
    static const char *origins[] = {"https://app.example", "*", NULL};
    struct fixture *fixture = *state;
    set_list(&fixture->options.cors_origins, origins);
    open_keeper(fixture, HTTP_REACH_LOOPBACK);
    assert_true(fake_world_has_logged(&fixture->world, "any web page"));
}

static void a_page_may_send_what_variables_are_taken_from(void **state)
{
    static const char *origins[] = {"https://app.example", NULL};
    static const char *pairs[] = {"KEY=X-Api-Key", NULL};
    static char variable[] = "KEY";
    static char header[] = "x-api-key";
    static struct header_variable parted[] = {{.variable = variable, .header = header}};
    struct fixture *fixture = *state;
    set_list(&fixture->options.cors_origins, origins);
    set_list(&fixture->options.env_from_header, pairs);
    fixture->options.header_variables = parted;
    open_keeper(fixture, HTTP_REACH_LOOPBACK);
    assert_string_equal(fixture->keeper.gate.cors->headers[0], "x-api-key");
    assert_null(fixture->keeper.gate.cors->headers[1]);
}

static void handle(void *context, struct exchange *exchange)
{
    struct fixture *fixture = context;
    fixture->page_calls++;
    exchange->operations->respond(exchange, &(struct response){.status = 204});
}

static int visit(struct fixture *fixture, const char *path, const char *token)
{
    const struct http_route *route = http_router_find(&fixture->router, slice_text(path));
    struct fake_exchange *exchange = fake_exchange_new(&fixture->world, EXCHANGE_GET);
    exchange->exchange.path = slice_text(path);
    fake_exchange_add_field(exchange, "Host", "localhost");
    if (token != NULL) {
        fake_exchange_add_field(exchange, "Authorization", token);
    }
    route->handler(route->context, &exchange->exchange);
    return exchange->status;
}

static void a_page_asks_for_a_token_unless_it_is_open(void **state)
{
    static char token[] = "alice:alice-token";
    struct fixture *fixture = *state;
    fixture->options.auth_token = token;
    open_keeper(fixture, HTTP_REACH_LOOPBACK);
    gatekeeper_add_page(&fixture->keeper, "/open", handle, fixture, true);
    gatekeeper_add_page(&fixture->keeper, "/closed", handle, fixture, false);
    assert_int_equal(visit(fixture, "/open", NULL), 204);
    assert_int_equal(visit(fixture, "/closed", NULL), 401);
    assert_int_equal(visit(fixture, "/closed", "Bearer other"), 401);
    assert_int_equal(fixture->page_calls, 1);
    assert_int_equal(visit(fixture, "/closed", "Bearer alice-token"), 204);
    assert_int_equal(visit(fixture, "/elsewhere", NULL), 404);
    assert_int_equal(fixture->page_calls, 2);
}

static void a_token_that_is_wrong_ends_the_start(void **state)
{
    static char token[] = "not a token";
    struct fixture *fixture = *state;
    fixture->options.auth_token = token;
    assert_int_equal(gatekeeper_init(&fixture->keeper, &fixture->options, &fixture->router, &fixture->error), -1);
    assert_non_null(strstr(fixture->error.text, "MCP_BRIDGE_AUTH_TOKEN"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_network_without_a_token_is_warned_of),
        TEST(a_network_with_a_token_is_not),
        TEST(the_loopback_and_a_unix_socket_need_no_warning),
        TEST(a_list_of_hosts_holds_everywhere_but_for_what_is_open),
        TEST(every_page_without_a_token_is_warned_of),
        TEST(a_page_may_send_what_variables_are_taken_from),
        TEST(a_page_asks_for_a_token_unless_it_is_open),
        TEST(a_token_that_is_wrong_ends_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
