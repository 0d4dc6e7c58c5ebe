/*
 * What the load client says, and whether what it hears is the answer to that.
 */
#ifndef TESTS_BENCH_LOAD_MESSAGE_H
#define TESTS_BENCH_LOAD_MESSAGE_H

#include "tests/bench/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_FIRST_ID = 1000001, MESSAGE_ID_DIGITS = 7, MESSAGE_SESSION_BYTES = 256 };

struct text {
    char *data;
    size_t size;
    size_t capacity;
};

void text_add(struct text *text, const char *data, size_t size);
void text_add_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_release(struct text *text);

/* Where requests go, and what a call carries. */
struct message_target {
    const char *path;
    int port;
    size_t payload_bytes; /* of an echo */
    bool is_modern;       /* a call is one of revision 2026-07-28, without a session; only an echo can be */
    unsigned progress;    /* notifications before an answer; with it, the tool is `progress` and not `echo` */
};

/* One whole HTTP request each, into an empty text. `session` is "" for none. */
void message_initialize(struct text *request, const struct message_target *target);
void message_initialized(struct text *request, const struct message_target *target, const char *session);
void message_call(struct text *request, const struct message_target *target, const char *session);
void message_end(struct text *request, const struct message_target *target, const char *session);
void message_listen(struct text *request, const struct message_target *target, const char *session);

/* Gives a call that message_call() has written another id, and with it another payload. */
void message_renumber(struct text *request, const struct message_target *target, uint32_t id);

/* One line that calls echo, for a pipe. */
void message_line(struct text *line, size_t payload_bytes);

/* NULL when `body` answers the call with this id as it must; else what is wrong. */
const char *message_check(struct view body, bool is_stream, const struct message_target *target, uint32_t id);

/* As message_check(), for the message of an echo alone. */
const char *message_check_echo(struct view message, size_t payload_bytes, uint32_t id);

#endif
