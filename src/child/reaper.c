/*
 * waitid() shows who has ended, and leaves it there. If that is a process of libuv's, libuv is about to reap it, in the
 * same turn of the loop as the signal is heard; therefore we look one turn later, and never find one that it has
 * missed. One that has ended since has a signal of its own on its way.
 */
#include "src/child/reaper.h"

#include "bridge/base/memory.h"

#include <signal.h>
#include <sys/wait.h>

struct search {
    pid_t pid;
    bool is_found;
};

static void look_at_handle(uv_handle_t *handle, void *context)
{
    struct search *search = context;
    if (handle->type == UV_PROCESS && uv_is_active(handle)) {
        search->is_found |= uv_process_get_pid((const uv_process_t *)handle) == search->pid;
    }
}

static bool is_libuvs(uv_loop_t *loop, pid_t pid)
{
    struct search search = {.pid = pid};
    uv_walk(loop, look_at_handle, &search);
    return search.is_found;
}

/* 0 when nobody has ended. */
static pid_t find_ended(void)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : 0;
}

static void reap(struct reaper *reaper)
{
    pid_t pid;
    while ((pid = find_ended()) > 0 && !is_libuvs(reaper->turn.loop, pid)) {
        if (waitpid(pid, NULL, WNOHANG) != pid) {
            return;
        }
        reaper->reaped++;
        log_line(reaper->log, LOG_LEVEL_DEBUG, slice_text("bridge"), "reaped process %ld, which it had inherited",
                 (long)pid);
        if (reaper->on_reaped != NULL) {
            reaper->on_reaped(reaper, pid);
        }
    }
}

static void on_next_turn(uv_idle_t *turn)
{
    uv_idle_stop(turn);
    reap(container_of(turn, struct reaper, turn));
}

static void on_sigchld(uv_signal_t *handle, int number)
{
    (void)number;
    uv_idle_start(&container_of(handle, struct reaper, sigchld)->turn, on_next_turn);
}

void reaper_open(struct reaper *reaper, uv_loop_t *loop, struct log *log)
{
    *reaper = (struct reaper){.log = log};
    uv_signal_init(loop, &reaper->sigchld);
    uv_idle_init(loop, &reaper->turn);
    uv_signal_start(&reaper->sigchld, on_sigchld, SIGCHLD);
    uv_idle_start(&reaper->turn, on_next_turn);
}

void reaper_close(struct reaper *reaper)
{
    if (!uv_is_closing((uv_handle_t *)&reaper->turn)) {
        uv_close((uv_handle_t *)&reaper->sigchld, NULL);
        uv_close((uv_handle_t *)&reaper->turn, NULL);
    }
}
