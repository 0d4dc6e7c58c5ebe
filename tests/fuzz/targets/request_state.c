/*
 * requestState: what was written is read back for the same caller and request, however the request is laid out; a
 * changed byte, another caller, another request, or a text that we did not write is refused.
 *
 * Input: a byte that says where to change the state, and how; then a requestState of the client's own up to a LF; then
 * params.
 */
#include "bridge/era/request_state.h"

#include "bridge/base/memory.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* Not a MAC that stops anybody who wants to forge one, but one that depends on every byte. */
static void authenticate(struct world *world, const struct slice *parts, size_t count, uint8_t mac[32])
{
    (void)world;
    for (size_t lane = 0; lane < 4; lane++) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325) + lane;
        for (size_t i = 0; i < count; i++) {
            for (size_t at = 0; at < parts[i].size; at++) {
                hash = (hash ^ (uint8_t)parts[i].data[at]) * UINT64_C(0x100000001b3);
            }
        }
        hash ^= hash >> 29;
        memcpy(mac + 8 * lane, &hash, sizeof(hash));
    }
}

static struct world world = {.authenticate = authenticate};

/* A request with these params, with spaces between its tokens or without. False when they are not right. */
static bool make_request(struct buffer *text, struct slice params, bool has_spaces, struct message *message)
{
    bool is_in_string = false;
    buffer_add_text(text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":");
    for (size_t i = 0; i < params.size; i++) {
        char c = params.data[i];
        buffer_add(text, slice_of(&c, 1));
        if (is_in_string && c == '\\' && i + 1 < params.size) {
            buffer_add(text, slice_of(&params.data[++i], 1));
        } else if (c == '"') {
            is_in_string = !is_in_string;
        } else if (has_spaces && !is_in_string && c != '\0' && strchr("{}[],:", c) != NULL) {
            buffer_add_text(text, " \n");
        }
    }
    buffer_add_text(text, "}");
    return message_scan_whole(message, buffer_slice(text)) == MESSAGE_FAULT_NONE;
}

static bool reads(struct slice json, const struct message *request, const char *principal)
{
    struct request_state state = {.round = 4711};
    const struct request_binding binding = {.principal = slice_text(principal), .request = request};
    bool is_read = request_state_read(&world, json, &binding, &state);
    FUZZ_REQUIRE(is_read || state.round == 4711);
    FUZZ_REQUIRE(!is_read || (state.round == 0x01020304 && memcmp(state.handle, "0123456789abcde", 16) == 0));
    return is_read;
}

static void check_request(struct slice params, struct slice foreign, uint8_t change)
{
    static const struct request_state state = {.handle = "0123456789abcde", .round = 0x01020304};
    struct buffer texts[3];
    struct message requests[3];
    struct buffer json;
    for (size_t i = 0; i < 3; i++) {
        buffer_init(&texts[i], 0);
    }
    buffer_init(&json, 0);
    if (make_request(&texts[0], params, false, &requests[0])) {
        const struct request_binding binding = {.principal = slice_text("alice"), .request = &requests[0]};
        request_state_write(&world, &state, &binding, &json);
        char *bytes = fuzz_copy(buffer_slice(&json));
        struct slice written = slice_of(bytes, json.size);
        FUZZ_REQUIRE(reads(written, &requests[0], "alice") && !reads(written, &requests[0], "bob"));
        FUZZ_REQUIRE(make_request(&texts[1], params, true, &requests[1]) && reads(written, &requests[1], "alice"));
        /* A request that was not bound, unless the input is one of its many spellings. */
        FUZZ_REQUIRE(make_request(&texts[2], slice_text("[4711]"), false, &requests[2]));
        bool is_other = memmem(params.data, params.size, "4711", 4) == NULL;
        FUZZ_REQUIRE(!is_other || !reads(written, &requests[2], "alice"));
        FUZZ_REQUIRE(slice_equals(foreign, written) || !reads(foreign, &requests[0], "alice"));
        bytes[change % written.size] ^= (char)(1 + change % 127);
        FUZZ_REQUIRE(!reads(written, &requests[0], "alice"));
        free(bytes);
    }
    for (size_t i = 0; i < 3; i++) {
        buffer_release(&texts[i]);
    }
    buffer_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    uint8_t change = fuzz_take_byte(&rest);
    struct slice foreign = {"", 0};
    slice_split(&rest, '\n', &foreign);
    char *params = fuzz_copy(rest);
    check_request(slice_of(params, rest.size), foreign, change);
    free(params);
    return 0;
}
