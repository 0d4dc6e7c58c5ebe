#include "tests/unit/bridge/jsonrpc/random_json.h"

#include "tests/unit/bridge/fake_world.h"

void random_json_space(struct buffer *out, uint64_t *seed, bool breaks)
{
    static const char spaces[] = " \t\r\n";
    size_t count = fake_random_below(seed, 4) == 0 ? fake_random_below(seed, 4) : 0;
    for (size_t i = 0; i < count; i++) {
        buffer_add(out, slice_of(&spaces[fake_random_below(seed, breaks ? 4 : 2)], 1));
    }
}

static void add_escape(struct buffer *out, uint64_t *seed)
{
    static const char *const escapes[] = {"\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\ud83d\\uDE00"};
    size_t which = fake_random_below(seed, 12);
    if (which < sizeof(escapes) / sizeof(escapes[0])) {
        buffer_add_text(out, escapes[which]);
    } else {
        /* Any code unit: a NUL, a lone surrogate, a letter that needs no escape. */
        buffer_add_format(out, which % 2 == 0 ? "\\u%04x" : "\\u%04X", (unsigned)(fake_random(seed) & 0xffff));
    }
}

static void add_utf8(struct buffer *out, uint64_t *seed)
{
    static const char *const characters[] = {
        "\x7f",         "\xc2\x80",     "\xdf\xbf",     "\xe0\xa0\x80",     "\xed\x9f\xbf",     "\xee\x80\x80",
        "\xef\xbf\xbf", "\xe2\x80\xa8", "\xef\xbb\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xf0\x9f\x98\x80"};
    buffer_add_text(out, characters[fake_random_below(seed, sizeof(characters) / sizeof(characters[0]))]);
}

static void add_plain(struct buffer *out, uint64_t *seed)
{
    size_t count = fake_random_below(seed, 20);
    for (size_t i = 0; i < count; i++) {
        char c = (char)(' ' + fake_random_below(seed, 0x5f));
        buffer_add(out, slice_of(c == '"' || c == '\\' ? "x" : &c, 1));
    }
}

void random_json_string(struct buffer *out, uint64_t *seed)
{
    static void (*const pieces[])(struct buffer *, uint64_t *) = {add_escape, add_utf8, add_plain};
    buffer_add_text(out, "\"");
    for (size_t i = fake_random_below(seed, 6); i > 0; i--) {
        pieces[fake_random_below(seed, 3)](out, seed);
    }
    buffer_add_text(out, "\"");
}

static void add_digits(struct buffer *out, uint64_t *seed, size_t count)
{
    for (; count > 0; count--) {
        buffer_add_format(out, "%d", (int)fake_random_below(seed, 10));
    }
}

void random_json_number(struct buffer *out, uint64_t *seed)
{
    buffer_add_text(out, fake_random_below(seed, 3) == 0 ? "-" : "");
    if (fake_random_below(seed, 4) == 0) {
        buffer_add_text(out, "0");
    } else {
        buffer_add_format(out, "%d", 1 + (int)fake_random_below(seed, 9));
        add_digits(out, seed, fake_random_below(seed, 25));
    }
    if (fake_random_below(seed, 3) == 0) {
        buffer_add_text(out, ".");
        add_digits(out, seed, 1 + fake_random_below(seed, 20));
    }
    if (fake_random_below(seed, 4) == 0) {
        static const char *const exponents[] = {"e", "E", "e+", "E-"};
        buffer_add_text(out, exponents[fake_random_below(seed, 4)]);
        add_digits(out, seed, 1 + fake_random_below(seed, 4));
    }
}

static void add_container(struct buffer *out, uint64_t *seed, unsigned depth)
{
    bool is_object = fake_random_below(seed, 2) == 0;
    size_t count = fake_random_below(seed, 5);
    buffer_add_text(out, is_object ? "{" : "[");
    random_json_space(out, seed, false);
    for (size_t i = 0; i < count; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        random_json_space(out, seed, false);
        if (is_object) {
            random_json_string(out, seed);
            random_json_space(out, seed, false);
            buffer_add_text(out, ":");
            random_json_space(out, seed, false);
        }
        random_json_value(out, seed, depth - 1);
        random_json_space(out, seed, false);
    }
    buffer_add_text(out, is_object ? "}" : "]");
}

void random_json_value(struct buffer *out, uint64_t *seed, unsigned depth)
{
    static const char *const literals[] = {"true", "false", "null"};
    size_t kind = fake_random_below(seed, 8);
    if (kind < 3 && depth > 0) {
        add_container(out, seed, depth);
    } else if (kind < 5) {
        random_json_string(out, seed);
    } else if (kind < 7) {
        random_json_number(out, seed);
    } else {
        buffer_add_text(out, literals[fake_random_below(seed, 3)]);
    }
}
