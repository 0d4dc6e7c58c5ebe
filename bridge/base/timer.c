#include "bridge/base/timer.h"

#include "bridge/base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum { TIMERS_FIRST_CAPACITY = 64 };

void timers_init(struct timers *timers, uint64_t now_ms)
{
    *timers = (struct timers){.now_ms = now_ms};
}

void timers_release(struct timers *timers)
{
    if (timers == NULL) {
        return;
    }
    assert(timers->count == 0);
    free(timers->heap);
    *timers = (struct timers){0};
}

static void put(struct timers *timers, size_t place, struct timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void sift_up(struct timers *timers, size_t place)
{
    struct timer *timer = timers->heap[place];
    while (place > 1 && timers->heap[place / 2]->deadline_ms > timer->deadline_ms) {
        put(timers, place, timers->heap[place / 2]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sift_down(struct timers *timers, size_t place)
{
    struct timer *timer = timers->heap[place];
    for (;;) {
        size_t child = place * 2;
        if (child > timers->count) {
            break;
        }
        if (child < timers->count && timers->heap[child + 1]->deadline_ms < timers->heap[child]->deadline_ms) {
            child++;
        }
        if (timers->heap[child]->deadline_ms >= timer->deadline_ms) {
            break;
        }
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, timer);
}

uint64_t timers_now(struct timers *timers)
{
    uint64_t now_ms = timers->clock != NULL ? timers->clock(timers) : 0;
    if (now_ms > timers->now_ms) {
        timers->now_ms = now_ms;
    }
    return timers->now_ms;
}

uint64_t timers_next_ms(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[1]->deadline_ms : UINT64_MAX;
}

void timer_start(struct timers *timers, struct timer *timer, uint64_t delay_ms, timer_fn on_timeout)
{
    timer_stop(timers, timer);
    if (timers->count + 2 > timers->capacity) {
        timers->capacity = timers->capacity > 0 ? timers->capacity * 2 : TIMERS_FIRST_CAPACITY;
        timers->heap = memory_resize(timers->heap, timers->capacity * sizeof(struct timer *));
    }
    timer->deadline_ms = timers_now(timers) + delay_ms;
    timer->on_timeout = on_timeout;
    put(timers, ++timers->count, timer);
    sift_up(timers, timer->place);
    if (timer->place == 1 && timers->on_earlier != NULL) {
        timers->on_earlier(timers);
    }
}

void timer_stop(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    if (place == 0) {
        return;
    }
    timer->place = 0;
    struct timer *last = timers->heap[timers->count--];
    if (last == timer) {
        return;
    }
    put(timers, place, last);
    sift_up(timers, place);
    sift_down(timers, last->place);
}

void timers_run(struct timers *timers, uint64_t now_ms)
{
    if (now_ms > timers->now_ms) {
        timers->now_ms = now_ms;
    }
    while (timers->count > 0 && timers->heap[1]->deadline_ms <= timers->now_ms) {
        struct timer *timer = timers->heap[1];
        timer_stop(timers, timer);
        timer->on_timeout(timer);
    }
}
