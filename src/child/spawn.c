#include "src/child/spawn.h"

#include "src/child/command.h"
#include "src/child/launcher.h"
#include "src/child/pipe_size.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Pipes, which uv_spawn() would not make: on its sockets a server cannot open /dev/stdin or /dev/stderr. */
int spawn_pipes_open(struct spawn_pipes *pipes)
{
    *pipes = (struct spawn_pipes){.ours = {-1, -1, -1}, .theirs = {-1, -1, -1}};
    int status = 0;
    for (int i = STDIN_FILENO; status == 0 && i <= STDERR_FILENO; i++) {
        bool is_input = i == STDIN_FILENO;
        uv_file ends[2] = {-1, -1};
        status = uv_pipe(ends, is_input ? 0 : UV_NONBLOCK_PIPE, is_input ? UV_NONBLOCK_PIPE : 0);
        pipes->ours[i] = is_input ? ends[1] : ends[0];
        pipes->theirs[i] = is_input ? ends[0] : ends[1];
        if (status == 0 && i == STDOUT_FILENO) {
            pipe_size_enlarge(ends[0]);
        }
    }
    return status;
}

static void close_all(uv_file files[3])
{
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        if (files[i] >= 0) {
            close(files[i]);
            files[i] = -1;
        }
    }
}

void spawn_pipes_close(struct spawn_pipes *pipes)
{
    close_all(pipes->ours);
    close_all(pipes->theirs);
}

uv_file spawn_pipes_take(struct spawn_pipes *pipes, int descriptor)
{
    uv_file file = pipes->ours[descriptor];
    pipes->ours[descriptor] = -1;
    return file;
}

int spawn(uv_loop_t *loop, uv_process_t *handle, const struct spawn_options *options)
{
    uv_stdio_container_t stdio[3];
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        stdio[i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = options->pipes->theirs[i]};
    }
    const struct child_command *command = options->command;
    char **launch = options->launcher != NULL ? launcher_arguments(command->argv) : NULL;
    char **environment = child_command_environment(command);
    uv_process_options_t uv_options = {
        .exit_cb = options->on_exit,
        .file = options->launcher != NULL ? options->launcher : command->argv[0],
        .args = launch != NULL ? launch : (char **)(uintptr_t)command->argv,
        .env = environment,
        .cwd = command->directory,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio,
    };
    int status = uv_spawn(loop, handle, &uv_options);
    free(environment);
    free(launch);
    return status;
}
