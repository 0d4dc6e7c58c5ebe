/*
 * Two buffers change places: `flying` belongs to libuv while is_writing, `waiting` collects meanwhile. Both are empty,
 * and hold no memory, as long as the client reads as fast as we write.
 *
 * What is held lies in `waiting`, too, while nothing is being written. It is sent by an idle handle, as in
 * src/child/line_writer.c: whatever part of the loop's turn it comes from, idle handles run before the loop blocks.
 */
#include "src/http/output.h"

#include "bridge/base/memory.h"

#include <assert.h>

enum {
    /* Pieces given to one system call. An answer has fewer; more take several calls. */
    OUTPUT_VECTOR_COUNT = 16,
    /* What is held at most: of more, a copy costs as much as a system call. */
    OUTPUT_HELD_BYTES = 16 << 10,
};

static void on_turn_end(uv_idle_t *handle);

void http_turn_open(struct http_turn *turn, uv_loop_t *loop)
{
    uv_idle_init(loop, &turn->end);
    list_init(&turn->outputs);
}

void http_output_init(struct http_output *output, uv_stream_t *stream, struct http_turn *turn,
                      http_output_fn on_written)
{
    *output = (struct http_output){.stream = stream, .turn = turn, .on_written = on_written};
    list_init(&output->link);
    buffer_init(&output->flying, 0);
    buffer_init(&output->waiting, 0);
}

void http_output_stop(struct http_output *output)
{
    list_remove(&output->link);
}

void http_output_release(struct http_output *output)
{
    buffer_release(&output->flying);
    buffer_release(&output->waiting);
}

size_t http_output_queued(const struct http_output *output)
{
    return uv_stream_get_write_queue_size(output->stream) + output->waiting.size;
}

uint64_t http_output_taken_bytes(const struct http_output *output)
{
    return output->accepted_bytes - http_output_queued(output);
}

static uv_buf_t vector_of(struct slice slice)
{
    return uv_buf_init((char *)(uintptr_t)slice.data, (unsigned)slice.size);
}

/* What is held goes first. */
static struct slice piece_at(const struct http_output *output, const struct http_pieces *pieces, size_t number)
{
    return number == 0 ? buffer_slice(&output->waiting) : http_pieces_at(pieces, number - 1);
}

/* Fills `vectors` with pieces from *next on, which moves; returns their size. */
static size_t gather(const struct http_output *output, const struct http_pieces *pieces, size_t *next,
                     uv_buf_t *vectors, unsigned *count)
{
    size_t size = 0;
    *count = 0;
    while (*next <= http_pieces_count(pieces) && *count < OUTPUT_VECTOR_COUNT) {
        struct slice piece = piece_at(output, pieces, (*next)++);
        if (piece.size > 0) {
            vectors[(*count)++] = vector_of(piece);
            size += piece.size;
        }
    }
    return size;
}

/* Writes what is held, and from the caller's memory, as much as the socket takes now. */
static int write_now(const struct http_output *output, const struct http_pieces *pieces, size_t *written)
{
    size_t next = 0;
    for (;;) {
        uv_buf_t vectors[OUTPUT_VECTOR_COUNT];
        unsigned count;
        size_t size = gather(output, pieces, &next, vectors, &count);
        if (count == 0) {
            return 0;
        }
        int result = uv_try_write(output->stream, vectors, count);
        if (result < 0) {
            return result == UV_EAGAIN ? 0 : result;
        }
        *written += (size_t)result;
        if ((size_t)result < size) {
            return 0;
        }
    }
}

/* Behind what is waiting, what has not been written of the pieces. */
static void keep_rest(struct http_output *output, const struct http_pieces *pieces, size_t written)
{
    buffer_reserve(&output->waiting, http_pieces_size(pieces) - written);
    for (size_t i = 0; i < http_pieces_count(pieces); i++) {
        struct slice piece = http_pieces_at(pieces, i);
        size_t skipped = written < piece.size ? written : piece.size;
        written -= skipped;
        if (skipped < piece.size) {
            buffer_add(&output->waiting, slice_of(piece.data + skipped, piece.size - skipped));
        }
    }
}

static int start_write(struct http_output *output);

static void on_write(uv_write_t *write, int status)
{
    struct http_output *output = container_of(write, struct http_output, write);
    output->is_writing = false;
    buffer_release(&output->flying);
    if (status == UV_ECANCELED) {
        return; /* the stream is being closed */
    }
    if (status == 0 && output->waiting.size > 0) {
        status = start_write(output);
    }
    if (status < 0 || !output->is_writing) {
        output->on_written(output, status);
    }
}

static int start_write(struct http_output *output)
{
    struct buffer empty = output->flying;
    assert(empty.data == NULL);
    output->flying = output->waiting;
    output->waiting = empty;
    uv_buf_t vector = vector_of(buffer_slice(&output->flying));
    int result = uv_write(&output->write, output->stream, &vector, 1, on_write);
    output->is_writing = result == 0;
    return result;
}

/* Sends what is held and the pieces, while nothing is being written. */
static int send_now(struct http_output *output, const struct http_pieces *pieces)
{
    size_t written = 0;
    list_remove(&output->link);
    int result = write_now(output, pieces, &written);
    if (result < 0) {
        return result;
    }
    size_t held = output->waiting.size < written ? output->waiting.size : written;
    buffer_consume(&output->waiting, held);
    if (output->waiting.size == 0) {
        buffer_release(&output->waiting);
    }
    if (written - held < http_pieces_size(pieces)) {
        keep_rest(output, pieces, written - held);
    }
    return output->waiting.size > 0 ? start_write(output) : 0;
}

int http_output_send(struct http_output *output, const struct http_pieces *pieces)
{
    output->accepted_bytes += http_pieces_size(pieces);
    if (output->is_writing) {
        keep_rest(output, pieces, 0);
        return 0;
    }
    return send_now(output, pieces);
}

int http_output_hold(struct http_output *output, const struct http_pieces *pieces)
{
    size_t size = http_pieces_size(pieces);
    if (output->is_writing || output->waiting.size + size > OUTPUT_HELD_BYTES) {
        return http_output_send(output, pieces);
    }
    output->accepted_bytes += size;
    keep_rest(output, pieces, 0);
    if (list_is_empty(&output->link)) {
        list_append(&output->turn->outputs, &output->link);
        uv_idle_start(&output->turn->end, on_turn_end);
    }
    return 0;
}

/* What is held from now on, in on_written, waits for the next turn's end. */
static void on_turn_end(uv_idle_t *handle)
{
    static const struct http_pieces nothing;
    struct http_turn *turn = container_of(handle, struct http_turn, end);
    struct list outputs;
    list_init(&outputs);
    list_take_all(&outputs, &turn->outputs);
    uv_idle_stop(handle);
    for (struct list *link; (link = list_take_first(&outputs)) != NULL;) {
        struct http_output *output = container_of(link, struct http_output, link);
        int result = send_now(output, &nothing);
        if (result < 0 || !output->is_writing) {
            output->on_written(output, result);
        }
    }
}
