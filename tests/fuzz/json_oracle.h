/*
 * A second opinion on JSON texts: cJSON's, with what cJSON is known to see otherwise taken out.
 *
 * cJSON 1.7 takes what RFC 8259 forbids: a byte order mark, any control character as white space or inside a string,
 * bytes that are not UTF-8, "\u" with other things than hexadecimal digits behind it, and numbers such as 01, 1. or
 * -.5. The oracle finds these by itself. And cJSON refuses what RFC 8259 and we let pass: an escaped surrogate alone,
 * and a number of more than 63 characters. The oracle writes something harmless of the same length in their place
 * before it asks cJSON, so that every position stays what it is.
 */
#ifndef TESTS_FUZZ_JSON_ORACLE_H
#define TESTS_FUZZ_JSON_ORACLE_H

#include "bridge/base/slice.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct json_oracle {
    cJSON *tree;        /* of the first value, which may have something behind it; NULL when cJSON takes none */
    size_t end;         /* where that value ends */
    bool is_lenient;    /* cJSON may have taken what RFC 8259 forbids, up to `end` */
    bool has_surrogate; /* a surrogate was escaped that may be alone: what the strings mean is not compared */
    bool has_nul;       /* NUL was escaped: cJSON's strings end there */
    bool has_repeated;  /* an object has a key twice */
    size_t depth;       /* of the deepest container */
    char *text;         /* what cJSON was given */
};

void json_oracle_read(struct json_oracle *oracle, struct slice bytes);
void json_oracle_release(struct json_oracle *oracle);

/* Whether the bytes up to `end` are one JSON value, by RFC 8259. */
bool json_oracle_approves(const struct json_oracle *oracle);

/* Reads one character of UTF-8, by arithmetic. Returns its size, 0 when it is not well-formed. */
size_t json_oracle_character(const unsigned char *at, size_t size);

/* The longest number (RFC 8259 6) at the front; 0 when none is. */
size_t json_oracle_number(const char *at, size_t size);

#endif
