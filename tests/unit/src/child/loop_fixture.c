#include "tests/unit/src/child/loop_fixture.h"

#include "bridge/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    DEADLINE_MS = 30000,
    FIRST_NOW_MS = 1000000,
};

static void keep_line(struct log *log, enum log_level level, struct slice scope, struct slice text)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct loop_fixture *fixture = container_of(log, struct loop_fixture, log);
    buffer_add_format(&fixture->log_text, "%s %.*s: %.*s\n", names[level], SLICE_PRINT(scope), SLICE_PRINT(text));
}

static void on_deadline(uv_timer_t *timer)
{
    container_of(timer, struct loop_fixture, deadline)->is_late = true;
}

void loop_fixture_open(struct loop_fixture *fixture)
{
    fixture->is_late = false;
    fixture->log = (struct log){.level = LOG_LEVEL_DEBUG, .write = keep_line};
    buffer_init(&fixture->log_text, 0);
    timers_init(&fixture->timers, FIRST_NOW_MS);
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    uv_timer_init(&fixture->loop, &fixture->deadline);
    uv_timer_start(&fixture->deadline, on_deadline, DEADLINE_MS, 0);
}

void loop_fixture_close(struct loop_fixture *fixture)
{
    uv_close((uv_handle_t *)&fixture->deadline, NULL);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    timers_release(&fixture->timers);
    buffer_release(&fixture->log_text);
}

void loop_fixture_run_until(struct loop_fixture *fixture, bool (*is_done)(void *context), void *context)
{
    loop_fixture_advance(fixture, 0);
    while (!is_done(context)) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
        if (fixture->is_late) {
            fail_msg("waited in vain; the log:\n%.*s", SLICE_PRINT(buffer_slice(&fixture->log_text)));
        }
        loop_fixture_advance(fixture, 0);
    }
}

void loop_fixture_advance(struct loop_fixture *fixture, uint64_t delay_ms)
{
    timers_run(&fixture->timers, fixture->timers.now_ms + delay_ms);
}

bool loop_fixture_has_logged(const struct loop_fixture *fixture, const char *text)
{
    struct slice all = buffer_slice(&fixture->log_text);
    return memmem(all.data, all.size, text, strlen(text)) != NULL;
}
