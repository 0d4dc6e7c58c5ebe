#include "src/activation.h"

#include "src/option_value.h"

#include <stdlib.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 };

/* The variables are somebody else's when they name another process, as a wrapper leaves them behind. */
static uint64_t count_descriptors(void)
{
    const char *process = getenv("LISTEN_PID");
    const char *number = getenv("LISTEN_FDS");
    uint64_t id;
    uint64_t count;
    bool is_ours = process != NULL && option_read_count(process, UINT32_MAX, &id) && id == (uint64_t)getpid();
    return is_ours && number != NULL && option_read_count(number, UINT32_MAX, &count) ? count : 0;
}

int activation_take(struct error *error)
{
    uint64_t count = count_descriptors();
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (count > 1) {
        return error_set(error, "%llu sockets were handed over (LISTEN_FDS); it can be one", (unsigned long long)count);
    }
    return count == 1 ? FIRST_DESCRIPTOR : 0;
}
