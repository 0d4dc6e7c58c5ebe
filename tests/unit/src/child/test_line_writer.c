#include "src/child/line_writer.h"

#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "tests/unit/src/child/loop_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG_BYTES = 3 << 20 };

struct fixture {
    struct loop_fixture base;
    struct line_writer writer;
    int reader; /* the other end of the pipe; does not block */
    unsigned drains;
    bool is_broken;
    bool is_closed;
    struct buffer arrived;
    size_t wanted; /* bytes to arrive */
};

static struct fixture *fixture_of(struct line_writer *writer)
{
    return container_of(writer, struct fixture, writer);
}

static void on_drained(struct line_writer *writer)
{
    fixture_of(writer)->drains++;
}

static void on_broken(struct line_writer *writer)
{
    fixture_of(writer)->is_broken = true;
    line_writer_close(writer);
}

static void on_closed(struct line_writer *writer)
{
    fixture_of(writer)->is_closed = true;
}

static const struct line_writer_events events = {on_drained, on_broken, on_closed};

static void open_on(struct fixture *fixture, int ours, int theirs)
{
    fcntl(ours, F_SETFL, O_NONBLOCK);
    fcntl(theirs, F_SETFL, O_NONBLOCK);
    fixture->reader = theirs;
    assert_int_equal(line_writer_open(&fixture->writer, &fixture->base.loop, ours, &events), 0);
}

static int set_up(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct fixture *fixture = memory_new(sizeof(*fixture));
    int ends[2];
    sigaction(SIGPIPE, &ignore, NULL);
    loop_fixture_open(&fixture->base);
    buffer_init(&fixture->arrived, 0);
    assert_int_equal(pipe(ends), 0);
    open_on(fixture, ends[1], ends[0]);
    *state = fixture;
    return 0;
}

/* On a socket that keeps the boundaries of writes, so that they can be counted. */
static int set_up_with_boundaries(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    int ends[2];
    loop_fixture_open(&fixture->base);
    buffer_init(&fixture->arrived, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    open_on(fixture, ends[1], ends[0]);
    *state = fixture;
    return 0;
}

static bool is_closed(void *context)
{
    return ((const struct fixture *)context)->is_closed;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    line_writer_close(&fixture->writer);
    line_writer_close(&fixture->writer);
    loop_fixture_run_until(&fixture->base, is_closed, fixture);
    loop_fixture_close(&fixture->base);
    buffer_release(&fixture->arrived);
    if (fixture->reader >= 0) {
        close(fixture->reader);
    }
    free(fixture);
    return 0;
}

static uint64_t write_text(struct fixture *fixture, const char *text)
{
    struct slice part = slice_text(text);
    return line_writer_write(&fixture->writer, &part, 1);
}

/* A line of `size` bytes in three parts, each of its own letter. */
static uint64_t write_long(struct fixture *fixture, size_t size)
{
    char *bytes = memory_new(size);
    size_t third = size / 3;
    struct slice parts[] = {
        slice_of(bytes, third),
        slice_of(bytes + third, third),
        slice_of(bytes + 2 * third, size - 2 * third),
    };
    memset(bytes, 'a', third);
    memset(bytes + third, 'b', third);
    memset(bytes + 2 * third, 'c', size - 2 * third);
    uint64_t handed = line_writer_write(&fixture->writer, parts, 3);
    free(bytes);
    return handed;
}

static bool has_arrived(void *context)
{
    struct fixture *fixture = context;
    ssize_t size;
    do {
        char *room = buffer_reserve(&fixture->arrived, 1 << 16);
        size = read(fixture->reader, room, 1 << 16);
        buffer_grown(&fixture->arrived, size > 0 ? (size_t)size : 0);
    } while (size > 0);
    return fixture->arrived.size >= fixture->wanted;
}

static void wait_for_bytes(struct fixture *fixture, size_t size)
{
    fixture->wanted = size;
    loop_fixture_run_until(&fixture->base, has_arrived, fixture);
    assert_int_equal(fixture->arrived.size, size);
}

static void run_one_turn(struct fixture *fixture)
{
    uv_run(&fixture->base.loop, UV_RUN_NOWAIT);
}

static void lines_of_one_turn_go_out_in_one_write(void **state)
{
    struct fixture *fixture = *state;
    char bytes[64];
    assert_int_equal(write_text(fixture, "one"), 4);
    assert_int_equal(write_text(fixture, "two"), 8);
    assert_int_equal(write_text(fixture, "three"), 14);
    assert_int_equal(fixture->writer.written_bytes, 0);
    run_one_turn(fixture);
    assert_int_equal(read(fixture->reader, bytes, sizeof(bytes)), 14);
    assert_memory_equal(bytes, "one\ntwo\nthree\n", 14);
    assert_int_equal(fixture->writer.written_bytes, 14);
    assert_int_equal(read(fixture->reader, bytes, sizeof(bytes)), -1);
}

static void write_from_prepare(uv_prepare_t *prepare)
{
    struct fixture *fixture = prepare->data;
    write_text(fixture, "late");
    uv_prepare_stop(prepare);
}

static void a_line_goes_out_before_the_loop_blocks_wherever_it_comes_from(void **state)
{
    struct fixture *fixture = *state;
    uv_prepare_t prepare;
    char bytes[8];
    uv_prepare_init(&fixture->base.loop, &prepare);
    prepare.data = fixture;
    uv_prepare_start(&prepare, write_from_prepare);
    uv_run(&fixture->base.loop, UV_RUN_ONCE);
    uv_run(&fixture->base.loop, UV_RUN_NOWAIT);
    assert_int_equal(read(fixture->reader, bytes, sizeof(bytes)), 5);
    assert_false(fixture->base.is_late);
    uv_close((uv_handle_t *)&prepare, NULL);
    run_one_turn(fixture);
}

static void a_line_of_many_parts_arrives_whole(void **state)
{
    struct fixture *fixture = *state;
    struct slice parts[40];
    char *bytes = memory_new(4000);
    memset(bytes, 'x', 4000);
    for (size_t i = 0; i < 40; i++) {
        parts[i] = slice_of(bytes + i * 100, 100);
    }
    assert_int_equal(line_writer_write(&fixture->writer, parts, 40), 4001);
    free(bytes);
    wait_for_bytes(fixture, 4001);
}

static void what_the_pipe_does_not_take_is_written_later(void **state)
{
    struct fixture *fixture = *state;
    write_text(fixture, "first");
    assert_int_equal(write_long(fixture, LONG_BYTES), 6 + LONG_BYTES + 1);
    assert_in_range(fixture->writer.written_bytes, 1, LONG_BYTES);
    assert_int_equal(fixture->writer.written_bytes + fixture->writer.queue.size, 6 + LONG_BYTES + 1);
    write_text(fixture, "last");
    wait_for_bytes(fixture, 6 + LONG_BYTES + 1 + 5);
    const char *arrived = buffer_slice(&fixture->arrived).data;
    assert_memory_equal(arrived, "first\naaa", 9);
    assert_memory_equal(arrived + 6 + LONG_BYTES / 3 - 1, "ab", 2);
    assert_memory_equal(arrived + 6 + 2 * (LONG_BYTES / 3) - 1, "bc", 2);
    assert_memory_equal(arrived + 6 + LONG_BYTES - 1, "c\nlast\n", 7);
    assert_int_equal(fixture->writer.written_bytes, fixture->writer.handed_bytes);
}

static void a_full_queue_is_reported_once_it_has_drained(void **state)
{
    struct fixture *fixture = *state;
    assert_false(line_writer_is_full(&fixture->writer));
    write_long(fixture, LONG_BYTES);
    assert_true(line_writer_is_full(&fixture->writer));
    run_one_turn(fixture);
    assert_int_equal(fixture->drains, 0);
    wait_for_bytes(fixture, LONG_BYTES + 1);
    assert_int_equal(fixture->drains, 1);
    assert_false(line_writer_is_full(&fixture->writer));
    write_text(fixture, "more");
    wait_for_bytes(fixture, LONG_BYTES + 1 + 5);
    assert_int_equal(fixture->drains, 1);
}

static bool is_broken(void *context)
{
    return ((const struct fixture *)context)->is_broken;
}

static void a_reader_that_is_gone_is_told_from_the_loop(void **state)
{
    struct fixture *fixture = *state;
    close(fixture->reader);
    fixture->reader = -1;
    assert_int_equal(write_text(fixture, "one"), 4);
    assert_int_equal(write_long(fixture, LONG_BYTES), 4 + LONG_BYTES + 1);
    assert_false(fixture->is_broken);
    loop_fixture_run_until(&fixture->base, is_broken, fixture);
    assert_int_equal(fixture->writer.written_bytes, 0);
    assert_int_equal(write_text(fixture, "two"), 4 + LONG_BYTES + 1 + 4);
}

static void a_reader_that_goes_while_bytes_wait_is_told_too(void **state)
{
    struct fixture *fixture = *state;
    write_long(fixture, LONG_BYTES);
    run_one_turn(fixture);
    uint64_t written = fixture->writer.written_bytes;
    close(fixture->reader);
    fixture->reader = -1;
    loop_fixture_run_until(&fixture->base, is_broken, fixture);
    assert_int_equal(fixture->writer.written_bytes, written);
}

static void a_push_writes_at_once_and_a_close_drops_the_rest(void **state)
{
    struct fixture *fixture = *state;
    write_text(fixture, "one");
    line_writer_push(&fixture->writer);
    assert_int_equal(fixture->writer.written_bytes, 4);
    write_text(fixture, "two");
    line_writer_close(&fixture->writer);
    line_writer_push(&fixture->writer);
    wait_for_bytes(fixture, 4);
    assert_int_equal(fixture->writer.written_bytes, 4);
}

/* What is in the pipe when a child dies is lost: short lines alone never make that more. */
static void only_a_long_line_enlarges_the_pipe(void **state)
{
#ifdef F_GETPIPE_SZ
    struct fixture *fixture = *state;
    int before = fcntl(fixture->reader, F_GETPIPE_SZ);
    char *text = memory_new(LONG_BYTES + 1);
    memset(text, 'x', LONG_BYTES);
    struct slice line = slice_of(text, 40 << 10);
    line_writer_write(&fixture->writer, &line, 1);
    wait_for_bytes(fixture, (40 << 10) + 1);
    assert_int_equal(fcntl(fixture->reader, F_GETPIPE_SZ), before);
    write_text(fixture, text);
    assert_true(fcntl(fixture->reader, F_GETPIPE_SZ) > before);
    wait_for_bytes(fixture, (40 << 10) + 1 + LONG_BYTES + 1);
    free(text);
#else
    (void)state;
    skip();
#endif
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_of_one_turn_go_out_in_one_write, set_up_with_boundaries, tear_down),
        TEST(a_line_goes_out_before_the_loop_blocks_wherever_it_comes_from),
        TEST(a_line_of_many_parts_arrives_whole),
        TEST(what_the_pipe_does_not_take_is_written_later),
        TEST(a_full_queue_is_reported_once_it_has_drained),
        TEST(a_reader_that_is_gone_is_told_from_the_loop),
        TEST(a_reader_that_goes_while_bytes_wait_is_told_too),
        TEST(only_a_long_line_enlarges_the_pipe),
        TEST(a_push_writes_at_once_and_a_close_drops_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
