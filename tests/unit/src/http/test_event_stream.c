#include "src/http/event_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_pieces(const struct http_pieces *pieces, const char *expected)
{
    struct buffer all;
    buffer_init(&all, 0);
    for (size_t i = 0; i < http_pieces_count(pieces); i++) {
        if (http_pieces_at(pieces, i).size > 0) {
            buffer_add(&all, http_pieces_at(pieces, i));
        }
    }
    buffer_add(&all, slice_of("", 1));
    assert_string_equal(all.data, expected);
    buffer_release(&all);
}

static void assert_event(const struct event *event, bool is_chunked, const char *expected)
{
    struct buffer scratch;
    buffer_init(&scratch, 0);
    struct http_pieces pieces = http_event_stream_event(&scratch, event, is_chunked);
    assert_pieces(&pieces, expected);
    buffer_release(&scratch);
}

static void an_event_has_its_name_and_its_data(void **state)
{
    const struct slice data = SLICE_LITERAL("{}");
    (void)state;
    assert_event(&(struct event){.data = &data, .data_count = 1}, false, "event: message\ndata: {}\n\n");
}

static void an_event_is_one_chunk(void **state)
{
    const struct slice data = SLICE_LITERAL("{}");
    (void)state;
    assert_event(&(struct event){.data = &data, .data_count = 1}, true, "19\r\nevent: message\ndata: {}\n\n\r\n");
}

static void parts_of_data_follow_one_another(void **state)
{
    const struct slice data[] = {SLICE_LITERAL("{\"id\":"), SLICE_LITERAL("7"), SLICE_LITERAL("}")};
    (void)state;
    assert_event(&(struct event){.data = data, .data_count = 3}, false, "event: message\ndata: {\"id\":7}\n\n");
}

static void id_and_retry_stand_before_the_data(void **state)
{
    const struct slice data = SLICE_LITERAL("x");
    const struct event event = {.id = SLICE_LITERAL("s-1"), .data = &data, .data_count = 1, .retry_ms = 2500};
    (void)state;
    assert_event(&event, false, "event: message\nid: s-1\nretry: 2500\ndata: x\n\n");
}

static void an_event_without_data_has_an_empty_data_line_and_no_name(void **state)
{
    (void)state;
    assert_event(&(struct event){.id = SLICE_LITERAL("0")}, false, "id: 0\ndata: \n\n");
    assert_event(&(struct event){.retry_ms = 1}, true, "11\r\nretry: 1\ndata: \n\n\r\n");
}

static void a_comment_is_a_line_and_a_blank_line(void **state)
{
    struct buffer scratch;
    (void)state;
    buffer_init(&scratch, 0);
    struct http_pieces pieces = http_event_stream_comment(&scratch, "ping", false);
    assert_pieces(&pieces, ": ping\n\n");
    pieces = http_event_stream_comment(&scratch, "ping", true);
    assert_pieces(&pieces, "8\r\n: ping\n\n\r\n");
    buffer_release(&scratch);
}

static void a_chunked_stream_ends_with_the_last_chunk(void **state)
{
    (void)state;
    struct http_pieces pieces = http_event_stream_end(true);
    assert_pieces(&pieces, "0\r\n\r\n");
    pieces = http_event_stream_end(false);
    assert_pieces(&pieces, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_its_name_and_its_data),
        cmocka_unit_test(an_event_is_one_chunk),
        cmocka_unit_test(parts_of_data_follow_one_another),
        cmocka_unit_test(id_and_retry_stand_before_the_data),
        cmocka_unit_test(an_event_without_data_has_an_empty_data_line_and_no_name),
        cmocka_unit_test(a_comment_is_a_line_and_a_blank_line),
        cmocka_unit_test(a_chunked_stream_ends_with_the_last_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
