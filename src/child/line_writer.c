/*
 * Not uv_write(): it does not tell how far it came when the pipe breaks, and written_bytes must be exact, since a line
 * that was not delivered is given to the next process. So the pipe is written here, and uv_poll_t waits for room.
 *
 * The queue is flushed by an idle handle: whatever part of the loop's turn a line comes from, idle handles run before
 * the loop blocks again (uv_prepare_t does not promise that for a line that comes from another prepare callback).
 */
#include "src/child/line_writer.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "src/child/pipe_size.h"

#include <assert.h>
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    /* Gathering more than a pipe holds saves nothing. */
    LINE_WRITER_GATHER_BYTES = 64 << 10,
    LINE_WRITER_KEEP_BYTES = 128 << 10,
    /*
     * From such a line on, of which a pipe holds no second one, it is enlarged. Not before: what is in it when the
     * child dies is lost, and what it takes is not felt as back-pressure.
     */
    LINE_WRITER_LONG_BYTES = 48 << 10,
    /* A line of more parts is gathered first. */
    LINE_WRITER_PARTS_MAX = 14,
};

static void on_turn_end(uv_idle_t *handle);
static void on_writable(uv_poll_t *handle, int status, int events);

int line_writer_open(struct line_writer *writer, uv_loop_t *loop, int pipe, const struct line_writer_events *events)
{
    *writer = (struct line_writer){.events = events, .pipe = pipe, .full_bytes = LINE_WRITER_FULL_BYTES};
    buffer_init(&writer->queue, 0);
    int status = uv_poll_init(loop, &writer->writable, pipe);
    if (status < 0) {
        close(pipe);
        writer->pipe = -1;
        return status;
    }
    uv_idle_init(loop, &writer->gathering);
    writer->open_handles = 2;
    return 0;
}

static void on_handle_closed(struct line_writer *writer)
{
    if (--writer->open_handles == 0) {
        writer->events->on_closed(writer);
    }
}

static void on_gathering_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct line_writer, gathering));
}

static void on_writable_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct line_writer, writable));
}

/* How many bytes the pipe took; 0 when it is full, -1 when it is broken. */
static ssize_t write_vector(struct line_writer *writer, const struct iovec *vector, int count)
{
    ssize_t taken;
    do {
        taken = writev(writer->pipe, vector, count);
    } while (taken < 0 && errno == EINTR);
    if (taken < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
    writer->written_bytes += (uint64_t)taken;
    return taken;
}

static struct iovec vector_of(struct slice slice)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)slice.data, .iov_len = slice.size};
}

/* False when the pipe is broken. */
static bool write_queue(struct line_writer *writer)
{
    if (writer->queue.size == 0) {
        return true;
    }
    struct iovec vector = vector_of(buffer_slice(&writer->queue));
    ssize_t taken = write_vector(writer, &vector, 1);
    if (taken < 0) {
        return false;
    }
    buffer_consume(&writer->queue, (size_t)taken);
    return true;
}

void line_writer_push(struct line_writer *writer)
{
    if (writer->pipe >= 0) {
        (void)write_queue(writer);
    }
}

void line_writer_close(struct line_writer *writer)
{
    if (writer->pipe < 0) {
        return;
    }
    buffer_release(&writer->queue);
    uv_close((uv_handle_t *)&writer->gathering, on_gathering_closed);
    uv_close((uv_handle_t *)&writer->writable, on_writable_closed);
    close(writer->pipe);
    writer->pipe = -1;
}

static bool is_waiting_for_room(const struct line_writer *writer)
{
    return uv_is_active((const uv_handle_t *)&writer->writable);
}

static void wait_for_room(struct line_writer *writer)
{
    uv_idle_stop(&writer->gathering);
    int status = uv_poll_start(&writer->writable, UV_WRITABLE, on_writable);
    assert(status == 0);
    (void)status;
}

/* uv_poll_stop() costs a system call even when there is nothing to stop. */
static void stop_waiting_for_room(struct line_writer *writer)
{
    if (is_waiting_for_room(writer)) {
        uv_poll_stop(&writer->writable);
    }
}

static void wait_for_turn_end(struct line_writer *writer)
{
    int status = uv_idle_start(&writer->gathering, on_turn_end);
    assert(status == 0);
    (void)status;
}

static void flush(struct line_writer *writer)
{
    uv_idle_stop(&writer->gathering);
    if (!write_queue(writer)) {
        stop_waiting_for_room(writer);
        writer->events->on_broken(writer);
        return;
    }
    if (writer->queue.size > 0) {
        wait_for_room(writer);
    } else {
        stop_waiting_for_room(writer);
        buffer_clear(&writer->queue, LINE_WRITER_KEEP_BYTES);
    }
    if (writer->is_drain_owed && writer->queue.size < writer->full_bytes / 4) {
        writer->is_drain_owed = false;
        writer->events->on_drained(writer);
    }
}

static void on_turn_end(uv_idle_t *handle)
{
    flush(container_of(handle, struct line_writer, gathering));
}

/* A broken pipe comes as an error status; the write that is tried then says the same. */
static void on_writable(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    flush(container_of(handle, struct line_writer, writable));
}

static void gather(struct line_writer *writer, const struct slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_add(&writer->queue, parts[i]);
    }
    buffer_add(&writer->queue, slice_of("\n", 1));
}

/* Queues what the pipe did not take of a line that stands behind the queue. */
static void gather_rest(struct line_writer *writer, const struct iovec *vector, int count, size_t taken)
{
    for (int i = 0; i < count; i++) {
        size_t skipped = taken < vector[i].iov_len ? taken : vector[i].iov_len;
        const char *bytes = vector[i].iov_base;
        if (skipped < vector[i].iov_len) {
            buffer_add(&writer->queue, slice_of(bytes + skipped, vector[i].iov_len - skipped));
        }
        taken -= skipped;
    }
}

/* The queue and a line behind it in one write, so that a long line is not copied. A broken pipe is left to flush(). */
static void write_through(struct line_writer *writer, const struct slice *parts, size_t count)
{
    struct iovec vector[LINE_WRITER_PARTS_MAX + 2];
    int used = 0;
    vector[used++] = vector_of(buffer_slice(&writer->queue));
    for (size_t i = 0; i < count; i++) {
        vector[used++] = vector_of(parts[i]);
    }
    vector[used++] = vector_of(slice_of("\n", 1));
    ssize_t result = write_vector(writer, vector, used);
    size_t taken = result > 0 ? (size_t)result : 0;
    size_t queued = writer->queue.size < taken ? writer->queue.size : taken;
    buffer_consume(&writer->queue, queued);
    gather_rest(writer, vector + 1, used - 1, taken - queued);
    if (writer->queue.size > 0) {
        wait_for_room(writer);
    } else {
        uv_idle_stop(&writer->gathering);
        buffer_clear(&writer->queue, LINE_WRITER_KEEP_BYTES);
    }
}

uint64_t line_writer_write(struct line_writer *writer, const struct slice *parts, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++) {
        size += parts[i].size;
    }
    writer->handed_bytes += size;
    if (writer->pipe < 0) {
        return writer->handed_bytes;
    }
    if (size >= LINE_WRITER_LONG_BYTES && !writer->is_enlarged) {
        writer->is_enlarged = true;
        pipe_size_enlarge(writer->pipe);
    }
    if (is_waiting_for_room(writer)) {
        gather(writer, parts, count);
    } else if (writer->queue.size + size < LINE_WRITER_GATHER_BYTES || count > LINE_WRITER_PARTS_MAX) {
        gather(writer, parts, count);
        wait_for_turn_end(writer);
    } else {
        write_through(writer, parts, count);
    }
    writer->is_drain_owed |= line_writer_is_full(writer);
    return writer->handed_bytes;
}

bool line_writer_is_full(const struct line_writer *writer)
{
    return writer->queue.size > writer->full_bytes;
}
