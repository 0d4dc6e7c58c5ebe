#include "tests/unit/bridge/fake_child.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct fake_child *from(const struct child *child)
{
    return container_of(child, struct fake_child, child);
}

static void forget_lines(struct fake_child *child)
{
    for (size_t i = 0; i < child->line_count; i++) {
        free(child->lines[i].text);
    }
    free(child->lines);
    child->lines = NULL;
    child->line_count = 0;
    child->lines_read = 0;
}

/* MCP, Transports, "stdio": nothing but valid messages, and no line break inside one. */
static void check_line(struct fake_child *child, struct slice line)
{
    struct message message;
    uint64_t id;
    assert_int_equal(message_scan_whole(&message, line), MESSAGE_FAULT_NONE);
    assert_null(memchr(line.data, '\n', line.size));
    assert_null(memchr(line.data, '\r', line.size));
    if (message.kind == MESSAGE_REQUEST) {
        assert_true(json_parse_id(message.id, &id));
        assert_true(id > child->last_id);
        child->last_id = id;
    }
}

static uint64_t write_line(struct child *port, const struct slice *parts, size_t count)
{
    struct fake_child *child = from(port);
    struct buffer line;
    assert_int_equal(child->state, FAKE_CHILD_UP);
    assert_false(child->is_closing);
    buffer_init(&line, 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(parts[i].size > 0);
        buffer_add(&line, parts[i]);
    }
    check_line(child, buffer_slice(&line));
    child->written += line.size + 1;
    child->is_full |= child->fills_at > 0 && child->written >= child->fills_at;
    child->lines = memory_resize(child->lines, (child->line_count + 1) * sizeof(child->lines[0]));
    child->lines[child->line_count++] = (struct fake_line){
        .text = (char *)(uintptr_t)memory_copy(buffer_slice(&line)).data, .written_end = child->written};
    buffer_release(&line);
    return child->written;
}

static bool is_full(const struct child *port)
{
    struct fake_child *child = from(port);
    assert_int_not_equal(child->state, FAKE_CHILD_CLOSED);
    child->was_full |= child->is_full;
    return child->is_full;
}

static void settled(struct child *port)
{
    struct fake_child *child = from(port);
    assert_int_equal(child->state, FAKE_CHILD_UP);
    child->settles++;
}

static void restart(struct child *port, const char *why)
{
    struct fake_child *child = from(port);
    assert_int_equal(child->state, FAKE_CHILD_UP);
    assert_false(child->is_closing);
    child->restarts++;
    snprintf(child->why, sizeof(child->why), "%s", why);
}

static void close_child(struct child *port)
{
    struct fake_child *child = from(port);
    assert_int_not_equal(child->state, FAKE_CHILD_CLOSED);
    assert_false(child->is_closing);
    child->is_closing = true;
}

static const struct child_operations operations = {
    .write = write_line,
    .is_full = is_full,
    .settled = settled,
    .restart = restart,
    .close = close_child,
};

struct child *fake_child_open(struct world *port, const struct child_command *command,
                              const struct child_events *events, void *owner)
{
    struct fake_child *child = memory_new(sizeof(*child));
    *child = (struct fake_child){
        .child = {&operations},
        .world = container_of(port, struct fake_world, port),
        .command = command,
        .events = events,
        .owner = owner,
    };
    list_append(&child->world->children, &child->link);
    return &child->child;
}

struct fake_child *fake_child_of(struct fake_world *world)
{
    assert_false(list_is_empty(&world->children));
    return container_of(world->children.previous, struct fake_child, link);
}

size_t fake_child_count(const struct fake_world *world)
{
    size_t count = 0;
    LIST_FOR_EACH(link, &world->children) {
        count++;
    }
    return count;
}

struct fake_child *fake_child_at(const struct fake_world *world, size_t number)
{
    LIST_FOR_EACH(link, &world->children) {
        if (number-- == 0) {
            return container_of(link, struct fake_child, link);
        }
    }
    fail_msg("so many children were never opened");
    return NULL;
}

void fake_child_free(struct fake_child *child)
{
    assert_int_equal(child->state, FAKE_CHILD_CLOSED);
    forget_lines(child);
    free(child);
}

void fake_child_up(struct fake_child *child)
{
    assert_int_equal(child->state, FAKE_CHILD_DOWN);
    forget_lines(child);
    child->state = FAKE_CHILD_UP;
    child->written = 0;
    child->is_full = false;
    child->was_full = false;
    child->ups++;
    child->events->on_up(child->owner);
}

void fake_child_say_bytes(struct fake_child *child, struct slice line)
{
    assert_int_equal(child->state, FAKE_CHILD_UP);
    char *copy = fake_copy(line);
    child->events->on_line(child->owner, copy, line.size);
    fake_free(copy, line.size);
}

void fake_child_say(struct fake_child *child, const char *line)
{
    fake_child_say_bytes(child, slice_text(line));
}

void fake_child_say_format(struct fake_child *child, const char *format, ...)
{
    va_list arguments;
    char *line;
    va_start(arguments, format);
    assert_true(vasprintf(&line, format, arguments) >= 0);
    va_end(arguments);
    fake_child_say(child, line);
    free(line);
}

void fake_child_down(struct fake_child *child, const char *text, uint64_t written_bytes, unsigned failures_in_a_row)
{
    assert_int_not_equal(child->state, FAKE_CHILD_CLOSED);
    char *copy = memory_copy_text(text);
    const struct child_end end = {
        .text = copy,
        .written_bytes = written_bytes,
        .retry_ms = child->is_closing ? UINT64_MAX : 100,
        .failures_in_a_row = failures_in_a_row,
    };
    child->state = FAKE_CHILD_DOWN;
    child->is_full = false;
    child->events->on_down(child->owner, &end);
    fake_free(copy, strlen(text));
}

void fake_child_die(struct fake_child *child)
{
    assert_int_equal(child->state, FAKE_CHILD_UP);
    fake_child_down(child, "exited with status 3", child->written, 0);
}

void fake_child_drain(struct fake_child *child)
{
    assert_int_equal(child->state, FAKE_CHILD_UP);
    child->is_full = false;
    if (child->was_full) {
        child->was_full = false;
        child->events->on_drained(child->owner);
    }
}

void fake_child_finish(struct fake_child *child)
{
    assert_true(child->is_closing);
    if (child->state == FAKE_CHILD_UP) {
        fake_child_down(child, "exited with status 0", child->written, 0);
    }
    child->state = FAKE_CHILD_CLOSED;
    child->events->on_closed(child->owner);
}

const char *fake_child_take(struct fake_child *child)
{
    return child->lines_read < child->line_count ? child->lines[child->lines_read++].text : NULL;
}

size_t fake_child_unread(const struct fake_child *child)
{
    return child->line_count - child->lines_read;
}

void fake_child_expect(struct fake_child *child, const char *line)
{
    const char *found = fake_child_take(child);
    assert_string_equal(found != NULL ? found : "(no line)", line);
}

void fake_child_expect_format(struct fake_child *child, const char *format, ...)
{
    va_list arguments;
    char *line;
    va_start(arguments, format);
    assert_true(vasprintf(&line, format, arguments) >= 0);
    va_end(arguments);
    fake_child_expect(child, line);
    free(line);
}

void fake_child_expect_silence(const struct fake_child *child)
{
    assert_string_equal(child->lines_read < child->line_count ? child->lines[child->lines_read].text : "(no line)",
                        "(no line)");
}
