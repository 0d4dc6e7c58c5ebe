#include "bridge/mcp/capabilities.h"

#include "bridge/jsonrpc/members.h"

bool capabilities_has_callbacks(struct slice capabilities)
{
    static const char *const names[] = {"sampling", "elicitation", "roots"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_starts_with(members_find(capabilities, names[i]), "{")) {
            return true;
        }
    }
    return false;
}
