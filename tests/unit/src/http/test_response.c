#include "src/http/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_head(const struct http_head *head, const char *expected)
{
    struct buffer out;
    buffer_init(&out, 0);
    http_response_compose(&out, head, slice_text("now"));
    buffer_add(&out, slice_of("", 1));
    assert_string_equal(out.data, expected);
    buffer_release(&out);
}

static void a_head_has_status_date_and_length(void **state)
{
    (void)state;
    assert_head(&(struct http_head){.status = 200, .framing = HTTP_FRAMING_LENGTH, .content_length = 1234567890},
                "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 1234567890\r\n\r\n");
    assert_head(&(struct http_head){.status = 202, .framing = HTTP_FRAMING_LENGTH},
                "HTTP/1.1 202 Accepted\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
}

static void an_answer_without_a_body_has_no_length(void **state)
{
    (void)state;
    assert_false(http_response_has_body(204));
    assert_false(http_response_has_body(304));
    assert_true(http_response_has_body(202));
    assert_head(&(struct http_head){.status = 204}, "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
}

static void our_headers_stand_before_the_handlers(void **state)
{
    const struct header own = {"A", SLICE_LITERAL("1")};
    const struct header others[] = {{"B", SLICE_LITERAL("2")}, {"C", SLICE_LITERAL("")}};
    const struct http_head head = {.status = 200,
                                   .framing = HTTP_FRAMING_CHUNKED,
                                   .persistence = HTTP_PERSISTENCE_CLOSE,
                                   .headers = others,
                                   .header_count = 2,
                                   .own_headers = &own,
                                   .own_header_count = 1};
    (void)state;
    assert_head(&head, "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
                       "A: 1\r\nB: 2\r\nC: \r\n\r\n");
}

static void a_date_is_written_as_http_wants_it(void **state)
{
    struct http_date date = {.second = 0};
    (void)state;
    assert_true(slice_is(http_date_at(&date, 0), "Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_true(slice_is(http_date_at(&date, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_true(slice_is(http_date_at(&date, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT"));
}

static void every_status_in_use_has_a_phrase(void **state)
{
    (void)state;
    assert_string_equal(http_response_phrase(406), "Not Acceptable");
    assert_string_equal(http_response_phrase(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_has_status_date_and_length),
        cmocka_unit_test(an_answer_without_a_body_has_no_length),
        cmocka_unit_test(our_headers_stand_before_the_handlers),
        cmocka_unit_test(a_date_is_written_as_http_wants_it),
        cmocka_unit_test(every_status_in_use_has_a_phrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
