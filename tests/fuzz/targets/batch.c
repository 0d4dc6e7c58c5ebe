/*
 * A body that is an array: what is taken has as many messages as cJSON counts elements, each is a message by itself,
 * they come in order, and between them stand only commas and white space.
 */
#include "bridge/jsonrpc/batch.h"
#include "bridge/jsonrpc/json.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

#include <stdlib.h>

static bool is_between(const char *from, const char *to)
{
    for (; from < to; from++) {
        if (*from == '\0' || strchr("[, \t\r\n", *from) == NULL) {
            return false;
        }
    }
    return true;
}

static void require_messages(struct slice body, size_t count)
{
    struct slice rest = body;
    struct message message;
    const char *at = body.data;
    size_t seen = 0;
    while (batch_next(&rest, &message)) {
        struct message alone;
        FUZZ_REQUIRE(is_between(at, message.bytes.data));
        at = message.bytes.data + message.bytes.size;
        FUZZ_REQUIRE(message_scan_whole(&alone, message.bytes) == MESSAGE_FAULT_NONE);
        FUZZ_REQUIRE(alone.kind == message.kind && slice_equals(alone.bytes, message.bytes));
        seen++;
    }
    FUZZ_REQUIRE(seen == count);
}

/* With nothing but white space behind it. */
static bool is_whole(struct slice body, const struct json_oracle *oracle)
{
    struct slice rest = slice_of(body.data + oracle->end, body.size - oracle->end);
    return json_oracle_approves(oracle) && json_skip_space(rest).size == 0;
}

static bool has_other_than_objects(const cJSON *array)
{
    const cJSON *element;
    cJSON_ArrayForEach(element, array)
    {
        if (!cJSON_IsObject(element)) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(slice_of((const char *)data, size));
    struct slice body = slice_of(copy, size);
    struct json_oracle oracle;
    size_t count;
    json_oracle_read(&oracle, body);
    bool is_valid = is_whole(body, &oracle);
    enum message_fault fault = batch_check(body, &count);
    FUZZ_REQUIRE(batch_is_array(body) || fault == MESSAGE_FAULT_OBJECT);
    if (fault == MESSAGE_FAULT_NONE) {
        FUZZ_REQUIRE(is_valid && cJSON_IsArray(oracle.tree) && count > 0 && count <= LIMIT_BATCH_MESSAGES);
        FUZZ_REQUIRE((size_t)cJSON_GetArraySize(oracle.tree) == count && oracle.depth <= LIMIT_JSON_DEPTH + 1);
        require_messages(body, count);
    } else if (fault == MESSAGE_FAULT_SYNTAX) {
        FUZZ_REQUIRE(!is_valid);
    } else if (fault == MESSAGE_FAULT_BATCH) {
        int elements = is_valid ? cJSON_GetArraySize(oracle.tree) : 0;
        FUZZ_REQUIRE(is_valid && (elements == 0 || elements > LIMIT_BATCH_MESSAGES));
    } else if (fault == MESSAGE_FAULT_OBJECT) {
        FUZZ_REQUIRE(!is_valid || !cJSON_IsArray(oracle.tree) || has_other_than_objects(oracle.tree));
    }
    json_oracle_release(&oracle);
    free(copy);
    return 0;
}
