/*
 * JSON texts as bytes (RFC 8259): what a string's or a number's bytes mean, without turning them into anything else.
 */
#ifndef BRIDGE_JSONRPC_JSON_H
#define BRIDGE_JSONRPC_JSON_H

#include "bridge/base/buffer.h"
#include "bridge/base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Each json_end_of_*() is given the first byte of a token and returns the first byte behind it, or NULL when the
 * bytes are not such a token. Strings must be UTF-8 (RFC 3629); an escaped lone surrogate is let through, as
 * common encoders write it.
 */
const char *json_end_of_string(const char *at, const char *end, bool *has_escapes);
const char *json_end_of_number(const char *at, const char *end);
const char *json_end_of_literal(const char *at, const char *end);

/* `text` without the white space at its front. */
struct slice json_skip_space(struct slice text);

/* The length of the character at `at`: 1 for ASCII, 2 to 4 for a well-formed UTF-8 sequence, 0 for anything else. */
size_t json_character_size(const char *at, const char *end);

/* What stands between a string's quotes; absent when `value` is not a string. */
struct slice json_string_inside(struct slice value);

/* Whether the inside of a valid string means `text`, escapes considered: "tools\/call" means tools/call. */
bool json_string_means(struct slice inside, const char *text);

/* Appends the meaning of the inside of a valid string, as UTF-8. False when the buffer's ceiling is met. */
bool json_string_decode(struct slice inside, struct buffer *text);

/*
 * A non-negative integer of at most 19 digits, written without sign, fraction, exponent or leading zero: our own ids.
 */
bool json_parse_id(struct slice value, uint64_t *number);

#endif
