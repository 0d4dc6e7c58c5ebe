#include "bridge/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct kept {
    struct log log;
    unsigned lines;
    enum log_level level;
    char scope[64];
    char text[2048];
    size_t size;
};

static void keep(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
    struct kept *kept = (struct kept *)(void *)log;
    kept->lines++;
    kept->level = level;
    memcpy(kept->scope, scope.data, scope.size);
    kept->scope[scope.size] = '\0';
    memcpy(kept->text, text.data, text.size);
    kept->text[text.size] = '\0';
    kept->size = text.size;
}

static struct kept at_level(enum log_level level)
{
    return (struct kept){.log = {.level = level, .write = keep}};
}

static void a_line_has_its_level_its_scope_and_its_text(void **state)
{
    struct kept kept = at_level(LOG_LEVEL_DEBUG);
    (void)state;
    log_line(&kept.log, LOG_LEVEL_WARN, slice_of("scope!", 5), "%s is %d", "it", 7);
    assert_int_equal(kept.lines, 1);
    assert_int_equal(kept.level, LOG_LEVEL_WARN);
    assert_string_equal(kept.scope, "scope");
    assert_string_equal(kept.text, "it is 7");
}

static void lines_below_the_level_are_not_made(void **state)
{
    struct kept kept = at_level(LOG_LEVEL_WARN);
    (void)state;
    log_line(&kept.log, LOG_LEVEL_DEBUG, slice_text("s"), "x");
    log_line(&kept.log, LOG_LEVEL_INFO, slice_text("s"), "x");
    assert_int_equal(kept.lines, 0);
    log_line(&kept.log, LOG_LEVEL_WARN, slice_text("s"), "x");
    log_line(&kept.log, LOG_LEVEL_ERROR, slice_text("s"), "x");
    assert_int_equal(kept.lines, 2);
}

static void a_text_cannot_forge_a_line_or_an_escape_sequence(void **state)
{
    struct kept kept = at_level(LOG_LEVEL_DEBUG);
    (void)state;
    log_line(&kept.log, LOG_LEVEL_INFO, slice_text("s"),
             "a\nb\rc\033[31md\te\x7f"
             "f \xc3\xa4");
    assert_string_equal(kept.text, "a b c [31md e f \xc3\xa4");
}

static void a_long_text_is_cut_at_a_kibibyte(void **state)
{
    struct kept kept = at_level(LOG_LEVEL_DEBUG);
    char text[4000];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_line(&kept.log, LOG_LEVEL_INFO, slice_text("s"), "%s", text);
    assert_in_range(kept.size, 1000, 1024);
    log_line(&kept.log, LOG_LEVEL_INFO, slice_text("s"), "%s", "");
    assert_int_equal(kept.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_level_its_scope_and_its_text),
        cmocka_unit_test(lines_below_the_level_are_not_made),
        cmocka_unit_test(a_text_cannot_forge_a_line_or_an_escape_sequence),
        cmocka_unit_test(a_long_text_is_cut_at_a_kibibyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
