#include "tests/unit/bridge/fake_exchange.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/batch.h"
#include "bridge/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct fake_exchange *from(const struct exchange *exchange)
{
    return container_of(exchange, struct fake_exchange, exchange);
}

bool fake_exchange_has_ended(const struct fake_exchange *exchange)
{
    return exchange->state != FAKE_EXCHANGE_WAITING && exchange->state != FAKE_EXCHANGE_STREAMING;
}

static void end(struct fake_exchange *exchange, enum fake_exchange_state state)
{
    exchange->state = state;
    fake_free(exchange->body_block, exchange->exchange.body.size);
    exchange->body_block = NULL;
}

static size_t header(const struct exchange *port, const char *name, struct slice *value)
{
    const struct fake_exchange *exchange = from(port);
    size_t count = 0;
    assert_false(fake_exchange_has_ended(exchange));
    *value = slice_of(NULL, 0);
    for (size_t i = exchange->field_count; i-- > 0;) {
        if (slice_equals_ignoring_case(slice_text(exchange->fields[i].name), slice_text(name))) {
            *value = slice_trim(slice_text(exchange->fields[i].value));
            count++;
        }
    }
    return count;
}

static void keep_fields(struct fake_exchange *exchange, const struct header *headers, size_t count)
{
    assert_true(count <= FAKE_EXCHANGE_HEADERS);
    for (size_t i = 0; i < count; i++) {
        assert_null(memchr(headers[i].value.data, '\n', headers[i].value.size));
        exchange->answer_fields[i].name = memory_copy_text(headers[i].name);
        exchange->answer_fields[i].value = (char *)(uintptr_t)memory_copy(headers[i].value).data;
    }
    exchange->answer_field_count = count;
}

/* One message, or an array of them. */
static void check_messages(struct slice bytes)
{
    struct message message;
    size_t count;
    enum message_fault fault = batch_is_array(bytes) ? batch_check(bytes, &count) : message_scan_whole(&message, bytes);
    assert_int_equal(fault, MESSAGE_FAULT_NONE);
}

/* A body says what it is, and is that. */
static void check_body(const struct fake_exchange *exchange)
{
    const char *type = fake_exchange_answer_field(exchange, "content-type");
    if (exchange->answer.size == 0) {
        assert_null(type);
        return;
    }
    assert_non_null(type);
    if (exchange->is_page) {
        return;
    }
    assert_string_equal(type, "application/json");
    check_messages(buffer_slice(&exchange->answer));
}

static void respond(struct exchange *port, const struct response *response)
{
    struct fake_exchange *exchange = from(port);
    assert_int_equal(exchange->state, FAKE_EXCHANGE_WAITING);
    exchange->status = response->status;
    keep_fields(exchange, response->headers, response->header_count);
    for (size_t i = 0; i < response->body_count; i++) {
        if (response->body[i].size > 0) {
            buffer_add(&exchange->answer, response->body[i]);
        }
    }
    check_body(exchange);
    end(exchange, FAKE_EXCHANGE_ANSWERED);
}

static void open_stream(struct exchange *port, const struct header *headers, size_t header_count)
{
    struct fake_exchange *exchange = from(port);
    assert_int_equal(exchange->state, FAKE_EXCHANGE_WAITING);
    exchange->status = 200;
    keep_fields(exchange, headers, header_count);
    exchange->state = FAKE_EXCHANGE_STREAMING;
}

static void keep_id(char kept[FAKE_EXCHANGE_EVENT_ID], struct slice id)
{
    assert_true(id.size < FAKE_EXCHANGE_EVENT_ID);
    snprintf(kept, FAKE_EXCHANGE_EVENT_ID, "%.*s", SLICE_PRINT(id));
}

static void keep_event(struct fake_exchange *exchange, const struct event *event, struct slice data)
{
    size_t count = exchange->event_count + 1;
    exchange->events = memory_resize(exchange->events, count * sizeof(exchange->events[0]));
    exchange->event_ids = memory_resize(exchange->event_ids, count * sizeof(exchange->event_ids[0]));
    exchange->events[exchange->event_count] = (char *)(uintptr_t)memory_copy(data).data;
    keep_id(exchange->event_ids[exchange->event_count], event->id);
    exchange->event_count = count;
}

static void send_event(struct exchange *port, const struct event *event)
{
    struct fake_exchange *exchange = from(port);
    struct buffer data;
    assert_int_equal(exchange->state, FAKE_EXCHANGE_STREAMING);
    buffer_init(&data, 0);
    for (size_t i = 0; i < event->data_count; i++) {
        assert_null(memchr(event->data[i].data, '\n', event->data[i].size));
        assert_null(memchr(event->data[i].data, '\r', event->data[i].size));
        buffer_add(&data, event->data[i]);
    }
    if (event->data_count == 0) {
        /* The event that opens a stream which can be resumed: an id, no data, when to come back. */
        assert_true(slice_exists(event->id) && event->retry_ms == LIMIT_RETRY_MS);
        assert_int_equal(exchange->event_count, 0);
        exchange->openings++;
        keep_id(exchange->opening_id, event->id);
        buffer_release(&data);
        return;
    }
    if (event->name == NULL && !exchange->is_any_data) {
        check_messages(buffer_slice(&data));
    }
    keep_event(exchange, event, buffer_slice(&data));
    exchange->queued += exchange->weight * data.size;
    buffer_release(&data);
}

static void send_comment(struct exchange *port, const char *text)
{
    struct fake_exchange *exchange = from(port);
    assert_int_equal(exchange->state, FAKE_EXCHANGE_STREAMING);
    assert_null(strchr(text, '\n'));
    exchange->comments++;
}

static void close_stream(struct exchange *port)
{
    struct fake_exchange *exchange = from(port);
    assert_int_equal(exchange->state, FAKE_EXCHANGE_STREAMING);
    end(exchange, FAKE_EXCHANGE_CLOSED);
}

static size_t queued(const struct exchange *port)
{
    assert_false(fake_exchange_has_ended(from(port)));
    return from(port)->queued;
}

static const struct exchange_operations operations = {
    .header = header,
    .respond = respond,
    .open_stream = open_stream,
    .send_event = send_event,
    .send_comment = send_comment,
    .close_stream = close_stream,
    .queued = queued,
};

struct fake_exchange *fake_exchange_new(struct fake_world *world, enum exchange_method method)
{
    struct fake_exchange *exchange = memory_new(sizeof(*exchange));
    *exchange = (struct fake_exchange){
        .exchange = {.operations = &operations, .method = method, .path = SLICE_LITERAL("/mcp")},
        .world = world,
    };
    buffer_init(&exchange->answer, 0);
    list_append(&world->exchanges, &exchange->link);
    return exchange;
}

static void free_fields(struct fake_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(fields[i].name);
        free(fields[i].value);
    }
}

void fake_exchange_free(struct fake_exchange *exchange)
{
    assert_true(fake_exchange_has_ended(exchange));
    free_fields(exchange->fields, exchange->field_count);
    free_fields(exchange->answer_fields, exchange->answer_field_count);
    for (size_t i = 0; i < exchange->event_count; i++) {
        free(exchange->events[i]);
    }
    free(exchange->events);
    free(exchange->event_ids);
    buffer_release(&exchange->answer);
    free(exchange);
}

void fake_exchange_add_field(struct fake_exchange *exchange, const char *name, const char *value)
{
    assert_true(exchange->field_count < FAKE_EXCHANGE_HEADERS);
    exchange->fields[exchange->field_count++] = (struct fake_field){memory_copy_text(name), memory_copy_text(value)};
}

void fake_exchange_set_body(struct fake_exchange *exchange, struct slice body)
{
    exchange->body_block = fake_copy(body);
    exchange->exchange.body = slice_of(exchange->body_block, body.size);
}

void fake_exchange_vanish(struct fake_exchange *exchange)
{
    if (!fake_exchange_has_ended(exchange)) {
        assert_non_null(exchange->exchange.on_closed);
        exchange->exchange.on_closed(&exchange->exchange);
        end(exchange, FAKE_EXCHANGE_GONE);
    }
}

const char *fake_exchange_answer_field(const struct fake_exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->answer_field_count; i++) {
        if (slice_equals_ignoring_case(slice_text(exchange->answer_fields[i].name), slice_text(name))) {
            return exchange->answer_fields[i].value;
        }
    }
    return NULL;
}

const char *fake_exchange_answer(struct fake_exchange *exchange)
{
    assert_int_equal(exchange->state, FAKE_EXCHANGE_ANSWERED);
    if (exchange->answer.size > 0) {
        buffer_add(&exchange->answer, slice_of("", 1));
        exchange->answer.size--;
    }
    return buffer_slice(&exchange->answer).data;
}

const char *fake_exchange_take(struct fake_exchange *exchange)
{
    return exchange->events_read < exchange->event_count ? exchange->events[exchange->events_read++] : NULL;
}

void fake_exchange_expect(struct fake_exchange *exchange, int status, const char *body)
{
    assert_string_equal(fake_exchange_answer(exchange), body);
    assert_int_equal(exchange->status, status);
}

void fake_exchange_expect_event(struct fake_exchange *exchange, const char *data)
{
    const char *found = fake_exchange_take(exchange);
    assert_string_equal(found != NULL ? found : "(no event)", data);
}

static void expect_no_event(const struct fake_exchange *exchange)
{
    assert_string_equal(exchange->events_read < exchange->event_count ? exchange->events[exchange->events_read]
                                                                      : "(no event)",
                        "(no event)");
}

void fake_exchange_expect_silence(const struct fake_exchange *exchange)
{
    assert_int_equal(exchange->state, FAKE_EXCHANGE_WAITING);
}

void fake_exchange_expect_open(const struct fake_exchange *exchange)
{
    expect_no_event(exchange);
    assert_int_equal(exchange->state, FAKE_EXCHANGE_STREAMING);
}

void fake_exchange_expect_closed(const struct fake_exchange *exchange)
{
    expect_no_event(exchange);
    assert_int_equal(exchange->state, FAKE_EXCHANGE_CLOSED);
}
