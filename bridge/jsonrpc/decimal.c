#include "bridge/jsonrpc/decimal.h"

#include "bridge/jsonrpc/json.h"

#include <stddef.h>

/* A number is 0.DIGITS times ten to the power of its exponent, with neither a first nor a last digit 0. */
struct decimal {
    const char *digits; /* with the point, perhaps, among them */
    const char *end;
    size_t count; /* of digits without the point; 0 is the number 0 */
    long exponent;
    bool is_negative;
};

/* Beyond that, numbers are the same only when they are written the same. */
enum { DECIMAL_MAX_EXPONENT = 1000000 };

static bool is_number(struct slice text)
{
    const char *end = text.data + text.size;
    return text.size > 0 && json_end_of_number(text.data, end) == end;
}

/* What stands behind the `e`. False when it is too great. */
static bool read_exponent(const char *at, const char *end, long *exponent)
{
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    for (*exponent = 0; at < end; at++) {
        *exponent = *exponent * 10 + (*at - '0');
        if (*exponent > DECIMAL_MAX_EXPONENT) {
            return false;
        }
    }
    *exponent = is_negative ? -*exponent : *exponent;
    return true;
}

static bool is_padding(char c)
{
    return c == '0' || c == '.';
}

/* Takes the zeros away at both ends; the exponent counts those in front, and where the point is. */
static void normalize(struct decimal *decimal)
{
    const char *point = memchr(decimal->digits, '.', (size_t)(decimal->end - decimal->digits));
    const char *units = point != NULL ? point : decimal->end;
    while (decimal->digits < decimal->end && is_padding(*decimal->digits)) {
        decimal->digits++;
    }
    while (decimal->end > decimal->digits && is_padding(decimal->end[-1])) {
        decimal->end--;
    }
    decimal->exponent += units - decimal->digits;
    if (point != NULL && point < decimal->digits) {
        decimal->exponent++; /* the point itself is no digit */
    }
    bool has_point = point != NULL && point >= decimal->digits && point < decimal->end;
    decimal->count = (size_t)(decimal->end - decimal->digits) - has_point;
}

static bool read_decimal(struct slice text, struct decimal *decimal)
{
    const char *end = text.data + text.size;
    decimal->is_negative = text.data[0] == '-';
    decimal->digits = text.data + decimal->is_negative;
    decimal->end = decimal->digits;
    while (decimal->end < end && *decimal->end != 'e' && *decimal->end != 'E') {
        decimal->end++;
    }
    const char *exponent = decimal->end < end ? decimal->end + 1 : end;
    if (!read_exponent(exponent, end, &decimal->exponent)) {
        return false;
    }
    normalize(decimal);
    return true;
}

static char next_digit(const char **at)
{
    if (**at == '.') {
        (*at)++;
    }
    return *(*at)++;
}

static bool has_same_digits(const struct decimal *a, const struct decimal *b)
{
    const char *in_a = a->digits;
    const char *in_b = b->digits;
    for (size_t i = 0; i < a->count; i++) {
        if (next_digit(&in_a) != next_digit(&in_b)) {
            return false;
        }
    }
    return true;
}

bool decimal_equals(struct slice a, struct slice b)
{
    struct decimal x;
    struct decimal y;
    if (!is_number(a) || !is_number(b)) {
        return false;
    }
    if (slice_equals(a, b)) {
        return true;
    }
    if (!read_decimal(a, &x) || !read_decimal(b, &y) || x.count != y.count) {
        return false;
    }
    return x.count == 0 || (x.exponent == y.exponent && x.is_negative == y.is_negative && has_same_digits(&x, &y));
}
