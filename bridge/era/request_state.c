/*
 *     version (1)  handle (16)  round (4)  MAC (32), in base64url without padding (RFC 4648 5)
 *
 * Numbers stand with the highest byte first. The MAC covers a label, the fields before it, and the binding; the sizes
 * of what varies stand in front, so that no two inputs read the same.
 */
#include "bridge/era/request_state.h"

#include "bridge/era/params_digest.h"

enum {
    VERSION = 1,
    ROUND_AT = 1 + REQUEST_STATE_HANDLE_BYTES,
    MAC_AT = ROUND_AT + 4,
    MAC_BYTES = 32,
    TOKEN_BYTES = MAC_AT + MAC_BYTES,
    TEXT_BYTES = (TOKEN_BYTES * 8 + 5) / 6,
};

_Static_assert(TOKEN_BYTES % 3 != 0, "encode() writes a last digit that is not full");

static void put_number(uint8_t *bytes, size_t size, uint64_t number)
{
    for (size_t i = size; i > 0; i--) {
        bytes[i - 1] = (uint8_t)number;
        number >>= 8;
    }
}

static void authenticate(struct world *world, const uint8_t token[TOKEN_BYTES], const struct request_binding *binding,
                         uint8_t mac[MAC_BYTES])
{
    uint8_t sizes[2][8];
    uint8_t digest[32];
    put_number(sizes[0], sizeof(sizes[0]), binding->principal.size);
    put_number(sizes[1], sizeof(sizes[1]), binding->request->method.size);
    params_digest(world, binding->request->params, digest);
    const struct slice parts[] = {
        SLICE_LITERAL("mcp-bridge requestState"),
        slice_of((const char *)token, MAC_AT),
        slice_of((const char *)sizes, sizeof(sizes)),
        binding->principal,
        binding->request->method,
        slice_of((const char *)digest, sizeof(digest)),
    };
    world->authenticate(world, parts, sizeof(parts) / sizeof(parts[0]), mac);
}

/* Takes the same time wherever they differ. */
static bool are_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference = difference | (uint8_t)(a[i] ^ b[i]);
    }
    return difference == 0;
}

/* ---- base64url ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const uint8_t token[TOKEN_BYTES], char text[TEXT_BYTES])
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < TOKEN_BYTES; i++) {
        bits = bits << 8 | token[i];
        for (count += 8; count >= 6; count -= 6) {
            *text++ = digits[bits >> (count - 6) & 63];
        }
    }
    *text = digits[bits << (6 - count) & 63];
}

/* False for what encode() does not write: each token has one text. */
static bool decode(const char text[TEXT_BYTES], uint8_t token[TOKEN_BYTES])
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        const char *digit = memchr(digits, text[i], sizeof(digits) - 1);
        if (digit == NULL) {
            return false;
        }
        bits = bits << 6 | (uint32_t)(digit - digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *token++ = (uint8_t)(bits >> count);
        }
    }
    return (bits & ((1u << count) - 1)) == 0;
}

/* ---- The state ---- */

void request_state_write(struct world *world, const struct request_state *state, const struct request_binding *binding,
                         struct buffer *out)
{
    uint8_t token[TOKEN_BYTES] = {VERSION};
    char text[TEXT_BYTES];
    memcpy(token + 1, state->handle, sizeof(state->handle));
    put_number(token + ROUND_AT, MAC_AT - ROUND_AT, state->round);
    authenticate(world, token, binding, token + MAC_AT);
    encode(token, text);
    buffer_add_text(out, "\"");
    buffer_add(out, slice_of(text, sizeof(text)));
    buffer_add_text(out, "\"");
}

bool request_state_read(struct world *world, struct slice json, const struct request_binding *binding,
                        struct request_state *state)
{
    uint8_t token[TOKEN_BYTES];
    uint8_t mac[MAC_BYTES];
    bool is_string = json.size == TEXT_BYTES + 2 && json.data[0] == '"' && json.data[json.size - 1] == '"';
    if (!is_string || !decode(json.data + 1, token) || token[0] != VERSION) {
        return false;
    }
    authenticate(world, token, binding, mac);
    if (!are_equal(mac, token + MAC_AT, sizeof(mac))) {
        return false;
    }
    memcpy(state->handle, token + 1, sizeof(state->handle));
    state->round = 0;
    for (size_t i = ROUND_AT; i < MAC_AT; i++) {
        state->round = state->round << 8 | token[i];
    }
    return true;
}
