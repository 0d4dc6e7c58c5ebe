/*
 * Host and Origin: whom two regular expressions and the lists let in is let in; everybody else gets one 403 with a body
 * that is JSON.
 *
 * Input: bit 0: Host is there, bit 1: Origin is there, bit 2: Host twice, bit 3: Origin twice, bit 4: no loopback bind.
 * Then Host up to a LF, then Origin.
 */
#include "bridge/transport/gate.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_exchange.h"

#include <regex.h>
#include <stdlib.h>
#include <strings.h>

static const char *const hosts[] = {"bridge.example", "10.0.0.1", "[2001:db8::1]", NULL};
static const char *const origins[] = {"https://app.example", "http://app.example:8080", NULL};

#define OCTET "([0-9]{1,2}|[01][0-9]{2}|2[0-4][0-9]|25[0-5])"
#define LOOPBACK_ADDRESS "127\\." OCTET "\\." OCTET "\\." OCTET "|\\[::1\\]"
#define LOOPBACK "(localhost|" LOOPBACK_ADDRESS ")"
#define LISTED "(bridge\\.example|10\\.0\\.0\\.1|\\[2001:db8::1\\])"

static bool matches(const char *pattern, int flags, struct slice text)
{
    static struct {
        const char *pattern;
        regex_t compiled;
    } known[4];
    size_t i = 0;
    while (known[i].pattern != NULL && known[i].pattern != pattern) {
        FUZZ_REQUIRE(++i < sizeof(known) / sizeof(known[0]));
    }
    if (known[i].pattern == NULL) {
        known[i].pattern = pattern;
        FUZZ_REQUIRE(regcomp(&known[i].compiled, pattern, REG_EXTENDED | REG_NOSUB | flags) == 0);
    }
    char *copy = malloc(text.size + 1);
    FUZZ_REQUIRE(copy != NULL);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    bool is_match = strlen(copy) == text.size && regexec(&known[i].compiled, copy, 0, NULL, 0) == 0;
    free(copy);
    return is_match;
}

static bool is_host_right(struct slice host)
{
    static const char pattern[] = "^(" LOOPBACK "|" LISTED ")(:[0-9]*)?$";
    return matches(pattern, REG_ICASE, host);
}

static bool is_origin_right(struct slice origin)
{
    static const char loopback[] = "^https?://([Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|" LOOPBACK_ADDRESS ")(:[0-9]*)?$";
    static const char listed[] = "^(https://app\\.example|http://app\\.example:8080)$";
    return matches(loopback, 0, origin) || matches(listed, REG_ICASE, origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    uint8_t wishes = fuzz_take_byte(&rest);
    struct slice part = {"", 0};
    slice_split(&rest, '\n', &part);
    char *host_copy = fuzz_copy(part);
    char *origin_copy = fuzz_copy(rest);
    struct slice host = slice_of(host_copy, part.size);
    struct slice origin = slice_of(origin_copy, rest.size);
    struct gate gate = {
        .checks_host = (wishes & 16) == 0,
        .allowed_hosts = hosts,
        .allowed_origins = origins,
    };
    struct fuzz_exchange exchange;
    fuzz_exchange_init(&exchange, EXCHANGE_POST);
    size_t host_count = (wishes & 1) != 0 ? 1 + ((wishes & 4) != 0) : 0;
    size_t origin_count = (wishes & 2) != 0 ? 1 + ((wishes & 8) != 0) : 0;
    for (size_t i = 0; i < host_count; i++) {
        fuzz_exchange_add(&exchange, "host", host);
    }
    for (size_t i = 0; i < origin_count; i++) {
        fuzz_exchange_add(&exchange, "origin", origin);
    }
    bool is_right = !gate.checks_host || host_count == 0 || (host_count == 1 && is_host_right(host));
    is_right = is_right && (origin_count == 0 || (origin_count == 1 && is_origin_right(origin)));
    struct slice principal = {"nobody", 6};
    FUZZ_REQUIRE(gate_recognizes(&gate, &exchange.exchange) == is_right);
    FUZZ_REQUIRE(gate_admit(&gate, &exchange.exchange, &principal) == is_right);
    FUZZ_REQUIRE(!is_right || principal.size == 0);
    FUZZ_REQUIRE(exchange.answers == !is_right && (is_right || exchange.status == 403));
    free(host_copy);
    free(origin_copy);
    return 0;
}
