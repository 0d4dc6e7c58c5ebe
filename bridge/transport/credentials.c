#include "bridge/transport/credentials.h"

#include "bridge/mcp/hub.h"
#include "bridge/transport/refusal.h"

bool credentials_read(const struct credentials *credentials, struct exchange *exchange, struct buffer *text,
                      struct caller *caller)
{
    buffer_init(text, 0);
    for (size_t i = 0; i < credentials->count; i++) {
        struct slice value;
        size_t count = exchange->operations->header(exchange, credentials->list[i].header, &value);
        if (count > 1) {
            refuse(exchange, REFUSAL_CREDENTIAL_TWICE, slice_of(NULL, 0), credentials->list[i].header);
            return false;
        }
        if (count == 1) {
            buffer_add_format(text, "%s=%.*s", credentials->list[i].variable, SLICE_PRINT(value));
            buffer_add(text, slice_of("", 1));
        }
    }
    caller->environment = buffer_slice(text);
    return true;
}

bool credentials_match(const struct caller *caller, const struct session *session)
{
    return slice_equals(caller->environment, session->hub->environment);
}
