/*
 *                        +-------------------- the timer ------------------+
 *                        |                                                 |
 *                        v       process ended                             |
 *     supervisor_open -> WAITING <-------------------- FAILING <-----------+ start failed
 *                        | ^  ^                           |                |
 *                        | |  +--------- RESTARTING <-----|--------- UP <--+ started
 *                        | |                 |    restart |          |
 *                        | +-----------------|------------|----------+ process ended
 *                  close |             close |      close |    close |
 *                        v                   v            v          v
 *                      CLOSED <----------- CLOSING <-----------------+
 *                               process ended
 */
#include "src/child/supervisor.h"

#include "bridge/base/memory.h"
#include "src/child/backoff.h"
#include "src/child/command.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

enum {
    /* A process that ends sooner waits the first step of the back-off even if it had settled: no hot loop of starts. */
    SUPERVISOR_STEADY_MS = 1000,
};

struct supervisor {
    struct child child;
    enum supervisor_state state;
    const struct supervisor_settings *settings; /* borrowed */
    struct child_command command;
    const struct child_events *events; /* borrowed */
    void *owner;
    struct process process;
    struct stderr_log stderr_log;
    struct backoff backoff;
    struct timer timer;         /* to the next start, or to on_closed */
    unsigned failures_in_a_row; /* counts a start from its beginning, until it is settled */
    uint64_t started_ms;
};

struct supervisor_state_rule {
    const char *name;
    unsigned may_follow;
};

#define BIT(state) (1u << (state))

static const struct supervisor_state_rule state_rules[] = {
    [SUPERVISOR_WAITING] = {"waiting", BIT(SUPERVISOR_WAITING) | BIT(SUPERVISOR_FAILING) | BIT(SUPERVISOR_UP) |
                                           BIT(SUPERVISOR_CLOSED)},
    [SUPERVISOR_FAILING] = {"failing", BIT(SUPERVISOR_WAITING) | BIT(SUPERVISOR_CLOSING)},
    [SUPERVISOR_UP] = {"up", BIT(SUPERVISOR_WAITING) | BIT(SUPERVISOR_RESTARTING) | BIT(SUPERVISOR_CLOSING)},
    [SUPERVISOR_RESTARTING] = {"restarting", BIT(SUPERVISOR_WAITING) | BIT(SUPERVISOR_CLOSING)},
    [SUPERVISOR_CLOSING] = {"closing", BIT(SUPERVISOR_CLOSED)},
    [SUPERVISOR_CLOSED] = {"closed", 0},
};

static void supervisor_enter(struct supervisor *supervisor, enum supervisor_state state)
{
    assert(state_rules[supervisor->state].may_follow & BIT(state));
    log_line(supervisor->settings->process.log, LOG_LEVEL_DEBUG, supervisor->command.name, "child %s -> %s",
             state_rules[supervisor->state].name, state_rules[state].name);
    supervisor->state = state;
}

static struct supervisor *supervisor_of(struct child *child)
{
    return container_of(child, struct supervisor, child);
}

static void wait_ms(struct supervisor *supervisor, uint64_t delay_ms, timer_fn on_timeout)
{
    timer_start(supervisor->settings->process.timers, &supervisor->timer, delay_ms, on_timeout);
}

/* ---- The end of a process ---- */

static void tell_closed(struct supervisor *supervisor)
{
    process_release(&supervisor->process);
    stderr_log_release(&supervisor->stderr_log);
    supervisor->events->on_closed(supervisor->owner);
    free(supervisor);
}

static uint64_t next_delay_ms(struct supervisor *supervisor)
{
    const struct supervisor_settings *settings = supervisor->settings;
    if (supervisor->failures_in_a_row == 0) {
        backoff_reset(&supervisor->backoff);
        if (timers_now(settings->process.timers) - supervisor->started_ms >= SUPERVISOR_STEADY_MS) {
            return 0;
        }
    }
    uint32_t random;
    settings->random(settings->random_context, &random, sizeof(random));
    return backoff_next_ms(&supervisor->backoff, random);
}

static void log_end(const struct supervisor *supervisor, const struct child_end *end)
{
    struct log *log = supervisor->settings->process.log;
    struct slice last = stderr_log_last(&supervisor->stderr_log);
    if (supervisor->state == SUPERVISOR_CLOSING) {
        log_line(log, LOG_LEVEL_INFO, supervisor->command.name, "%s", end->text);
        return;
    }
    log_line(log, supervisor->state == SUPERVISOR_RESTARTING ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
             supervisor->command.name, "%s; next start in %" PRIu64 " ms%s%.*s", end->text, end->retry_ms,
             last.size > 0 ? "; its last line on stderr: " : "", SLICE_PRINT(last));
}

static void on_start_due(struct timer *timer);

/* The next start is planned before the owner hears of the end, and may close the child from there. */
static void start_later(struct supervisor *supervisor, const char *text, uint64_t written_bytes)
{
    struct child_end end = {
        .text = text,
        .written_bytes = written_bytes,
        .retry_ms = next_delay_ms(supervisor),
        .failures_in_a_row = supervisor->failures_in_a_row,
    };
    log_end(supervisor, &end);
    supervisor_enter(supervisor, SUPERVISOR_WAITING);
    wait_ms(supervisor, end.retry_ms, on_start_due);
    supervisor->events->on_down(supervisor->owner, &end);
}

static void close_now(struct supervisor *supervisor, const char *text, const struct process_end *process_end)
{
    struct child_end end = {
        .text = text,
        .written_bytes = process_end->written_bytes,
        .retry_ms = UINT64_MAX,
        .failures_in_a_row = supervisor->failures_in_a_row,
    };
    log_end(supervisor, &end);
    supervisor_enter(supervisor, SUPERVISOR_CLOSED);
    if (process_end->start_error == 0) {
        supervisor->events->on_down(supervisor->owner, &end);
    }
    tell_closed(supervisor);
}

static void on_process_ended(struct process *process, const struct process_end *end)
{
    struct supervisor *supervisor = container_of(process, struct supervisor, process);
    char text[PROCESS_END_TEXT_SIZE];
    process_end_describe(end, text);
    if (supervisor->state == SUPERVISOR_CLOSING) {
        close_now(supervisor, text, end);
    } else {
        start_later(supervisor, text, end->written_bytes);
    }
}

/* ---- The start of a process ---- */

static void on_start_due(struct timer *timer)
{
    struct supervisor *supervisor = container_of(timer, struct supervisor, timer);
    struct error error = {0};
    supervisor->failures_in_a_row++;
    supervisor->started_ms = timers_now(supervisor->settings->process.timers);
    stderr_log_forget(&supervisor->stderr_log);
    /* The launcher could only say so on stderr. */
    if (child_command_check(&supervisor->command, &error) < 0) {
        error_wrap(&error, "could not be started");
        start_later(supervisor, error.text, 0);
        return;
    }
    if (process_start(&supervisor->process, &supervisor->command) < 0) {
        supervisor_enter(supervisor, SUPERVISOR_FAILING);
        return;
    }
    log_line(supervisor->settings->process.log, LOG_LEVEL_INFO, supervisor->command.name, "started, pid %ld",
             (long)supervisor->process.group);
    supervisor_enter(supervisor, SUPERVISOR_UP);
    supervisor->events->on_up(supervisor->owner);
}

static void on_process_line(struct process *process, char *line, size_t size)
{
    struct supervisor *supervisor = container_of(process, struct supervisor, process);
    supervisor->events->on_line(supervisor->owner, line, size);
}

static void on_process_drained(struct process *process)
{
    struct supervisor *supervisor = container_of(process, struct supervisor, process);
    supervisor->events->on_drained(supervisor->owner);
}

static const struct process_events process_events = {
    .on_line = on_process_line,
    .on_drained = on_process_drained,
    .on_ended = on_process_ended,
};

/* ---- What the owner asks for ---- */

static uint64_t supervisor_write(struct child *child, const struct slice *parts, size_t count)
{
    return process_write(&supervisor_of(child)->process, parts, count);
}

static bool supervisor_is_full(const struct child *child)
{
    const struct supervisor *supervisor = container_of(child, const struct supervisor, child);
    return line_writer_is_full(&supervisor->process.input);
}

static void supervisor_settled(struct child *child)
{
    supervisor_of(child)->failures_in_a_row = 0;
}

static void supervisor_restart(struct child *child, const char *why)
{
    struct supervisor *supervisor = supervisor_of(child);
    if (supervisor->state != SUPERVISOR_UP) {
        return;
    }
    log_line(supervisor->settings->process.log, LOG_LEVEL_WARN, supervisor->command.name, "restarting it: %s", why);
    supervisor_enter(supervisor, SUPERVISOR_RESTARTING);
    process_stop(&supervisor->process);
}

static void on_close_due(struct timer *timer)
{
    tell_closed(container_of(timer, struct supervisor, timer));
}

static void supervisor_close(struct child *child)
{
    struct supervisor *supervisor = supervisor_of(child);
    switch (supervisor->state) {
    case SUPERVISOR_WAITING:
        supervisor_enter(supervisor, SUPERVISOR_CLOSED);
        wait_ms(supervisor, 0, on_close_due);
        break;
    case SUPERVISOR_UP:
    case SUPERVISOR_RESTARTING:
    case SUPERVISOR_FAILING:
        supervisor_enter(supervisor, SUPERVISOR_CLOSING);
        process_stop(&supervisor->process);
        break;
    case SUPERVISOR_CLOSING:
    case SUPERVISOR_CLOSED:
        break;
    }
}

static const struct child_operations operations = {
    .write = supervisor_write,
    .is_full = supervisor_is_full,
    .settled = supervisor_settled,
    .restart = supervisor_restart,
    .close = supervisor_close,
};

/* A write to a process that has just died must fail, and not kill us. */
static bool is_sigpipe_ignored(void)
{
    struct sigaction action;
    return sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

struct child *supervisor_open(const struct supervisor_settings *settings, const struct child_command *command,
                              const struct child_events *events, void *owner)
{
    assert(is_sigpipe_ignored());
    struct supervisor *supervisor = memory_new(sizeof(*supervisor));
    supervisor->child.operations = &operations;
    supervisor->settings = settings;
    supervisor->command = *command;
    supervisor->events = events;
    supervisor->owner = owner;
    stderr_log_init(&supervisor->stderr_log, settings->process.log, settings->process.timers, command->name);
    process_init(&supervisor->process, &settings->process, &process_events, &supervisor->stderr_log);
    wait_ms(supervisor, 0, on_start_due);
    return &supervisor->child;
}
