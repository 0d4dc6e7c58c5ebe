#include "src/tokens.h"

#include "bridge/base/buffer.h"
#include "bridge/limits.h"
#include "tests/unit/src/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct error error;

/* Whose token it is; "" for nobody's. */
static const char *holder_of(const struct tokens *tokens, const char *token)
{
    static char name[128];
    struct slice principal = slice_text("");
    bool is_found = tokens->list.find(&tokens->list, slice_text(token), &principal);
    assert_int_equal(is_found, principal.size > 0);
    snprintf(name, sizeof(name), "%.*s", SLICE_PRINT(principal));
    return name;
}

static int add(struct tokens *tokens, const char *text)
{
    tokens_init(tokens);
    return tokens_add(tokens, "list", slice_text(text), &error);
}

static void comments_and_empty_lines_are_passed_over(void **state)
{
    struct tokens tokens;
    (void)state;
    assert_int_equal(add(&tokens, "# tokens\n\nalice:one\r\n  \t\n  bob:two==  \n#bob:three\ncarol:four"), 0);
    assert_int_equal(tokens.count, 3);
    assert_string_equal(holder_of(&tokens, "one"), "alice");
    assert_string_equal(holder_of(&tokens, "two=="), "bob");
    assert_string_equal(holder_of(&tokens, "three"), "");
    assert_string_equal(holder_of(&tokens, "four"), "carol");
    tokens_release(&tokens);
}

static void only_the_whole_token_fits(void **state)
{
    static const char *const wrong[] = {"", "o", "on", "onex", "One", "one ", "alice:one", "alice", "two="};
    struct tokens tokens;
    (void)state;
    assert_int_equal(add(&tokens, "alice:one\nbob:two==\n"), 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_string_equal(holder_of(&tokens, wrong[i]), "");
    }
    tokens_release(&tokens);
}

static void the_first_and_the_last_of_many_are_found(void **state)
{
    struct tokens tokens;
    struct buffer text;
    (void)state;
    buffer_init(&text, 0);
    for (int i = 0; i < LIMIT_TOKENS; i++) {
        buffer_add_format(&text, "n%d:t%d\n", i, i);
    }
    buffer_add(&text, slice_of("", 1));
    assert_int_equal(add(&tokens, buffer_slice(&text).data), 0);
    assert_string_equal(holder_of(&tokens, "t0"), "n0");
    assert_string_equal(holder_of(&tokens, "t512"), "n512");
    assert_string_equal(holder_of(&tokens, "t1023"), "n1023");
    assert_string_equal(holder_of(&tokens, "t1024"), "");
    assert_int_equal(tokens_add(&tokens, "list", slice_text("more"), &error), -1);
    assert_string_equal(error.text, "list, line 1: there can be 1024 tokens, no more");
    buffer_release(&text);
    tokens_release(&tokens);
}

static void one_name_may_have_several_tokens(void **state)
{
    struct tokens tokens;
    (void)state;
    assert_int_equal(add(&tokens, "alice:old\nalice:new\n"), 0);
    assert_string_equal(holder_of(&tokens, "old"), "alice");
    assert_string_equal(holder_of(&tokens, "new"), "alice");
    assert_true(tokens.list.has(&tokens.list, slice_text("alice")));
    assert_false(tokens.list.has(&tokens.list, slice_text("alic")));
    assert_false(tokens.list.has(&tokens.list, slice_text("")));
    tokens_release(&tokens);
}

/* It is the same after every start: sessions and logs know the caller again. */
static void a_token_without_a_name_gets_one_that_does_not_show_it(void **state)
{
    struct tokens tokens;
    (void)state;
    assert_int_equal(add(&tokens, "abc\nabd\n"), 0);
    assert_string_equal(holder_of(&tokens, "abc"), "token-bddd813c6342");
    assert_string_not_equal(holder_of(&tokens, "abd"), "token-bddd813c6342");
    tokens_release(&tokens);
}

static void a_bad_line_is_named_and_not_shown(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } lists[] = {
        {"ok\nsec ret", "list, line 2: a token has letters"},
        {"ok\nsecret\x01", "list, line 2: a token has letters"},
        {"s\xc3\xa4"
         "cret",
         "list, line 1: a token has letters"},
        {"a=b", "list, line 1: a token has letters"},
        {"=", "list, line 1: a token has letters"},
        {"alice:", "list, line 1: a token has letters"},
        {"alice:sec:ret", "list, line 1: a token has letters"},
        {"secret # hers", "list, line 1: a token has letters"},
        {"al ice:secret", "list, line 1: a name has"},
        {":secret", "list, line 1: a name has"},
        {"0123456789012345678901234567890123456789012345678901234567890123x:secret", "list, line 1: a name has"},
        {"alice:secret\n\n#\nbob:secret", "list, line 4: this token was given already, as the one of alice"},
        {"", "list holds no token"},
        {"# alice:secret\n\n", "list holds no token"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct tokens tokens;
        assert_int_equal(add(&tokens, lists[i].text), -1);
        assert_non_null(strstr(error.text, lists[i].error));
        assert_null(strstr(error.text, "sec"));
        tokens_release(&tokens);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_file_may_have_so_many_bytes_and_no_more(void **state)
{
    char path[SCRATCH_PATH];
    struct tokens tokens;
    struct buffer text;
    (void)state;
    close(scratch_file(path, sizeof(path), "tokens"));
    tokens_init(&tokens);
    buffer_init(&text, 0);
    buffer_add_format(&text, "alice:one\n#%0*d", LIMIT_TOKEN_FILE_BYTES - 11, 0);
    assert_int_equal(text.size, LIMIT_TOKEN_FILE_BYTES);
    buffer_add(&text, slice_of("", 1));
    write_file(path, text.data);
    assert_int_equal(tokens_load(&tokens, path, NULL, &error), 0);
    text.data[text.size - 1] = '\n';
    buffer_add(&text, slice_of("", 1));
    write_file(path, text.data);
    assert_int_equal(tokens_load(&tokens, path, NULL, &error), -1);
    assert_non_null(strstr(error.text, path));
    assert_string_equal(holder_of(&tokens, "one"), "alice");
    buffer_release(&text);
    unlink(path);
    tokens_release(&tokens);
}

static void a_bad_file_changes_nothing(void **state)
{
    char path[SCRATCH_PATH];
    struct tokens tokens;
    (void)state;
    close(scratch_file(path, sizeof(path), "tokens"));
    write_file(path, "alice:one\n");
    tokens_init(&tokens);
    assert_int_equal(tokens_load(&tokens, path, "root:zero", &error), 0);
    assert_string_equal(holder_of(&tokens, "zero"), "root");
    assert_string_equal(holder_of(&tokens, "one"), "alice");
    static const char *const bad[] = {"", "bob:two\nal ice:one\n", "root:zero\n"};
    for (size_t i = 0; i < 3; i++) {
        write_file(path, bad[i]);
        assert_int_equal(tokens_load(&tokens, path, "root:zero", &error), -1);
        assert_non_null(strstr(error.text, path));
        assert_string_equal(holder_of(&tokens, "one"), "alice");
        assert_string_equal(holder_of(&tokens, "two"), "");
    }
    write_file(path, "bob:two\n");
    assert_int_equal(tokens_load(&tokens, path, "root:zero", &error), 0);
    assert_string_equal(holder_of(&tokens, "zero"), "root");
    assert_string_equal(holder_of(&tokens, "one"), "");
    assert_string_equal(holder_of(&tokens, "two"), "bob");
    unlink(path);
    assert_int_equal(tokens_load(&tokens, path, NULL, &error), -1);
    assert_non_null(strstr(error.text, "No such file"));
    assert_string_equal(holder_of(&tokens, "two"), "bob");
    tokens_release(&tokens);
}

static void the_environment_alone_is_enough_and_is_checked_as_well(void **state)
{
    struct tokens tokens;
    (void)state;
    tokens_init(&tokens);
    assert_int_equal(tokens_load(&tokens, NULL, "one", &error), 0);
    assert_true(strlen(holder_of(&tokens, "one")) > 0);
    assert_int_equal(tokens_load(&tokens, NULL, "not a token", &error), -1);
    assert_non_null(strstr(error.text, "MCP_BRIDGE_AUTH_TOKEN, line 1: a token has"));
    tokens_release(&tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_empty_lines_are_passed_over),
        cmocka_unit_test(only_the_whole_token_fits),
        cmocka_unit_test(the_first_and_the_last_of_many_are_found),
        cmocka_unit_test(one_name_may_have_several_tokens),
        cmocka_unit_test(a_token_without_a_name_gets_one_that_does_not_show_it),
        cmocka_unit_test(a_bad_line_is_named_and_not_shown),
        cmocka_unit_test(a_file_may_have_so_many_bytes_and_no_more),
        cmocka_unit_test(a_bad_file_changes_nothing),
        cmocka_unit_test(the_environment_alone_is_enough_and_is_checked_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
