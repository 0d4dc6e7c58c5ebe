/*
 * Which web pages may read our answers (WHATWG Fetch 3.2, CORS). Off unless origins are given. Credentials in the
 * browser's sense, such as cookies, are never allowed: a page that has a token sends it itself.
 */
#ifndef BRIDGE_TRANSPORT_CORS_H
#define BRIDGE_TRANSPORT_CORS_H

#include "bridge/port.h"

#include <stdbool.h>

/* The most that cors_headers() writes. */
enum { CORS_HEADERS = 3 };

struct cors {
    const char *const *origins; /* whole origins, or "*" for all; NULL-terminated; NULL or empty: CORS is off */
    const char *const *headers; /* names that a page may send beside those of MCP; NULL-terminated; NULL for none */
};

/* Whether pages of this origin may read answers. The origin "null" is nobody's. */
bool cors_allows(const struct cors *cors, struct slice origin);

/*
 * What every answer to this request has to say, errors and streams included, since a page cannot read one without.
 * Returns how many of `headers` were written.
 */
size_t cors_headers(const struct cors *cors, const struct exchange *exchange, struct header headers[CORS_HEADERS]);

/*
 * Answers what a browser asks before it sends the request of an allowed page, which comes without a token. False,
 * with nothing done, when the exchange is no such question. The headers above are added by whoever writes the answer.
 */
bool cors_answer_preflight(const struct cors *cors, struct exchange *exchange);

#endif
