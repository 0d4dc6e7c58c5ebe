#include "src/heap.h"

#include <stddef.h>

/* mallinfo2() is there from 2.33 on. */
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)

#include "bridge/base/memory.h"

#include <malloc.h>

enum {
    HEAP_PERIOD_MS = 5 * 1000,
    HEAP_BUSY_PERIODS_MAX = 6,
    /* Blocks up to here come from the heap (glibc's maximum), and so much of it is kept while we are busy. */
    HEAP_BLOCK_BYTES = 32 << 20,
    HEAP_KEPT_BYTES = 128 << 20,
    /* Less than this is not worth the walk; more than this in a period is a sign that large messages come and go. */
    HEAP_SPARE_BYTES = 4 << 20,
};

static void on_period(struct timer *timer)
{
    struct heap *heap = container_of(timer, struct heap, timer);
    size_t spare = mallinfo2().fordblks;
    size_t change = spare > heap->spare ? spare - heap->spare : heap->spare - spare;
    bool is_busy = change > HEAP_SPARE_BYTES && ++heap->busy_periods < HEAP_BUSY_PERIODS_MAX;
    heap->spare = spare;
    if (!is_busy) {
        heap->busy_periods = 0;
        if (spare > HEAP_SPARE_BYTES) {
            malloc_trim(0);
        }
    }
    timer_start(heap->timers, timer, HEAP_PERIOD_MS, on_period);
}

void heap_start(struct heap *heap, struct timers *timers)
{
    *heap = (struct heap){.timers = timers};
    mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_BYTES);
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);
    timer_start(timers, &heap->timer, HEAP_PERIOD_MS, on_period);
}

#else

void heap_start(struct heap *heap, struct timers *timers)
{
    *heap = (struct heap){.timers = timers};
}

#endif

void heap_stop(struct heap *heap)
{
    timer_stop(heap->timers, &heap->timer);
}
