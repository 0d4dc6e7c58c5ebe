/*
 * JSON texts from a seed: valid, and as unlike what a printer would write as the grammar allows (RFC 8259).
 */
#ifndef TESTS_UNIT_BRIDGE_JSONRPC_RANDOM_JSON_H
#define TESTS_UNIT_BRIDGE_JSONRPC_RANDOM_JSON_H

#include "bridge/base/buffer.h"

#include <stdint.h>

/* White space of JSON, often none. With `breaks` it may hold CR and LF. */
void random_json_space(struct buffer *out, uint64_t *seed, bool breaks);

/* With its quotes: escapes, surrogates (lone ones too), control characters as escapes, UTF-8 of every length. */
void random_json_string(struct buffer *out, uint64_t *seed);

/* -0, 1E400, 0.1000, 9007199254740993 and the like. */
void random_json_number(struct buffer *out, uint64_t *seed);

/* Any value, nested no deeper than `depth`. */
void random_json_value(struct buffer *out, uint64_t *seed, unsigned depth);

#endif
