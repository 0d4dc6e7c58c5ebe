#include "bridge/base/buffer.h"

#include "bridge/base/memory.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_new_buffer_is_empty_and_not_absent(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 0);
    assert_true(slice_exists(buffer_slice(&buffer)));
    assert_int_equal(buffer_slice(&buffer).size, 0);
    buffer_release(&buffer);
    buffer_release(&buffer);
    buffer_release(NULL);
}

static void what_is_appended_stands_behind_what_was_there(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 0);
    buffer_add_text(&buffer, "one ");
    buffer_add(&buffer, slice_of("two\0", 4));
    buffer_add_format(&buffer, " %d %s", 3, "four");
    assert_true(slice_equals(buffer_slice(&buffer), slice_of("one two\0 3 four", 15)));
    buffer_release(&buffer);
}

static void nothing_can_be_appended_to_an_empty_buffer(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 0);
    assert_true(buffer_append(&buffer, slice_text("")));
    assert_true(buffer_append(&buffer, slice_of(NULL, 0)));
    assert_int_equal(buffer.size, 0);
    buffer_release(&buffer);
}

static void nothing_fits_into_a_full_buffer(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 4);
    assert_true(buffer_append(&buffer, slice_text("1234")));
    assert_true(buffer_append(&buffer, slice_text("")));
    assert_false(buffer_append(&buffer, slice_text("5")));
    assert_true(slice_is(buffer_slice(&buffer), "1234"));
    buffer_release(&buffer);
}

static void what_would_pass_the_ceiling_changes_nothing(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 10);
    assert_true(buffer_append(&buffer, slice_text("123456")));
    assert_false(buffer_append(&buffer, slice_text("78901")));
    assert_null(buffer_reserve(&buffer, 5));
    assert_null(buffer_reserve(&buffer, SIZE_MAX));
    assert_true(slice_is(buffer_slice(&buffer), "123456"));
    assert_true(buffer_append(&buffer, slice_text("7890")));
    assert_true(slice_is(buffer_slice(&buffer), "1234567890"));
    buffer_release(&buffer);
}

static void what_is_taken_off_the_front_makes_room_below_the_ceiling(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 10);
    buffer_add_text(&buffer, "1234567890");
    buffer_consume(&buffer, 4);
    assert_true(slice_is(buffer_slice(&buffer), "567890"));
    assert_true(buffer_append(&buffer, slice_text("abcd")));
    assert_true(slice_is(buffer_slice(&buffer), "567890abcd"));
    buffer_consume(&buffer, 10);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(buffer.start, 0);
    buffer_release(&buffer);
}

static void reserved_room_counts_only_when_it_is_said_to_be_grown(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 0);
    buffer_add_text(&buffer, "a");
    char *room = buffer_reserve(&buffer, 1000);
    assert_non_null(room);
    memset(room, 'b', 1000);
    assert_int_equal(buffer.size, 1);
    buffer_grown(&buffer, 2);
    assert_true(slice_is(buffer_slice(&buffer), "abb"));
    buffer_release(&buffer);
}

static void clearing_gives_back_memory_above_what_is_to_be_kept(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 5000);
    buffer_add_text(&buffer, "x");
    size_t capacity = buffer.capacity;
    buffer_clear(&buffer, capacity);
    assert_int_equal(buffer.capacity, capacity);
    assert_int_equal(buffer.size, 0);
    buffer_clear(&buffer, capacity - 1);
    assert_int_equal(buffer.capacity, 0);
    assert_int_equal(buffer.ceiling, 5000);
    buffer_release(&buffer);
}

/* A queue of bytes 0, 1, 2, ... of which a random number comes and goes. */
static void truncating_takes_off_the_end_only(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 0);
    buffer_truncate(&buffer, 0);
    buffer_add_text(&buffer, "abcdef");
    buffer_consume(&buffer, 1);
    buffer_truncate(&buffer, 6);
    assert_true(slice_is(buffer_slice(&buffer), "bcdef"));
    buffer_truncate(&buffer, 3);
    assert_true(slice_is(buffer_slice(&buffer), "bcd"));
    buffer_add_text(&buffer, "x");
    assert_true(slice_is(buffer_slice(&buffer), "bcdx"));
    buffer_release(&buffer);
}

static void a_stream_of_bytes_comes_out_as_it_went_in(void **state)
{
    struct buffer buffer;
    uint64_t seed = 1;
    unsigned char in = 0;
    unsigned char out = 0;
    (void)state;
    buffer_init(&buffer, 4096);
    for (int turn = 0; turn < 20000; turn++) {
        char bytes[100];
        size_t size = fake_random_below(&seed, sizeof(bytes));
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (char)(in + i);
        }
        bool fits = buffer.size + size <= 4096;
        assert_int_equal(buffer_append(&buffer, slice_of(bytes, size)), fits);
        in = (unsigned char)(in + (fits ? size : 0));
        size_t taken = buffer.size > 0 ? fake_random_below(&seed, buffer.size < 99 ? buffer.size + 1 : 99) : 0;
        for (size_t i = 0; i < taken; i++) {
            assert_int_equal((unsigned char)buffer_slice(&buffer).data[i], out++);
        }
        buffer_consume(&buffer, taken);
    }
    assert_true(buffer.capacity <= 8192);
    buffer_release(&buffer);
}

static void what_is_taken_is_the_callers_and_the_buffer_is_as_new(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 100);
    buffer_add_text(&buffer, "abcdef");
    buffer_consume(&buffer, 2);
    struct slice taken = buffer_take(&buffer);
    assert_string_equal(taken.data, "cdef");
    assert_int_equal(taken.size, 4);
    assert_int_equal(buffer.size, 0);
    assert_null(buffer.data);
    assert_int_equal(buffer.ceiling, 100);
    memory_free_slice(&taken);
    taken = buffer_take(&buffer);
    assert_true(slice_exists(taken));
    assert_int_equal(taken.size, 0);
    memory_free_slice(&taken);
}

static void a_copy_of_a_slice_is_owned_and_ends_in_nul(void **state)
{
    struct slice copy = memory_copy(slice_of("abc", 2));
    struct slice empty = memory_copy(slice_of(NULL, 0));
    char *text = memory_copy_text("text");
    (void)state;
    assert_string_equal(copy.data, "ab");
    assert_int_equal(copy.size, 2);
    assert_true(slice_exists(empty));
    assert_string_equal(text, "text");
    memory_free_slice(&copy);
    memory_free_slice(&empty);
    assert_false(slice_exists(copy));
    memory_free_slice(&copy);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_buffer_is_empty_and_not_absent),
        cmocka_unit_test(what_is_appended_stands_behind_what_was_there),
        cmocka_unit_test(nothing_can_be_appended_to_an_empty_buffer),
        cmocka_unit_test(nothing_fits_into_a_full_buffer),
        cmocka_unit_test(what_would_pass_the_ceiling_changes_nothing),
        cmocka_unit_test(what_is_taken_off_the_front_makes_room_below_the_ceiling),
        cmocka_unit_test(reserved_room_counts_only_when_it_is_said_to_be_grown),
        cmocka_unit_test(clearing_gives_back_memory_above_what_is_to_be_kept),
        cmocka_unit_test(truncating_takes_off_the_end_only),
        cmocka_unit_test(a_stream_of_bytes_comes_out_as_it_went_in),
        cmocka_unit_test(what_is_taken_is_the_callers_and_the_buffer_is_as_new),
        cmocka_unit_test(a_copy_of_a_slice_is_owned_and_ends_in_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
