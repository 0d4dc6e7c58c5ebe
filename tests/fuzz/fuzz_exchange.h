/*
 * An exchange with the header fields that a target gives it; it counts its answers, and looks at them.
 */
#ifndef TESTS_FUZZ_FUZZ_EXCHANGE_H
#define TESTS_FUZZ_FUZZ_EXCHANGE_H

#include "bridge/port.h"

enum { FUZZ_EXCHANGE_FIELDS = 8 };

struct fuzz_exchange {
    struct exchange exchange;
    struct header fields[FUZZ_EXCHANGE_FIELDS]; /* borrowed */
    size_t field_count;
    size_t answers;
    int status; /* of the last answer */
};

void fuzz_exchange_init(struct fuzz_exchange *exchange, enum exchange_method method);
void fuzz_exchange_add(struct fuzz_exchange *exchange, const char *name, struct slice value);

#endif
