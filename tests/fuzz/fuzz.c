#include "tests/fuzz/fuzz.h"

#include "bridge/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

uint8_t fuzz_take_byte(struct slice *rest)
{
    if (rest->size == 0) {
        return 0;
    }
    uint8_t byte = (uint8_t)rest->data[0];
    *rest = slice_of(rest->data + 1, rest->size - 1);
    return byte;
}

char *fuzz_copy(struct slice bytes)
{
    char *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    FUZZ_REQUIRE(copy != NULL);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return copy;
}

struct fuzz_dice fuzz_dice_of(uint8_t seed)
{
    return (struct fuzz_dice){UINT64_C(0x9e3779b97f4a7c15) * (seed + 1u)};
}

/* Marsaglia's xorshift. */
size_t fuzz_roll(struct fuzz_dice *dice, size_t bound)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (size_t)(dice->state >> 16) % bound;
}

struct slice fuzz_take_part(struct fuzz_dice *dice, struct slice *rest)
{
    size_t most = 0;
    switch (fuzz_roll(dice, 4)) {
    case 0:
        most = 1;
        break;
    case 1:
        most = 8;
        break;
    case 2:
        most = 64;
        break;
    default:
        most = rest->size;
        break;
    }
    size_t size = 1 + fuzz_roll(dice, most > 0 ? most : 1);
    size = size < rest->size ? size : rest->size;
    struct slice part = slice_of(rest->data, size);
    *rest = slice_of(rest->data + size, rest->size - size);
    return part;
}
