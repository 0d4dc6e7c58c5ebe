#include "bridge/base/map.h"

#include "bridge/base/memory.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ITEMS = 5000 };

struct item {
    struct map_node node;
    uint64_t number;
    bool is_in;
    unsigned visits;
};

static struct item *item_of(struct map_node *node)
{
    return container_of(node, struct item, node);
}

static bool has_number(const struct map_node *node, const void *key)
{
    return container_of(node, const struct item, node)->number == *(const uint64_t *)key;
}

static struct item *find(const struct map *map, uint64_t number)
{
    struct map_node *node = map_find(map, map_hash_number(number), has_number, &number);
    return node != NULL ? item_of(node) : NULL;
}

static void add(struct map *map, struct item *item)
{
    map_add(map, &item->node, map_hash_number(item->number));
    item->is_in = true;
}

static void an_empty_map_finds_nothing(void **state)
{
    struct map map;
    (void)state;
    map_init(&map);
    assert_null(find(&map, 1));
    assert_null(map_any(&map));
    map_release(&map);
    map_release(NULL);
}

static void what_was_added_is_found_until_it_is_removed(void **state)
{
    struct item *items = memory_new(ITEMS * sizeof(*items));
    struct map map;
    uint64_t seed = 2;
    size_t count = 0;
    (void)state;
    map_init(&map);
    for (uint64_t i = 0; i < ITEMS; i++) {
        items[i].number = i;
    }
    for (int turn = 0; turn < 100000; turn++) {
        struct item *item = &items[fake_random_below(&seed, ITEMS)];
        assert_ptr_equal(find(&map, item->number), item->is_in ? item : NULL);
        if (item->is_in) {
            map_remove(&map, &item->node);
            item->is_in = false;
            count--;
        } else {
            add(&map, item);
            count++;
        }
        assert_int_equal(map.count, count);
    }
    for (struct map_node *node; (node = map_any(&map)) != NULL;) {
        map_remove(&map, node);
    }
    assert_int_equal(map.count, 0);
    map_release(&map);
    free(items);
}

static void a_map_grows_with_its_contents_and_shrinks_after_them(void **state)
{
    struct item *items = memory_new(ITEMS * sizeof(*items));
    struct map map;
    (void)state;
    map_init(&map);
    for (uint64_t i = 0; i < ITEMS; i++) {
        items[i].number = i;
        add(&map, &items[i]);
    }
    assert_true(map.bucket_count >= ITEMS);
    for (uint64_t i = 10; i < ITEMS; i++) {
        map_remove(&map, &items[i].node);
    }
    assert_true(map.bucket_count < 256);
    for (uint64_t i = 0; i < 10; i++) {
        assert_ptr_equal(find(&map, i), &items[i]);
        map_remove(&map, &items[i].node);
    }
    map_release(&map);
    free(items);
}

static void a_map_never_shrinks_below_its_first_size(void **state)
{
    struct item items[20] = {0};
    struct map map;
    (void)state;
    map_init(&map);
    add(&map, &items[0]);
    size_t first = map.bucket_count;
    for (uint64_t i = 1; i < 20; i++) {
        items[i].number = i;
        add(&map, &items[i]);
    }
    assert_true(map.bucket_count > first);
    for (uint64_t i = 0; i < 20; i++) {
        map_remove(&map, &items[i].node);
        assert_true(map.bucket_count >= first);
    }
    map_release(&map);
}

static void count_visit(struct map_node *node, void *context)
{
    item_of(node)->visits++;
    ++*(unsigned *)context;
}

static void a_visit_comes_to_every_node_once(void **state)
{
    struct item items[100] = {0};
    struct map map;
    unsigned visits = 0;
    (void)state;
    map_init(&map);
    map_visit(&map, count_visit, &visits);
    assert_int_equal(visits, 0);
    for (uint64_t i = 0; i < 100; i++) {
        items[i].number = i;
        add(&map, &items[i]);
    }
    map_visit(&map, count_visit, &visits);
    assert_int_equal(visits, 100);
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(items[i].visits, 1);
        map_remove(&map, &items[i].node);
    }
    map_release(&map);
}

static void keys_with_the_same_hash_are_told_apart(void **state)
{
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    uint64_t two = 2;
    uint64_t four = 4;
    struct map map;
    (void)state;
    map_init(&map);
    for (size_t i = 0; i < 3; i++) {
        map_add(&map, &items[i].node, 7);
    }
    assert_ptr_equal(map_find(&map, 7, has_number, &two), &items[1].node);
    assert_null(map_find(&map, 7, has_number, &four));
    assert_null(map_find(&map, 8, has_number, &two));
    map_remove(&map, &items[1].node);
    assert_null(map_find(&map, 7, has_number, &two));
    map_remove(&map, &items[0].node);
    map_remove(&map, &items[2].node);
    map_release(&map);
}

/* The vectors of the reference implementation are for SipHash-2-4; these are SipHash-1-3's, as Rust's core has them. */
static void bytes_are_hashed_with_siphash_under_the_secret(void **state)
{
    static const uint64_t expected[] = {
        0xabac0158050fc4dcu, 0xc9f49bf37d57ca93u, 0x82cb9b024dc7d44du, 0x8bf80ab8e7ddf7fbu, 0xcf75576088d38328u,
        0xdef9d52f49533b67u, 0xc50d2b50c59f22a7u, 0xd3927d989bb11140u, 0x369095118d299a8eu, 0x25a48eb36c063de4u};
    uint8_t secret[16];
    char bytes[9];
    (void)state;
    for (uint8_t i = 0; i < 16; i++) {
        secret[i] = i;
    }
    map_set_secret(secret);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)i;
    }
    for (size_t size = 0; size < sizeof(expected) / sizeof(expected[0]); size++) {
        assert_true(map_hash_bytes(slice_of(bytes, size)) == expected[size]);
    }
    secret[3] ^= 1;
    map_set_secret(secret);
    assert_false(map_hash_bytes(slice_of(bytes, 8)) == expected[8]);
}

static void hashing_reads_nothing_beyond_the_bytes(void **state)
{
    (void)state;
    for (size_t size = 0; size < 40; size++) {
        char text[40] = "0123456789012345678901234567890123456789";
        char *copy = fake_copy(slice_of(text, size));
        assert_true(map_hash_bytes(slice_of(copy, size)) == map_hash_bytes(slice_of(text, size)));
        fake_free(copy, size);
    }
}

static void consecutive_numbers_are_spread(void **state)
{
    unsigned buckets[64] = {0};
    (void)state;
    /* The first number of SplitMix64 from the seed 0. */
    assert_true(map_hash_number(0) == 0xe220a8397b1dcdafu);
    for (uint64_t i = 0; i < 6400; i++) {
        buckets[map_hash_number(i) & 63]++;
    }
    for (size_t i = 0; i < 64; i++) {
        assert_in_range(buckets[i], 50, 160);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(what_was_added_is_found_until_it_is_removed),
        cmocka_unit_test(a_map_grows_with_its_contents_and_shrinks_after_them),
        cmocka_unit_test(a_map_never_shrinks_below_its_first_size),
        cmocka_unit_test(a_visit_comes_to_every_node_once),
        cmocka_unit_test(keys_with_the_same_hash_are_told_apart),
        cmocka_unit_test(bytes_are_hashed_with_siphash_under_the_secret),
        cmocka_unit_test(hashing_reads_nothing_beyond_the_bytes),
        cmocka_unit_test(consecutive_numbers_are_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
