#include "bridge/era/discover.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/mcp/revision.h"

/* The tasks of 2025-11-25 are not those of the modern era's extension. */
static void add_capabilities(struct buffer *out, struct slice capabilities)
{
    struct member member;
    const char *separator = "{";
    while (members_next(&capabilities, &member)) {
        if (!json_string_means(member.key, "tasks")) {
            buffer_add_format(out, "%s\"%.*s\":", separator, SLICE_PRINT(member.key));
            buffer_add(out, member.value);
            separator = ",";
        }
    }
    buffer_add_text(out, separator[0] == '{' ? "{}" : "}");
}

void discover_write(struct buffer *out, const struct handshake *handshake)
{
    if (slice_exists(handshake->discover)) {
        buffer_add(out, handshake->discover);
        return;
    }
    struct slice instructions = members_find(handshake->result, "instructions");
    buffer_add_format(out, "{\"resultType\":\"complete\",\"supportedVersions\":[\"%.*s\"],\"capabilities\":",
                      SLICE_PRINT(revision_modern()->name));
    add_capabilities(out, handshake->capabilities);
    if (slice_exists(instructions)) {
        buffer_add_text(out, ",\"instructions\":");
        buffer_add(out, instructions);
    }
    buffer_add_text(out, ",\"ttlMs\":0,\"cacheScope\":\"private\"");
    if (slice_exists(handshake->server_info)) {
        buffer_add_text(out, ",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":");
        buffer_add(out, handshake->server_info);
        buffer_add_text(out, "}");
    }
    buffer_add_text(out, "}");
}
