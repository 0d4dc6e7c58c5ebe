#include "bridge/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void setting_an_error_writes_its_text_and_fails(void **state)
{
    struct error error = {.exit_status = 2};
    (void)state;
    assert_int_equal(error_set(&error, "port %d: %s", 80, "in use"), -1);
    assert_string_equal(error.text, "port 80: in use");
    assert_int_equal(error.exit_status, 2);
}

static void wrapping_puts_words_in_front(void **state)
{
    struct error error = {.exit_status = 0};
    (void)state;
    error_set(&error, "no such file");
    assert_int_equal(error_wrap(&error, "open %s", "x.conf"), -1);
    assert_int_equal(error_wrap(&error, "start"), -1);
    assert_string_equal(error.text, "start: open x.conf: no such file");
}

static void a_long_text_is_cut_and_ends(void **state)
{
    struct error error = {.exit_status = 0};
    char text[2000];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&error, "%s", text);
    assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
    error_wrap(&error, "in front");
    assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
    assert_memory_equal(error.text, "in front: xxx", 13);
    error_wrap(&error, "%s", text);
    assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
    assert_memory_equal(error.text, "xxx", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_writes_its_text_and_fails),
        cmocka_unit_test(wrapping_puts_words_in_front),
        cmocka_unit_test(a_long_text_is_cut_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
