#include "bridge/base/log_limit.h"

#include "bridge/base/memory.h"

/* Enough to see what goes on. */
enum { LOG_LIMIT_LINES = 10 };

void log_limit_init(struct log_limit *limit, struct log *log, struct timers *timers, struct slice scope,
                    const char *subject)
{
    *limit = (struct log_limit){
        .log = log, .timers = timers, .scope = scope, .subject = subject, .max_lines = LOG_LIMIT_LINES};
}

static void end_window(struct log_limit *limit)
{
    if (limit->lines > limit->max_lines) {
        log_line(limit->log, LOG_LEVEL_WARN, limit->scope, "%u more lines %s dropped", limit->lines - limit->max_lines,
                 limit->subject);
    }
    limit->lines = 0;
}

static void on_window_end(struct timer *timer)
{
    end_window(container_of(timer, struct log_limit, window));
}

void log_limit_release(struct log_limit *limit)
{
    if (limit->timers != NULL) {
        timer_stop(limit->timers, &limit->window);
        end_window(limit);
        limit->timers = NULL;
    }
}

bool log_limit_take(struct log_limit *limit)
{
    if (limit->timers == NULL) {
        return true; /* the end has come: nothing floods any more */
    }
    if (!timer_is_running(&limit->window)) {
        timer_start(limit->timers, &limit->window, LOG_LIMIT_WINDOW_MS, on_window_end);
    }
    return limit->lines++ < limit->max_lines;
}
