#include "tests/fuzz/json_oracle.h"

#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <stdlib.h>

/* cJSON copies a number to a block of 64 bytes and does not look behind it. */
enum { CJSON_NUMBER_BYTES = 63 };

size_t json_oracle_character(const unsigned char *at, size_t size)
{
    static const struct {
        unsigned mask, mark, least;
    } forms[] = {{0x80, 0x00, 0x0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t more = 0; more < 4; more++) {
        if ((at[0] & forms[more].mask) != forms[more].mark) {
            continue;
        }
        unsigned character = at[0] & ~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if (i >= size || (at[i] & 0xc0) != 0x80) {
                return 0;
            }
            character = character << 6 | (at[i] & 0x3f);
        }
        bool is_surrogate = character >= 0xd800 && character < 0xe000;
        return character >= forms[more].least && character <= 0x10ffff && !is_surrogate ? more + 1 : 0;
    }
    return 0;
}

/* A table of states: minus, zero, digits, point, fraction, e, sign, exponent. */
size_t json_oracle_number(const char *at, size_t size)
{
    enum { START, MINUS, ZERO, DIGITS, POINT, FRACTION, E, SIGN, EXPONENT, STOP };
    static const unsigned char next[][5] = {
        /*            -      0         1-9       .      eE +    */
        [START] = {MINUS, ZERO, DIGITS, STOP, STOP},
        [MINUS] = {STOP, ZERO, DIGITS, STOP, STOP},
        [ZERO] = {STOP, STOP, STOP, POINT, E},
        [DIGITS] = {STOP, DIGITS, DIGITS, POINT, E},
        [POINT] = {STOP, FRACTION, FRACTION, STOP, STOP},
        [FRACTION] = {STOP, FRACTION, FRACTION, STOP, E},
        [E] = {SIGN, EXPONENT, EXPONENT, STOP, STOP},
        [SIGN] = {STOP, EXPONENT, EXPONENT, STOP, STOP},
        [EXPONENT] = {STOP, EXPONENT, EXPONENT, STOP, STOP},
    };
    unsigned state = START;
    size_t i = 0;
    for (; i < size && state != STOP; i++) {
        static const char classes[] = "-0123456789.eE+";
        const char *found = at[i] != '\0' ? strchr(classes, at[i]) : NULL;
        size_t place = found != NULL ? (size_t)(found - classes) : sizeof(classes);
        size_t column = place == 0 ? 0 : place == 1 ? 1 : place <= 10 ? 2 : place == 11 ? 3 : 4;
        unsigned after = place == sizeof(classes) ? STOP : next[state][column];
        if (place == 14) {
            after = state == E ? SIGN : STOP;
        }
        if (after == STOP) {
            break;
        }
        state = after;
    }
    return state == ZERO || state == DIGITS || state == FRACTION || state == EXPONENT ? i : 0;
}

struct walk {
    struct json_oracle *oracle;
    char *text;
    size_t at;
    size_t end;
};

static void walk_escape(struct walk *walk)
{
    char *escape = walk->text + walk->at;
    size_t left = walk->end - walk->at;
    walk->at += left < 2 ? left : 2;
    if (left < 2 || escape[1] != 'u') {
        return; /* cJSON knows the others */
    }
    for (size_t i = 2; i < 6; i++) {
        if (i >= left || !isxdigit((unsigned char)escape[i])) {
            walk->oracle->is_lenient = true;
            return;
        }
    }
    bool is_surrogate = (escape[2] | 0x20) == 'd' && strchr("89abcdefABCDEF", escape[3]) != NULL;
    if (is_surrogate) {
        walk->oracle->has_surrogate = true;
        memcpy(escape + 2, "0041", 4);
    }
    walk->oracle->has_nul |= memcmp(escape + 2, "0000", 4) == 0;
}

static void walk_string(struct walk *walk)
{
    walk->at++;
    while (walk->at < walk->end && walk->text[walk->at] != '"') {
        const unsigned char *byte = (const unsigned char *)walk->text + walk->at;
        if (*byte == '\\') {
            walk_escape(walk);
            continue;
        }
        size_t size = json_oracle_character(byte, walk->end - walk->at);
        walk->oracle->is_lenient |= size == 0 || *byte < 0x20;
        walk->at += size > 0 ? size : 1;
    }
    walk->at += walk->at < walk->end;
}

static void walk_number(struct walk *walk)
{
    char *number = walk->text + walk->at;
    size_t size = 0;
    while (walk->at < walk->end && walk->text[walk->at] != '\0' && strchr("+-.0123456789eE", walk->text[walk->at])) {
        walk->at++;
        size++;
    }
    if (json_oracle_number(number, size) != size) {
        walk->oracle->is_lenient = true;
    } else if (size > CJSON_NUMBER_BYTES) {
        memset(number, ' ', size);
        number[0] = '1';
    }
}

/* From token to token, as far as the depth is above 0 or nothing was seen yet. */
static void walk_value(struct walk *walk)
{
    size_t depth = 0;
    do {
        char c = walk->text[walk->at];
        if (c == '"') {
            walk_string(walk);
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            walk_number(walk);
        } else {
            walk->oracle->is_lenient |= (unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r';
            depth += c == '{' || c == '[';
            depth -= (c == '}' || c == ']') && depth > 0;
            walk->oracle->depth = depth > walk->oracle->depth ? depth : walk->oracle->depth;
            walk->at++;
        }
    } while (walk->at < walk->end);
}

static bool repeats_key(const cJSON *object)
{
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        for (const cJSON *other = item->next; other != NULL && cJSON_IsObject(object); other = other->next) {
            if (strcmp(item->string, other->string) == 0) {
                return true;
            }
        }
        if (repeats_key(item)) {
            return true;
        }
    }
    return false;
}

/*
 * cJSON goes first over the text as it is made harmless, then the walk over the bytes of the value alone: what stands
 * behind it is nobody's fault.
 */
void json_oracle_read(struct json_oracle *oracle, struct slice bytes)
{
    *oracle = (struct json_oracle){.text = fuzz_copy(bytes)};
    if (bytes.size == 0) {
        return;
    }
    struct walk walk = {.oracle = oracle, .text = oracle->text, .end = bytes.size};
    walk_value(&walk);
    const char *end = NULL;
    oracle->tree = cJSON_ParseWithLengthOpts(oracle->text, bytes.size, &end, false);
    if (oracle->tree == NULL) {
        return;
    }
    oracle->end = (size_t)(end - oracle->text);
    /* A long number by itself was made shorter. */
    while (cJSON_IsNumber(oracle->tree) && oracle->end < bytes.size &&
           oracle->text[oracle->end] != bytes.data[oracle->end]) {
        oracle->end++;
    }
    struct json_oracle value = {.text = fuzz_copy(slice_of(bytes.data, oracle->end))};
    walk = (struct walk){.oracle = &value, .text = value.text, .end = oracle->end};
    walk_value(&walk);
    free(value.text);
    oracle->is_lenient = value.is_lenient || (bytes.size >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0);
    oracle->has_surrogate = value.has_surrogate;
    oracle->has_nul = value.has_nul;
    oracle->depth = value.depth;
    oracle->has_repeated = repeats_key(oracle->tree);
}

void json_oracle_release(struct json_oracle *oracle)
{
    cJSON_Delete(oracle->tree);
    free(oracle->text);
}

bool json_oracle_approves(const struct json_oracle *oracle)
{
    return oracle->tree != NULL && !oracle->is_lenient;
}
