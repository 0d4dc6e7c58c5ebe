/*
 * How a process ended, and how people are told.
 */
#ifndef SRC_CHILD_PROCESS_END_H
#define SRC_CHILD_PROCESS_END_H

#include <stddef.h>
#include <stdint.h>

struct process_end {
    int start_error;        /* a negative libuv code when it could not be started; 0 when it ran */
    int64_t exit_status;    /* when `signal` is 0 */
    int signal;             /* what killed it; 0 when it exited */
    uint64_t written_bytes; /* what its stdin took */
};

enum { PROCESS_END_TEXT_SIZE = 128 };

/* A clause without a subject: "exited with status 3". */
void process_end_describe(const struct process_end *end, char text[PROCESS_END_TEXT_SIZE]);

#endif
