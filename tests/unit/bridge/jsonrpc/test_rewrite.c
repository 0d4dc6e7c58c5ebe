#include "bridge/jsonrpc/rewrite.h"

#include "bridge/jsonrpc/message.h"
#include "tests/unit/bridge/fake_world.h"
#include "tests/unit/bridge/jsonrpc/random_json.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void join(const struct rewrite *rewrite, struct buffer *out)
{
    buffer_init(out, 0);
    for (size_t i = 0; i < rewrite->count; i++) {
        buffer_add(out, rewrite->parts[i]);
    }
}

static void expect(const struct rewrite *rewrite, const char *text)
{
    struct buffer out;
    join(rewrite, &out);
    assert_true(slice_is(buffer_slice(&out), text));
    buffer_release(&out);
}

static void without_replacement_the_bytes_stay_one_part(void **state)
{
    const struct replacement absent = {{NULL, 0}, SLICE_LITERAL("x")};
    struct rewrite rewrite;
    (void)state;
    rewrite_splice(&rewrite, slice_text("abc"), NULL, 0);
    expect(&rewrite, "abc");
    rewrite_splice(&rewrite, slice_text("abc"), &absent, 1);
    assert_int_equal(rewrite.count, 1);
    expect(&rewrite, "abc");
}

static void a_span_is_replaced_wherever_it_stands(void **state)
{
    const char *bytes = "0123456789";
    (void)state;
    for (size_t at = 0; at < 8; at++) {
        char expected[16];
        const struct replacement replacement = {slice_of(bytes + at, 3), slice_text("abcd")};
        struct rewrite rewrite;
        rewrite_splice(&rewrite, slice_text(bytes), &replacement, 1);
        snprintf(expected, sizeof(expected), "%.*sabcd%s", (int)at, bytes, bytes + at + 3);
        expect(&rewrite, expected);
    }
}

static void spans_are_replaced_whatever_their_order(void **state)
{
    const char *bytes = "0123456789";
    const struct replacement a = {slice_of(bytes, 1), slice_text("A")};
    const struct replacement b = {slice_of(bytes + 1, 2), slice_text("BBB")};
    const struct replacement c = {slice_of(bytes + 9, 1), slice_text("")};
    const struct replacement orders[][3] = {{a, b, c}, {a, c, b}, {b, a, c}, {b, c, a}, {c, a, b}, {c, b, a}};
    (void)state;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct rewrite rewrite;
        rewrite_splice(&rewrite, slice_text(bytes), orders[i], 3);
        assert_true(rewrite.count <= REWRITE_MAX_PARTS);
        expect(&rewrite, "ABBB345678");
    }
}

static void nothing_is_copied(void **state)
{
    const char *bytes = "{\"id\":1}";
    const struct replacement replacement = {slice_of(bytes + 6, 1), slice_text("77")};
    struct rewrite rewrite;
    (void)state;
    rewrite_splice(&rewrite, slice_text(bytes), &replacement, 1);
    assert_int_equal(rewrite.count, 3);
    assert_ptr_equal(rewrite.parts[0].data, bytes);
    assert_ptr_equal(rewrite.parts[1].data, replacement.with.data);
    assert_ptr_equal(rewrite.parts[2].data, bytes + 7);
}

static void numbers_are_written_as_json(void **state)
{
    static const uint64_t numbers[] = {0, 7, 10, 4294967296u, 9007199254740993u, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char expected[32];
        struct number_text text;
        snprintf(expected, sizeof(expected), "%llu", (unsigned long long)numbers[i]);
        assert_true(slice_is(number_write(&text, numbers[i]), expected));
    }
}

/* ---- Random requests whose spans are known, since they were put together from them ---- */

struct request {
    struct buffer text;
    size_t id_at;
    size_t id_size;
    size_t token_at;
    size_t token_size; /* 0 without one */
};

/* A key, some of its characters as escapes. */
static void add_key(struct request *request, uint64_t *seed, const char *key)
{
    bool is_escaped = fake_random_below(seed, 4) == 0;
    random_json_space(&request->text, seed, false);
    buffer_add_text(&request->text, "\"");
    for (; *key != '\0'; key++) {
        if (is_escaped && fake_random_below(seed, 2) == 0) {
            buffer_add_format(&request->text, "\\u%04x", (unsigned)*key);
        } else {
            buffer_add(&request->text, slice_of(key, 1));
        }
    }
    buffer_add_text(&request->text, "\"");
    random_json_space(&request->text, seed, false);
    buffer_add_text(&request->text, ":");
    random_json_space(&request->text, seed, false);
}

static void add_id(struct buffer *out, uint64_t *seed)
{
    static const char *const ids[] = {
        "0", "-0", "-17", "9007199254740993", "\"\"", "\"1\"", "123456789012345678901234"};
    size_t which = fake_random_below(seed, 2 * sizeof(ids) / sizeof(ids[0]));
    if (which < sizeof(ids) / sizeof(ids[0])) {
        buffer_add_text(out, ids[which]);
    } else {
        random_json_string(out, seed);
    }
}

static void add_token(struct request *request, uint64_t *seed)
{
    add_key(request, seed, "_meta");
    buffer_add_text(&request->text, "{");
    add_key(request, seed, "progressToken");
    request->token_at = request->text.size;
    add_id(&request->text, seed);
    request->token_size = request->text.size - request->token_at;
    buffer_add_text(&request->text, ",");
    add_key(request, seed, "progress");
    random_json_value(&request->text, seed, 3);
    buffer_add_text(&request->text, "}");
}

static void add_params(struct request *request, uint64_t *seed)
{
    size_t token_place = fake_random_below(seed, 6);
    add_key(request, seed, "params");
    buffer_add_text(&request->text, "{");
    for (size_t place = 0; place < 4; place++) {
        buffer_add_text(&request->text, place > 0 ? "," : "");
        if (place == token_place) {
            add_token(request, seed);
        } else {
            add_key(request, seed, "argument");
            random_json_value(&request->text, seed, 6);
        }
        random_json_space(&request->text, seed, false);
    }
    buffer_add_text(&request->text, "}");
}

static void add_member(struct request *request, uint64_t *seed, size_t which)
{
    switch (which) {
    case 0:
        add_key(request, seed, "jsonrpc");
        buffer_add_text(&request->text, "\"2.0\"");
        break;
    case 1:
        add_key(request, seed, "id");
        request->id_at = request->text.size;
        add_id(&request->text, seed);
        request->id_size = request->text.size - request->id_at;
        break;
    case 2:
        add_key(request, seed, "method");
        buffer_add_text(&request->text, "\"tools\\/call\"");
        break;
    case 3:
        add_params(request, seed);
        break;
    default:
        add_key(request, seed, "other");
        random_json_value(&request->text, seed, 3);
        break;
    }
    random_json_space(&request->text, seed, false);
}

static void make_request(struct request *request, uint64_t *seed)
{
    size_t order[] = {0, 1, 2, 3, 4};
    *request = (struct request){0};
    buffer_init(&request->text, 0);
    for (size_t i = 5; i > 1; i--) {
        size_t j = fake_random_below(seed, i);
        size_t swapped = order[j];
        order[j] = order[i - 1];
        order[i - 1] = swapped;
    }
    buffer_add_text(&request->text, "{");
    for (size_t i = 0; i < 5; i++) {
        buffer_add_text(&request->text, i > 0 ? "," : "");
        add_member(request, seed, order[i]);
    }
    buffer_add_text(&request->text, "}");
}

/* The request with 4711 for its id and its token, put together without the code under test. */
static void make_expected(const struct request *request, struct buffer *out)
{
    struct slice text = buffer_slice(&request->text);
    bool token_first = request->token_size > 0 && request->token_at < request->id_at;
    size_t first_at = token_first ? request->token_at : request->id_at;
    size_t first_size = token_first ? request->token_size : request->id_size;
    size_t second_at = token_first ? request->id_at : request->token_at;
    size_t second_size = token_first ? request->id_size : request->token_size;
    buffer_init(out, 0);
    buffer_add(out, slice_of(text.data, first_at));
    buffer_add_text(out, "4711");
    size_t at = first_at + first_size;
    if (request->token_size > 0) {
        buffer_add(out, slice_of(text.data + at, second_at - at));
        buffer_add_text(out, "4711");
        at = second_at + second_size;
    }
    buffer_add(out, slice_of(text.data + at, text.size - at));
}

static void there_and_back_a_request_is_the_same_to_the_byte(void **state)
{
    uint64_t seed = 6;
    (void)state;
    for (int turn = 0; turn < 20000; turn++) {
        struct request request;
        struct message message;
        struct message wire;
        struct rewrite rewrite;
        struct buffer expected;
        struct buffer there;
        struct buffer back;
        make_request(&request, &seed);
        make_expected(&request, &expected);
        assert_int_equal(message_scan_whole(&message, buffer_slice(&request.text)), MESSAGE_FAULT_NONE);
        assert_ptr_equal(message.id.data, buffer_slice(&request.text).data + request.id_at);
        assert_int_equal(message.id.size, request.id_size);
        assert_int_equal(message.meta_token.size, request.token_size);
        const struct replacement out[] = {{message.id, slice_text("4711")}, {message.meta_token, slice_text("4711")}};
        rewrite_splice(&rewrite, message.bytes, out, 2);
        join(&rewrite, &there);
        assert_true(slice_equals(buffer_slice(&there), buffer_slice(&expected)));
        assert_int_equal(message_scan_whole(&wire, buffer_slice(&there)), MESSAGE_FAULT_NONE);
        const struct replacement home[] = {{wire.meta_token, message.meta_token}, {wire.id, message.id}};
        rewrite_splice(&rewrite, wire.bytes, home, 2);
        join(&rewrite, &back);
        assert_true(slice_equals(buffer_slice(&back), buffer_slice(&request.text)));
        buffer_release(&request.text);
        buffer_release(&expected);
        buffer_release(&there);
        buffer_release(&back);
    }
}

/* Whether the program ends, rather than read what is not the message's. */
static bool is_fatal(struct slice bytes, const struct replacement *replacements, size_t count)
{
    const struct rlimit no_core = {0, 0};
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        struct rewrite rewrite;
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        rewrite_splice(&rewrite, bytes, replacements, count);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void a_span_that_is_not_the_messages_ends_the_program(void **state)
{
    const char *text = "0123456789";
    const struct slice middle = slice_of(text + 3, 4);
    const struct {
        struct replacement pair[2];
        bool is_fatal;
    } cases[] = {
        {{{slice_of(text + 3, 4), slice_text("a")}, {slice_of(NULL, 0), slice_text("")}}, false},
        {{{slice_of(text + 3, 2), slice_text("a")}, {slice_of(text + 5, 2), slice_text("")}}, false},
        {{{slice_of(text + 7, 0), slice_text("a")}, {slice_of(NULL, 0), slice_text("")}}, false},
        {{{slice_of(text + 2, 1), slice_text("a")}, {slice_of(NULL, 0), slice_text("")}}, true},
        {{{slice_of(text + 8, 0), slice_text("a")}, {slice_of(NULL, 0), slice_text("")}}, true},
        {{{slice_of(text + 6, 2), slice_text("a")}, {slice_of(NULL, 0), slice_text("")}}, true},
        {{{slice_of(text + 3, 3), slice_text("a")}, {slice_of(text + 5, 1), slice_text("")}}, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(is_fatal(middle, cases[i].pair, 2), cases[i].is_fatal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_replacement_the_bytes_stay_one_part),
        cmocka_unit_test(a_span_is_replaced_wherever_it_stands),
        cmocka_unit_test(spans_are_replaced_whatever_their_order),
        cmocka_unit_test(nothing_is_copied),
        cmocka_unit_test(numbers_are_written_as_json),
        cmocka_unit_test(there_and_back_a_request_is_the_same_to_the_byte),
        cmocka_unit_test(a_span_that_is_not_the_messages_ends_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
