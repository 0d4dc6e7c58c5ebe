/*
 * A valid object's members and an array's elements, walked as spans: as many as cJSON has, in its order, with its keys
 * and values.
 */
#include "bridge/jsonrpc/members.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/message.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

#include <stdlib.h>

static void require_string(struct slice inside, const char *text)
{
    struct buffer meaning;
    buffer_init(&meaning, 0);
    FUZZ_REQUIRE(json_string_decode(inside, &meaning) && slice_is(buffer_slice(&meaning), text));
    FUZZ_REQUIRE(json_string_means(inside, text));
    buffer_release(&meaning);
}

static void require_scalar(struct slice value, const cJSON *item)
{
    if (cJSON_IsString(item)) {
        FUZZ_REQUIRE(slice_exists(json_string_inside(value)));
        require_string(json_string_inside(value), item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        FUZZ_REQUIRE(json_oracle_number(value.data, value.size) == value.size);
    } else {
        FUZZ_REQUIRE(slice_is(value, cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null"));
    }
}

static void require_same(struct slice value, const cJSON *item)
{
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item)) {
        require_scalar(value, item);
        return;
    }
    FUZZ_REQUIRE(value.size >= 2 && value.data[value.size - 1] == (cJSON_IsObject(item) ? '}' : ']'));
    struct slice rest = value;
    for (const cJSON *child = item->child; child != NULL; child = child->next) {
        struct member member;
        if (cJSON_IsObject(item)) {
            FUZZ_REQUIRE(members_next(&rest, &member));
            require_string(member.key, child->string);
            FUZZ_REQUIRE(slice_exists(members_find(value, child->string)));
        } else {
            FUZZ_REQUIRE(elements_next(&rest, &member.value));
        }
        require_same(member.value, child);
    }
    struct member none;
    FUZZ_REQUIRE(cJSON_IsObject(item) ? !members_next(&rest, &none) : !elements_next(&rest, &none.value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(slice_of((const char *)data, size));
    struct slice bytes = slice_of(copy, size);
    struct message message;
    struct slice rest;
    enum message_fault fault = message_scan(&message, bytes, &rest);
    if (slice_exists(message.bytes) && message.bytes.size > 0 && message.bytes.data[0] == '{' &&
        fault != MESSAGE_FAULT_OBJECT) {
        struct json_oracle oracle;
        char *alone = fuzz_copy(message.bytes);
        json_oracle_read(&oracle, message.bytes);
        FUZZ_REQUIRE(json_oracle_approves(&oracle));
        if (!oracle.has_nul && !oracle.has_surrogate) {
            require_same(slice_of(alone, message.bytes.size), oracle.tree);
        }
        json_oracle_release(&oracle);
        free(alone);
    }
    free(copy);
    return 0;
}
