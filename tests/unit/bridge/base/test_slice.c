#include "bridge/base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void absent_and_empty_are_different_but_equal_in_bytes(void **state)
{
    struct slice absent = slice_of(NULL, 0);
    struct slice empty = slice_text("");
    (void)state;
    assert_false(slice_exists(absent));
    assert_true(slice_exists(empty));
    assert_true(slice_equals(absent, empty));
    assert_true(slice_is(absent, ""));
    assert_false(slice_is(absent, "x"));
}

static void slices_are_equal_when_all_bytes_are_nul_included(void **state)
{
    (void)state;
    assert_true(slice_equals(slice_of("a\0b", 3), slice_of("a\0b", 3)));
    assert_false(slice_equals(slice_of("a\0b", 3), slice_of("a\0c", 3)));
    assert_false(slice_equals(slice_of("a\0b", 3), slice_of("a", 1)));
    assert_true(slice_is(slice_of("abcd", 3), "abc"));
    assert_false(slice_is(slice_of("abc", 3), "abcd"));
    assert_false(slice_is(slice_of("abc", 3), "ABC"));
}

static void a_prefix_is_found_at_the_front_only(void **state)
{
    (void)state;
    assert_true(slice_starts_with(slice_text("http://x"), "http://"));
    assert_true(slice_starts_with(slice_text("http://"), "http://"));
    assert_true(slice_starts_with(slice_text("x"), ""));
    assert_false(slice_starts_with(slice_text("http:/"), "http://"));
    assert_false(slice_starts_with(slice_text("xhttp://"), "http://"));
}

static void field_names_are_compared_without_the_case_of_ascii_letters(void **state)
{
    (void)state;
    assert_true(slice_equals_ignoring_case(slice_text("MCP-Session-Id"), slice_text("mcp-session-iD")));
    assert_true(slice_equals_ignoring_case(slice_text("az AZ"), slice_text("AZ az")));
    assert_false(slice_equals_ignoring_case(slice_text("a"), slice_text("ab")));
    /* These differ by 32, as the two cases of a letter do, and are none. */
    assert_false(slice_equals_ignoring_case(slice_text("@"), slice_text("`")));
    assert_false(slice_equals_ignoring_case(slice_text("["), slice_text("{")));
    assert_false(slice_equals_ignoring_case(slice_text("\xc4"), slice_text("\xe4")));
}

static void trimming_takes_spaces_and_tabs_off_both_ends(void **state)
{
    (void)state;
    assert_true(slice_is(slice_trim(slice_text(" \t a b\t ")), "a b"));
    assert_true(slice_is(slice_trim(slice_text("a")), "a"));
    assert_int_equal(slice_trim(slice_text(" \t ")).size, 0);
    assert_int_equal(slice_trim(slice_text("")).size, 0);
    assert_true(slice_is(slice_trim(slice_text("\ra\n")), "\ra\n"));
}

static void a_split_gives_every_part_and_then_ends(void **state)
{
    struct slice rest = slice_text("a,,b");
    struct slice part;
    (void)state;
    assert_true(slice_split(&rest, ',', &part));
    assert_true(slice_is(part, "a"));
    assert_true(slice_split(&rest, ',', &part));
    assert_true(slice_is(part, ""));
    assert_true(slice_split(&rest, ',', &part));
    assert_true(slice_is(part, "b"));
    assert_false(slice_split(&rest, ',', &part));
    assert_false(slice_split(&rest, ',', &part));
}

static void a_separator_at_the_end_has_an_empty_part_behind_it(void **state)
{
    struct slice rest = slice_text("a,");
    struct slice part;
    (void)state;
    assert_true(slice_split(&rest, ',', &part));
    assert_true(slice_split(&rest, ',', &part));
    assert_true(slice_exists(part));
    assert_int_equal(part.size, 0);
    assert_false(slice_split(&rest, ',', &part));
}

static void an_empty_text_has_one_part_and_an_absent_one_none(void **state)
{
    struct slice rest = slice_text("");
    struct slice absent = slice_of(NULL, 0);
    struct slice part;
    (void)state;
    assert_true(slice_split(&rest, ',', &part));
    assert_int_equal(part.size, 0);
    assert_false(slice_split(&rest, ',', &part));
    assert_false(slice_split(&absent, ',', &part));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_and_empty_are_different_but_equal_in_bytes),
        cmocka_unit_test(slices_are_equal_when_all_bytes_are_nul_included),
        cmocka_unit_test(a_prefix_is_found_at_the_front_only),
        cmocka_unit_test(field_names_are_compared_without_the_case_of_ascii_letters),
        cmocka_unit_test(trimming_takes_spaces_and_tabs_off_both_ends),
        cmocka_unit_test(a_split_gives_every_part_and_then_ends),
        cmocka_unit_test(a_separator_at_the_end_has_an_empty_part_behind_it),
        cmocka_unit_test(an_empty_text_has_one_part_and_an_absent_one_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
