#include "bridge/base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
    int number;
    struct list link;
};

struct lists {
    struct list head;
    struct list other;
    struct item items[5];
};

static void set_up(struct lists *lists, int count)
{
    list_init(&lists->head);
    list_init(&lists->other);
    for (int i = 0; i < 5; i++) {
        lists->items[i].number = i;
        list_init(&lists->items[i].link);
        if (i < count) {
            list_append(&lists->head, &lists->items[i].link);
        }
    }
}

/* Forwards and backwards, as a number: 123 for the items 1, 2, 3. */
static void expect(const struct list *head, int numbers)
{
    int forwards = 0;
    int backwards = 0;
    int scale = 1;
    for (const struct list *link = head->next; link != head; link = link->next) {
        forwards = forwards * 10 + container_of(link, const struct item, link)->number;
    }
    for (const struct list *link = head->previous; link != head; link = link->previous) {
        backwards += scale * container_of(link, const struct item, link)->number;
        scale *= 10;
    }
    assert_int_equal(forwards, numbers);
    assert_int_equal(backwards, numbers);
}

static void links_stand_in_the_order_in_which_they_were_appended(void **state)
{
    struct lists lists;
    (void)state;
    set_up(&lists, 0);
    assert_true(list_is_empty(&lists.head));
    set_up(&lists, 4);
    assert_false(list_is_empty(&lists.head));
    expect(&lists.head, 123);
}

static void a_removed_link_is_on_no_list_and_may_be_removed_again(void **state)
{
    struct lists lists;
    (void)state;
    set_up(&lists, 4);
    list_remove(&lists.items[2].link);
    list_remove(&lists.items[2].link);
    assert_true(list_is_empty(&lists.items[2].link));
    expect(&lists.head, 13);
}

static void taking_all_puts_them_behind_what_is_there(void **state)
{
    struct lists lists;
    (void)state;
    set_up(&lists, 3);
    list_append(&lists.other, &lists.items[3].link);
    list_append(&lists.other, &lists.items[4].link);
    list_take_all(&lists.head, &lists.other);
    expect(&lists.head, 1234);
    assert_true(list_is_empty(&lists.other));
    list_take_all(&lists.head, &lists.other);
    expect(&lists.head, 1234);
    list_take_all(&lists.other, &lists.head);
    expect(&lists.other, 1234);
    assert_true(list_is_empty(&lists.head));
}

static void the_first_is_taken_until_none_is_left(void **state)
{
    struct lists lists;
    (void)state;
    set_up(&lists, 2);
    assert_ptr_equal(list_take_first(&lists.head), &lists.items[0].link);
    assert_ptr_equal(list_take_first(&lists.head), &lists.items[1].link);
    assert_null(list_take_first(&lists.head));
}

static void a_loop_stands_the_removal_of_its_link(void **state)
{
    struct lists lists;
    int seen = 0;
    (void)state;
    set_up(&lists, 5);
    LIST_FOR_EACH(link, &lists.head) {
        seen = seen * 10 + container_of(link, struct item, link)->number;
        list_remove(link);
    }
    assert_int_equal(seen, 1234);
    assert_true(list_is_empty(&lists.head));
    LIST_FOR_EACH(link, &lists.head) {
        assert_null(link);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_stand_in_the_order_in_which_they_were_appended),
        cmocka_unit_test(a_removed_link_is_on_no_list_and_may_be_removed_again),
        cmocka_unit_test(taking_all_puts_them_behind_what_is_there),
        cmocka_unit_test(the_first_is_taken_until_none_is_left),
        cmocka_unit_test(a_loop_stands_the_removal_of_its_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
