#include "bridge/mcp/revision.h"

/* Newest first, so the modern ones stand in front. */
static const struct revision revisions[] = {
    {.name = SLICE_LITERAL("2026-07-28"), .era = REVISION_MODERN},
    {.name = SLICE_LITERAL("2025-11-25"), .has_resumption = true},
    {.name = SLICE_LITERAL("2025-06-18")},
    {.name = SLICE_LITERAL("2025-03-26"), .has_batches = true},
    {.name = SLICE_LITERAL("2024-11-05"), .has_batches = true},
};

enum { REVISION_COUNT = sizeof(revisions) / sizeof(revisions[0]) };

/* Dates of this form sort as text. */
static int compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static const struct revision *find(struct slice name, enum revision_era era)
{
    for (size_t i = 0; i < REVISION_COUNT; i++) {
        if (revisions[i].era == era && slice_equals(revisions[i].name, name)) {
            return &revisions[i];
        }
    }
    return NULL;
}

const struct revision *revision_find(struct slice name)
{
    return find(name, REVISION_LEGACY);
}

const struct revision *revision_find_modern(struct slice name)
{
    return find(name, REVISION_MODERN);
}

const struct revision *revision_newest(void)
{
    const struct revision *revision = revisions;
    while (revision->era != REVISION_LEGACY) {
        revision++;
    }
    return revision;
}

const struct revision *revision_modern(void)
{
    return &revisions[0];
}

bool revision_is_modern(struct slice name)
{
    struct slice first = (revision_newest() - 1)->name;
    bool is_date = name.size == first.size && name.data[4] == '-' && name.data[7] == '-';
    return is_date && compare(name, first) >= 0;
}

static void add_list(struct buffer *out, enum revision_era era, const char *quote, const char *separator)
{
    const char *before = "";
    for (size_t i = 0; i < REVISION_COUNT; i++) {
        if (revisions[i].era == era) {
            buffer_add_format(out, "%s%s%.*s%s", before, quote, SLICE_PRINT(revisions[i].name), quote);
            before = separator;
        }
    }
}

void revision_add_json_list(struct buffer *out, enum revision_era era)
{
    buffer_add_text(out, "[");
    add_list(out, era, "\"", ",");
    buffer_add_text(out, "]");
}

void revision_add_text_list(struct buffer *out, enum revision_era era)
{
    add_list(out, era, "", ", ");
}

struct slice revision_negotiate(struct slice requested, struct slice child_revision)
{
    const struct revision *known = revision_find(requested);
    return known != NULL && compare(requested, child_revision) <= 0 ? known->name : child_revision;
}
