#include "bridge/era/params_digest.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/message.h"
#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { DIGEST_BYTES = 32, ROUNDS = 3000, DEPTH = 5 };

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

/* Of params as they stand in a request; they must be valid. */
static struct digest digest_of(struct slice params)
{
    struct fake_world world;
    struct message message;
    struct buffer text;
    struct digest digest;
    fake_world_init(&world, 1);
    buffer_init(&text, 0);
    buffer_add_text(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":");
    buffer_add(&text, params);
    buffer_add_text(&text, "}");
    assert_int_equal(message_scan_whole(&message, buffer_slice(&text)), MESSAGE_FAULT_NONE);
    params_digest(&world.port, message.params, digest.bytes);
    buffer_release(&text);
    fake_world_release(&world);
    return digest;
}

static bool are_same(struct slice a, struct slice b)
{
    struct digest first = digest_of(a);
    struct digest second = digest_of(b);
    return memcmp(first.bytes, second.bytes, DIGEST_BYTES) == 0;
}

static bool are_same_texts(const char *a, const char *b)
{
    return are_same(slice_text(a), slice_text(b));
}

static void expect_all_same(const char *const *texts, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        assert_true(are_same_texts(texts[0], texts[i]));
    }
}

static void expect_all_different(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(are_same_texts(texts[i], texts[j]));
        }
    }
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void white_space_makes_no_difference(void **state)
{
    static const char *const texts[] = {
        "{\"a\":[1,{},[],{\"b\":null}],\"c\":\"x y\"}",
        " {\t\"a\"\n:\r[ 1 , { } , [ ] , { \"b\" : null } ] , \"c\" : \"x y\" } ",
        "{\"a\":[1,{\n},[\n],{\"b\":null\n}\n],\"c\":\"x y\"\n}",
    };
    (void)state;
    expect_all_same(texts, COUNT_OF(texts));
}

static void the_order_of_members_makes_no_difference_on_any_level(void **state)
{
    static const char *const texts[] = {
        "{\"a\":1,\"b\":[{\"x\":{\"p\":1,\"q\":2},\"y\":3}],\"ab\":4,\"\":5}",
        "{\"\":5,\"ab\":4,\"b\":[{\"y\":3,\"x\":{\"q\":2,\"p\":1}}],\"a\":1}",
        "{\"ab\":4,\"b\":[{\"x\":{\"q\":2,\"p\":1},\"y\":3}],\"\":5,\"a\":1}",
    };
    (void)state;
    expect_all_same(texts, COUNT_OF(texts));
}

static void the_escapes_of_a_string_make_no_difference(void **state)
{
    static const char *const texts[] = {
        "{\"key/\":\"a\\n\\\"\\\\\xc3\xa9\xf0\x9f\x98\x80\\u0000\\ud800\"}",
        "{\"k\\u0065y\\/\":\"\\u0061\\u000A\\u0022\\u005c\\u00e9\\ud83d\\ude00\\u0000\\uD800\"}",
        "{\"\\u006b\\u0065\\u0079\\u002f\":\"a\\u000a\\\"\\\\\\u00E9\\uD83D\\uDE00\\u0000\\ud800\"}",
    };
    (void)state;
    expect_all_same(texts, COUNT_OF(texts));
}

static void what_differs_in_a_second_attempt_does_not_count(void **state)
{
    static const char *const texts[] = {
        "{\"name\":\"n\"}",
        "{\"name\":\"n\",\"_meta\":{\"a\":[1,2]}}",
        "{\"inputResponses\":{\"k\":{\"action\":\"accept\"}},\"name\":\"n\",\"requestState\":\"s\"}",
        "{\"\\u005fmeta\":{},\"name\":\"n\",\"request\\u0053tate\":null,\"inputResponses\":7}",
    };
    (void)state;
    expect_all_same(texts, COUNT_OF(texts));
}

static void it_counts_below_the_first_level(void **state)
{
    static const char *const texts[] = {
        "{\"arguments\":{}}",
        "{\"arguments\":{\"_meta\":1}}",
        "{\"arguments\":{\"inputResponses\":1}}",
        "{\"arguments\":{\"requestState\":1}}",
        "{\"arguments\":[{\"requestState\":1}]}",
        "[{\"requestState\":1}]",
        "[{}]",
        "{\"_Meta\":1}",
    };
    (void)state;
    expect_all_different(texts, COUNT_OF(texts));
}

static void other_values_are_different(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "[null]",
        "[true]",
        "[false]",
        "[0]",
        "[-0]",
        "[0.0]",
        "[0e0]",
        "[\"0\"]",
        "[\"\"]",
        "[\"\",\"\"]",
        "[[]]",
        "[{}]",
        "[[],[]]",
        "[[[]]]",
        "[1,2]",
        "[2,1]",
        "[12]",
        "[[1],2]",
        "[[1,2]]",
        "[1,[2]]",
        "[\"1,2\"]",
        "[\"1\",\"2\"]",
        "[\"1\\u0000\",\"2\"]",
        "[\"a\"]",
        "[\"A\"]",
        "[\"ab\"]",
        "[\"a\",\"b\"]",
        "[\"a\\\",\\\"b\"]",
        "{\"a\":1}",
        "{\"a\":\"1\"}",
        "{\"a\":[1]}",
        "{\"a\":{\"a\":1}}",
        "{\"a\":{},\"b\":1}",
        "{\"a\":{\"b\":1}}",
        "{\"b\":1}",
        "{\"a\":1,\"b\":2}",
        "{\"a\":2,\"b\":1}",
        "{\"a\":1,\"b\":2,\"c\":2}",
        "[\"a\",1]",
    };
    (void)state;
    expect_all_different(texts, COUNT_OF(texts));
}

/* Parsers differ in which one they take, so their order is a part of what is asked for. */
static void of_members_with_one_key_the_order_counts(void **state)
{
    static const char *const texts[] = {
        "{\"a\":1,\"a\":2}",
        "{\"a\":2,\"a\":1}",
        "{\"a\":2}",
        "{\"a\":2,\"a\":2}",
    };
    (void)state;
    expect_all_different(texts, COUNT_OF(texts));
    assert_true(are_same_texts("{\"a\":1,\"b\":0,\"\\u0061\":2}", "{\"b\":0,\"a\":1,\"a\":2}"));
}

static void no_params_are_not_empty_params(void **state)
{
    struct fake_world world;
    struct digest none;
    struct digest empty = digest_of(slice_text("{}"));
    (void)state;
    fake_world_init(&world, 1);
    params_digest(&world.port, slice_of(NULL, 0), none.bytes);
    assert_memory_not_equal(none.bytes, empty.bytes, DIGEST_BYTES);
    fake_world_release(&world);
}

/* Every length around the ones where a form is shortened and where its size takes another byte. */
static void each_byte_of_a_long_string_counts(void **state)
{
    struct buffer text;
    struct buffer escaped;
    (void)state;
    buffer_init(&text, 0);
    buffer_init(&escaped, 0);
    for (size_t size = 100; size < 600; size++) {
        struct digest before = digest_of(slice_text("{}"));
        for (size_t place = 0; place < 3; place++) {
            size_t changed = place == 0 ? size : place == 1 ? 0 : size - 1; /* at first none */
            buffer_clear(&text, SIZE_MAX);
            buffer_clear(&escaped, SIZE_MAX);
            buffer_add_text(&text, "{\"k\":\"");
            buffer_add_text(&escaped, "{ \"\\u006b\" :\"");
            for (size_t i = 0; i < size; i++) {
                buffer_add_text(&text, i == changed ? "y" : "x");
                buffer_add_text(&escaped, i == changed ? "\\u0079" : "x");
            }
            buffer_add_text(&text, "\"}");
            buffer_add_text(&escaped, "\"}");
            struct digest digest = digest_of(buffer_slice(&text));
            assert_true(are_same(buffer_slice(&text), buffer_slice(&escaped)));
            assert_memory_not_equal(digest.bytes, before.bytes, DIGEST_BYTES);
            before = digest;
        }
    }
    buffer_release(&text);
    buffer_release(&escaped);
}

/* ---- Trees from a seed, each printed in many ways ---- */

struct printer {
    struct buffer out;
    uint64_t style; /* chooses among texts that mean the same */
    size_t leaves;  /* printed so far */
    size_t changed; /* this leaf is printed with another value */
};

static void print_space(struct printer *printer)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", " \t\r"};
    buffer_add_text(&printer->out, spaces[fake_random_below(&printer->style, COUNT_OF(spaces))]);
}

static void print_character(struct printer *printer, size_t which)
{
    static const char *const characters[][2] = {
        {"a", "\\u0061"},        {"/", "\\/"},     {"\\n", "\\u000a"},     {"\\\"", "\\u0022"},
        {"\\\\", "\\u005C"},     {"{", "\\u007b"}, {",", "\\u002C"},       {"\\u0000", "\\u0000"},
        {"\xc3\xa9", "\\u00e9"}, {"#", "\\u0023"}, {"\\ud800", "\\uD800"}, {"\xf0\x9f\x98\x80", "\\ud83d\\uDE00"},
    };
    buffer_add_text(&printer->out, characters[which % COUNT_OF(characters)][fake_random_below(&printer->style, 2)]);
}

/* `mark` makes it different from every string with another mark. */
static void print_string(struct printer *printer, uint64_t meaning, size_t mark)
{
    size_t size =
        fake_random_below(&meaning, 8) == 0 ? 120 + fake_random_below(&meaning, 300) : fake_random_below(&meaning, 6);
    buffer_add_text(&printer->out, "\"");
    for (size_t i = 0; i < size; i++) {
        print_character(printer, fake_random_below(&meaning, 12));
    }
    buffer_add_format(&printer->out, "%zu\"", mark);
}

static void print_leaf(struct printer *printer, uint64_t meaning)
{
    static const char *const literals[] = {"true", "false", "null"};
    bool is_changed = printer->leaves++ == printer->changed;
    switch (fake_random_below(&meaning, 3)) {
    case 0:
        print_string(printer, meaning, is_changed);
        break;
    case 1:
        buffer_add_format(&printer->out, "%u.5e%d", (unsigned)fake_random_below(&meaning, 1000), is_changed);
        break;
    default:
        buffer_add_text(&printer->out, literals[(fake_random_below(&meaning, 3) + is_changed) % 3]);
        break;
    }
}

static void print_value(struct printer *printer, uint64_t meaning, unsigned depth);

static void print_members(struct printer *printer, uint64_t meaning, unsigned depth, bool is_object)
{
    size_t count = fake_random_below(&meaning, 6);
    size_t first = is_object && count > 0 ? fake_random_below(&printer->style, count) : 0;
    size_t stride = is_object && count > 2 && fake_random_below(&printer->style, 2) == 0 ? count - 1 : 1;
    for (size_t i = 0; i < count; i++) {
        size_t which = (first + i * stride) % (count > 0 ? count : 1);
        buffer_add_text(&printer->out, i > 0 ? "," : "");
        print_space(printer);
        if (is_object) {
            print_string(printer, meaning + which, which);
            print_space(printer);
            buffer_add_text(&printer->out, ":");
        }
        print_value(printer, meaning * 31 + which, depth - 1);
    }
}

static void print_value(struct printer *printer, uint64_t meaning, unsigned depth)
{
    size_t kind = depth == DEPTH ? 0 : depth == 0 ? 9 : fake_random_below(&meaning, 6);
    print_space(printer);
    if (kind < 3) {
        bool is_object = kind < 2;
        buffer_add_text(&printer->out, is_object ? "{" : "[");
        print_members(printer, fake_random(&meaning), depth, is_object);
        print_space(printer);
        buffer_add_text(&printer->out, is_object ? "}" : "]");
    } else {
        print_leaf(printer, fake_random(&meaning));
    }
    print_space(printer);
}

static void print(struct printer *printer, uint64_t meaning, uint64_t style, size_t changed)
{
    *printer = (struct printer){.style = style, .changed = changed};
    buffer_init(&printer->out, 0);
    print_value(printer, meaning, DEPTH);
}

static void any_text_of_one_meaning_has_one_digest_and_any_other_has_another(void **state)
{
    (void)state;
    size_t changes = 0;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct printer first;
        struct printer second;
        struct printer changed;
        print(&first, seed, seed * 3 + 1, SIZE_MAX);
        print(&second, seed, seed * 3 + 2, SIZE_MAX);
        print(&changed, seed, seed * 3 + 3, first.leaves > 0 ? (size_t)seed % first.leaves : 0);
        if (!are_same(buffer_slice(&first.out), buffer_slice(&second.out))) {
            fail_msg("seed %u: %.*s and %.*s", (unsigned)seed, SLICE_PRINT(buffer_slice(&first.out)),
                     SLICE_PRINT(buffer_slice(&second.out)));
        }
        assert_int_equal(first.leaves, changed.leaves);
        if (first.leaves > 0) {
            changes++;
            assert_false(are_same(buffer_slice(&first.out), buffer_slice(&changed.out)));
        }
        buffer_release(&first.out);
        buffer_release(&second.out);
        buffer_release(&changed.out);
    }
    assert_true(changes > ROUNDS / 2);
}

static void add_times(struct buffer *out, const char *text, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        buffer_add_text(out, text);
    }
}

/* The message is the first level. */
static void params_may_be_as_deep_as_a_message_may(void **state)
{
    static const char *const brackets[][2] = {{"[", "]"}, {"{\"b\":", ",\"a\":0}"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(brackets); i++) {
        struct buffer text;
        struct buffer other;
        buffer_init(&text, 0);
        buffer_init(&other, 0);
        add_times(&text, brackets[i][0], LIMIT_JSON_DEPTH - 1);
        buffer_add(&other, buffer_slice(&text));
        buffer_add_text(&text, "1");
        buffer_add_text(&other, "2");
        add_times(&text, brackets[i][1], LIMIT_JSON_DEPTH - 1);
        add_times(&other, brackets[i][1], LIMIT_JSON_DEPTH - 1);
        assert_true(are_same(buffer_slice(&text), buffer_slice(&text)));
        assert_false(are_same(buffer_slice(&text), buffer_slice(&other)));
        buffer_release(&text);
        buffer_release(&other);
    }
}

/* What is authenticated in the walk, and how often. */
struct count {
    struct world port;
    size_t bytes;
};

static void count_bytes(struct world *world, const struct slice *parts, size_t count, uint8_t mac[32])
{
    for (size_t i = 0; i < count; i++) {
        container_of(world, struct count, port)->bytes += parts[i].size;
    }
    memset(mac, 0, DIGEST_BYTES);
}

static void nothing_long_is_authenticated_twice(void **state)
{
    struct count count = {.port = {.authenticate = count_bytes}};
    struct buffer text;
    struct digest digest;
    (void)state;
    buffer_init(&text, 0);
    add_times(&text, "{\"b\":", LIMIT_JSON_DEPTH - 1);
    buffer_add_text(&text, "[");
    add_times(&text, "\"0123456789\",", 10000);
    buffer_add_text(&text, "0]");
    add_times(&text, ",\"a\":0}", LIMIT_JSON_DEPTH - 1);
    params_digest(&count.port, buffer_slice(&text), digest.bytes);
    assert_in_range(count.bytes, 110000, text.size + text.size / 4);
    buffer_release(&text);
}

/* Computed in Python from the description at the top of the module, to be the same in every build. */
static void the_form_of_what_is_long_stays(void **state)
{
    struct buffer text;
    char digits[DIGEST_BYTES * 2 + 1];
    (void)state;
    buffer_init(&text, 0);
    buffer_add_text(&text, "{\"b\":true,\"_meta\":{},\"a\":[\"");
    add_times(&text, "x", 254);
    buffer_add_text(&text, "\",\"");
    add_times(&text, "x", 253);
    buffer_add_text(&text, "\"]}");
    struct digest digest = digest_of(buffer_slice(&text));
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        snprintf(digits + 2 * i, 3, "%02x", digest.bytes[i]);
    }
    assert_string_equal(digits, "bdf0f27087a8b4c9d0a194918164fa8c03527bbb417f89d7c8b88c2434cb2380");
    buffer_release(&text);
}

static struct slice large(struct buffer *text, const char *front, const char *back)
{
    static char letters[LIMIT_DIGEST_BYTES];
    memset(letters, 'x', sizeof(letters));
    buffer_init(text, 0);
    buffer_add_text(text, front);
    buffer_add(text, slice_of(letters, sizeof(letters)));
    buffer_add_text(text, back);
    return buffer_slice(text);
}

static void what_is_very_large_must_be_written_the_same_way(void **state)
{
    (void)state;
    static const struct {
        const char *front;
        const char *back;
        bool is_same;
    } cases[] = {
        {"{\"name\":\"t\",\"arguments\":{\"a\":\"", "\"}}", true},
        {"{\"name\": \"t\", \"arguments\":{\"a\":\"", "\"},\"_meta\":{\"x\":1},\"requestState\":\"s\"}", true},
        {"{\"name\":\"t\",\"arguments\":{\"a\": \"", "\"}}", false},
        {"{\"name\":\"t\",\"arguments\":{\"a\":\"", "y\"}}", false},
        {"{\"name\":\"u\",\"arguments\":{\"a\":\"", "\"}}", false},
    };
    struct buffer first;
    struct slice one = large(&first, cases[0].front, cases[0].back);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer text;
        assert_int_equal(are_same(one, large(&text, cases[i].front, cases[i].back)), cases[i].is_same);
        buffer_release(&text);
    }
    buffer_release(&first);
}

/* Params with a long string and so many more members, the last of which has this value. */
static struct slice large_with_members(struct buffer *text, size_t count, const char *space, int last)
{
    large(text, "{\"x\":\"", "\"");
    for (size_t i = 0; i < count; i++) {
        buffer_add_format(text, ",%s\"m%zu\":%d", space, i, i + 1 == count ? last : 0);
    }
    buffer_add_text(text, "}");
    return buffer_slice(text);
}

static void what_is_very_large_may_have_any_number_of_members(void **state)
{
    (void)state;
    for (size_t count = 30; count < 34; count++) {
        struct buffer a;
        struct buffer b;
        struct buffer c;
        struct slice one = large_with_members(&a, count, "", 1);
        assert_true(are_same(one, large_with_members(&b, count, " ", 1)));
        assert_false(are_same(one, large_with_members(&c, count, "", 2)));
        buffer_release(&a);
        buffer_release(&b);
        buffer_release(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_very_large_must_be_written_the_same_way),
        cmocka_unit_test(what_is_very_large_may_have_any_number_of_members),
        cmocka_unit_test(white_space_makes_no_difference),
        cmocka_unit_test(the_order_of_members_makes_no_difference_on_any_level),
        cmocka_unit_test(the_escapes_of_a_string_make_no_difference),
        cmocka_unit_test(what_differs_in_a_second_attempt_does_not_count),
        cmocka_unit_test(it_counts_below_the_first_level),
        cmocka_unit_test(other_values_are_different),
        cmocka_unit_test(of_members_with_one_key_the_order_counts),
        cmocka_unit_test(no_params_are_not_empty_params),
        cmocka_unit_test(each_byte_of_a_long_string_counts),
        cmocka_unit_test(any_text_of_one_meaning_has_one_digest_and_any_other_has_another),
        cmocka_unit_test(params_may_be_as_deep_as_a_message_may),
        cmocka_unit_test(nothing_long_is_authenticated_twice),
        cmocka_unit_test(the_form_of_what_is_long_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
