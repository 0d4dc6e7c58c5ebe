/*
 * What large messages took is kept for the next ones, and given back to the system when a while has passed: faulting it
 * in again for each message costs more than all that we do with its bytes. Only with glibc; elsewhere, nothing happens.
 */
#ifndef SRC_HEAP_H
#define SRC_HEAP_H

#include "bridge/base/timer.h"

#include <stddef.h>

struct heap {
    struct timers *timers; /* borrowed */
    struct timer timer;
    size_t spare;          /* bytes that were free at the last look */
    unsigned busy_periods; /* in a row */
};

void heap_start(struct heap *heap, struct timers *timers);
void heap_stop(struct heap *heap);

#endif
