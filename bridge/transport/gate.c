#include "bridge/transport/gate.h"

#include "bridge/transport/refusal.h"

#include <stdio.h>

/* The host of "host", "host:port" or "[v6]:port"; absent when a colon is not followed by a port. */
static struct slice host_of(struct slice authority)
{
    size_t end = 0;
    if (authority.size > 0 && authority.data[0] == '[') {
        const char *bracket = memchr(authority.data, ']', authority.size);
        end = bracket != NULL ? (size_t)(bracket - authority.data) + 1 : 0;
    } else {
        while (end < authority.size && authority.data[end] != ':') {
            end++;
        }
    }
    if (end < authority.size && authority.data[end] != ':') {
        return slice_of(NULL, 0);
    }
    for (size_t i = end + 1; i < authority.size; i++) {
        if (authority.data[i] < '0' || authority.data[i] > '9') {
            return slice_of(NULL, 0);
        }
    }
    return slice_of(authority.data, end);
}

/* Whether it is 127.x.y.z, in decimal numbers as browsers write them. */
static bool is_loopback_v4(struct slice host)
{
    struct slice number;
    size_t numbers = 0;
    bool is_first = true;
    while (slice_split(&host, '.', &number)) {
        unsigned value = 0;
        for (size_t i = 0; i < number.size && i < 4; i++) {
            bool is_digit = number.data[i] >= '0' && number.data[i] <= '9';
            value = is_digit ? value * 10 + (unsigned)(number.data[i] - '0') : 256;
        }
        if (number.size == 0 || number.size > 3 || value > 255 || (is_first && value != 127)) {
            return false;
        }
        is_first = false;
        numbers++;
    }
    return numbers == 4;
}

static bool is_loopback(struct slice host)
{
    return slice_equals_ignoring_case(host, slice_text("localhost")) || slice_is(host, "[::1]") || is_loopback_v4(host);
}

static bool is_listed(const char *const *list, struct slice value)
{
    for (; list != NULL && *list != NULL; list++) {
        if (slice_equals_ignoring_case(value, slice_text(*list))) {
            return true;
        }
    }
    return false;
}

static bool is_host_allowed(const struct gate *gate, struct slice authority)
{
    struct slice host = host_of(authority);
    return is_loopback(host) || (host.size > 0 && is_listed(gate->allowed_hosts, host));
}

/* An origin is "scheme://authority" (RFC 6454 6.2); the origin "null" is nobody's. */
static bool is_origin_allowed(const struct gate *gate, struct slice origin)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (slice_starts_with(origin, schemes[i])) {
            size_t size = strlen(schemes[i]);
            if (is_loopback(host_of(slice_of(origin.data + size, origin.size - size)))) {
                return true;
            }
        }
    }
    return is_listed(gate->allowed_origins, origin) || cors_allows(gate->cors, origin);
}

static bool turn_away(struct exchange *exchange, enum refusal refusal, struct slice value)
{
    char detail[128];
    snprintf(detail, sizeof(detail), "%.*s", value.size < sizeof(detail) ? (int)value.size : (int)sizeof(detail) - 1,
             slice_exists(value) ? value.data : "");
    refuse(exchange, refusal, slice_of(NULL, 0), detail);
    return false;
}

/* Whether Host is right; *host is the first, for the answer. */
static bool check_host(const struct gate *gate, const struct exchange *exchange, struct slice *host)
{
    size_t count = exchange->operations->header(exchange, "host", host);
    return !gate->checks_host || count == 0 || (count == 1 && is_host_allowed(gate, *host));
}

static bool check_origin(const struct gate *gate, const struct exchange *exchange, struct slice *origin)
{
    size_t count = exchange->operations->header(exchange, "origin", origin);
    return count == 0 || (count == 1 && is_origin_allowed(gate, *origin));
}

bool gate_admit_anyone(const struct gate *gate, struct exchange *exchange)
{
    struct slice value;
    if (!check_host(gate, exchange, &value)) {
        return turn_away(exchange, REFUSAL_HOST, value);
    }
    if (!check_origin(gate, exchange, &value)) {
        return turn_away(exchange, REFUSAL_ORIGIN, value);
    }
    return !cors_answer_preflight(gate->cors, exchange);
}

/* RFC 6750 2.1: "Bearer TOKEN", the scheme in any case. Absent when the request has none, or several. */
static struct slice token_of(const struct exchange *exchange)
{
    struct slice value;
    struct slice scheme;
    size_t count = exchange->operations->header(exchange, "authorization", &value);
    if (count != 1 || !slice_split(&value, ' ', &scheme) || !slice_exists(value) ||
        !slice_equals_ignoring_case(scheme, slice_text("Bearer"))) {
        return slice_of(NULL, 0);
    }
    return slice_trim(value);
}

static bool is_known(const struct gate *gate, const struct exchange *exchange, struct slice *principal)
{
    struct slice token = token_of(exchange);
    *principal = slice_of("", 0);
    return gate->tokens == NULL || (slice_exists(token) && gate->tokens->find(gate->tokens, token, principal));
}

bool gate_knows(const struct gate *gate, struct slice principal)
{
    return gate->tokens == NULL || gate->tokens->has(gate->tokens, principal);
}

bool gate_recognizes(const struct gate *gate, const struct exchange *exchange)
{
    struct slice value;
    return check_host(gate, exchange, &value) && check_origin(gate, exchange, &value) &&
           is_known(gate, exchange, &value);
}

bool gate_admit(const struct gate *gate, struct exchange *exchange, struct slice *principal)
{
    if (!gate_admit_anyone(gate, exchange)) {
        return false;
    }
    if (!is_known(gate, exchange, principal)) {
        struct buffer challenge;
        buffer_init(&challenge, 0);
        protected_resource_add_challenge(gate->resource, exchange, &challenge);
        refuse_stranger(exchange, buffer_slice(&challenge));
        buffer_release(&challenge);
        return false;
    }
    return true;
}
