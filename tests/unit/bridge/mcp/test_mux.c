#include "bridge/mcp/mux.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/rewrite.h"
#include "bridge/limits.h"
#include "bridge/mcp/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NOW_MS = 5000, MANY = 5000 };

static enum mux_owner find(struct mux *mux, uint64_t wire_id, struct call **call)
{
    struct number_text text;
    return mux_find(mux, number_write(&text, wire_id), call);
}

static struct call *find_token(struct mux *mux, uint64_t wire_id)
{
    struct number_text text;
    return mux_find_token(mux, number_write(&text, wire_id));
}

static void a_wire_id_leads_to_its_call(void **state)
{
    struct call calls[2] = {{.events = NULL}, {.events = NULL}};
    struct call *found = NULL;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    mux_enter(&mux, &calls[0].entry, &calls[0]);
    mux_enter(&mux, &calls[1].entry, &calls[1]);
    assert_int_not_equal(calls[0].entry.wire_id, calls[1].entry.wire_id);
    assert_int_equal(find(&mux, calls[1].entry.wire_id, &found), MUX_CALL);
    assert_ptr_equal(found, &calls[1]);
    assert_ptr_equal(find_token(&mux, calls[0].entry.wire_id), &calls[0]);
    mux_leave(&mux, &calls[0].entry);
    assert_int_equal(find(&mux, calls[0].entry.wire_id, &found), MUX_UNKNOWN);
    assert_null(find_token(&mux, calls[0].entry.wire_id));
    mux_leave(&mux, &calls[1].entry);
    mux_release(&mux);
}

static void a_wire_id_is_never_used_again(void **state)
{
    struct call call = {.events = NULL};
    struct mux mux;
    uint64_t last = 0;
    (void)state;
    mux_init(&mux);
    for (int i = 0; i < 1000; i++) {
        uint64_t id = i % 3 == 0 ? mux_take_id(&mux) : i % 3 == 1 ? mux_take_own(&mux, NOW_MS) : 0;
        if (i % 3 == 2) {
            mux_enter(&mux, &call.entry, &call);
            id = call.entry.wire_id;
            mux_leave(&mux, &call.entry);
        }
        assert_true(id > last);
        last = id;
        if (i % 50 == 0) {
            mux_forget(&mux);
        }
    }
    mux_release(&mux);
}

static void a_child_may_hand_the_id_back_as_a_string(void **state)
{
    struct call call = {.events = NULL};
    struct call *found = NULL;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    mux_enter(&mux, &call.entry, &call);
    assert_int_equal(call.entry.wire_id, 1);
    assert_int_equal(mux_find(&mux, slice_text("\"1\""), &found), MUX_CALL);
    assert_ptr_equal(mux_find_token(&mux, slice_text("\"1\"")), &call);
    mux_leave(&mux, &call.entry);
    mux_release(&mux);
}

static void what_is_no_id_of_ours_belongs_to_nobody(void **state)
{
    static const char *const foreign[] = {"0",    "2",    "-1",     "1.0",   "01",
                                          "1e0",  "\"\"", "\"01\"", "null",  "\"1 \"",
                                          "true", "{}",   "[1]",    "\"a\"", "18446744073709551617"};
    struct call call = {.events = NULL};
    struct call *found = NULL;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    mux_enter(&mux, &call.entry, &call);
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        assert_int_equal(mux_find(&mux, slice_text(foreign[i]), &found), MUX_UNKNOWN);
        assert_null(mux_find_token(&mux, slice_text(foreign[i])));
    }
    assert_int_equal(mux_find(&mux, slice_of(NULL, 0), &found), MUX_UNKNOWN);
    assert_null(mux_find_token(&mux, slice_of(NULL, 0)));
    assert_null(found);
    mux_leave(&mux, &call.entry);
    mux_release(&mux);
}

static void an_abandoned_call_is_remembered_until_its_answer_comes(void **state)
{
    struct call call = {.events = NULL};
    struct call *found = NULL;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    mux_enter(&mux, &call.entry, &call);
    mux_abandon(&mux, &call.entry, NOW_MS);
    assert_null(find_token(&mux, call.entry.wire_id));
    assert_int_equal(find(&mux, call.entry.wire_id, &found), MUX_LATE);
    assert_int_equal(find(&mux, call.entry.wire_id, &found), MUX_UNKNOWN);
    assert_null(found);
    assert_int_equal(mux.entries.count, 0);
    mux_release(&mux);
}

static void a_request_of_our_own_is_answered_to_nobody(void **state)
{
    struct call *found = NULL;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    uint64_t id = mux_take_own(&mux, NOW_MS);
    assert_int_equal(find(&mux, id, &found), MUX_LATE);
    mux_release(&mux);
}

static void it_is_certain_only_with_one_call_and_none_abandoned(void **state)
{
    struct call calls[2] = {{.events = NULL}, {.events = NULL}};
    struct mux mux;
    (void)state;
    mux_init(&mux);
    assert_false(mux_is_certain(&mux, 0, NOW_MS));
    mux_enter(&mux, &calls[0].entry, &calls[0]);
    assert_true(mux_is_certain(&mux, 0, NOW_MS));
    mux_enter(&mux, &calls[1].entry, &calls[1]);
    assert_false(mux_is_certain(&mux, 0, NOW_MS));
    mux_leave(&mux, &calls[0].entry);
    assert_true(mux_is_certain(&mux, 0, NOW_MS));
    uint64_t own = mux_take_own(&mux, NOW_MS);
    assert_false(mux_is_certain(&mux, 0, NOW_MS));
    struct call *found;
    assert_int_equal(find(&mux, own, &found), MUX_LATE);
    assert_true(mux_is_certain(&mux, 0, NOW_MS));
    mux_leave(&mux, &calls[1].entry);
    assert_false(mux_is_certain(&mux, 0, NOW_MS));
    mux_release(&mux);
}

static void an_abandoned_call_is_forgotten_after_a_minute(void **state)
{
    struct call calls[3] = {{.events = NULL}, {.events = NULL}, {.events = NULL}};
    struct call *found;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    for (size_t i = 0; i < 3; i++) {
        mux_enter(&mux, &calls[i].entry, &calls[i]);
    }
    mux_abandon(&mux, &calls[0].entry, NOW_MS);
    mux_abandon(&mux, &calls[1].entry, NOW_MS + 1000);
    assert_false(mux_is_certain(&mux, 0, NOW_MS + 59999));
    assert_int_equal(mux.abandoned_count, 2);
    assert_false(mux_is_certain(&mux, 0, NOW_MS + 60000));
    assert_int_equal(mux.abandoned_count, 1);
    assert_int_equal(find(&mux, calls[0].entry.wire_id, &found), MUX_UNKNOWN);
    assert_true(mux_is_certain(&mux, 0, NOW_MS + 61000));
    mux_leave(&mux, &calls[2].entry);
    mux_release(&mux);
}

static void beyond_the_ceiling_the_oldest_abandoned_call_is_forgotten(void **state)
{
    struct call *calls = memory_new((LIMIT_ABANDONED_CALLS + 2) * sizeof(*calls));
    struct call *found;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    for (size_t i = 0; i < LIMIT_ABANDONED_CALLS + 2; i++) {
        mux_enter(&mux, &calls[i].entry, &calls[i]);
        mux_abandon(&mux, &calls[i].entry, NOW_MS);
        assert_true(mux.abandoned_count <= LIMIT_ABANDONED_CALLS);
        assert_int_equal(mux.entries.count, mux.abandoned_count);
    }
    assert_int_equal(mux.abandoned_count, LIMIT_ABANDONED_CALLS);
    assert_int_equal(find(&mux, calls[1].entry.wire_id, &found), MUX_UNKNOWN);
    assert_int_equal(find(&mux, calls[2].entry.wire_id, &found), MUX_LATE);
    mux_release(&mux);
    free(calls);
}

static void a_new_process_knows_nothing_of_abandoned_calls(void **state)
{
    struct call call = {.events = NULL};
    struct call *found;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    uint64_t own = mux_take_own(&mux, NOW_MS);
    mux_enter(&mux, &call.entry, &call);
    mux_forget(&mux);
    assert_int_equal(find(&mux, own, &found), MUX_UNKNOWN);
    assert_int_equal(find(&mux, call.entry.wire_id, &found), MUX_CALL);
    mux_leave(&mux, &call.entry);
    mux_release(&mux);
}

/* Constant time: with thousands of calls, few share a bucket, so that a search looks at few. */
static void thousands_of_calls_are_found_at_once(void **state)
{
    struct call *calls = memory_new(MANY * sizeof(*calls));
    struct call *found;
    struct mux mux;
    (void)state;
    mux_init(&mux);
    for (size_t i = 0; i < MANY; i++) {
        mux_enter(&mux, &calls[i].entry, &calls[i]);
    }
    assert_true(mux.entries.bucket_count >= MANY);
    for (size_t i = 0; i < mux.entries.bucket_count; i++) {
        size_t length = 0;
        for (const struct map_node *node = mux.entries.buckets[i]; node != NULL; node = node->next) {
            length++;
        }
        assert_true(length < 12);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(find(&mux, calls[i].entry.wire_id, &found), MUX_CALL);
        assert_ptr_equal(found, &calls[i]);
        mux_leave(&mux, &calls[i].entry);
    }
    mux_release(&mux);
    free(calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wire_id_leads_to_its_call),
        cmocka_unit_test(a_wire_id_is_never_used_again),
        cmocka_unit_test(a_child_may_hand_the_id_back_as_a_string),
        cmocka_unit_test(what_is_no_id_of_ours_belongs_to_nobody),
        cmocka_unit_test(an_abandoned_call_is_remembered_until_its_answer_comes),
        cmocka_unit_test(a_request_of_our_own_is_answered_to_nobody),
        cmocka_unit_test(it_is_certain_only_with_one_call_and_none_abandoned),
        cmocka_unit_test(an_abandoned_call_is_forgotten_after_a_minute),
        cmocka_unit_test(beyond_the_ceiling_the_oldest_abandoned_call_is_forgotten),
        cmocka_unit_test(a_new_process_knows_nothing_of_abandoned_calls),
        cmocka_unit_test(thousands_of_calls_are_found_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
