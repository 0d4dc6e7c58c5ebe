#include "src/option_value.h"

#include "bridge/base/slice.h"

#include <errno.h>
#include <stdlib.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Digits and a unit of the list; the first unit is the one that may be left out. */
static bool read_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *value)
{
    if (*text < '0' || *text > '9') {
        return false;
    }
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_unit = strcmp(end, units[i].name) == 0 || (i == 0 && *end == '\0');
        if (is_unit && number <= UINT64_MAX / 2 / units[i].factor) {
            *value = number * units[i].factor;
            return true;
        }
    }
    return false;
}

bool option_read_duration(const char *text, uint64_t *milliseconds)
{
    static const struct unit units[] = {
        {"s", 1000}, {"ms", 1}, {"m", 60 * 1000}, {"min", 60 * 1000}, {"h", 60 * 60 * 1000}, {"d", 24 * 60 * 60 * 1000},
    };
    return read_with_unit(text, units, sizeof(units) / sizeof(units[0]), milliseconds);
}

bool option_read_size(const char *text, uint64_t *bytes)
{
    static const struct unit units[] = {
        {"B", 1},
        {"KiB", 1 << 10},
        {"MiB", 1 << 20},
        {"GiB", 1 << 30},
        {"K", 1 << 10},
        {"M", 1 << 20},
        {"G", 1 << 30},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1000 * 1000},
        {"GB", 1000 * 1000 * 1000},
    };
    return read_with_unit(text, units, sizeof(units) / sizeof(units[0]), bytes);
}

bool option_read_count(const char *text, uint64_t max, uint64_t *count)
{
    static const struct unit none[] = {{"", 1}};
    return read_with_unit(text, none, 1, count) && *count <= max;
}

bool option_read_mode(const char *text, uint64_t *mode)
{
    size_t size = strlen(text);
    *mode = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '7') {
            return false;
        }
        *mode = *mode * 8 + (uint64_t)(*at - '0');
    }
    return size >= 3 && size <= 4 && *mode <= 0777;
}

bool option_is_origin(const char *text)
{
    const char *authority = strstr(text, "://");
    if (authority == NULL || authority == text || authority[3] == '\0') {
        return false;
    }
    for (const char *at = authority + 3; *at != '\0'; at++) {
        if (*at <= ' ' || *at >= 0x7f || strchr("/?#@,*", *at) != NULL) {
            return false;
        }
    }
    return true;
}

int option_read_choice(const char *text, const char *choices)
{
    struct slice rest = slice_text(choices);
    struct slice choice;
    for (int index = 0; slice_split(&rest, ',', &choice); index++) {
        if (slice_is(choice, text)) {
            return index;
        }
    }
    return -1;
}

enum { DISTANCE_MAX_LENGTH = 40 };

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance, a row at a time. */
size_t option_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size > DISTANCE_MAX_LENGTH || b_size > DISTANCE_MAX_LENGTH) {
        return DISTANCE_MAX_LENGTH;
    }
    size_t row[DISTANCE_MAX_LENGTH + 1];
    for (size_t j = 0; j <= b_size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_size];
}
