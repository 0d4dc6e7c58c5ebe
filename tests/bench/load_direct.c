#include "tests/bench/load_direct.h"

#include "tests/bench/load_message.h"
#include "tests/bench/load_meter.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 18 };

struct direct {
    int to_server;
    int from_server;
    size_t payload_bytes;
    uint32_t next_sent; /* ids are given in their order, and so the answers come */
    uint32_t next_answered;
    uint64_t *sent_ns; /* a ring, by id */
    uint32_t ring_size;
    struct text line;
    struct text out;
    struct text in;
    struct meter meter;
};

static void fail(const char *text)
{
    fprintf(stderr, "load direct: %s\n", text);
    exit(1);
}

static pid_t start_server(struct direct *direct, const char *program)
{
    int in[2];
    int out[2];
    if (pipe(in) < 0 || pipe(out) < 0) {
        fail("no pipe");
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    direct->to_server = in[1];
    direct->from_server = out[0];
    return pid;
}

static void add_call(struct direct *direct)
{
    static const struct message_target no_target = {.path = ""};
    struct message_target target = no_target;
    target.payload_bytes = direct->payload_bytes;
    struct text call = {direct->line.data, direct->line.size - 1, direct->line.capacity};
    message_renumber(&call, &target, direct->next_sent);
    text_add(&direct->out, direct->line.data, direct->line.size);
    direct->sent_ns[direct->next_sent++ % direct->ring_size] = meter_now_ns();
}

static void send_calls(struct direct *direct)
{
    size_t sent = 0;
    while (sent < direct->out.size) {
        ssize_t written = write(direct->to_server, direct->out.data + sent, direct->out.size - sent);
        if (written < 0) {
            fail("the server is gone");
        }
        sent += (size_t)written;
    }
    direct->out.size = 0;
}

static void take_answer(struct direct *direct, struct view line)
{
    uint32_t id = direct->next_answered++;
    const char *fault = message_check_echo(line, direct->payload_bytes, id);
    if (fault != NULL) {
        fail(fault);
    }
    meter_record(&direct->meter, meter_now_ns() - direct->sent_ns[id % direct->ring_size]);
    add_call(direct);
}

static void take_answers(struct direct *direct)
{
    char bytes[READ_BYTES];
    ssize_t size = read(direct->from_server, bytes, sizeof(bytes));
    if (size <= 0) {
        fail("the server has ended");
    }
    text_add(&direct->in, bytes, (size_t)size);
    const char *at = direct->in.data;
    const char *end = at + direct->in.size;
    const char *line_end;
    while ((line_end = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        take_answer(direct, (struct view){at, (size_t)(line_end - at)});
        at = line_end + 1;
    }
    direct->in.size = (size_t)(end - at);
    memmove(direct->in.data, at, direct->in.size);
}

int load_direct(int count, char **arguments)
{
    static struct direct direct;
    if (count != 4) {
        fail("usage: load direct CALLS SECONDS PAYLOAD SERVER");
    }
    direct.ring_size = (uint32_t)strtoul(arguments[0], NULL, 10);
    direct.sent_ns = calloc(direct.ring_size, sizeof(uint64_t));
    direct.payload_bytes = strtoul(arguments[2], NULL, 10);
    direct.next_sent = direct.next_answered = MESSAGE_FIRST_ID;
    message_line(&direct.line, direct.payload_bytes);
    pid_t pid = start_server(&direct, arguments[3]);
    for (uint32_t i = 0; i < direct.ring_size; i++) {
        add_call(&direct);
    }
    meter_start(&direct.meter);
    uint64_t end_ns = meter_now_ns() + (uint64_t)(strtod(arguments[1], NULL) * 1e9);
    while (meter_now_ns() < end_ns) {
        send_calls(&direct);
        take_answers(&direct);
    }
    meter_stop(&direct.meter);
    printf("{");
    meter_print(&direct.meter);
    printf(", \"errors\": 0}\n");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}
