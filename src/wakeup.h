/*
 * Drives the timers of bridge/base/timer.h from the event loop, with one timer of the loop's for all of them.
 */
#ifndef SRC_WAKEUP_H
#define SRC_WAKEUP_H

#include "bridge/base/timer.h"

#include <uv.h>

struct wakeup {
    struct timers timers;
    uv_timer_t handle;
};

void wakeup_open(struct wakeup *wakeup, uv_loop_t *loop);

/* The loop must run once more for the handle to close. No timer may be running. */
void wakeup_close(struct wakeup *wakeup);

#endif
