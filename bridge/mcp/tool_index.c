/*
 *              tool_index_look()              the last page, an error,
 *     STALE ---------------------> LISTING -- or no answer in time -----> FRESH
 *       ^                           |                                       |
 *       |  tool_index_outdate()     |                                       |
 *       +---- meanwhile ------------+                                       |
 *       +---- tool_index_outdate(), or after a while an unknown tool -------+
 */
#include "bridge/mcp/tool_index.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/mcp/handshake.h"
#include "bridge/mcp/hub.h"
#include "bridge/mcp/server.h"

#include <assert.h>

static struct timers *timers_of(const struct tool_index *index)
{
    return index->hub->server->world->timers;
}

static struct tool_index *index_of(struct call *call)
{
    return container_of(call, struct tool_index, call);
}

/* ---- The end of a list ---- */

static void tell_waiting(struct tool_index *index)
{
    /* Whoever is told may look again, and then waits for the next list. */
    struct list waiting;
    struct list *link;
    list_init(&waiting);
    list_take_all(&waiting, &index->waiting);
    while ((link = list_take_first(&waiting)) != NULL) {
        struct tool_wait *wait = container_of(link, struct tool_wait, link);
        wait->on_known(wait);
    }
}

static void finish(struct tool_index *index)
{
    timer_stop(timers_of(index), &index->timer);
    buffer_clear(&index->request, 0);
    tool_headers_release(&index->headers);
    index->headers = index->next;
    tool_headers_init(&index->next);
    index->listed_ms = timers_now(timers_of(index));
    index->state = index->is_outdated ? TOOL_INDEX_STALE : TOOL_INDEX_FRESH;
    tell_waiting(index);
}

static void fail(struct tool_index *index, const char *why)
{
    log_line(index->hub->server->world->log, LOG_LEVEL_WARN, index->hub->server->name,
             "the list of tools could not be had, so their headers are not checked: %s", why);
    tool_headers_release(&index->next);
    finish(index);
}

/* ---- Pages ---- */

static void ask(struct tool_index *index, struct slice cursor);

/* Whether the child has given this cursor before, or too many; it is remembered. */
static bool is_seen(struct tool_index *index, struct slice cursor)
{
    uint64_t hash = map_hash_bytes(cursor);
    for (size_t i = 0; i < index->page_count; i++) {
        if (index->cursors[i] == hash) {
            return true;
        }
    }
    if (index->page_count == LIMIT_TOOL_PAGES) {
        return true;
    }
    index->cursors[index->page_count++] = hash;
    return false;
}

static void on_response(struct call *call, const struct message *message)
{
    struct tool_index *index = index_of(call);
    if (message->kind != MESSAGE_RESULT) {
        fail(index, "the server answered with an error");
        return;
    }
    tool_headers_read(&index->next, message->result);
    struct slice cursor = members_find(message->result, "nextCursor");
    if (!slice_exists(json_string_inside(cursor)) || index->next.is_full) {
        finish(index);
    } else if (cursor.size > LIMIT_CURSOR_BYTES || is_seen(index, cursor)) {
        /* There is more, and no way to it. */
        index->next.is_full = true;
        finish(index);
    } else {
        ask(index, cursor);
    }
}

static void on_answer(struct call *call, const struct slice *parts, size_t count)
{
    (void)parts;
    (void)count;
    fail(index_of(call), "no answer came");
}

/* What the child says meanwhile without naming a request is not for us. */
static bool on_message(struct call *call, const struct slice *parts, size_t count)
{
    (void)call;
    (void)parts;
    (void)count;
    return false;
}

static const struct call_events call_events = {
    .on_response = on_response,
    .on_answer = on_answer,
    .on_message = on_message,
};

static void write_request(struct tool_index *index, struct slice cursor)
{
    struct buffer params;
    buffer_init(&params, 0);
    const char *before = "{";
    if (index->hub->channel.is_modern) {
        buffer_add_text(&params, "{\"_meta\":");
        handshake_add_meta(&params, index->hub->server->world->version);
        before = ",";
    }
    if (slice_exists(cursor)) {
        buffer_add_format(&params, "%s\"cursor\":", before);
        buffer_add(&params, cursor);
        before = "";
    }
    buffer_add_text(&params, *before == '{' ? "{}" : "}");
    reply_call(&index->request, slice_text("0"), "tools/list", buffer_slice(&params));
    buffer_release(&params);
}

/* `cursor` is absent for the first page. */
static void ask(struct tool_index *index, struct slice cursor)
{
    struct message message;
    buffer_clear(&index->request, LIMIT_CURSOR_BYTES);
    write_request(index, cursor);
    enum message_fault fault = message_scan_whole(&message, buffer_slice(&index->request));
    assert(fault == MESSAGE_FAULT_NONE);
    (void)fault;
    index->call = (struct call){
        .events = &call_events,
        .bytes = message.bytes,
        .id = message.id,
        .hub = index->hub,
        .is_modern = index->hub->channel.is_modern,
        .level = SEVERITY_UNSET,
    };
    channel_submit(&index->hub->channel, &index->call);
}

/* The time runs while the child works at it; before, every call waits for the child. */
static void on_timeout(struct timer *timer)
{
    struct tool_index *index = container_of(timer, struct tool_index, timer);
    if (index->call.state == CALL_WAITING) {
        timer_start(timers_of(index), &index->timer, LIMIT_TOOL_LIST_MS, on_timeout);
        return;
    }
    channel_give_up(&index->hub->channel, &index->call);
    fail(index, "no answer came in time");
}

static void start(struct tool_index *index)
{
    index->state = TOOL_INDEX_LISTING;
    index->is_outdated = false;
    index->page_count = 0;
    timer_start(timers_of(index), &index->timer, LIMIT_TOOL_LIST_MS, on_timeout);
    ask(index, slice_of(NULL, 0));
}

/* ---- What others ask and tell ---- */

void tool_index_init(struct tool_index *index, struct hub *hub)
{
    *index = (struct tool_index){.hub = hub};
    list_init(&index->waiting);
    buffer_init(&index->request, 0);
}

void tool_index_release(struct tool_index *index)
{
    assert(index->state != TOOL_INDEX_LISTING && list_is_empty(&index->waiting));
    tool_headers_release(&index->headers);
    buffer_release(&index->request);
}

static bool has_paused(const struct tool_index *index)
{
    return timers_now(timers_of(index)) - index->listed_ms >= LIMIT_TOOL_LIST_PAUSE_MS;
}

bool tool_index_look(struct tool_index *index, struct slice name, struct tool_wait *wait)
{
    const struct tool *tool;
    list_init(&wait->link);
    if (index->state == TOOL_INDEX_FRESH && tool_headers_find(&index->headers, name, &tool) == TOOL_UNKNOWN &&
        has_paused(index)) {
        index->state = TOOL_INDEX_STALE;
    }
    if (index->state == TOOL_INDEX_STALE) {
        start(index);
    }
    /* A child that is not there fails at once. */
    if (index->state != TOOL_INDEX_LISTING) {
        return true;
    }
    list_append(&index->waiting, &wait->link);
    return false;
}

void tool_index_give_up(struct tool_wait *wait)
{
    if (wait->link.next != NULL) {
        list_remove(&wait->link);
    }
}

void tool_index_ask_again(struct tool_index *index)
{
    if (index->state == TOOL_INDEX_LISTING && index->call.state == CALL_WAITING) {
        channel_give_up(&index->hub->channel, &index->call);
        tool_headers_release(&index->next);
        index->page_count = 0;
        ask(index, slice_of(NULL, 0));
    }
}

void tool_index_outdate(struct tool_index *index)
{
    if (index->state == TOOL_INDEX_LISTING) {
        index->is_outdated = true;
    } else {
        index->state = TOOL_INDEX_STALE;
    }
}

void tool_index_doubt(struct tool_index *index)
{
    if (has_paused(index)) {
        tool_index_outdate(index);
    }
}
