/*
 * A group's number cannot be given to somebody else while a member lives, and can soon after. So the bridge has a
 * group forgotten in the moment it has killed it, and the guardian, once it acts, looks every 50 ms which groups are
 * left, and never signals one that it has seen gone.
 */
#include "src/child/guardian.h"

#include "bridge/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

enum {
    GUARDIAN_GRACE_MS = 2000,
    GUARDIAN_LOOK_MS = 50,
    GUARDIAN_RECORDS = 64,
    GUARDIAN_DESCRIPTORS_MAX = 4096,
};

enum guardian_verb {
    GUARDIAN_WATCH,
    GUARDIAN_FORGET,
};

/* Smaller than PIPE_BUF, so it is written whole or not at all (POSIX, write). */
struct record {
    int32_t verb;
    int32_t group;
};

struct groups {
    pid_t *items; /* owned */
    size_t count;
    size_t capacity;
};

static void add_group(struct groups *groups, pid_t group)
{
    if (groups->count == groups->capacity) {
        groups->capacity = groups->capacity > 0 ? groups->capacity * 2 : 16;
        groups->items = memory_resize(groups->items, groups->capacity * sizeof(pid_t));
    }
    groups->items[groups->count++] = group;
}

static void remove_group(struct groups *groups, pid_t group)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->items[i] == group) {
            groups->items[i] = groups->items[--groups->count];
            return;
        }
    }
}

/* Signal 0 only looks. */
static void signal_groups(struct groups *groups, int number)
{
    for (size_t i = groups->count; i-- > 0;) {
        if (kill(-groups->items[i], number) < 0 && errno == ESRCH) {
            remove_group(groups, groups->items[i]);
        }
    }
}

static void end_groups(struct groups *groups)
{
    signal_groups(groups, SIGTERM);
    for (int waited_ms = 0; groups->count > 0 && waited_ms < GUARDIAN_GRACE_MS; waited_ms += GUARDIAN_LOOK_MS) {
        poll(NULL, 0, GUARDIAN_LOOK_MS);
        signal_groups(groups, 0);
    }
    signal_groups(groups, SIGKILL);
}

static void obey(struct groups *groups, const struct record *record)
{
    if (record->verb == GUARDIAN_WATCH) {
        add_group(groups, record->group);
    } else {
        remove_group(groups, record->group);
    }
}

/* Returns when the bridge is gone. */
static void listen_to_bridge(struct groups *groups, int pipe)
{
    struct record records[GUARDIAN_RECORDS];
    size_t held = 0;
    for (;;) {
        ssize_t size = read(pipe, (char *)records + held, sizeof(records) - held);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0) {
            return;
        }
        held += (size_t)size;
        size_t whole = held / sizeof(records[0]);
        for (size_t i = 0; i < whole; i++) {
            obey(groups, &records[i]);
        }
        held -= whole * sizeof(records[0]);
        memmove(records, records + whole, held);
    }
}

static void close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0) {
        return;
    }
#endif
    long open_max = sysconf(_SC_OPEN_MAX);
    int end = open_max > 0 && open_max < GUARDIAN_DESCRIPTORS_MAX ? (int)open_max : GUARDIAN_DESCRIPTORS_MAX;
    for (int descriptor = first; descriptor < end; descriptor++) {
        close(descriptor);
    }
}

/* Holds nothing of the bridge's but the pipe, which becomes descriptor 0: no terminal, no output, no directory. */
static void detach(int pipe)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2};
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        sigaction(ignored[i], &action, NULL);
    }
    sigprocmask(SIG_UNBLOCK, &action.sa_mask, NULL);
    setsid();
    dup2(pipe, STDIN_FILENO);
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    close_from(STDERR_FILENO + 1);
    if (chdir("/") < 0) {
        /* Then it holds a directory that somebody may want to unmount; no more than that. */
    }
#ifdef __linux__
    /* The longest name that the kernel keeps. */
    prctl(PR_SET_NAME, "bridge-guardian");
#endif
}

_Noreturn static void guard(int pipe)
{
    struct groups groups = {0};
    detach(pipe);
    listen_to_bridge(&groups, STDIN_FILENO);
    end_groups(&groups);
    _exit(0);
}

/* With all signals blocked, so that none reaches the guardian before it ignores them. */
static pid_t fork_guardian(int pipe)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    int reason = errno;
    if (pid == 0) {
        guard(pipe);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return pid;
}

int guardian_start(struct guardian *guardian, struct error *error)
{
    uv_file ends[2];
    guardian->pipe = -1;
    int status = uv_pipe(ends, 0, UV_NONBLOCK_PIPE);
    if (status < 0) {
        return error_set(error, "cannot make the guardian's pipe: %s", uv_strerror(status));
    }
    guardian->pid = fork_guardian(ends[0]);
    if (guardian->pid < 0) {
        status = uv_translate_sys_error(errno);
        close(ends[0]);
        close(ends[1]);
        return error_set(error, "cannot start the guardian: %s", uv_strerror(status));
    }
    close(ends[0]);
    guardian->pipe = ends[1];
    return 0;
}

/*
 * A record is lost when the guardian is dead, or stopped until the pipe is full. It must not stop the bridge, which
 * ends its children itself unless it is killed at that very time.
 */
static void tell(struct guardian *guardian, enum guardian_verb verb, pid_t group)
{
    if (guardian == NULL || guardian->pipe < 0) {
        return;
    }
    struct record record = {.verb = (int32_t)verb, .group = (int32_t)group};
    ssize_t written;
    do {
        written = write(guardian->pipe, &record, sizeof(record));
    } while (written < 0 && errno == EINTR);
}

void guardian_watch(struct guardian *guardian, pid_t group)
{
    tell(guardian, GUARDIAN_WATCH, group);
}

void guardian_forget(struct guardian *guardian, pid_t group)
{
    tell(guardian, GUARDIAN_FORGET, group);
}

bool guardian_is_reaped(struct guardian *guardian, pid_t reaped)
{
    if (guardian == NULL || guardian->pipe < 0 || guardian->pid != reaped) {
        return false;
    }
    close(guardian->pipe);
    guardian->pipe = -1;
    return true;
}

void guardian_stop(struct guardian *guardian)
{
    if (guardian->pipe < 0) {
        return;
    }
    close(guardian->pipe);
    guardian->pipe = -1;
    kill(guardian->pid, SIGCONT); /* somebody may have stopped it */
    while (waitpid(guardian->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}
