/*
 *             process_start            process_stop             grace                   grace
 *   CLOSED -------------------> RUNNING ------------> LEAVING -------> TERMINATING -------> KILLING
 *    ^  |                          |                     |                  |                  |
 *    |  | start failed             +---------------------+------------------+------------------+
 *    |  v                                                |  exit
 *   CLOSING <---------------------------------------- DRAINING
 *               end of output, or a grace
 *
 * Signals go to the process group, whose number is the process's. It cannot be given to somebody else before libuv has
 * reaped the process, nor after that while a member of the group lives. Therefore: the ladder signals only before the
 * exit is reported; there we look, at once, whether a member is left; and only if there was one, the group is signalled
 * again, a grace later at most.
 */
#include "src/child/process.h"

#include "bridge/base/memory.h"
#include "src/child/spawn.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum {
    /* How long what the process has started may outlive it, when nobody had asked it to end. */
    PROCESS_DRAIN_MS = 500,
    PROCESS_READ_BYTES = 256 << 10,
};

struct process_state_rule {
    const char *name;
    unsigned may_follow;
};

#define BIT(state) (1u << (state))

static const struct process_state_rule state_rules[] = {
    [PROCESS_CLOSED] = {"closed", BIT(PROCESS_RUNNING) | BIT(PROCESS_CLOSING)},
    [PROCESS_RUNNING] = {"running", BIT(PROCESS_LEAVING) | BIT(PROCESS_DRAINING)},
    [PROCESS_LEAVING] = {"leaving", BIT(PROCESS_TERMINATING) | BIT(PROCESS_DRAINING)},
    [PROCESS_TERMINATING] = {"terminating", BIT(PROCESS_KILLING) | BIT(PROCESS_DRAINING)},
    [PROCESS_KILLING] = {"killing", BIT(PROCESS_DRAINING)},
    [PROCESS_DRAINING] = {"draining", BIT(PROCESS_CLOSING)},
    [PROCESS_CLOSING] = {"closing", BIT(PROCESS_CLOSED)},
};

static void process_enter(struct process *process, enum process_state state)
{
    assert(state_rules[process->state].may_follow & BIT(state));
    log_line(process->settings->log, LOG_LEVEL_DEBUG, process->name, "process %s -> %s",
             state_rules[process->state].name, state_rules[state].name);
    process->state = state;
}

static void wait_ms(struct process *process, uint64_t delay_ms, timer_fn on_timeout)
{
    timer_start(process->settings->timers, &process->timer, delay_ms, on_timeout);
}

/* ---- The end ---- */

static void end_if_closed(struct process *process)
{
    if (process->open_handles > 0 || process->state != PROCESS_CLOSING) {
        return;
    }
    line_reader_release(&process->reader);
    process_enter(process, PROCESS_CLOSED);
    process->events->on_ended(process, &process->end);
}

static void on_handle_closed(struct process *process)
{
    process->open_handles--;
    end_if_closed(process);
}

static void on_process_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct process, handle));
}

static void on_input_closed(struct line_writer *input)
{
    on_handle_closed(container_of(input, struct process, input));
}

static void on_output_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct process, output));
}

static void on_errors_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct process, errors));
}

static void end_output(struct process *process)
{
    if (!uv_is_closing((uv_handle_t *)&process->output)) {
        uv_close((uv_handle_t *)&process->output, on_output_closed);
        line_reader_end(&process->reader);
    }
}

static void end_errors(struct process *process)
{
    if (!uv_is_closing((uv_handle_t *)&process->errors)) {
        uv_close((uv_handle_t *)&process->errors, on_errors_closed);
        stderr_log_end(process->stderr_log);
    }
}

static bool has_output_ended(const struct process *process)
{
    return uv_is_closing((const uv_handle_t *)&process->output) && uv_is_closing((const uv_handle_t *)&process->errors);
}

static void signal_group(struct process *process, int number)
{
    if (process->group != 0 && kill(-process->group, number) < 0) {
        log_line(process->settings->log, LOG_LEVEL_DEBUG, process->name, "signal %d to process group %ld: %s", number,
                 (long)process->group, uv_strerror(uv_translate_sys_error(errno)));
    }
}

/* It takes nothing more from us: it is gone, or all its members were sent SIGKILL, which none can outrun by a fork. */
static void forget_group(struct process *process)
{
    guardian_forget(process->settings->guardian, process->group);
    process->group = 0;
}

static void finish(struct process *process)
{
    timer_stop(process->settings->timers, &process->timer);
    if (process->group != 0) {
        signal_group(process, SIGKILL);
        forget_group(process);
    }
    end_output(process);
    end_errors(process);
    uv_close((uv_handle_t *)&process->handle, on_process_closed);
    process_enter(process, PROCESS_CLOSING);
}

static void finish_if_drained(struct process *process)
{
    if (process->state == PROCESS_DRAINING && has_output_ended(process)) {
        finish(process);
    }
}

static void on_drain_timeout(struct timer *timer)
{
    struct process *process = container_of(timer, struct process, timer);
    log_line(process->settings->log, LOG_LEVEL_WARN, process->name, "something that it started still holds its output");
    finish(process);
}

/*
 * What the process has started may still have an answer to write, and goes in peace: it has the time that the ladder
 * would have given it. But after a crash, requests wait to be told of it.
 */
static void on_process_exit(uv_process_t *handle, int64_t exit_status, int signal)
{
    struct process *process = container_of(handle, struct process, handle);
    bool was_terminated = process->state == PROCESS_TERMINATING || process->state == PROCESS_KILLING;
    bool was_asked = was_terminated || process->state == PROCESS_LEAVING;
    process->end.exit_status = exit_status;
    process->end.signal = signal;
    line_writer_close(&process->input);
    process->end.written_bytes = process->input.written_bytes;
    if (kill(-process->group, was_terminated ? 0 : SIGTERM) < 0 && errno == ESRCH) {
        forget_group(process);
    }
    process_enter(process, PROCESS_DRAINING);
    wait_ms(process, was_asked ? process->settings->stop_grace_ms : PROCESS_DRAIN_MS, on_drain_timeout);
    finish_if_drained(process);
}

/* ---- The stop ladder ---- */

static void on_terminating_timeout(struct timer *timer)
{
    struct process *process = container_of(timer, struct process, timer);
    process_enter(process, PROCESS_KILLING);
    signal_group(process, SIGKILL);
}

static void on_leaving_timeout(struct timer *timer)
{
    struct process *process = container_of(timer, struct process, timer);
    process_enter(process, PROCESS_TERMINATING);
    signal_group(process, SIGTERM);
    wait_ms(process, process->settings->stop_grace_ms, on_terminating_timeout);
}

void process_stop(struct process *process)
{
    if (process->state == PROCESS_RUNNING) {
        process_enter(process, PROCESS_LEAVING);
        line_writer_push(&process->input);
        line_writer_close(&process->input);
        wait_ms(process, process->settings->stop_grace_ms, on_leaving_timeout);
    }
}

/* ---- The pipes ---- */

static void on_input_drained(struct line_writer *input)
{
    struct process *process = container_of(input, struct process, input);
    process->events->on_drained(process);
}

/* Mostly it has just died. If it lives, it can never hear anything again: it is of no use. */
static void on_input_broken(struct line_writer *input)
{
    process_stop(container_of(input, struct process, input));
}

static const struct line_writer_events input_events = {
    .on_drained = on_input_drained,
    .on_broken = on_input_broken,
    .on_closed = on_input_closed,
};

uint64_t process_write(struct process *process, const struct slice *parts, size_t count)
{
    assert(process->state != PROCESS_CLOSED);
    return line_writer_write(&process->input, parts, count);
}

static void on_output_line(struct line_reader *reader, char *line, size_t size)
{
    struct process *process = container_of(reader, struct process, reader);
    process->events->on_line(process, line, size);
}

static void on_long_output_line(struct line_reader *reader, size_t size)
{
    struct process *process = container_of(reader, struct process, reader);
    if (log_limit_take(&process->drop_log)) {
        log_line(process->settings->log, LOG_LEVEL_WARN, process->name,
                 "dropped a line of %zu bytes: more than the %zu allowed", size, reader->max_line_bytes);
    }
}

static void on_incomplete_output_line(struct line_reader *reader, size_t size)
{
    struct process *process = container_of(reader, struct process, reader);
    log_line(process->settings->log, LOG_LEVEL_WARN, process->name, "dropped an incomplete last line of %zu bytes",
             size);
}

static const struct line_reader_events output_events = {
    .on_line = on_output_line,
    .on_long_line = on_long_output_line,
    .on_incomplete_line = on_incomplete_output_line,
};

/* One buffer for all: libuv reads into it and has it emptied before it reads anything else. */
static void lend_buffer(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer)
{
    static char bytes[PROCESS_READ_BYTES];
    (void)handle;
    (void)suggested_size;
    *buffer = uv_buf_init(bytes, sizeof(bytes));
}

/* A long line is read to where it stays. */
static void lend_room(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer)
{
    struct process *process = container_of(handle, struct process, output);
    size_t size;
    char *room = line_reader_room(&process->reader, &size);
    if (room != NULL) {
        *buffer = uv_buf_init(room, (unsigned)size);
    } else {
        lend_buffer(handle, suggested_size, buffer);
    }
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct process *process = container_of(stream, struct process, output);
    if (size >= 0) { /* nothing, too: the room is given back */
        line_reader_feed(&process->reader, buffer->base, (size_t)size);
    } else {
        end_output(process);
        /* MCP, Lifecycle, "Shutdown": a server may begin it by closing its output. It cannot answer any more. */
        process_stop(process);
        finish_if_drained(process);
    }
}

static void on_errors(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct process *process = container_of(stream, struct process, errors);
    if (size > 0) {
        stderr_log_feed(process->stderr_log, buffer->base, (size_t)size);
    } else if (size < 0) {
        end_errors(process);
        finish_if_drained(process);
    }
}

/* ---- The start ---- */

void process_init(struct process *process, const struct process_settings *settings, const struct process_events *events,
                  struct stderr_log *stderr_log)
{
    *process = (struct process){.settings = settings, .events = events, .stderr_log = stderr_log};
}

void process_release(struct process *process)
{
    assert(process->state == PROCESS_CLOSED);
    log_limit_release(&process->drop_log);
}

static void read_from(struct process *process, uv_pipe_t *pipe, uv_file end, uv_read_cb on_read)
{
    uv_alloc_cb lend = pipe == &process->output ? lend_room : lend_buffer;
    int status = uv_pipe_init(process->settings->loop, pipe, 0);
    process->open_handles++;
    if (status == 0) {
        status = uv_pipe_open(pipe, end);
    }
    if (status == 0) {
        status = uv_read_start((uv_stream_t *)pipe, lend, on_read);
    }
    /* Nothing here can fail for a pipe that we have just made. */
    assert(status == 0);
}

static void run(struct process *process, struct spawn_pipes *pipes)
{
    process->group = process->handle.pid;
    guardian_watch(process->settings->guardian, process->group);
    line_reader_init(&process->reader, process->settings->max_line_bytes, &output_events);
    read_from(process, &process->output, spawn_pipes_take(pipes, STDOUT_FILENO), on_output);
    read_from(process, &process->errors, spawn_pipes_take(pipes, STDERR_FILENO), on_errors);
    process_enter(process, PROCESS_RUNNING);
}

static void on_start_failed(struct timer *timer)
{
    end_if_closed(container_of(timer, struct process, timer));
}

static void fail(struct process *process, int status)
{
    process->end.start_error = status;
    process_enter(process, PROCESS_CLOSING);
    if (process->open_handles == 0) {
        wait_ms(process, 0, on_start_failed);
    } else {
        line_writer_close(&process->input);
    }
}

/* The writer first: when it cannot be had, there is no process to be ended yet. */
static int open_and_spawn(struct process *process, const struct child_command *command, struct spawn_pipes *pipes)
{
    const struct process_settings *settings = process->settings;
    int status = spawn_pipes_open(pipes);
    if (status < 0) {
        return status;
    }
    status = line_writer_open(&process->input, settings->loop, spawn_pipes_take(pipes, STDIN_FILENO), &input_events);
    if (status < 0) {
        return status;
    }
    if (settings->max_queue_bytes > 0) {
        process->input.full_bytes = settings->max_queue_bytes;
    }
    const struct spawn_options options = {
        .command = command,
        .launcher = settings->launcher,
        .pipes = pipes,
        .on_exit = on_process_exit,
    };
    process->open_handles = 2;
    status = spawn(settings->loop, &process->handle, &options);
    if (status < 0) {
        uv_close((uv_handle_t *)&process->handle, on_process_closed);
    }
    return status;
}

int process_start(struct process *process, const struct child_command *command)
{
    struct spawn_pipes pipes;
    process->name = command->name;
    if (process->drop_log.timers == NULL) {
        log_limit_init(&process->drop_log, process->settings->log, process->settings->timers, process->name,
                       "about dropped lines");
    }
    process->end = (struct process_end){0};
    int status = open_and_spawn(process, command, &pipes);
    if (status == 0) {
        run(process, &pipes);
    } else {
        fail(process, status);
    }
    spawn_pipes_close(&pipes);
    return status;
}
