/*
 * Which arguments of a server's tools are repeated in headers, for those on the way that do not read bodies
 * (MCP 2026-07-28, Tools, "x-mcp-header").
 */
#ifndef BRIDGE_MCP_TOOL_HEADERS_H
#define BRIDGE_MCP_TOOL_HEADERS_H

#include "bridge/base/map.h"
#include "bridge/base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* One argument, and its header. */
struct tool_header {
    char *field; /* owned: "mcp-param-" and the name that the tool gives it, in lower case */
    char *path;  /* owned: the keys from the arguments down to the value, each with a NUL behind it */
    size_t path_size;
};

struct tool {
    struct map_node by_name;
    struct slice name; /* owned: decoded */
    struct tool_header *headers;
    size_t header_count; /* 0 for most tools, and for one whose declaration is not right */
};

/* Zeroed, it knows no tool. */
struct tool_headers {
    struct map tools;
    size_t bytes;
    bool is_full; /* there were more tools, or more of them to keep, than the ceilings allow */
};

enum tool_knowledge {
    TOOL_UNKNOWN,
    TOOL_PLAIN, /* it repeats nothing in headers, as far as is known */
    TOOL_HAS_HEADERS,
};

void tool_headers_init(struct tool_headers *headers);
void tool_headers_release(struct tool_headers *headers);

/* Adds the tools of one page: `result` is the valid result of a tools/list. Of two with one name the first counts. */
void tool_headers_read(struct tool_headers *headers, struct slice result);

/* What is known about the tool `name`, a JSON string; *tool is set when it has headers. */
enum tool_knowledge tool_headers_find(const struct tool_headers *headers, struct slice name, const struct tool **tool);

#endif
