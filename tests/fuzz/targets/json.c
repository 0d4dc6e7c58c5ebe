/*
 * Tokens of JSON: where strings and numbers end, what strings mean, what an id's number is, and that any text can be
 * written as a string. Compared with cJSON, with a table of states, and with strtoull().
 */
#include "bridge/jsonrpc/json.h"

#include "bridge/jsonrpc/reply.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

#include <stdlib.h>

static void require_meaning(struct slice inside, const struct json_oracle *oracle)
{
    struct buffer text;
    buffer_init(&text, 0);
    FUZZ_REQUIRE(json_string_decode(inside, &text));
    FUZZ_REQUIRE(text.size <= inside.size);
    bool has_nul = text.size > 0 && memchr(buffer_slice(&text).data, '\0', text.size) != NULL;
    FUZZ_REQUIRE(has_nul == oracle->has_nul);
    if (!has_nul && !oracle->has_surrogate) {
        FUZZ_REQUIRE(slice_is(buffer_slice(&text), oracle->tree->valuestring));
    }
    buffer_append(&text, slice_of("\0", 2));
    const char *meaning = buffer_slice(&text).data;
    FUZZ_REQUIRE(has_nul || json_string_means(inside, meaning));
    ((char *)(uintptr_t)meaning)[strlen(meaning)] = 'x';
    FUZZ_REQUIRE(has_nul || !json_string_means(inside, meaning));
    buffer_release(&text);
    /* A ceiling is kept to. */
    buffer_init(&text, 4);
    bool fitted = json_string_decode(inside, &text);
    FUZZ_REQUIRE(text.size <= 4 && (fitted || inside.size > 4));
    buffer_release(&text);
}

static void check_string(struct slice bytes)
{
    char *quoted = fuzz_copy((struct slice){bytes.data, bytes.size});
    quoted = realloc(quoted, bytes.size + 2);
    FUZZ_REQUIRE(quoted != NULL);
    memmove(quoted + 1, quoted, bytes.size);
    quoted[0] = '"';
    quoted[bytes.size + 1] = '"';
    struct slice value = slice_of(quoted, bytes.size + 2);
    struct json_oracle oracle;
    bool has_escapes;
    const char *end = json_end_of_string(value.data, value.data + value.size, &has_escapes);
    json_oracle_read(&oracle, value);
    FUZZ_REQUIRE((end != NULL) == json_oracle_approves(&oracle));
    if (end != NULL) {
        FUZZ_REQUIRE((size_t)(end - value.data) == oracle.end);
        struct slice inside = json_string_inside(slice_of(value.data, oracle.end));
        FUZZ_REQUIRE(has_escapes == (memchr(value.data, '\\', oracle.end) != NULL));
        require_meaning(inside, &oracle);
    }
    json_oracle_release(&oracle);
    free(quoted);
}

static void check_number(struct slice bytes)
{
    size_t size = json_oracle_number(bytes.data, bytes.size);
    const char *end = json_end_of_number(bytes.data, bytes.data + bytes.size);
    FUZZ_REQUIRE(end == NULL || end > bytes.data);
    /* Which stops in vain behind "1.", where the table goes back to "1": a text that ends so is no JSON for either. */
    FUZZ_REQUIRE(end == NULL || (size_t)(end - bytes.data) == size);
    bool goes_on = size < bytes.size && strchr(".eE", bytes.data[size]) != NULL && bytes.data[size] != '\0';
    FUZZ_REQUIRE(end != NULL || size == 0 || goes_on);
}

static void check_id(struct slice bytes)
{
    char text[32] = "";
    uint64_t number = 0;
    bool is_id = json_parse_id(bytes, &number);
    if (!is_id) {
        FUZZ_REQUIRE(bytes.size != 1 || bytes.data[0] < '0' || bytes.data[0] > '9');
        return;
    }
    FUZZ_REQUIRE(bytes.size < sizeof(text));
    memcpy(text, bytes.data, bytes.size);
    FUZZ_REQUIRE(strspn(text, "0123456789") == bytes.size && strtoull(text, NULL, 10) == number);
}

static void check_character(struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        FUZZ_REQUIRE(json_character_size(bytes.data + i, bytes.data + bytes.size) ==
                     json_oracle_character((const unsigned char *)bytes.data + i, bytes.size - i));
    }
}

static void check_written_string(struct slice bytes)
{
    const char *nul = bytes.size > 0 ? memchr(bytes.data, '\0', bytes.size) : NULL;
    struct slice text = slice_of(bytes.data, nul != NULL ? (size_t)(nul - bytes.data) : bytes.size);
    struct buffer out;
    struct buffer meaning;
    bool has_escapes;
    buffer_init(&out, 0);
    buffer_init(&meaning, 0);
    reply_add_string(&out, text);
    struct slice value = buffer_slice(&out);
    FUZZ_REQUIRE(json_end_of_string(value.data, value.data + value.size, &has_escapes) == value.data + value.size);
    FUZZ_REQUIRE(json_string_decode(json_string_inside(value), &meaning) && meaning.size == text.size);
    for (size_t i = 0; i < text.size; i++) {
        char byte = buffer_slice(&meaning).data[i];
        FUZZ_REQUIRE(byte == text.data[i] || byte == '?');
    }
    buffer_release(&meaning);
    buffer_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(slice_of((const char *)data, size));
    struct slice bytes = slice_of(copy, size);
    check_string(bytes);
    check_number(bytes);
    check_id(bytes);
    check_character(bytes);
    check_written_string(bytes);
    free(copy);
    return 0;
}
