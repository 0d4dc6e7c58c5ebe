#include "tests/unit/src/child/child_fixture.h"

#include "bridge/base/memory.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX_LINE_BYTES = 1 << 20 };

struct condition {
    const unsigned *value;
    unsigned wanted;
};

static void on_up(void *owner)
{
    struct child_fixture *fixture = owner;
    fixture->ups++;
}

static void on_line(void *owner, char *line, size_t size)
{
    struct child_fixture *fixture = owner;
    fixture->lines++;
    fixture->longest_line = size > fixture->longest_line ? size : fixture->longest_line;
    buffer_add(&fixture->output, slice_of(line, size));
    buffer_add_text(&fixture->output, "\n");
}

static void on_drained(void *owner)
{
    struct child_fixture *fixture = owner;
    fixture->drains++;
}

static void on_down(void *owner, const struct child_end *end)
{
    struct child_fixture *fixture = owner;
    fixture->downs++;
    fixture->end = *end;
    snprintf(fixture->end_text, sizeof(fixture->end_text), "%s", end->text);
    fixture->end.text = fixture->end_text;
    if (fixture->on_down != NULL) {
        fixture->on_down(fixture);
    }
}

static void on_closed(void *owner)
{
    struct child_fixture *fixture = owner;
    fixture->child = NULL;
}

static const struct child_events events = {
    .on_up = on_up,
    .on_line = on_line,
    .on_drained = on_drained,
    .on_down = on_down,
    .on_closed = on_closed,
};

/* Each delay of the back-off is then the shortest that it can be: 80 ms, 160 ms, ... */
static void fill_with_nothing(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 0, size);
}

void child_fixture_open(struct child_fixture *fixture)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    *fixture = (struct child_fixture){0};
    sigaction(SIGPIPE, &ignore, NULL);
    loop_fixture_open(&fixture->base);
    buffer_init(&fixture->output, 0);
    fixture->settings = (struct supervisor_settings){
        .process =
            {
                .loop = &fixture->base.loop,
                .timers = &fixture->base.timers,
                .log = &fixture->base.log,
                .max_line_bytes = MAX_LINE_BYTES,
                .stop_grace_ms = CHILD_FIXTURE_GRACE_MS,
            },
        .random = fill_with_nothing,
    };
    fixture->command = (struct child_command){.name = SLICE_LITERAL("test"), .argv = fixture->argv};
}

void child_fixture_close(struct child_fixture *fixture)
{
    assert_null(fixture->child);
    buffer_release(&fixture->output);
    loop_fixture_close(&fixture->base);
}

void child_fixture_start_command(struct child_fixture *fixture)
{
    fixture->child = supervisor_open(&fixture->settings, &fixture->command, &events, fixture);
    assert_int_equal(fixture->ups + fixture->downs, 0);
}

void child_fixture_start(struct child_fixture *fixture, const char *script)
{
    static char shell[] = "/bin/sh";
    static char option[] = "-c";
    fixture->argv[0] = shell;
    fixture->argv[1] = option;
    fixture->argv[2] = (char *)(uintptr_t)script;
    child_fixture_start_command(fixture);
    child_fixture_wait_for_ups(fixture, 1);
}

uint64_t child_fixture_write(struct child_fixture *fixture, const char *line)
{
    struct slice part = slice_text(line);
    return fixture->child->operations->write(fixture->child, &part, 1);
}

static bool has_reached(void *context)
{
    const struct condition *condition = context;
    return *condition->value >= condition->wanted;
}

static void wait_for(struct child_fixture *fixture, const unsigned *value, unsigned wanted)
{
    struct condition condition = {.value = value, .wanted = wanted};
    loop_fixture_run_until(&fixture->base, has_reached, &condition);
}

void child_fixture_wait_for_ups(struct child_fixture *fixture, unsigned count)
{
    wait_for(fixture, &fixture->ups, count);
}

void child_fixture_wait_for_lines(struct child_fixture *fixture, unsigned count)
{
    wait_for(fixture, &fixture->lines, count);
}

void child_fixture_wait_for_downs(struct child_fixture *fixture, unsigned count)
{
    wait_for(fixture, &fixture->downs, count);
}

void child_fixture_wait_for_drains(struct child_fixture *fixture, unsigned count)
{
    wait_for(fixture, &fixture->drains, count);
}

struct logged {
    struct child_fixture *fixture;
    const char *text;
};

static bool has_logged(void *context)
{
    const struct logged *logged = context;
    return loop_fixture_has_logged(&logged->fixture->base, logged->text);
}

void child_fixture_wait_for_log(struct child_fixture *fixture, const char *text)
{
    struct logged logged = {.fixture = fixture, .text = text};
    loop_fixture_run_until(&fixture->base, has_logged, &logged);
}

static bool is_closed(void *context)
{
    const struct child_fixture *fixture = context;
    return fixture->child == NULL;
}

void child_fixture_wait_for_close(struct child_fixture *fixture)
{
    loop_fixture_run_until(&fixture->base, is_closed, fixture);
}

void child_fixture_stop(struct child_fixture *fixture)
{
    if (fixture->child != NULL) {
        fixture->child->operations->close(fixture->child);
        loop_fixture_advance(&fixture->base, CHILD_FIXTURE_GRACE_MS);
        loop_fixture_advance(&fixture->base, CHILD_FIXTURE_GRACE_MS);
        child_fixture_wait_for_close(fixture);
    }
}

int child_fixture_set_up(void **state)
{
    struct child_fixture *fixture = memory_new(sizeof(*fixture));
    child_fixture_open(fixture);
    *state = fixture;
    return 0;
}

int child_fixture_tear_down(void **state)
{
    struct child_fixture *fixture = *state;
    child_fixture_stop(fixture);
    child_fixture_close(fixture);
    free(fixture);
    return 0;
}

bool child_fixture_has_output(const struct child_fixture *fixture, const char *text)
{
    struct slice all = buffer_slice(&fixture->output);
    return memmem(all.data, all.size, text, strlen(text)) != NULL;
}
