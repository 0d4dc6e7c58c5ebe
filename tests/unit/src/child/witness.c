#include "tests/unit/src/child/witness.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_MS = 30000 };

void witness_open(struct witness *witness)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFD, FD_CLOEXEC), 0);
    witness->end = ends[0];
    witness->held = ends[1];
}

void witness_release(struct witness *witness)
{
    if (witness->held >= 0) {
        close(witness->held);
        witness->held = -1;
    }
}

static bool has_ended(const struct witness *witness, int timeout_ms)
{
    struct pollfd watched = {.fd = witness->end, .events = POLLIN};
    return poll(&watched, 1, timeout_ms) == 1;
}

bool witness_is_alone(const struct witness *witness)
{
    return has_ended(witness, 0);
}

void witness_wait(struct witness *witness)
{
    witness_release(witness);
    bool is_gone = has_ended(witness, DEADLINE_MS);
    close(witness->end);
    assert_true(is_gone);
}
