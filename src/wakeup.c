#include "src/wakeup.h"

#include "bridge/base/memory.h"

static uint64_t read_clock(struct timers *timers)
{
    return uv_now(container_of(timers, struct wakeup, timers)->handle.loop);
}

static void on_wakeup(uv_timer_t *handle);

/* Sleeps until the next deadline. One that went away is noticed when it would have come: that costs one turn. */
static void sleep_until_next(struct wakeup *wakeup)
{
    uint64_t next_ms = timers_next_ms(&wakeup->timers);
    if (next_ms == UINT64_MAX) {
        uv_timer_stop(&wakeup->handle);
        return;
    }
    uint64_t now_ms = uv_now(wakeup->handle.loop);
    uv_timer_start(&wakeup->handle, on_wakeup, next_ms > now_ms ? next_ms - now_ms : 0, 0);
}

static void on_wakeup(uv_timer_t *handle)
{
    struct wakeup *wakeup = container_of(handle, struct wakeup, handle);
    timers_run(&wakeup->timers, uv_now(handle->loop));
    sleep_until_next(wakeup);
}

static void on_earlier(struct timers *timers)
{
    sleep_until_next(container_of(timers, struct wakeup, timers));
}

void wakeup_open(struct wakeup *wakeup, uv_loop_t *loop)
{
    timers_init(&wakeup->timers, uv_now(loop));
    wakeup->timers.clock = read_clock;
    wakeup->timers.on_earlier = on_earlier;
    uv_timer_init(loop, &wakeup->handle);
}

void wakeup_close(struct wakeup *wakeup)
{
    timers_release(&wakeup->timers);
    uv_close((uv_handle_t *)&wakeup->handle, NULL);
}
