#include "src/http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void handle(void *context, struct exchange *exchange)
{
    (void)context;
    (void)exchange;
}

static int open_router(void **state)
{
    static struct http_router router;
    http_router_init(&router);
    http_router_add(&router, "/mcp", handle, NULL);
    http_router_add(&router, "/files/", handle, NULL);
    http_router_add(&router, "/", handle, NULL);
    *state = &router;
    return 0;
}

static int close_router(void **state)
{
    http_router_release(*state);
    return 0;
}

static const char *path_found(const struct http_router *router, const char *path)
{
    const struct http_route *route = http_router_find(router, slice_text(path));
    return route != NULL ? route->path : "none";
}

static void a_path_matches_with_and_without_a_trailing_slash(void **state)
{
    assert_string_equal(path_found(*state, "/mcp"), "/mcp");
    assert_string_equal(path_found(*state, "/mcp/"), "/mcp");
    assert_string_equal(path_found(*state, "/files"), "/files/");
    assert_string_equal(path_found(*state, "/files/"), "/files/");
}

static void the_root_is_only_the_root(void **state)
{
    assert_string_equal(path_found(*state, "/"), "/");
    assert_string_equal(path_found(*state, "//"), "/");
}

static void other_paths_match_nothing(void **state)
{
    assert_string_equal(path_found(*state, "/mcp//"), "none");
    assert_string_equal(path_found(*state, "/mcpx"), "none");
    assert_string_equal(path_found(*state, "/mcp/x"), "none");
    assert_string_equal(path_found(*state, "/MCP"), "none");
    assert_string_equal(path_found(*state, "*"), "none");
}

static void what_serves_the_other_paths_serves_no_path_of_its_own(void **state)
{
    struct http_router router;
    (void)state;
    http_router_init(&router);
    http_router_add(&router, "/mcp", handle, NULL);
    http_router_add_other(&router, handle, &router);
    assert_string_equal(path_found(&router, "/mcp/"), "/mcp");
    assert_ptr_equal(http_router_find(&router, slice_text("/x"))->context, &router);
    assert_true(http_router_has(&router, slice_text("/mcp/")));
    assert_false(http_router_has(&router, slice_text("/x")));
    http_router_release(&router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_matches_with_and_without_a_trailing_slash),
        cmocka_unit_test(the_root_is_only_the_root),
        cmocka_unit_test(other_paths_match_nothing),
        cmocka_unit_test(what_serves_the_other_paths_serves_no_path_of_its_own),
    };
    return cmocka_run_group_tests(tests, open_router, close_router);
}
