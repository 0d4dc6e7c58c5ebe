#include "bridge/transport/accept.h"

/* Whether a media range with the weight 0 refuses what it names. Only 0, 0.0 and the like do. */
static bool is_refused(struct slice parameters)
{
    struct slice parameter;
    while (slice_split(&parameters, ';', &parameter)) {
        parameter = slice_trim(parameter);
        if (parameter.size < 3 || !slice_equals_ignoring_case(slice_of(parameter.data, 2), slice_text("q="))) {
            continue;
        }
        for (size_t i = 2; i < parameter.size; i++) {
            if (parameter.data[i] != '0' && parameter.data[i] != '.') {
                return false;
            }
        }
        return true;
    }
    return false;
}

/* How exactly a media range names a type: 3 by its name, 2 by its first half, 1 with everything else, 0 not at all. */
static int precision(struct slice range, const char *type, const char *wild)
{
    if (slice_equals_ignoring_case(range, slice_text(type))) {
        return 3;
    }
    if (slice_equals_ignoring_case(range, slice_text(wild))) {
        return 2;
    }
    return slice_is(range, "*/*") || slice_is(range, "*") ? 1 : 0;
}

/* Whether the field takes a type: the range that names it most exactly decides (RFC 9110 12.5.1). */
static bool takes(struct slice field, const char *type, const char *wild)
{
    int best = 0;
    bool is_taken = false;
    struct slice element;
    while (slice_split(&field, ',', &element)) {
        struct slice range;
        slice_split(&element, ';', &range);
        int exactness = precision(slice_trim(range), type, wild);
        if (exactness > best || (exactness == best && exactness > 0 && !is_refused(element))) {
            best = exactness;
            is_taken = !is_refused(element);
        }
    }
    return is_taken;
}

struct accept accept_read(const struct exchange *exchange)
{
    struct slice field;
    if (exchange->operations->header(exchange, "accept", &field) == 0 || slice_trim(field).size == 0) {
        return (struct accept){true, true};
    }
    /* Nearly every client writes it like this. */
    if (slice_is(field, "application/json, text/event-stream")) {
        return (struct accept){true, true};
    }
    return (struct accept){
        .json = takes(field, "application/json", "application/*"),
        .stream = takes(field, "text/event-stream", "text/*"),
    };
}

bool accept_has_json_body(const struct exchange *exchange)
{
    struct slice field;
    struct slice type;
    if (exchange->operations->header(exchange, "content-type", &field) != 1) {
        return false;
    }
    slice_split(&field, ';', &type);
    return slice_equals_ignoring_case(slice_trim(type), slice_text("application/json"));
}

/* The field is a list, in the order in which the codings were applied. A second field is a second list. */
bool accept_has_plain_body(const struct exchange *exchange)
{
    struct slice field;
    struct slice coding;
    size_t count = exchange->operations->header(exchange, "content-encoding", &field);
    if (count != 1) {
        return count == 0;
    }
    while (slice_split(&field, ',', &coding)) {
        coding = slice_trim(coding);
        if (coding.size > 0 && !slice_equals_ignoring_case(coding, slice_text("identity"))) {
            return false;
        }
    }
    return true;
}
