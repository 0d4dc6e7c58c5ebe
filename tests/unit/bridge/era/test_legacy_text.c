#include "bridge/era/legacy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Whether a client of these capabilities may be asked this; `params` may be NULL. */
static bool may_be_asked(const char *capabilities, const char *method, const char *params)
{
    char text[256];
    struct message question;
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"%s%s}", method,
             params != NULL ? ",\"params\":" : "", params != NULL ? params : "");
    assert_int_equal(message_scan_whole(&question, slice_text(text)), MESSAGE_FAULT_NONE);
    return legacy_text_may_be_asked(slice_text(capabilities), &question);
}

static void a_client_is_asked_what_it_declared_and_nothing_else(void **state)
{
    static const char *const kinds[][2] = {
        {"{\"sampling\":{}}", "sampling/createMessage"},
        {"{\"elicitation\":{}}", "elicitation/create"},
        {"{\"roots\":{}}", "roots/list"},
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(may_be_asked(kinds[i][0], kinds[j][1], "{}"), i == j);
        }
        assert_false(may_be_asked("{}", kinds[i][1], "{}"));
        assert_false(may_be_asked(kinds[i][0], "tools/list", "{}"));
        assert_true(may_be_asked(kinds[i][0], kinds[i][1], NULL));
    }
}

/* MCP 2025-11-25, Elicitation, "Capabilities". */
static void a_form_and_a_page_are_declared_apart(void **state)
{
    static const char form[] = "{\"mode\":\"form\"}";
    static const char page[] = "{\"mode\":\"url\"}";
    static const struct {
        const char *capabilities;
        bool has_form;
        bool has_page;
    } cases[] = {
        {"{\"elicitation\":{}}", true, false},
        {"{\"elicitation\":{\"form\":{}}}", true, false},
        {"{\"elicitation\":{\"url\":{}}}", false, true},
        {"{\"elicitation\":{\"form\":{},\"url\":{}}}", true, true},
        {"{}", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *capabilities = cases[i].capabilities;
        assert_int_equal(may_be_asked(capabilities, "elicitation/create", form), cases[i].has_form);
        assert_int_equal(may_be_asked(capabilities, "elicitation/create", "{}"), cases[i].has_form);
        assert_int_equal(may_be_asked(capabilities, "elicitation/create", page), cases[i].has_page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_asked_what_it_declared_and_nothing_else),
        cmocka_unit_test(a_form_and_a_page_are_declared_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
