#include "bridge/mcp/revision.h"

/* Newest first. */
static const struct revision revisions[] = {
    {.name = SLICE_LITERAL("2025-11-25"), .has_resumption = true},
    {.name = SLICE_LITERAL("2025-06-18")},
    {.name = SLICE_LITERAL("2025-03-26"), .has_batches = true},
    {.name = SLICE_LITERAL("2024-11-05"), .has_batches = true},
};

static const char first_modern[] = "2026-07-28";

static const struct revision modern = {.name = SLICE_LITERAL("2026-07-28")};

/* Dates of this form sort as text. */
static int compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

const struct revision *revision_find(struct slice name)
{
    for (size_t i = 0; i < sizeof(revisions) / sizeof(revisions[0]); i++) {
        if (slice_equals(revisions[i].name, name)) {
            return &revisions[i];
        }
    }
    return NULL;
}

const struct revision *revision_newest(void)
{
    return &revisions[0];
}

const struct revision *revision_modern(void)
{
    return &modern;
}

bool revision_is_modern(struct slice name)
{
    bool is_date = name.size == sizeof(first_modern) - 1 && name.data[4] == '-' && name.data[7] == '-';
    return is_date && compare(name, slice_text(first_modern)) >= 0;
}

struct slice revision_list_json(void)
{
    return slice_text("[\"2025-11-25\",\"2025-06-18\",\"2025-03-26\",\"2024-11-05\"]");
}

struct slice revision_negotiate(struct slice requested, struct slice child_revision)
{
    const struct revision *known = revision_find(requested);
    return known != NULL && compare(requested, child_revision) <= 0 ? known->name : child_revision;
}
