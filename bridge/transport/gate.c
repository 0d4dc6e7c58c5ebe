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

static bool is_loopback(struct slice host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_equals_ignoring_case(host, slice_text(names[i]))) {
            return true;
        }
    }
    return false;
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
    return is_listed(gate->allowed_origins, origin);
}

static bool turn_away(struct exchange *exchange, enum refusal refusal, struct slice value)
{
    char detail[128];
    snprintf(detail, sizeof(detail), "%.*s", value.size < sizeof(detail) ? (int)value.size : (int)sizeof(detail) - 1,
             slice_exists(value) ? value.data : "");
    refuse(exchange, refusal, slice_of(NULL, 0), detail);
    return false;
}

bool gate_admit(const struct gate *gate, struct exchange *exchange)
{
    struct slice host;
    struct slice origin;
    size_t hosts = exchange->operations->header(exchange, "host", &host);
    size_t origins = exchange->operations->header(exchange, "origin", &origin);
    if (gate->checks_host && (hosts > 1 || (hosts == 1 && !is_host_allowed(gate, host)))) {
        return turn_away(exchange, REFUSAL_HOST, host);
    }
    if (origins > 1 || (origins == 1 && !is_origin_allowed(gate, origin))) {
        return turn_away(exchange, REFUSAL_ORIGIN, origin);
    }
    return true;
}
