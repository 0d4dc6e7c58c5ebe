/*
 * What the targets share: the entry that libFuzzer, AFL++ and the replay call, requirements that end the run, and ways
 * to take parameters off the front of the input.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "bridge/base/slice.h"

#include <stddef.h>
#include <stdint.h>

/* One input. Always returns 0; what is wrong ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether a property holds; else the program says so and aborts, which every fuzzer takes for a find. */
#define FUZZ_REQUIRE(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

void fuzz_fail(const char *file, int line, const char *condition) __attribute__((noreturn));

/* Takes a byte off the front; 0 when nothing is left. */
uint8_t fuzz_take_byte(struct slice *rest);

/* A copy of exactly its size, so that the sanitizer sees the first byte read beyond it. The caller frees it. */
char *fuzz_copy(struct slice bytes);

/* Numbers that follow from the input alone, so that a find replays. */
struct fuzz_dice {
    uint64_t state;
};

struct fuzz_dice fuzz_dice_of(uint8_t seed);

/* From 0 to below `bound`. */
size_t fuzz_roll(struct fuzz_dice *dice, size_t bound);

/* Takes a part off the front of *rest, sometimes one byte, sometimes all: how bytes come out of a pipe or a socket. */
struct slice fuzz_take_part(struct fuzz_dice *dice, struct slice *rest);

#endif
