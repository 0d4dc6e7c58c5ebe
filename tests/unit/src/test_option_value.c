#include "src/option_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_mode_is_three_or_four_octal_digits(void **state)
{
    static const char *const wrong[] = {"", "6", "66", "0800", "1777", "00660", "rw-", "0x1ff", "-660", " 660", "6 60"};
    uint64_t mode;
    (void)state;
    assert_true(option_read_mode("0660", &mode));
    assert_int_equal(mode, 0660);
    assert_true(option_read_mode("777", &mode));
    assert_int_equal(mode, 0777);
    assert_true(option_read_mode("0000", &mode));
    assert_int_equal(mode, 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(option_read_mode(wrong[i], &mode));
    }
}

static void an_origin_is_a_scheme_and_an_authority(void **state)
{
    static const char *const right[] = {"https://app.example", "http://127.0.0.1:3000", "http://[::1]:5173",
                                        "vscode-webview://a1b2"};
    static const char *const wrong[] = {"",
                                        "*",
                                        "null",
                                        "app.example",
                                        "://app.example",
                                        "https://",
                                        "https://app.example/",
                                        "https://app.example/x",
                                        "https://app.example?x",
                                        "https://app.example#x",
                                        "https://u@app.example",
                                        "https://*.example",
                                        "https://a,https://b",
                                        "https://a b",
                                        "https://a\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        assert_true(option_is_origin(right[i]));
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(option_is_origin(wrong[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mode_is_three_or_four_octal_digits),
        cmocka_unit_test(an_origin_is_a_scheme_and_an_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
