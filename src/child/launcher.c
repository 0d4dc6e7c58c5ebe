#include "src/child/launcher.h"

#include "bridge/base/memory.h"
#include "src/child/file_limit.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

enum {
    LAUNCHER_ARGUMENTS = 5, /* program, word, parent, limit, "--" */
    NUMBER_TEXT_SIZE = 24,
    STATUS_MISUSE = 125,
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
};

bool launcher_is_meant(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], LAUNCHER_WORD) == 0;
}

const char *launcher_path(void)
{
#ifdef __linux__
    /* The file that runs, even after an upgrade has put another one in its place. */
    static const char path[] = "/proc/self/exe";
    return access(path, X_OK) == 0 ? path : NULL;
#else
    return NULL;
#endif
}

char **launcher_arguments(char *const *argv)
{
    size_t count = 0;
    while (argv[count] != NULL) {
        count++;
    }
    /* One block: the pointers, and the two numbers behind them. */
    size_t pointers_size = (LAUNCHER_ARGUMENTS + count + 1) * sizeof(char *);
    const char **arguments = memory_new(pointers_size + (size_t)2 * NUMBER_TEXT_SIZE);
    char *parent = (char *)arguments + pointers_size;
    char *limit = parent + NUMBER_TEXT_SIZE;
    snprintf(parent, NUMBER_TEXT_SIZE, "%ld", (long)getpid());
    snprintf(limit, NUMBER_TEXT_SIZE, "%llu", file_limit_before());
    arguments[0] = "mcp-bridge";
    arguments[1] = LAUNCHER_WORD;
    arguments[2] = parent;
    arguments[3] = limit;
    arguments[4] = "--";
    memcpy(arguments + LAUNCHER_ARGUMENTS, argv, count * sizeof(char *));
    return (char **)(uintptr_t)arguments;
}

/* False when the parent is gone already: then nobody would send the signal any more. */
static bool die_with_parent(long parent)
{
#ifdef __linux__
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
        return false;
    }
#endif
    return (long)getppid() == parent;
}

/* Ignored and blocked signals survive an exec, and the bridge ignores SIGPIPE. */
static void restore_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&action.sa_mask);
    for (int number = 1; number < NSIG; number++) {
        /* Fails for SIGKILL, SIGSTOP and those that libc keeps, which nobody can have changed. */
        sigaction(number, &action, NULL);
    }
    sigprocmask(SIG_SETMASK, &action.sa_mask, NULL);
}

int launcher_main(int argc, char **argv)
{
    if (argc <= LAUNCHER_ARGUMENTS || strcmp(argv[LAUNCHER_ARGUMENTS - 1], "--") != 0) {
        fprintf(stderr, "mcp-bridge: %s is for the bridge's own use\n", LAUNCHER_WORD);
        return STATUS_MISUSE;
    }
    if (!die_with_parent(strtol(argv[2], NULL, 10))) {
        fprintf(stderr, "mcp-bridge: the bridge that wanted this child is gone\n");
        return STATUS_MISUSE;
    }
    restore_signals();
    file_limit_restore(strtoull(argv[3], NULL, 10));
    char **command = argv + LAUNCHER_ARGUMENTS;
    execvp(command[0], command);
    int reason = errno;
    fprintf(stderr, "mcp-bridge: cannot run %s: %s\n", command[0], uv_strerror(uv_translate_sys_error(reason)));
    return reason == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}
