#include "bridge/jsonrpc/json.h"

#include "tests/unit/bridge/fake_world.h"
#include "tests/unit/bridge/jsonrpc/random_json.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NO_TOKEN = -1 };

/* How many bytes the token takes, or NO_TOKEN; read from a block of exactly its size. */
static int string_size(struct slice text)
{
    bool has_escapes;
    char *copy = fake_copy(text);
    const char *end = json_end_of_string(copy, copy + text.size, &has_escapes);
    int size = end != NULL ? (int)(end - copy) : NO_TOKEN;
    fake_free(copy, text.size);
    return size;
}

static int number_size(const char *text)
{
    size_t size = strlen(text);
    char *copy = fake_copy(slice_text(text));
    const char *end = json_end_of_number(copy, copy + size);
    int found = end != NULL ? (int)(end - copy) : NO_TOKEN;
    fake_free(copy, size);
    return found;
}

static int literal_size(const char *text)
{
    const char *end = json_end_of_literal(text, text + strlen(text));
    return end != NULL ? (int)(end - text) : NO_TOKEN;
}

static void a_string_ends_behind_its_quote(void **state)
{
    (void)state;
    assert_int_equal(string_size(slice_text("\"\"")), 2);
    assert_int_equal(string_size(slice_text("\"abc\"def\"")), 5);
    assert_int_equal(string_size(slice_text("\"a\\\"b\"")), 6);
    assert_int_equal(string_size(slice_text("\"a\\\\\"b\"")), 5);
    assert_int_equal(string_size(slice_text("\"0123456789abcdef0123456789abcdef\" ")), 34);
}

static void a_string_says_whether_it_has_escapes(void **state)
{
    bool has_escapes = true;
    const char *plain = "\"0123456789\"";
    const char *escaped = "\"0123456789\\n\"";
    (void)state;
    assert_non_null(json_end_of_string(plain, plain + strlen(plain), &has_escapes));
    assert_false(has_escapes);
    assert_non_null(json_end_of_string(escaped, escaped + strlen(escaped), &has_escapes));
    assert_true(has_escapes);
}

static void a_string_without_end_is_none(void **state)
{
    (void)state;
    assert_int_equal(string_size(slice_text("\"")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"0123456789")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"abc\\\"")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"abc\\")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"abc\\u12")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"\xf0\x9f\x98")), NO_TOKEN);
}

/* RFC 8259 7. At every place among eight bytes, since they are looked at eight at a time. */
static void control_characters_must_be_escaped_wherever_they_stand(void **state)
{
    (void)state;
    for (size_t place = 1; place < 20; place++) {
        for (int c = 0; c < 0x20; c++) {
            char text[] = "\"abcdefghijklmnopqrst\"";
            text[place] = (char)c;
            assert_int_equal(string_size(slice_of(text, sizeof(text) - 1)), NO_TOKEN);
        }
        char text[] = "\"abcdefghijklmnopqrst\"";
        text[place] = 0x7f;
        assert_int_equal(string_size(slice_of(text, sizeof(text) - 1)), 22);
        text[place] = '"';
        assert_int_equal(string_size(slice_of(text, sizeof(text) - 1)), (int)place + 1);
    }
}

static void only_the_escapes_of_json_are_escapes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = {'"', '\\', (char)c, '"', ' ', ' ', ' ', ' '};
        bool is_escape = c != 0 && strchr("\"\\/bfnrt", c) != NULL;
        assert_int_equal(string_size(slice_of(text, sizeof(text))), is_escape ? 4 : NO_TOKEN);
    }
    assert_int_equal(string_size(slice_text("\"\\u12aF\"")), 8);
    assert_int_equal(string_size(slice_text("\"\\u12aG\"")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"\\u12a\"")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"\\U12aF\"")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"\\u 12a\"")), NO_TOKEN);
    assert_int_equal(string_size(slice_text("\"\\x41\"")), NO_TOKEN);
}

static void a_lone_surrogate_escape_is_let_through(void **state)
{
    (void)state;
    assert_int_equal(string_size(slice_text("\"\\ud800\"")), 8);
    assert_int_equal(string_size(slice_text("\"\\udc00\\ud800\"")), 14);
}

/* RFC 3629 4, and the table 3-7 of the Unicode standard: every sequence of one to four bytes. */
static bool is_utf8(const unsigned char *bytes, size_t size)
{
    unsigned long value = 0;
    size_t wanted = bytes[0] < 0x80 ? 1 : bytes[0] < 0xc0 ? 0 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    static const unsigned long least[] = {0, 0x20, 0x80, 0x800, 0x10000};
    if (wanted != size || bytes[0] > 0xf7) {
        return false;
    }
    value = size == 1 ? bytes[0] : bytes[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf) {
            return false;
        }
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    return value >= least[size] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

static void a_string_must_be_utf8(void **state)
{
    static const unsigned char edges[] = {0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    (void)state;
    for (unsigned first = 0x80; first < 0x100; first++) {
        for (unsigned second = 0; second < 0x100; second++) {
            unsigned char two[] = {'"', (unsigned char)first, (unsigned char)second, '"'};
            bool skip = second < 0x20 || second == '"' || second == '\\';
            assert_true(skip || (string_size(slice_of((char *)two, 4)) == 4) == is_utf8(two + 1, 2));
            for (size_t i = 0; i < sizeof(edges); i++) {
                unsigned char three[] = {'"', (unsigned char)first, (unsigned char)second, edges[i], '"'};
                assert_true(skip || first < 0xe0 ||
                            (string_size(slice_of((char *)three, 5)) == 5) == is_utf8(three + 1, 3));
                unsigned char four[] = {'"', (unsigned char)first, (unsigned char)second, 0x80, edges[i], '"'};
                assert_true(skip || first < 0xf0 ||
                            (string_size(slice_of((char *)four, 6)) == 6) == is_utf8(four + 1, 4));
            }
        }
    }
}

static void a_character_is_ascii_or_a_whole_sequence(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 0x100; first++) {
        char byte = (char)first;
        assert_int_equal(json_character_size(&byte, &byte + 1), first < 0x80 ? 1 : 0);
    }
    static const char *const sequences[] = {"\xc2\x80", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(json_character_size(sequences[i], sequences[i] + i + 2), i + 2);
        assert_int_equal(json_character_size(sequences[i], sequences[i] + i + 1), 0);
    }
}

static void a_sequence_of_utf8_may_stand_at_every_place(void **state)
{
    (void)state;
    for (size_t place = 1; place < 18; place++) {
        char text[] = "\"abcdefghijklmnopqrst\"";
        memcpy(text + place, "\xe2\x82\xac", 3);
        assert_int_equal(string_size(slice_of(text, sizeof(text) - 1)), 22);
        text[place + 1] = 'x';
        assert_int_equal(string_size(slice_of(text, sizeof(text) - 1)), NO_TOKEN);
    }
}

/* Long strings are looked at in blocks: what ends one is found at every place of a block, and nothing else is. */
static void every_byte_means_the_same_at_every_place(void **state)
{
    enum { SIZE = 200 };
    char text[SIZE + 2];
    bool has_escapes;
    (void)state;
    for (size_t place = 1; place < SIZE; place++) {
        for (int byte = 0; byte < 256; byte++) {
            memset(text, 'a', sizeof(text));
            text[0] = text[SIZE] = '"';
            text[place] = (char)byte;
            const char *end = json_end_of_string(text, text + sizeof(text), &has_escapes);
            bool is_plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
            const char *expected = is_plain ? text + SIZE + 1 : byte == '"' ? text + place + 1 : NULL;
            assert_ptr_equal(end, expected);
        }
    }
}

static void a_number_is_what_the_grammar_says(void **state)
{
    static const char *const whole[] = {"0",     "-0",   "7",        "-10",  "0.5",  "1.50",  "1e5",
                                        "1E+05", "0e-0", "12.5e400", "-0.0", "0E+1", "20e01", "9007199254740993"};
    static const char *const none[] = {"",    "-",   "+1",       ".5",  "1.", "-.5", "1.e5", "1e",
                                       "1e+", "--1", "Infinity", "NaN", "-x", "e5",  "1.x",  "1ex"};
    (void)state;
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        assert_int_equal(number_size(whole[i]), (int)strlen(whole[i]));
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_int_equal(number_size(none[i]), NO_TOKEN);
    }
}

static void a_number_ends_where_the_grammar_ends_it(void **state)
{
    (void)state;
    assert_int_equal(number_size("012"), 1);
    assert_int_equal(number_size("-012"), 2);
    assert_int_equal(number_size("0x10"), 1);
    assert_int_equal(number_size("12 3"), 2);
    assert_int_equal(number_size("1.5.2"), 3);
    assert_int_equal(number_size("1e5e2"), 3);
}

static void a_literal_is_one_of_three_words(void **state)
{
    (void)state;
    assert_int_equal(literal_size("true"), 4);
    assert_int_equal(literal_size("false,"), 5);
    assert_int_equal(literal_size("null}"), 4);
    assert_int_equal(literal_size("tru"), NO_TOKEN);
    assert_int_equal(literal_size("True"), NO_TOKEN);
    assert_int_equal(literal_size("nil"), NO_TOKEN);
}

static void only_a_string_has_an_inside(void **state)
{
    (void)state;
    assert_true(slice_is(json_string_inside(slice_text("\"abc\"")), "abc"));
    assert_true(slice_exists(json_string_inside(slice_text("\"\""))));
    assert_false(slice_exists(json_string_inside(slice_text("12"))));
    assert_false(slice_exists(json_string_inside(slice_text("{}"))));
    assert_false(slice_exists(json_string_inside(slice_of(NULL, 0))));
}

static bool means(const char *inside, const char *text)
{
    char *copy = fake_copy(slice_text(inside));
    bool is_same = json_string_means(slice_of(copy, strlen(inside)), text);
    fake_free(copy, strlen(inside));
    return is_same;
}

static void a_string_is_compared_by_its_meaning(void **state)
{
    (void)state;
    assert_true(means("tools\\/call", "tools/call"));
    assert_true(means("\\u0069d", "id"));
    assert_true(means("i\\u0064", "id"));
    assert_true(means("\\u0069\\u0064", "id"));
    assert_true(means("\\ud83d\\ude00", "\xf0\x9f\x98\x80"));
    assert_true(means("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"));
    assert_true(means("\\u00e4\xc3\xa4", "\xc3\xa4\xc3\xa4"));
    assert_true(means("\\\"\\\\\\b\\f\\n\\r\\t", "\"\\\b\f\n\r\t"));
    assert_true(means("", ""));
}

static void strings_of_different_meaning_differ(void **state)
{
    (void)state;
    assert_false(means("id", "i"));
    assert_false(means("i", "id"));
    assert_false(means("\\u0069", "id"));
    assert_false(means("\\u0069dd", "id"));
    assert_false(means("\\u0069D", "id"));
    assert_false(means("id\\u0000", "id"));
    assert_false(means("\\u0000", ""));
    assert_false(means("\\ud83dx\\ude00", "\xf0\x9f\x98\x80"));
    assert_false(means("\\\\u0069d", "id"));
    assert_false(means("", "id"));
}

static void expect_decoded(const char *inside, struct slice expected)
{
    struct buffer text;
    buffer_init(&text, 0);
    assert_true(json_string_decode(slice_text(inside), &text));
    assert_true(slice_equals(buffer_slice(&text), expected));
    buffer_release(&text);
}

static void a_string_is_decoded_to_its_meaning(void **state)
{
    (void)state;
    expect_decoded("", slice_text(""));
    expect_decoded("abc", slice_text("abc"));
    expect_decoded("\\u0061bc", slice_text("abc"));
    expect_decoded("\\/a\\/", slice_text("/a/"));
    expect_decoded("a\\u0000b", slice_of("a\0b", 3));
    expect_decoded("\\u00e4\\u20ac\\ud83d\\ude00", slice_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    expect_decoded("\\u007f\\u0080\\u07ff\\u0800\\uffff", slice_text("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"));
    expect_decoded("\\udbff\\udfff", slice_text("\xf4\x8f\xbf\xbf"));
}

static void decoding_stops_at_the_ceiling(void **state)
{
    struct buffer text;
    (void)state;
    buffer_init(&text, 4);
    assert_true(json_string_decode(slice_text("ab\\u0063d"), &text));
    buffer_clear(&text, SIZE_MAX);
    assert_false(json_string_decode(slice_text("abcd\\n"), &text));
    buffer_clear(&text, SIZE_MAX);
    assert_false(json_string_decode(slice_text("\\n\\n\\nab"), &text));
    buffer_release(&text);
}

/* cJSON is right about strings that have neither lone surrogates nor NULs. */
static void decoding_agrees_with_cjson(void **state)
{
    uint64_t seed = 4;
    unsigned compared = 0;
    (void)state;
    for (int turn = 0; turn < 20000; turn++) {
        struct buffer json;
        struct buffer text;
        buffer_init(&json, 0);
        buffer_init(&text, 0);
        random_json_string(&json, &seed);
        assert_int_equal(string_size(buffer_slice(&json)), (int)json.size);
        struct slice inside = json_string_inside(buffer_slice(&json));
        assert_true(json_string_decode(inside, &text));
        cJSON *parsed = cJSON_ParseWithLength(buffer_slice(&json).data, json.size);
        if (parsed != NULL && memmem(inside.data, inside.size, "\\u0000", 6) == NULL) {
            assert_true(slice_is(buffer_slice(&text), parsed->valuestring));
            assert_true(json_string_means(inside, parsed->valuestring));
            compared++;
        }
        cJSON_Delete(parsed);
        buffer_release(&json);
        buffer_release(&text);
    }
    assert_true(compared > 10000);
}

static bool parses(const char *text, uint64_t expected)
{
    uint64_t number = 0;
    return json_parse_id(slice_text(text), &number) && number == expected;
}

static void our_ids_are_parsed_as_we_write_them_and_nothing_else_is(void **state)
{
    static const char *const none[] = {"",
                                       "-1",
                                       "+1",
                                       "01",
                                       "00",
                                       "1.0",
                                       "1e1",
                                       " 1",
                                       "1 ",
                                       "a",
                                       "1a",
                                       "\"1\"",
                                       "-0",
                                       "18446744073709551616",
                                       "99999999999999999999"};
    uint64_t number;
    (void)state;
    assert_true(parses("0", 0));
    assert_true(parses("1", 1));
    assert_true(parses("9007199254740993", 9007199254740993u));
    assert_true(parses("9223372036854775807", 9223372036854775807u));
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_false(json_parse_id(slice_text(none[i]), &number));
    }
}

static void white_space_at_the_front_is_skipped(void **state)
{
    (void)state;
    assert_true(slice_is(json_skip_space(slice_text(" \t\r\nx ")), "x "));
    assert_int_equal(json_skip_space(slice_text(" ")).size, 0);
    assert_int_equal(json_skip_space(slice_text("")).size, 0);
    assert_int_equal(json_skip_space(slice_of("\0x", 2)).size, 2);
    assert_true(slice_is(json_skip_space(slice_text("\v")), "\v"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_at_the_front_is_skipped),
        cmocka_unit_test(a_string_ends_behind_its_quote),
        cmocka_unit_test(a_string_says_whether_it_has_escapes),
        cmocka_unit_test(a_string_without_end_is_none),
        cmocka_unit_test(control_characters_must_be_escaped_wherever_they_stand),
        cmocka_unit_test(only_the_escapes_of_json_are_escapes),
        cmocka_unit_test(a_lone_surrogate_escape_is_let_through),
        cmocka_unit_test(a_string_must_be_utf8),
        cmocka_unit_test(a_character_is_ascii_or_a_whole_sequence),
        cmocka_unit_test(a_sequence_of_utf8_may_stand_at_every_place),
        cmocka_unit_test(every_byte_means_the_same_at_every_place),
        cmocka_unit_test(a_number_is_what_the_grammar_says),
        cmocka_unit_test(a_number_ends_where_the_grammar_ends_it),
        cmocka_unit_test(a_literal_is_one_of_three_words),
        cmocka_unit_test(only_a_string_has_an_inside),
        cmocka_unit_test(a_string_is_compared_by_its_meaning),
        cmocka_unit_test(strings_of_different_meaning_differ),
        cmocka_unit_test(a_string_is_decoded_to_its_meaning),
        cmocka_unit_test(decoding_stops_at_the_ceiling),
        cmocka_unit_test(decoding_agrees_with_cjson),
        cmocka_unit_test(our_ids_are_parsed_as_we_write_them_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
