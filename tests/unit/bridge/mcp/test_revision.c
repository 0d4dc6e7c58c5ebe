#include "bridge/mcp/revision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_four_legacy_revisions_are_known_and_no_other(void **state)
{
    static const char *const known[] = {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};
    static const char *const unknown[] = {"",           "2025-11-2", "2025-11-251", "2025-11-24",
                                          "2026-07-28", "x",         " 2025-11-25"};
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct revision *revision = revision_find(slice_text(known[i]));
        assert_non_null(revision);
        assert_true(slice_is(revision->name, known[i]));
    }
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_null(revision_find(slice_text(unknown[i])));
    }
    assert_null(revision_find(slice_of(NULL, 0)));
    assert_true(slice_is(revision_newest()->name, "2025-11-25"));
}

static void batches_went_with_2025_06_18(void **state)
{
    (void)state;
    assert_true(revision_find(slice_text("2024-11-05"))->has_batches);
    assert_true(revision_find(slice_text("2025-03-26"))->has_batches);
    assert_false(revision_find(slice_text("2025-06-18"))->has_batches);
    assert_false(revision_find(slice_text("2025-11-25"))->has_batches);
}

static void the_modern_era_begins_with_2026_07_28(void **state)
{
    (void)state;
    assert_true(revision_is_modern(slice_text("2026-07-28")));
    assert_true(revision_is_modern(slice_text("2026-07-29")));
    assert_true(revision_is_modern(slice_text("2030-01-01")));
    assert_false(revision_is_modern(slice_text("2026-07-27")));
    assert_false(revision_is_modern(slice_text("2025-11-25")));
    assert_false(revision_is_modern(slice_text("")));
    assert_false(revision_is_modern(slice_text("latest")));
    assert_false(revision_is_modern(slice_text("9999999999")));
    assert_false(revision_is_modern(slice_text("2026-07-28-rc")));
}

static const char *negotiate(const char *requested, const char *child)
{
    static char text[32];
    struct slice agreed = revision_negotiate(slice_text(requested), slice_text(child));
    assert_true(agreed.size < sizeof(text));
    memcpy(text, agreed.data, agreed.size);
    text[agreed.size] = '\0';
    return text;
}

/* MCP, Lifecycle, "Version Negotiation": the requested one if it is supported, else one that is. */
static void a_client_gets_the_revision_that_it_asked_for_up_to_the_childs(void **state)
{
    (void)state;
    assert_string_equal(negotiate("2025-11-25", "2025-11-25"), "2025-11-25");
    assert_string_equal(negotiate("2025-03-26", "2025-11-25"), "2025-03-26");
    assert_string_equal(negotiate("2024-11-05", "2025-06-18"), "2024-11-05");
    assert_string_equal(negotiate("2025-11-25", "2025-06-18"), "2025-06-18");
    assert_string_equal(negotiate("2025-06-18", "2024-11-05"), "2024-11-05");
}

static void a_client_that_asks_for_an_unknown_one_gets_the_childs(void **state)
{
    (void)state;
    assert_string_equal(negotiate("2026-07-28", "2025-06-18"), "2025-06-18");
    assert_string_equal(negotiate("1.0", "2025-11-25"), "2025-11-25");
    assert_string_equal(negotiate("", "2025-11-25"), "2025-11-25");
    assert_true(slice_is(revision_negotiate(slice_of(NULL, 0), slice_text("2025-03-26")), "2025-03-26"));
}

static void one_revision_of_the_modern_era_is_known(void **state)
{
    (void)state;
    assert_true(slice_is(revision_find_modern(slice_text("2026-07-28"))->name, "2026-07-28"));
    assert_ptr_equal(revision_modern(), revision_find_modern(slice_text("2026-07-28")));
    assert_int_equal(revision_modern()->era, REVISION_MODERN);
    assert_null(revision_find_modern(slice_text("2025-11-25")));
    assert_null(revision_find_modern(slice_text("2026-07-29")));
    assert_null(revision_find_modern(slice_of(NULL, 0)));
}

static void expect_list(void (*add)(struct buffer *out, enum revision_era era), enum revision_era era,
                        const char *expected)
{
    struct buffer list;
    buffer_init(&list, 0);
    add(&list, era);
    buffer_add(&list, slice_of("", 1));
    assert_string_equal(buffer_slice(&list).data, expected);
    buffer_release(&list);
}

static void a_list_names_every_revision_of_its_era_newest_first(void **state)
{
    (void)state;
    expect_list(revision_add_json_list, REVISION_LEGACY,
                "[\"2025-11-25\",\"2025-06-18\",\"2025-03-26\",\"2024-11-05\"]");
    expect_list(revision_add_json_list, REVISION_MODERN, "[\"2026-07-28\"]");
    expect_list(revision_add_text_list, REVISION_LEGACY, "2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05");
    expect_list(revision_add_text_list, REVISION_MODERN, "2026-07-28");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_legacy_revisions_are_known_and_no_other),
        cmocka_unit_test(batches_went_with_2025_06_18),
        cmocka_unit_test(the_modern_era_begins_with_2026_07_28),
        cmocka_unit_test(a_client_gets_the_revision_that_it_asked_for_up_to_the_childs),
        cmocka_unit_test(a_client_that_asks_for_an_unknown_one_gets_the_childs),
        cmocka_unit_test(one_revision_of_the_modern_era_is_known),
        cmocka_unit_test(a_list_names_every_revision_of_its_era_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
