#include "bridge/jsonrpc/json.h"

#include <string.h>

/* Bytes that a string may hold as they are: ASCII without the quote, the backslash and control characters. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/*
 * The high bit of each of eight bytes that is not plain ("Bit Twiddling Hacks", determine if a word has a byte). A
 * borrow may set those of bytes behind the first; the first is always right.
 */
static uint64_t find_special_of_8(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones << 7;
    uint64_t word;
    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    uint64_t quote = word ^ (ones * '"');
    uint64_t backslash = word ^ (ones * '\\');
    return ((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & highs;
}

/* Sixteen bytes that the compiler compares at once, with whatever the machine has for that. */
typedef int8_t block __attribute__((vector_size(16)));

/*
 * All bits of each byte that is plain. What has its highest bit set is negative here; and with this bit turned, the
 * quote stands among the control characters, and none of the others does.
 */
static block find_plain_of_16(const char *at)
{
    block bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return (block)(((bytes ^ 2) > 0x20) & ~(bytes == '\\'));
}

static bool are_64_plain(const char *at)
{
    block found =
        find_plain_of_16(at) & find_plain_of_16(at + 16) & find_plain_of_16(at + 32) & find_plain_of_16(at + 48);
    uint64_t halves[2];
    memcpy(halves, &found, sizeof(found));
    return (halves[0] & halves[1]) == UINT64_MAX;
}

/* The first byte that is not plain, or `end`. Most strings are short, and most bytes stand in long ones. */
static const char *skip_plain(const char *at, const char *end)
{
    const char *start = at;
    while (end - at >= 8) {
        uint64_t found = find_special_of_8(at);
        if (found != 0) {
            return at + __builtin_ctzll(found) / 8;
        }
        at += 8;
        while (at - start >= 64 && end - at >= 64 && are_64_plain(at)) {
            at += 64;
        }
    }
    while (at < end && is_plain((unsigned char)*at)) {
        at++;
    }
    return at;
}

static bool are_continuations(const char *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* The length of a well-formed UTF-8 sequence of two to four bytes (RFC 3629 4), 0 when it is not one. */
static size_t utf8_sequence(const char *at, const char *end)
{
    unsigned char first = (unsigned char)at[0];
    size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || (size_t)(end - at) < size || !are_continuations(at + 1, size - 1)) {
        return 0;
    }
    /* Overlong forms, surrogates, and what lies above U+10FFFF. */
    unsigned char second = (unsigned char)at[1];
    bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                 (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return wrong ? 0 : size;
}

size_t json_character_size(const char *at, const char *end)
{
    return (unsigned char)*at < 0x80 ? 1 : utf8_sequence(at, end);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The length of an escape sequence that begins at the backslash, 0 when it is not one. */
static size_t escape_sequence(const char *at, const char *end)
{
    if (end - at < 2) {
        return 0;
    }
    if (at[1] != 'u') {
        return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL ? 2 : 0;
    }
    if (end - at < 6) {
        return 0;
    }
    for (int i = 2; i < 6; i++) {
        if (hex_digit(at[i]) < 0) {
            return 0;
        }
    }
    return 6;
}

const char *json_end_of_string(const char *at, const char *end, bool *has_escapes)
{
    *has_escapes = false;
    at++;
    for (;;) {
        at = skip_plain(at, end);
        if (at == end) {
            return NULL;
        }
        if (*at == '"') {
            return at + 1;
        }
        bool is_escape = *at == '\\';
        size_t size = is_escape ? escape_sequence(at, end) : utf8_sequence(at, end);
        if (size == 0) {
            return NULL;
        }
        *has_escapes |= is_escape;
        at += size;
    }
}

static const char *end_of_digits(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at > start ? at : NULL;
}

const char *json_end_of_number(const char *at, const char *end)
{
    if (at < end && *at == '-') {
        at++;
    }
    if (at < end && *at == '0') {
        at++;
    } else {
        at = end_of_digits(at, end);
    }
    if (at != NULL && at < end && *at == '.') {
        at = end_of_digits(at + 1, end);
    }
    if (at != NULL && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) {
            at++;
        }
        at = end_of_digits(at, end);
    }
    return at;
}

const char *json_end_of_literal(const char *at, const char *end)
{
    static const struct slice literals[] = {SLICE_LITERAL("true"), SLICE_LITERAL("false"), SLICE_LITERAL("null")};
    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        size_t size = literals[i].size;
        if ((size_t)(end - at) >= size && memcmp(at, literals[i].data, size) == 0) {
            return at + size;
        }
    }
    return NULL;
}

struct slice json_skip_space(struct slice text)
{
    while (text.size > 0 &&
           (text.data[0] == ' ' || text.data[0] == '\t' || text.data[0] == '\n' || text.data[0] == '\r')) {
        text.data++;
        text.size--;
    }
    return text;
}

struct slice json_string_inside(struct slice value)
{
    if (value.size < 2 || value.data[0] != '"') {
        return slice_of(NULL, 0);
    }
    return slice_of(value.data + 1, value.size - 2);
}

static uint32_t hex_escape(const char *at)
{
    uint32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        unit = unit << 4 | (uint32_t)hex_digit(at[i]);
    }
    return unit;
}

/* Decodes the escape at `at` and returns its length; a pair of surrogates is one character (RFC 8259 7). */
static size_t decode_escape(const char *at, const char *end, uint32_t *character)
{
    if (at[1] != 'u') {
        static const char names[] = "\"\\/bfnrt";
        static const char values[] = "\"\\/\b\f\n\r\t";
        *character = (unsigned char)values[strchr(names, at[1]) - names];
        return 2;
    }
    *character = hex_escape(at);
    if (*character >= 0xd800 && *character < 0xdc00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u') {
        uint32_t low = hex_escape(at + 6);
        if (low >= 0xdc00 && low < 0xe000) {
            *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
            return 12;
        }
    }
    return 6;
}

static size_t encode_utf8(uint32_t character, char out[4])
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(marks[size] | character);
    return size;
}

bool json_string_decode(struct slice inside, struct buffer *text)
{
    const char *at = inside.data;
    const char *end = at + inside.size;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        const char *plain_end = escape != NULL ? escape : end;
        if (!buffer_append(text, slice_of(at, (size_t)(plain_end - at)))) {
            return false;
        }
        at = plain_end;
        if (escape != NULL) {
            uint32_t character;
            char bytes[4];
            at += decode_escape(at, end, &character);
            if (!buffer_append(text, slice_of(bytes, encode_utf8(character, bytes)))) {
                return false;
            }
        }
    }
    return true;
}

bool json_string_means(struct slice inside, const char *text)
{
    if (inside.size == 0 || memchr(inside.data, '\\', inside.size) == NULL) {
        return slice_is(inside, text);
    }
    size_t size = strlen(text);
    const char *at = inside.data;
    const char *end = at + inside.size;
    size_t matched = 0;
    while (at < end) {
        char bytes[4] = {*at};
        size_t count = 1;
        if (*at == '\\') {
            uint32_t character;
            at += decode_escape(at, end, &character);
            count = encode_utf8(character, bytes);
        } else {
            at++;
        }
        if (size - matched < count || memcmp(text + matched, bytes, count) != 0) {
            return false;
        }
        matched += count;
    }
    return matched == size;
}

bool json_parse_id(struct slice value, uint64_t *number)
{
    if (value.size == 0 || value.size > 19 || (value.data[0] == '0' && value.size > 1)) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
        *number = *number * 10 + (uint64_t)(value.data[i] - '0');
    }
    return true;
}
