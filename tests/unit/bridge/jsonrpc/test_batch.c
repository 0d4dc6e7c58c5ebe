#include "bridge/jsonrpc/batch.h"

#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define CALL(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"m\"}"
#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"n\"}"

static enum message_fault check(struct slice body, size_t *count)
{
    char *copy = fake_copy(body);
    enum message_fault fault = batch_check(slice_of(copy, body.size), count);
    fake_free(copy, body.size);
    return fault;
}

static void expect(const char *body, enum message_fault fault, size_t count)
{
    size_t found;
    assert_int_equal(check(slice_text(body), &found), fault);
    if (fault == MESSAGE_FAULT_NONE) {
        assert_int_equal(found, count);
    }
}

static void a_body_that_begins_with_a_bracket_is_an_array(void **state)
{
    (void)state;
    assert_true(batch_is_array(slice_text("[]")));
    assert_true(batch_is_array(slice_text(" \r\n\t[")));
    assert_false(batch_is_array(slice_text("{}")));
    assert_false(batch_is_array(slice_text("")));
    assert_false(batch_is_array(slice_text(" ")));
    assert_false(batch_is_array(slice_of(NULL, 0)));
}

static void messages_of_every_kind_are_counted(void **state)
{
    (void)state;
    expect("[" CALL(1) "]", MESSAGE_FAULT_NONE, 1);
    expect(" [ " CALL(1) " , " NOTE "\n,{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[1,2]} ] ", MESSAGE_FAULT_NONE, 3);
    expect("[" CALL(1) "," CALL(1) "]", MESSAGE_FAULT_NONE, 2);
}

static void an_empty_batch_is_refused(void **state)
{
    (void)state;
    expect("[]", MESSAGE_FAULT_BATCH, 0);
    expect(" [ ] ", MESSAGE_FAULT_BATCH, 0);
    expect("[]x", MESSAGE_FAULT_SYNTAX, 0);
}

static void what_is_no_array_is_refused(void **state)
{
    (void)state;
    expect(CALL(1), MESSAGE_FAULT_OBJECT, 0);
    expect("[" CALL(1), MESSAGE_FAULT_SYNTAX, 0);
    expect("[" CALL(1) ",", MESSAGE_FAULT_SYNTAX, 0);
    expect("[" CALL(1) ",]", MESSAGE_FAULT_SYNTAX, 0);
    expect("[," CALL(1) "]", MESSAGE_FAULT_SYNTAX, 0);
    expect("[" CALL(1) " " CALL(2) "]", MESSAGE_FAULT_SYNTAX, 0);
    expect("[" CALL(1) "]]", MESSAGE_FAULT_SYNTAX, 0);
    expect("[" CALL(1) "}", MESSAGE_FAULT_SYNTAX, 0);
    expect("[", MESSAGE_FAULT_SYNTAX, 0);
}

static void the_first_fault_of_a_message_is_the_batchs(void **state)
{
    (void)state;
    expect("[1]", MESSAGE_FAULT_OBJECT, 0);
    expect("[" CALL(1) ",[" CALL(2) "]]", MESSAGE_FAULT_OBJECT, 0);
    expect("[" CALL(1) "," CALL(null) "]", MESSAGE_FAULT_ID, 0);
    expect("[" CALL(1) ",{\"jsonrpc\":\"1.0\",\"method\":\"m\"}]", MESSAGE_FAULT_VERSION, 0);
    expect("[" CALL(1) ",{\"jsonrpc\":\"2.0\"}]", MESSAGE_FAULT_SHAPE, 0);
}

static void a_batch_may_hold_a_hundred_messages(void **state)
{
    (void)state;
    for (size_t wanted = LIMIT_BATCH_MESSAGES - 1; wanted <= LIMIT_BATCH_MESSAGES + 1; wanted++) {
        struct buffer body;
        size_t count;
        buffer_init(&body, 0);
        for (size_t i = 0; i < wanted; i++) {
            buffer_add_text(&body, i == 0 ? "[" : ",");
            buffer_add_text(&body, NOTE);
        }
        buffer_add_text(&body, "]");
        assert_int_equal(check(buffer_slice(&body), &count),
                         wanted <= LIMIT_BATCH_MESSAGES ? MESSAGE_FAULT_NONE : MESSAGE_FAULT_BATCH);
        assert_int_equal(count, wanted);
        buffer_release(&body);
    }
}

static void a_batch_cut_off_at_any_byte_is_refused_and_not_read_beyond(void **state)
{
    struct slice whole = slice_text("[" CALL(1) " , " NOTE "]");
    size_t count;
    (void)state;
    for (size_t size = 1; size < whole.size; size++) {
        assert_int_equal(check(slice_of(whole.data, size), &count), MESSAGE_FAULT_SYNTAX);
    }
}

static void messages_are_taken_in_their_order(void **state)
{
    struct slice rest = slice_text(" [ " CALL(1) " , " NOTE "," CALL("x") " ] ");
    struct message message;
    (void)state;
    assert_true(batch_next(&rest, &message));
    assert_true(slice_is(message.bytes, CALL(1)));
    assert_true(batch_next(&rest, &message));
    assert_true(slice_is(message.bytes, NOTE));
    assert_true(batch_next(&rest, &message));
    assert_true(slice_is(message.id, "\"x\""));
    assert_false(batch_next(&rest, &message));
    assert_false(batch_next(&rest, &message));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_begins_with_a_bracket_is_an_array),
        cmocka_unit_test(messages_of_every_kind_are_counted),
        cmocka_unit_test(an_empty_batch_is_refused),
        cmocka_unit_test(what_is_no_array_is_refused),
        cmocka_unit_test(the_first_fault_of_a_message_is_the_batchs),
        cmocka_unit_test(a_batch_may_hold_a_hundred_messages),
        cmocka_unit_test(a_batch_cut_off_at_any_byte_is_refused_and_not_read_beyond),
        cmocka_unit_test(messages_are_taken_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
