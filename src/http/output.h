/*
 * The sending half of a connection: what the socket takes at once goes out from the caller's memory, the rest is copied
 * and written as the client reads. What comes in small parts is held until the loop's turn ends, and goes out in one.
 */
#ifndef SRC_HTTP_OUTPUT_H
#define SRC_HTTP_OUTPUT_H

#include "bridge/base/buffer.h"
#include "bridge/base/list.h"
#include "src/http/pieces.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct http_output;

/* The end of the loop's turn, when outputs send what they hold. One for the connections of a listener. */
struct http_turn {
    uv_idle_t end; /* active while an output holds something; its `data` is the owner's */
    struct list outputs;
};

/* The handle is the owner's to close. */
void http_turn_open(struct http_turn *turn, uv_loop_t *loop);

/* Status 0: everything has gone out, after something had been queued. Negative: the client cannot be reached. */
typedef void (*http_output_fn)(struct http_output *output, int status);

struct http_output {
    uv_stream_t *stream; /* borrowed, as is the turn */
    struct http_turn *turn;
    struct list link; /* on turn->outputs while it holds something */
    http_output_fn on_written;
    uv_write_t write;
    struct buffer flying;    /* what the running uv_write reads; untouched until it ends */
    struct buffer waiting;   /* what the next one takes, or what is held */
    uint64_t accepted_bytes; /* all that was ever sent through here */
    bool is_writing;
};

void http_output_init(struct http_output *output, uv_stream_t *stream, struct http_turn *turn,
                      http_output_fn on_written);

/* Drops what is held; to be called before the stream is closed. */
void http_output_stop(struct http_output *output);

/* The stream must be closed. */
void http_output_release(struct http_output *output);

/* Sends or queues everything; the pieces are not needed afterwards. 0 or a negative libuv code. */
int http_output_send(struct http_output *output, const struct http_pieces *pieces) __attribute__((warn_unused_result));

/* The same, but small pieces may wait for more until the turn ends: they count as queued, and on_written comes. */
int http_output_hold(struct http_output *output, const struct http_pieces *pieces) __attribute__((warn_unused_result));

/* Bytes that the socket has not taken. */
size_t http_output_queued(const struct http_output *output);

/* Bytes that the socket has taken since the beginning. */
uint64_t http_output_taken_bytes(const struct http_output *output);

#endif
