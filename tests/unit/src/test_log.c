#include "src/log.h"

#include "bridge/base/buffer.h"
#include "bridge/limits.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_S = 30 };

/* A pipe in the place of standard error. A write that blocks is ended, and the test with it, by SIGALRM. */
struct fixture {
    struct log_output output;
    int saved;
    int reading_end;
    struct buffer text; /* what was read so far */
};

static void open_log(struct fixture *fixture, bool is_json)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fixture->saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    fixture->reading_end = ends[0];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    buffer_init(&fixture->text, 0);
    log_output_init(&fixture->output, LOG_LEVEL_INFO, is_json);
    alarm(DEADLINE_S);
}

static void close_log(struct fixture *fixture)
{
    alarm(0);
    dup2(fixture->saved, STDERR_FILENO);
    close(fixture->saved);
    close(fixture->reading_end);
    buffer_release(&fixture->text);
}

static void read_all(struct fixture *fixture)
{
    char bytes[4096];
    ssize_t size;
    while ((size = read(fixture->reading_end, bytes, sizeof(bytes))) > 0) {
        buffer_add(&fixture->text, slice_of(bytes, (size_t)size));
    }
}

static bool has(const struct fixture *fixture, const char *text)
{
    struct slice all = buffer_slice(&fixture->text);
    return all.size > 0 && memmem(all.data, all.size, text, strlen(text)) != NULL;
}

static void say(struct fixture *fixture, const char *text)
{
    log_line(&fixture->output.log, LOG_LEVEL_INFO, slice_text("test"), "%s", text);
}

static void fill(struct fixture *fixture)
{
    for (int i = 0; i < 100000 && fixture->output.lost_records == 0; i++) {
        say(fixture, "nobody reads this");
    }
    assert_int_equal(fixture->output.lost_records, 1);
}

static void a_full_pipe_loses_records_and_does_not_block(void **state)
{
    struct fixture fixture;
    (void)state;
    open_log(&fixture, false);
    fill(&fixture);
    for (int i = 0; i < 99; i++) {
        say(&fixture, "lost");
    }
    assert_int_equal(fixture.output.lost_records, 100);
    read_all(&fixture);
    assert_false(has(&fixture, "lost\n"));
    say(&fixture, "read again");
    assert_int_equal(fixture.output.lost_records, 0);
    read_all(&fixture);
    assert_true(has(&fixture, "error log: 100 records are missing here, which standard error did not take\n"));
    assert_true(has(&fixture, "info  test: read again\n"));
    close_log(&fixture);
}

static void what_was_lost_is_told_as_json_too(void **state)
{
    struct fixture fixture;
    (void)state;
    open_log(&fixture, true);
    fill(&fixture);
    read_all(&fixture);
    say(&fixture, "read again");
    read_all(&fixture);
    assert_true(has(&fixture, "\"message\":\"1 records are missing here"));
    close_log(&fixture);
}

static void a_full_disk_loses_records_and_no_more(void **state)
{
    struct fixture fixture;
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full < 0) {
        skip(); /* only Linux has it */
    }
    open_log(&fixture, false);
    int pipe_end = dup(STDERR_FILENO);
    dup2(full, STDERR_FILENO);
    say(&fixture, "lost");
    say(&fixture, "lost");
    assert_int_equal(fixture.output.lost_records, 2);
    dup2(pipe_end, STDERR_FILENO);
    say(&fixture, "space");
    assert_int_equal(fixture.output.lost_records, 0);
    close(pipe_end);
    close(full);
    close_log(&fixture);
}

/* The length that a line of a server's may have. */
static void a_long_record_keeps_its_end_and_its_line_end(void **state)
{
    struct fixture fixture;
    char text[LIMIT_STDERR_LINE_BYTES];
    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = 'E';
    open_log(&fixture, false);
    struct log *log = &fixture.output.log;
    log->write(log, LOG_LEVEL_INFO, slice_text("test"), slice_of(text, sizeof(text)));
    say(&fixture, "next");
    read_all(&fixture);
    assert_true(has(&fixture, "xE\n2"));
    assert_true(has(&fixture, " info  test: next\n"));
    close_log(&fixture);
}

/* A name may be as long as its user likes. */
static void a_record_that_is_too_long_is_cut_and_ends_its_line(void **state)
{
    struct fixture fixture;
    char name[3 * LIMIT_STDERR_LINE_BYTES];
    (void)state;
    memset(name, 'n', sizeof(name));
    open_log(&fixture, false);
    struct log *log = &fixture.output.log;
    log->write(log, LOG_LEVEL_INFO, slice_of(name, sizeof(name)), slice_text("text"));
    say(&fixture, "next");
    read_all(&fixture);
    assert_true(has(&fixture, "nn\n2"));
    close_log(&fixture);
}

/* A pipe that has room for a part of it. */
static void a_record_that_was_torn_ends_before_the_next_begins(void **state)
{
    struct fixture fixture;
    char text[LIMIT_STDERR_LINE_BYTES];
    (void)state;
    memset(text, 'x', sizeof(text));
    open_log(&fixture, true);
    struct log *log = &fixture.output.log;
    while (fixture.output.lost_records == 0) {
        log->write(log, LOG_LEVEL_INFO, slice_text("test"), slice_of(text, sizeof(text)));
    }
    read_all(&fixture);
    assert_false(has(&fixture, "x\n"));
    say(&fixture, "read again");
    read_all(&fixture);
    assert_true(has(&fixture, "x\n{\"time\":"));
    assert_true(has(&fixture, "\"message\":\"read again\"}\n"));
    close_log(&fixture);
}

static void plain_text_does_not_block_either(void **state)
{
    struct fixture fixture;
    (void)state;
    open_log(&fixture, false);
    assert_true(log_write_plain(slice_text("a block\n")));
    fill(&fixture);
    assert_false(log_write_plain(slice_text("lost\n")));
    read_all(&fixture);
    assert_true(has(&fixture, "a block\n"));
    close_log(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pipe_loses_records_and_does_not_block),
        cmocka_unit_test(what_was_lost_is_told_as_json_too),
        cmocka_unit_test(a_full_disk_loses_records_and_no_more),
        cmocka_unit_test(a_long_record_keeps_its_end_and_its_line_end),
        cmocka_unit_test(a_record_that_is_too_long_is_cut_and_ends_its_line),
        cmocka_unit_test(a_record_that_was_torn_ends_before_the_next_begins),
        cmocka_unit_test(plain_text_does_not_block_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
