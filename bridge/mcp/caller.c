#include "bridge/mcp/caller.h"

#include "bridge/base/memory.h"

struct caller caller_copy(const struct caller *caller)
{
    return (struct caller){memory_copy(caller->principal), memory_copy(caller->environment)};
}

void caller_release(struct caller *caller)
{
    memory_free_slice(&caller->principal);
    memory_free_slice(&caller->environment);
}

bool caller_is_same(const struct caller *a, const struct caller *b)
{
    return slice_equals(a->principal, b->principal) && slice_equals(a->environment, b->environment);
}
