#include "src/child/backoff.h"

enum { BACKOFF_CHANCE_PERCENT = 20 };

uint64_t backoff_next_ms(struct backoff *backoff, uint32_t random)
{
    uint64_t step = backoff->last_ms > 0 ? backoff->last_ms * 2 : BACKOFF_FIRST_MS;
    backoff->last_ms = step < BACKOFF_LAST_MS ? step : BACKOFF_LAST_MS;
    uint64_t spread = backoff->last_ms * BACKOFF_CHANCE_PERCENT / 100;
    return backoff->last_ms - spread + random % (2 * spread + 1);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->last_ms = 0;
}
