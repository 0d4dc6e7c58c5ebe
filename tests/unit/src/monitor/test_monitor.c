#include "src/monitor/metrics.h"
#include "src/monitor/status.h"

#include "tests/unit/bridge/fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void visit(void *context, figure_fn visit_one, void *to)
{
    struct slice server = *(struct slice *)context;
    const struct figure figures[] = {
        {.name = "a_total", .help = "As <b>", .is_counter = true, .server = server, .value = 18446744073709551615u},
        {.name = "b", .help = "Bs", .value = 2},
        {.name = "c_total", .help = "Cs", .is_counter = true, .reason = "x", .value = 3},
        {.name = "c_total", .help = "Cs", .is_counter = true, .server = server, .reason = "y"},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        visit_one(to, &figures[i]);
    }
}

static bool is_ready(void *context, struct slice *name, const char **state, const char **reason)
{
    *name = *(struct slice *)context;
    *state = "down";
    *reason = "it said <script>&";
    return false;
}

static struct slice name = SLICE_LITERAL("a\\b\"c\nd");
static struct figure_source figures = {.context = &name, .visit = visit};
static struct health_subject health = {.context = &name, .is_ready = is_ready};
static struct status_subject status = {.health = &health, .figures = &figures, .version = "9"};

static struct fake_exchange *new_page(struct fake_world *world, enum exchange_method method)
{
    struct fake_exchange *exchange = fake_exchange_new(world, method);
    exchange->is_page = true;
    return exchange;
}

static struct fake_exchange *get_status(struct fake_world *world, const char *accept)
{
    struct fake_exchange *exchange = new_page(world, EXCHANGE_GET);
    if (accept != NULL) {
        fake_exchange_add_field(exchange, "Accept", accept);
    }
    status_handle(&status, &exchange->exchange);
    return exchange;
}

static void metrics_are_the_text_that_prometheus_reads(void **state)
{
    struct fake_exchange *exchange = new_page(*state, EXCHANGE_GET);
    metrics_handle(&figures, &exchange->exchange);
    fake_exchange_expect(exchange, 200,
                         "# HELP a_total As <b>\n# TYPE a_total counter\n"
                         "a_total{server=\"a\\\\b\\\"c\\nd\"} 18446744073709551615\n"
                         "# HELP b Bs\n# TYPE b gauge\nb 2\n"
                         "# HELP c_total Cs\n# TYPE c_total counter\nc_total{reason=\"x\"} 3\n"
                         "c_total{server=\"a\\\\b\\\"c\\nd\",reason=\"y\"} 0\n");
    assert_string_equal(fake_exchange_answer_field(exchange, "content-type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    assert_string_equal(fake_exchange_answer_field(exchange, "cache-control"), "no-store");
}

static void the_status_is_json_for_programs(void **state)
{
    static const char *const accepts[] = {NULL, "*/*", "application/json", "text/plain, */*;q=0.1"};
    for (size_t i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
        fake_exchange_expect(get_status(*state, accepts[i]), 200,
                             "{\"status\":\"unavailable\",\"server\":\"a\\\\b\\\"c\\nd\",\"state\":\"down\","
                             "\"reason\":\"it said <script>&\",\"version\":\"9\",\"figures\":{"
                             "\"a_total\":18446744073709551615,\"b\":2,\"c_total\":{\"x\":3,\"y\":0}}}");
    }
}

static void the_status_is_a_page_for_browsers_in_which_nothing_is_markup(void **state)
{
    struct fake_exchange *exchange = get_status(*state, "application/xhtml+xml, text/html;q=0.9,*/*;q=0.8");
    const char *page = fake_exchange_answer(exchange);
    assert_string_equal(fake_exchange_answer_field(exchange, "content-type"), "text/html; charset=utf-8");
    assert_non_null(strstr(page, "<td>it said &lt;script&gt;&amp;</td>"));
    assert_non_null(strstr(page, "<th>As &lt;b&gt;</th><td>18446744073709551615</td>"));
    assert_non_null(strstr(page, "<th>Cs: x</th><td>3</td>"));
    assert_null(strstr(page, "Cs: y"));
    assert_null(strstr(page, "<script"));
}

static void only_get_and_head_are_answered(void **state)
{
    static const enum exchange_method methods[] = {EXCHANGE_POST, EXCHANGE_DELETE, EXCHANGE_OPTIONS, EXCHANGE_OTHER};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct fake_exchange *exchange = new_page(*state, methods[i]);
        metrics_handle(&figures, &exchange->exchange);
        assert_int_equal(exchange->status, 405);
        exchange = new_page(*state, methods[i]);
        status_handle(&status, &exchange->exchange);
        assert_int_equal(exchange->status, 405);
        assert_string_equal(fake_exchange_answer_field(exchange, "allow"), "GET, HEAD");
    }
    struct fake_exchange *head = new_page(*state, EXCHANGE_HEAD);
    metrics_handle(&figures, &head->exchange);
    assert_int_equal(head->status, 200);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_world_set_up, fake_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metrics_are_the_text_that_prometheus_reads),
        TEST(the_status_is_json_for_programs),
        TEST(the_status_is_a_page_for_browsers_in_which_nothing_is_markup),
        TEST(only_get_and_head_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
