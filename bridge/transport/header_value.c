#include "bridge/transport/header_value.h"

#include "bridge/jsonrpc/json.h"

#include <stdint.h>

static const struct slice prefix = SLICE_LITERAL("=?base64?");
static const struct slice suffix = SLICE_LITERAL("?=");

/* RFC 4648 4, or -1. */
static int sextet(char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(alphabet, c) : NULL;
    return found != NULL ? (int)(found - alphabet) : -1;
}

/* Appends the one to three bytes of four characters, the last `padding` of which are '='. */
static bool decode_group(const char *group, size_t padding, struct buffer *text)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? sextet(group[i]) : 0;
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
    }
    const char bytes[] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
    size_t count = 3 - padding;
    /* RFC 4648 3.5: bits that belong to no byte are 0, so a value has one form only. */
    uint32_t spare = padding == 0 ? 0 : bits & ((UINT32_C(1) << (8 * padding)) - 1);
    buffer_add(text, slice_of(bytes, count));
    return spare == 0;
}

static bool decode_base64(struct slice encoded, struct buffer *text)
{
    if (encoded.size % 4 != 0) {
        return false;
    }
    for (size_t at = 0; at < encoded.size; at += 4) {
        const char *group = encoded.data + at;
        bool is_last = at + 4 == encoded.size;
        size_t padding = !is_last || group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
        if (!decode_group(group, padding, text)) {
            return false;
        }
    }
    return true;
}

static bool is_utf8(struct slice bytes)
{
    const char *end = bytes.data + bytes.size;
    for (const char *at = bytes.data; at < end;) {
        size_t size = json_character_size(at, end);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

/* RFC 9110 5.5, as MCP narrows it: visible ASCII, space and tab. */
static bool is_plain(struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < 0x20 && c != '\t') || c > 0x7e) {
            return false;
        }
    }
    return true;
}

static bool is_wrapped(struct slice value)
{
    return value.size >= prefix.size + suffix.size && slice_starts_with(value, prefix.data) &&
           memcmp(value.data + value.size - suffix.size, suffix.data, suffix.size) == 0;
}

bool header_value_decode(struct slice value, struct buffer *text)
{
    if (!is_wrapped(value)) {
        return is_plain(value) && buffer_append(text, value);
    }
    struct buffer decoded;
    buffer_init(&decoded, 0);
    struct slice encoded = slice_of(value.data + prefix.size, value.size - prefix.size - suffix.size);
    bool is_right = decode_base64(encoded, &decoded) && is_utf8(buffer_slice(&decoded)) &&
                    buffer_append(text, buffer_slice(&decoded));
    buffer_release(&decoded);
    return is_right;
}

bool header_value_is_string(struct slice text, struct slice json)
{
    struct slice inside = json_string_inside(json);
    if (!slice_exists(inside)) {
        return false;
    }
    if (memchr(inside.data, '\\', inside.size) == NULL) {
        return slice_equals(text, inside);
    }
    struct buffer meaning;
    /* More than that, and they differ; 0 would be no ceiling. */
    buffer_init(&meaning, text.size + 1);
    bool is_same = json_string_decode(inside, &meaning) && slice_equals(text, buffer_slice(&meaning));
    buffer_release(&meaning);
    return is_same;
}
