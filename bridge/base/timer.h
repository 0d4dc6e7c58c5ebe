/*
 * Timers by the thousand for the price of one: a heap of deadlines, driven by whoever has the clock (the event
 * loop, or a test). Timers stand inside their owners, so starting one allocates nothing in the steady state.
 */
#ifndef BRIDGE_BASE_TIMER_H
#define BRIDGE_BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer;

typedef void (*timer_fn)(struct timer *timer);

struct timer {
    uint64_t deadline_ms;
    timer_fn on_timeout;
    size_t place; /* its place in the heap, from 1; 0 while it is not running */
};

struct timers {
    struct timer **heap; /* owned; heap[1] is due first */
    size_t count;
    size_t capacity;
    uint64_t now_ms; /* the latest time that was heard of: read it with timers_now() */
    /* The monotonic clock, asked whenever the time matters. NULL for one that only timers_run() moves, as in tests. */
    uint64_t (*clock)(struct timers *timers);
    /* Called when the earliest deadline becomes earlier, so that the driver can wake in time. May be NULL. */
    void (*on_earlier)(struct timers *timers);
};

void timers_init(struct timers *timers, uint64_t now_ms);

/* No timer may be running. */
void timers_release(struct timers *timers);

/* The time, which never goes back. */
uint64_t timers_now(struct timers *timers);

/*
 * Moves the clock, and calls on_timeout of each timer that is due, in order of deadline; each is stopped before its
 * call.
 */
void timers_run(struct timers *timers, uint64_t now_ms);

/* The earliest deadline, or UINT64_MAX when none is running. */
uint64_t timers_next_ms(const struct timers *timers);

/* Starts it anew, to fire `delay_ms` from now; a running timer is moved. */
void timer_start(struct timers *timers, struct timer *timer, uint64_t delay_ms, timer_fn on_timeout);

/* Allowed on a timer that is not running, and on a zeroed one. */
void timer_stop(struct timers *timers, struct timer *timer);

static inline bool timer_is_running(const struct timer *timer)
{
    return timer->place != 0;
}

#endif
