/*
 * One walk over the text writes a form that is the same for all texts that mean the same, and that says where each
 * part of it ends:
 *
 *     "<5>hello         a string: the size of what it means, and that
 *     [1,2,]            an array: its values' forms, each with a comma behind
 *     {"<1>a1,"<1>b2,}  an object: its members' forms, sorted by key
 *     -1.50e3           a number, true, false, null: as written
 *     #<32 bytes>       instead of any of these that has become long: its digest
 *
 * So nothing long is ever moved or compared again, and no nesting makes the walk slower than the text is long.
 */
#include "bridge/era/params_digest.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/message.h"

#include <assert.h>
#include <stdlib.h>

enum { LONGEST_FORM_BYTES = 256, DIGEST_BYTES = 32 };

/* A member whose form is written. */
struct member_form {
    size_t start;     /* in the walk's form */
    const char *form; /* the same as a pointer, set when nothing moves any more */
    uint16_t size;    /* of the whole member */
    uint16_t key_size;
};

struct walk {
    struct world *world;
    struct slice rest; /* of the text */
    struct buffer form;
    struct buffer scratch;
    struct member_form *members; /* owned: of the objects that are open, the innermost one's last */
    size_t member_count;
    size_t member_capacity;
};

static void write_value(struct walk *walk, unsigned depth);

static void step(struct walk *walk, size_t size)
{
    walk->rest = slice_of(walk->rest.data + size, walk->rest.size - size);
}

/* The character that comes next, white space aside. */
static char peek(struct walk *walk)
{
    walk->rest = json_skip_space(walk->rest);
    assert(walk->rest.size > 0);
    return walk->rest.data[0];
}

/* Whether another value stands before the container's end; steps over the comma, or over the end. */
static bool has_next(struct walk *walk, char closer)
{
    char c = peek(walk);
    if (c == ',' || c == closer) {
        step(walk, 1);
    }
    return c != closer;
}

static void digest_of(struct walk *walk, struct slice form, uint8_t digest[32])
{
    const struct slice parts[] = {SLICE_LITERAL("mcp-bridge params"), form};
    walk->world->authenticate(walk->world, parts, sizeof(parts) / sizeof(parts[0]), digest);
}

/* What was written since `start` is one value: replaces it by its digest when it is long. */
static void shorten(struct walk *walk, size_t start)
{
    uint8_t digest[DIGEST_BYTES];
    size_t size = walk->form.size - start;
    if (size > LONGEST_FORM_BYTES) {
        digest_of(walk, slice_of(buffer_slice(&walk->form).data + start, size), digest);
        buffer_truncate(&walk->form, start);
        buffer_add_text(&walk->form, "#");
        buffer_add(&walk->form, slice_of((const char *)digest, sizeof(digest)));
    }
}

/* Takes a string and returns its inside. */
static struct slice take_string(struct walk *walk, bool *has_escapes)
{
    const char *end = json_end_of_string(walk->rest.data, walk->rest.data + walk->rest.size, has_escapes);
    assert(end != NULL);
    struct slice inside = json_string_inside(slice_of(walk->rest.data, (size_t)(end - walk->rest.data)));
    step(walk, inside.size + 2);
    return inside;
}

/* Seven bits a byte, the last one without the mark. */
static void write_size(struct walk *walk, size_t size)
{
    char bytes[(sizeof(size) * 8 + 6) / 7];
    size_t count = 0;
    while (size >= 0x80) {
        bytes[count++] = (char)((size & 0x7f) | 0x80);
        size >>= 7;
    }
    bytes[count++] = (char)size;
    buffer_add(&walk->form, slice_of(bytes, count));
}

/* Returns its inside, as it is written in the text. */
static struct slice write_string(struct walk *walk)
{
    bool has_escapes;
    struct slice inside = take_string(walk, &has_escapes);
    struct slice meaning = inside;
    if (has_escapes) {
        buffer_clear(&walk->scratch, SIZE_MAX);
        bool fits = json_string_decode(inside, &walk->scratch);
        assert(fits);
        (void)fits;
        meaning = buffer_slice(&walk->scratch);
    }
    buffer_add_text(&walk->form, "\"");
    write_size(walk, meaning.size);
    buffer_add(&walk->form, meaning);
    return inside;
}

static void write_scalar(struct walk *walk)
{
    const char *at = walk->rest.data;
    const char *text_end = at + walk->rest.size;
    bool is_number = *at == '-' || (*at >= '0' && *at <= '9');
    const char *end = is_number ? json_end_of_number(at, text_end) : json_end_of_literal(at, text_end);
    assert(end != NULL);
    buffer_add(&walk->form, slice_of(at, (size_t)(end - at)));
    step(walk, (size_t)(end - at));
}

static void write_array(struct walk *walk, unsigned depth)
{
    buffer_add_text(&walk->form, "[");
    step(walk, 1);
    while (has_next(walk, ']')) {
        write_value(walk, depth + 1);
        buffer_add_text(&walk->form, ",");
    }
    buffer_add_text(&walk->form, "]");
}

static void push_member(struct walk *walk, size_t start, size_t key_size)
{
    if (walk->member_count == walk->member_capacity) {
        walk->member_capacity = walk->member_capacity * 2 + 8;
        walk->members = memory_resize(walk->members, walk->member_capacity * sizeof(*walk->members));
    }
    walk->members[walk->member_count++] = (struct member_form){
        .start = start,
        .size = (uint16_t)(walk->form.size - start),
        .key_size = (uint16_t)key_size,
    };
}

static bool is_left_out(struct slice key)
{
    return json_string_means(key, "_meta") || json_string_means(key, "inputResponses") ||
           json_string_means(key, "requestState");
}

static void write_member(struct walk *walk, unsigned depth)
{
    size_t start = walk->form.size;
    peek(walk);
    struct slice key = write_string(walk);
    shorten(walk, start);
    size_t key_size = walk->form.size - start;
    peek(walk);
    step(walk, 1); /* the colon */
    write_value(walk, depth + 1);
    buffer_add_text(&walk->form, ",");
    if (depth == 0 && is_left_out(key)) {
        buffer_truncate(&walk->form, start);
    } else {
        push_member(walk, start, key_size);
    }
}

static int compare_members(const void *left, const void *right)
{
    const struct member_form *a = left;
    const struct member_form *b = right;
    int order = memcmp(a->form, b->form, a->key_size < b->key_size ? a->key_size : b->key_size);
    if (order == 0) {
        order = (a->key_size > b->key_size) - (a->key_size < b->key_size);
    }
    return order != 0 ? order : (a->form > b->form) - (a->form < b->form);
}

/* Sorts the members from number `first` on; their forms stand at the end of the walk's form, nothing between them. */
static void sort_members(struct walk *walk, size_t first)
{
    size_t count = walk->member_count - first;
    if (count < 2) {
        return;
    }
    struct member_form *members = walk->members + first;
    bool is_sorted = true;
    for (size_t i = 0; i < count; i++) {
        members[i].form = buffer_slice(&walk->form).data + members[i].start;
        is_sorted = is_sorted && (i == 0 || compare_members(&members[i - 1], &members[i]) < 0);
    }
    if (is_sorted) {
        return;
    }
    size_t start = members[0].start;
    qsort(members, count, sizeof(*members), compare_members);
    buffer_clear(&walk->scratch, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        buffer_add(&walk->scratch, slice_of(members[i].form, members[i].size));
    }
    buffer_truncate(&walk->form, start);
    buffer_add(&walk->form, buffer_slice(&walk->scratch));
}

static void write_object(struct walk *walk, unsigned depth)
{
    size_t first = walk->member_count;
    buffer_add_text(&walk->form, "{");
    step(walk, 1);
    while (has_next(walk, '}')) {
        write_member(walk, depth);
    }
    sort_members(walk, first);
    walk->member_count = first;
    buffer_add_text(&walk->form, "}");
}

static void write_value(struct walk *walk, unsigned depth)
{
    size_t start = walk->form.size;
    assert(depth <= LIMIT_JSON_DEPTH);
    switch (peek(walk)) {
    case '{':
        write_object(walk, depth);
        break;
    case '[':
        write_array(walk, depth);
        break;
    case '"':
        write_string(walk);
        break;
    default:
        write_scalar(walk);
        break;
    }
    shorten(walk, start);
}

/*
 * Reordering and unescaping many megabytes would hold up everybody else: what is so large must be written the same way
 * twice. False when it has so many members that only the long way is left.
 */
static bool digest_as_written(struct world *world, struct slice params, uint8_t digest[32])
{
    enum { MOST_MEMBERS = 32 };
    struct slice parts[1 + 2 * MOST_MEMBERS] = {SLICE_LITERAL("as written")};
    struct member member;
    size_t count = 1;
    while (members_next(&params, &member)) {
        if (is_left_out(member.key)) {
            continue;
        }
        if (count == sizeof(parts) / sizeof(parts[0])) {
            return false;
        }
        /* The key begins behind its quote, so the two cannot run into one another. */
        parts[count++] = slice_of(member.key.data - 1, member.key.size + 2);
        parts[count++] = member.value;
    }
    world->authenticate(world, parts, count, digest);
    return true;
}

void params_digest(struct world *world, struct slice params, uint8_t digest[32])
{
    if (params.size > LIMIT_DIGEST_BYTES && digest_as_written(world, params, digest)) {
        return;
    }
    struct walk walk = {.world = world, .rest = params};
    buffer_init(&walk.form, 0);
    buffer_init(&walk.scratch, 0);
    if (slice_exists(params)) {
        write_value(&walk, 0);
    }
    digest_of(&walk, buffer_slice(&walk.form), digest);
    free(walk.members);
    buffer_release(&walk.form);
    buffer_release(&walk.scratch);
}
