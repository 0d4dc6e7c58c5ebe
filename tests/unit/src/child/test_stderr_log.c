#include "src/child/stderr_log.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "tests/unit/src/child/loop_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct loop_fixture base;
    struct stderr_log stderr_log;
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    loop_fixture_open(&fixture->base);
    stderr_log_init(&fixture->stderr_log, &fixture->base.log, &fixture->base.timers, slice_text("test"));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    stderr_log_release(&fixture->stderr_log);
    loop_fixture_close(&fixture->base);
    free(fixture);
    return 0;
}

static void feed(struct fixture *fixture, const char *text)
{
    char *bytes = memory_copy_text(text);
    stderr_log_feed(&fixture->stderr_log, bytes, strlen(bytes));
    free(bytes);
}

static void expect_log(const struct fixture *fixture, const char *expected)
{
    struct slice text = buffer_slice(&fixture->base.log_text);
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static size_t logged_lines(const struct fixture *fixture)
{
    struct slice rest = buffer_slice(&fixture->base.log_text);
    struct slice line;
    size_t count = 0;
    while (slice_split(&rest, '\n', &line)) {
        count += line.size > 0;
    }
    return count;
}

static void each_line_is_logged_under_the_servers_name(void **state)
{
    struct fixture *fixture = *state;
    feed(fixture, "one\r\n\ntw");
    feed(fixture, "o\nthree");
    stderr_log_end(&fixture->stderr_log);
    expect_log(fixture, "info test: one\ninfo test: two\ninfo test: three\n");
}

static void controls_and_broken_utf8_are_made_harmless(void **state)
{
    struct fixture *fixture = *state;
    feed(fixture, "\x1b[31mred\x07 a\tb\x7f\n");
    feed(fixture, "\xc2\x9b"
                  "csi\n");
    feed(fixture, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n");
    feed(fixture, "\xc3\x28 \xc0\xaf \xe0\x80\x80 \xed\xa0\x80 \xf0\x80\x80\x80 \xf4\x90\x80\x80 \xff \xe2\x82\n");
    expect_log(fixture, "info test:  [31mred  a b \n"
                        "info test:   csi\n"
                        "info test: gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n"
                        "info test: ?( ?? ??? ??? ???? ???? ? ??\n");
}

static void a_long_line_is_cut_into_several(void **state)
{
    struct fixture *fixture = *state;
    char *line = memory_new(2 * LIMIT_STDERR_LINE_BYTES + 3);
    memset(line, 'x', 2 * LIMIT_STDERR_LINE_BYTES + 1);
    line[2 * LIMIT_STDERR_LINE_BYTES + 1] = '\n';
    feed(fixture, line);
    free(line);
    assert_int_equal(logged_lines(fixture), 3);
    assert_true(loop_fixture_has_logged(&fixture->base, "info test: x\n"));
}

static void flood(struct fixture *fixture, unsigned lines)
{
    for (unsigned i = 0; i < lines; i++) {
        feed(fixture, "again\n");
    }
}

static void a_flood_is_cut_and_counted_in_one_line(void **state)
{
    struct fixture *fixture = *state;
    flood(fixture, STDERR_LOG_WINDOW_LINES + 234);
    assert_int_equal(logged_lines(fixture), STDERR_LOG_WINDOW_LINES);
    loop_fixture_advance(&fixture->base, STDERR_LOG_WINDOW_MS);
    assert_int_equal(logged_lines(fixture), STDERR_LOG_WINDOW_LINES + 1);
    assert_true(loop_fixture_has_logged(&fixture->base, "warn test: 234 more lines of stderr dropped\n"));
    feed(fixture, "after\n");
    assert_true(loop_fixture_has_logged(&fixture->base, "info test: after\n"));
}

static void what_a_flood_lost_is_told_at_the_end_too(void **state)
{
    struct fixture *fixture = *state;
    flood(fixture, STDERR_LOG_WINDOW_LINES + 1);
    stderr_log_release(&fixture->stderr_log);
    assert_true(loop_fixture_has_logged(&fixture->base, "warn test: 1 more lines of stderr dropped\n"));
}

static void the_beginning_of_the_last_line_is_kept(void **state)
{
    struct fixture *fixture = *state;
    char *line = memory_new(STDERR_LOG_LAST_BYTES + 12);
    assert_int_equal(stderr_log_last(&fixture->stderr_log).size, 0);
    feed(fixture, "first\nsec\x01ond\n\n");
    assert_true(slice_is(stderr_log_last(&fixture->stderr_log), "sec ond"));
    memset(line, 'x', STDERR_LOG_LAST_BYTES + 10);
    line[STDERR_LOG_LAST_BYTES + 10] = '\n';
    feed(fixture, line);
    free(line);
    assert_int_equal(stderr_log_last(&fixture->stderr_log).size, STDERR_LOG_LAST_BYTES);
    stderr_log_forget(&fixture->stderr_log);
    assert_int_equal(stderr_log_last(&fixture->stderr_log).size, 0);
}

static void nothing_is_logged_below_the_level(void **state)
{
    struct fixture *fixture = *state;
    fixture->base.log.level = LOG_LEVEL_WARN;
    feed(fixture, "quiet\n");
    expect_log(fixture, "");
    assert_true(slice_is(stderr_log_last(&fixture->stderr_log), "quiet"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_line_is_logged_under_the_servers_name),
        TEST(controls_and_broken_utf8_are_made_harmless),
        TEST(a_long_line_is_cut_into_several),
        TEST(a_flood_is_cut_and_counted_in_one_line),
        TEST(what_a_flood_lost_is_told_at_the_end_too),
        TEST(the_beginning_of_the_last_line_is_kept),
        TEST(nothing_is_logged_below_the_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
