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

static bool is_type(struct slice range, const char *type, const char *wild)
{
    return slice_equals_ignoring_case(range, slice_text(type)) || slice_equals_ignoring_case(range, slice_text(wild)) ||
           slice_is(range, "*/*") || slice_is(range, "*");
}

struct accept accept_read(const struct exchange *exchange)
{
    struct accept accept = {false, false};
    struct slice field;
    if (exchange->operations->header(exchange, "accept", &field) == 0 || slice_trim(field).size == 0) {
        return (struct accept){true, true};
    }
    struct slice element;
    while (slice_split(&field, ',', &element)) {
        struct slice range;
        slice_split(&element, ';', &range);
        range = slice_trim(range);
        if (is_refused(element)) {
            continue;
        }
        accept.json |= is_type(range, "application/json", "application/*");
        accept.stream |= is_type(range, "text/event-stream", "text/*");
    }
    return accept;
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
