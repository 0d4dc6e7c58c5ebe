#include "bridge/mcp/tool_headers.h"

#include "bridge/base/buffer.h"
#include "bridge/jsonrpc/message.h"
#include "bridge/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TOOL(name, schema) "{\"name\":" name ",\"inputSchema\":" schema "}"
#define LIST(tools) "{\"tools\":[" tools "]}"
#define OBJECT(properties) "{\"type\":\"object\",\"properties\":{" properties "}}"
#define HEADER(type, name) "{\"type\":" type ",\"x-mcp-header\":" name "}"

/* Reads a page in a block of exactly its size, which must be valid, as it would be in a message. */
static void read_page(struct tool_headers *headers, const char *page)
{
    struct buffer text;
    struct message message;
    buffer_init(&text, 0);
    buffer_add_text(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":");
    buffer_add_text(&text, page);
    buffer_add_text(&text, "}");
    assert_int_equal(message_scan_whole(&message, buffer_slice(&text)), MESSAGE_FAULT_NONE);
    tool_headers_read(headers, message.result);
    buffer_release(&text);
}

static enum tool_knowledge look(const struct tool_headers *headers, const char *name)
{
    const struct tool *tool;
    return tool_headers_find(headers, slice_text(name), &tool);
}

/* What a tool with this schema is taken for; its headers as "field=key/key ", in their order. */
static enum tool_knowledge read_schema(const char *schema, struct buffer *found)
{
    struct tool_headers headers;
    struct buffer page;
    const struct tool *tool = NULL;
    tool_headers_init(&headers);
    buffer_init(&page, 0);
    buffer_add_format(&page, LIST(TOOL("\"t\"", "%s")), schema);
    buffer_add(&page, slice_of("", 1));
    read_page(&headers, buffer_slice(&page).data);
    enum tool_knowledge knowledge = tool_headers_find(&headers, slice_text("\"t\""), &tool);
    for (size_t i = 0; knowledge == TOOL_HAS_HEADERS && i < tool->header_count; i++) {
        const struct tool_header *header = &tool->headers[i];
        buffer_add_format(found, "%s=", header->field);
        for (const char *key = header->path; key < header->path + header->path_size; key += strlen(key) + 1) {
            buffer_add_format(found, "%s%s", key == header->path ? "" : "/", key);
        }
        buffer_add_text(found, " ");
    }
    buffer_release(&page);
    tool_headers_release(&headers);
    return knowledge;
}

static void expect_headers(const char *schema, const char *expected)
{
    struct buffer found;
    buffer_init(&found, 0);
    assert_int_equal(read_schema(schema, &found), *expected != '\0' ? TOOL_HAS_HEADERS : TOOL_PLAIN);
    buffer_add(&found, slice_of("", 1));
    assert_string_equal(buffer_slice(&found).data, expected);
    buffer_release(&found);
}

static void nothing_is_known_before_a_list_was_read(void **state)
{
    struct tool_headers zeroed = {.bytes = 0};
    (void)state;
    assert_int_equal(look(&zeroed, "\"t\""), TOOL_UNKNOWN);
    tool_headers_release(&zeroed);
    tool_headers_release(NULL);
}

static void tools_are_found_by_what_their_names_mean(void **state)
{
    struct tool_headers headers;
    (void)state;
    tool_headers_init(&headers);
    read_page(&headers,
              LIST(TOOL("\"a/b\"", "{}") "," TOOL("\"\\u0063\"", OBJECT("\"p\":" HEADER("\"string\"", "\"P\"")))));
    read_page(&headers, LIST("{\"name\":\"bare\"}"));
    assert_int_equal(look(&headers, "\"a/b\""), TOOL_PLAIN);
    assert_int_equal(look(&headers, "\"a\\/b\""), TOOL_PLAIN);
    assert_int_equal(look(&headers, "\"c\""), TOOL_HAS_HEADERS);
    assert_int_equal(look(&headers, "\"bare\""), TOOL_PLAIN);
    assert_int_equal(look(&headers, "\"C\""), TOOL_UNKNOWN);
    assert_int_equal(look(&headers, "\"\""), TOOL_UNKNOWN);
    /* A call that names none is not worth a question to the child. */
    assert_int_equal(look(&headers, "7"), TOOL_PLAIN);
    assert_int_equal(tool_headers_find(&headers, slice_of(NULL, 0), &(const struct tool *){NULL}), TOOL_PLAIN);
    tool_headers_release(&headers);
}

static void what_is_no_list_of_tools_adds_none(void **state)
{
    static const char *const pages[] = {
        "{}", "{\"tools\":{}}",      "{\"tools\":7}",
        "[]", LIST("7,[],\"t\",{}"), LIST("{\"name\":7},{\"name\":null,\"inputSchema\":{}}")};
    struct tool_headers headers;
    (void)state;
    tool_headers_init(&headers);
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        read_page(&headers, pages[i]);
    }
    assert_int_equal(headers.tools.count, 0);
    tool_headers_release(&headers);
}

static void a_header_is_found_with_the_path_of_its_argument(void **state)
{
    (void)state;
    expect_headers(OBJECT("\"region\":" HEADER("\"string\"", "\"Region\"")), "mcp-param-region=region ");
    expect_headers(OBJECT("\"a\":" HEADER("\"integer\"", "\"N\"") ",\"b\":{\"type\":\"string\"},\"c\":" HEADER(
                       "\"boolean\"", "\"Flag_1\"")),
                   "mcp-param-n=a mcp-param-flag_1=c ");
    expect_headers(OBJECT("\"a\":" OBJECT("\"b\":" OBJECT("\"c\":" HEADER("\"string\"", "\"Deep\"")))),
                   "mcp-param-deep=a/b/c ");
    expect_headers(OBJECT("\"a\\u002fb\":{\"\\u0078-mcp-header\":\"X\",\"type\":\"string\"}"), "mcp-param-x=a/b ");
    expect_headers(OBJECT("\"\":" HEADER("\"string\"", "\"!#$%&'*+-.^_`|~09\"")), "mcp-param-!#$%&'*+-.^_`|~09= ");
    expect_headers(
        "{\"properties\":{\"properties\":{\"properties\":{\"properties\":" HEADER("\"string\"", "\"P\"") "}}}}",
        "mcp-param-p=properties/properties ");
}

static void a_schema_without_the_word_has_no_headers(void **state)
{
    (void)state;
    expect_headers("{}", "");
    expect_headers("true", "");
    expect_headers(OBJECT("\"a\":{\"type\":\"string\"}"), "");
}

/* A property may be called that. */
static void the_name_of_a_property_declares_nothing(void **state)
{
    (void)state;
    expect_headers(OBJECT("\"x-mcp-header\":{\"type\":\"string\"},\"p\":" HEADER("\"string\"", "\"P\"")),
                   "mcp-param-p=p ");
    expect_headers(
        OBJECT("\"p\":" HEADER("\"string\"",
                               "\"P\"") ",\"q\":{\"items\":{\"properties\":{\"x-mcp-header\":{\"type\":\"string\"}}}}"),
        "mcp-param-p=p ");
}

#define RIGHT "\"right\":" HEADER("\"string\"", "\"Right\"")

static void a_declaration_that_is_not_right_takes_all_headers_from_its_tool(void **state)
{
    static const char *const schemas[] = {
        OBJECT(RIGHT ",\"p\":" HEADER("\"string\"", "\"\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"string\"", "\"a b\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"string\"", "\"a:b\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"string\"", "\"a\\r\\nb\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"string\"", "\"\\u00e4\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"string\"", "7")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"string\"", "null")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"string\"", "\"rIGHT\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"number\"", "\"P\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"object\"", "\"P\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"array\"", "\"P\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("\"null\"", "\"P\"")),
        OBJECT(RIGHT ",\"p\":" HEADER("[\"string\",\"null\"]", "\"P\"")),
        OBJECT(RIGHT ",\"p\":{\"x-mcp-header\":\"P\"}"),
        OBJECT(RIGHT ",\"p\":{\"type\":\"array\",\"items\":" HEADER("\"string\"", "\"P\"") "}"),
        OBJECT(RIGHT ",\"p\":{\"anyOf\":[" HEADER("\"string\"", "\"P\"") "]}"),
        OBJECT(RIGHT ",\"p\":{\"items\":" OBJECT("\"q\":" HEADER("\"string\"", "\"P\"")) "}"),
        OBJECT(RIGHT ",\"p\":{\"additionalProperties\":" HEADER("\"string\"", "\"P\"") "}"),
        "{\"properties\":{" RIGHT "},\"$defs\":{\"d\":" HEADER("\"string\"", "\"P\"") "}}",
        "{\"properties\":{" RIGHT "},\"if\":{\"properties\":{\"p\":" HEADER("\"string\"", "\"P\"") "}}}",
        "{\"type\":\"string\",\"x-mcp-header\":\"Root\",\"properties\":{" RIGHT "}}",
        "{\"properties\":[" HEADER("\"string\"", "\"P\"") "]}",
    };
    (void)state;
    expect_headers(OBJECT(RIGHT), "mcp-param-right=right ");
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        expect_headers(schemas[i], "");
    }
}

static void a_wrong_tool_takes_nothing_from_the_others(void **state)
{
    struct tool_headers headers;
    (void)state;
    tool_headers_init(&headers);
    read_page(&headers, LIST(TOOL("\"wrong\"", OBJECT("\"p\":" HEADER("\"number\"", "\"P\""))) "," TOOL(
                            "\"right\"", OBJECT("\"p\":" HEADER("\"string\"", "\"P\"")))));
    assert_int_equal(look(&headers, "\"wrong\""), TOOL_PLAIN);
    assert_int_equal(look(&headers, "\"right\""), TOOL_HAS_HEADERS);
    tool_headers_release(&headers);
}

static void of_two_tools_with_one_name_the_first_counts(void **state)
{
    struct tool_headers headers;
    (void)state;
    tool_headers_init(&headers);
    read_page(&headers, LIST(TOOL("\"t\"", "{}")));
    read_page(&headers, LIST(TOOL("\"t\"", OBJECT("\"p\":" HEADER("\"string\"", "\"P\"")))));
    assert_int_equal(look(&headers, "\"t\""), TOOL_PLAIN);
    tool_headers_release(&headers);
}

/* ---- Ceilings ---- */

static void a_tool_has_so_many_headers_and_no_more(void **state)
{
    (void)state;
    for (size_t count = LIMIT_TOOL_HEADERS; count <= LIMIT_TOOL_HEADERS + 1; count++) {
        struct buffer schema;
        struct buffer found;
        buffer_init(&schema, 0);
        buffer_init(&found, 0);
        buffer_add_text(&schema, "{\"properties\":{");
        for (size_t i = 0; i < count; i++) {
            buffer_add_format(&schema, "%s\"p%zu\":" HEADER("\"string\"", "\"H%zu\""), i > 0 ? "," : "", i, i);
        }
        buffer_add(&schema, slice_of("}}", 3));
        assert_int_equal(read_schema(buffer_slice(&schema).data, &found),
                         count <= LIMIT_TOOL_HEADERS ? TOOL_HAS_HEADERS : TOOL_PLAIN);
        buffer_release(&schema);
        buffer_release(&found);
    }
}

static void a_schema_that_is_too_long_is_not_looked_into(void **state)
{
    struct buffer schema;
    struct buffer found;
    (void)state;
    buffer_init(&schema, 0);
    buffer_init(&found, 0);
    buffer_add_text(&schema, "{\"properties\":{" RIGHT "},\"description\":\"");
    char *padding = buffer_reserve(&schema, LIMIT_TOOL_SCHEMA_BYTES);
    memset(padding, 'x', LIMIT_TOOL_SCHEMA_BYTES);
    buffer_grown(&schema, LIMIT_TOOL_SCHEMA_BYTES);
    buffer_add(&schema, slice_of("\"}", 3));
    assert_int_equal(read_schema(buffer_slice(&schema).data, &found), TOOL_PLAIN);
    buffer_release(&schema);
    buffer_release(&found);
}

static void a_list_that_is_too_long_is_cut_and_asks_for_no_more(void **state)
{
    struct tool_headers headers;
    struct buffer page;
    (void)state;
    tool_headers_init(&headers);
    buffer_init(&page, 0);
    buffer_add_text(&page, "{\"tools\":[{\"name\":\"first\"}");
    for (unsigned i = 0; i < 20000; i++) {
        buffer_add_format(&page, ",{\"name\":\"tool-%u\"}", i);
    }
    buffer_add(&page, slice_of("]}", 3));
    read_page(&headers, buffer_slice(&page).data);
    assert_true(headers.is_full);
    assert_true(headers.bytes <= LIMIT_TOOL_INDEX_BYTES);
    assert_int_equal(look(&headers, "\"first\""), TOOL_PLAIN);
    assert_int_equal(look(&headers, "\"tool-19999\""), TOOL_PLAIN);
    tool_headers_release(&headers);
    assert_false(headers.is_full);
    buffer_release(&page);
}

static void a_name_that_is_too_long_is_not_kept(void **state)
{
    struct tool_headers headers;
    char name[LIMIT_TOOL_NAME_BYTES + 4];
    (void)state;
    tool_headers_init(&headers);
    memset(name, 'n', sizeof(name));
    name[0] = name[LIMIT_TOOL_NAME_BYTES + 2] = '"';
    name[LIMIT_TOOL_NAME_BYTES + 3] = '\0';
    struct buffer text;
    buffer_init(&text, 0);
    buffer_add_format(&text, "{\"tools\":[{\"name\":%s}]}", name);
    buffer_add(&text, slice_of("", 1));
    read_page(&headers, buffer_slice(&text).data);
    buffer_release(&text);
    assert_int_equal(headers.tools.count, 0);
    assert_int_equal(look(&headers, name), TOOL_PLAIN);
    tool_headers_release(&headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_before_a_list_was_read),
        cmocka_unit_test(tools_are_found_by_what_their_names_mean),
        cmocka_unit_test(what_is_no_list_of_tools_adds_none),
        cmocka_unit_test(a_header_is_found_with_the_path_of_its_argument),
        cmocka_unit_test(a_schema_without_the_word_has_no_headers),
        cmocka_unit_test(the_name_of_a_property_declares_nothing),
        cmocka_unit_test(a_declaration_that_is_not_right_takes_all_headers_from_its_tool),
        cmocka_unit_test(a_wrong_tool_takes_nothing_from_the_others),
        cmocka_unit_test(of_two_tools_with_one_name_the_first_counts),
        cmocka_unit_test(a_tool_has_so_many_headers_and_no_more),
        cmocka_unit_test(a_schema_that_is_too_long_is_not_looked_into),
        cmocka_unit_test(a_list_that_is_too_long_is_cut_and_asks_for_no_more),
        cmocka_unit_test(a_name_that_is_too_long_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
