#include "src/child/file_limit.h"

#include <limits.h>
#include <sys/resource.h>

static unsigned long long limit_before;

/* macOS says that there is no limit, and then takes none above OPEN_MAX. */
static rlim_t highest(const struct rlimit *limit)
{
#ifdef __APPLE__
    return limit->rlim_max < OPEN_MAX ? limit->rlim_max : OPEN_MAX;
#else
    return limit->rlim_max;
#endif
}

int file_limit_raise(struct error *error)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    struct rlimit raised = {.rlim_cur = highest(&limit), .rlim_max = limit.rlim_max};
    if (limit.rlim_cur < raised.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit_before = limit.rlim_cur;
        limit = raised;
    }
    return limit.rlim_cur >= FILE_LIMIT_LEAST
               ? 0
               : error_set(error, "the limit of open files is %llu (ulimit -n): too low, it takes at least %d",
                           (unsigned long long)limit.rlim_cur, FILE_LIMIT_LEAST);
}

unsigned long long file_limit_before(void)
{
    return limit_before;
}

void file_limit_restore(unsigned long long before)
{
    struct rlimit limit;
    if (before > 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = before;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
