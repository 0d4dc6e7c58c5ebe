#include "src/child/process_end.h"

#include <signal.h>
#include <stdio.h>
#include <uv.h>

struct signal_name {
    int number;
    const char *name;
};

/* POSIX signals whose default is to end a process. strsignal() has "Killed" for what people look for as SIGKILL. */
static const struct signal_name signal_names[] = {
    {SIGABRT, "SIGABRT"}, {SIGALRM, "SIGALRM"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGHUP, "SIGHUP"},
    {SIGILL, "SIGILL"},   {SIGINT, "SIGINT"},   {SIGKILL, "SIGKILL"}, {SIGPIPE, "SIGPIPE"}, {SIGQUIT, "SIGQUIT"},
    {SIGSEGV, "SIGSEGV"}, {SIGSYS, "SIGSYS"},   {SIGTERM, "SIGTERM"}, {SIGTRAP, "SIGTRAP"}, {SIGUSR1, "SIGUSR1"},
    {SIGUSR2, "SIGUSR2"}, {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"},
};

static const char *signal_name(int number)
{
    for (size_t i = 0; i < sizeof(signal_names) / sizeof(signal_names[0]); i++) {
        if (signal_names[i].number == number) {
            return signal_names[i].name;
        }
    }
    return NULL;
}

void process_end_describe(const struct process_end *end, char text[PROCESS_END_TEXT_SIZE])
{
    const char *name = signal_name(end->signal);
    if (end->start_error < 0) {
        snprintf(text, PROCESS_END_TEXT_SIZE, "could not be started: %s", uv_strerror(end->start_error));
    } else if (end->signal == 0) {
        snprintf(text, PROCESS_END_TEXT_SIZE, "exited with status %lld", (long long)end->exit_status);
    } else if (name != NULL) {
        snprintf(text, PROCESS_END_TEXT_SIZE, "was killed by signal %d (%s)", end->signal, name);
    } else {
        snprintf(text, PROCESS_END_TEXT_SIZE, "was killed by signal %d", end->signal);
    }
}
