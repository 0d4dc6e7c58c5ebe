#include "bridge/mcp/capabilities.h"

#include <cjson/cJSON.h>

bool capabilities_has_callbacks(struct slice capabilities)
{
    static const char *const names[] = {"sampling", "elicitation", "roots"};
    cJSON *object = slice_exists(capabilities) ? cJSON_ParseWithLength(capabilities.data, capabilities.size) : NULL;
    bool has_any = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        has_any |= cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(object, names[i]));
    }
    cJSON_Delete(object);
    return has_any;
}
