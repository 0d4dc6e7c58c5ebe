/*
 * Loaded before the C library: the wall clock jumps by years at each look, forwards and backwards. The monotonic clock
 * stays as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

enum { YEAR_S = 365 * 24 * 3600 };

/* Another year at each look, from ten before to ten after. */
static time_t jump(void)
{
    static unsigned state = 1;
    state = state * 1103515245u + 12345u;
    return ((time_t)(state >> 16) % 21 - 10) * YEAR_S;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        now->tv_sec += jump();
    }
    return result;
}

time_t time(time_t *now)
{
    struct timespec timespec;
    clock_gettime(CLOCK_REALTIME, &timespec);
    if (now != NULL) {
        *now = timespec.tv_sec;
    }
    return timespec.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec timespec;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &timespec);
    *now = (struct timeval){.tv_sec = timespec.tv_sec, .tv_usec = timespec.tv_nsec / 1000};
    return 0;
}
