#include "bridge/jsonrpc/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool equals(const char *a, const char *b)
{
    bool is_equal = decimal_equals(slice_text(a), slice_text(b));
    assert_int_equal(is_equal, decimal_equals(slice_text(b), slice_text(a)));
    return is_equal;
}

static void numbers_are_the_same_however_they_are_written(void **state)
{
    static const char *const same[][2] = {
        {"42", "42"},
        {"42", "42.0"},
        {"42", "42.000"},
        {"42", "4.2e1"},
        {"42", "420e-1"},
        {"42", "0.42E+2"},
        {"0", "-0"},
        {"0", "0.0"},
        {"0", "0e5"},
        {"-7", "-7.0"},
        {"1000", "1e3"},
        {"0.001", "1e-3"},
        {"0.05", "5e-2"},
        {"10.01", "1001e-2"},
        {"120", "12e1"},
        {"0.10", "0.1"},
        {"100.5", "1.005e2"},
        {"-0.0", "0"},
        {"1e400", "10e399"},
        {"9007199254740993", "9007199254740993.0"},
        {"1e9999999", "1e9999999"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_true(equals(same[i][0], same[i][1]));
    }
}

static void different_numbers_differ_to_the_last_digit(void **state)
{
    static const char *const different[][2] = {
        {"42", "43"},       {"42", "4.2"},
        {"42", "420"},      {"42", "-42"},
        {"42", "42.5"},     {"42", "42.01"},
        {"1", "0"},         {"0.1", "0.01"},
        {"1e3", "1e4"},     {"101", "11"},
        {"10.1", "1.01"},   {"0.01", "0.001"},
        {"1", "1e-999"},    {"9007199254740993", "9007199254740992"},
        {"1e400", "1e401"}, {"1e99999999999999999999", "1e99999999999999999998"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
        assert_false(equals(different[i][0], different[i][1]));
    }
}

static void what_is_no_number_of_json_equals_nothing(void **state)
{
    static const char *const others[] = {"",    "042",  "+42", "42.",    ".5",   "42 ",
                                         " 42", "0x2a", "42a", "\"42\"", "true", "e1"};
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(equals(others[i], "42"));
        assert_false(equals(others[i], others[i]));
    }
    assert_false(decimal_equals(slice_of(NULL, 0), slice_of(NULL, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_same_however_they_are_written),
        cmocka_unit_test(different_numbers_differ_to_the_last_digit),
        cmocka_unit_test(what_is_no_number_of_json_equals_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
