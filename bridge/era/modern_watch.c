#include "bridge/era/modern_watch.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/era/modern_text.h"
#include "bridge/mcp/route.h"
#include "bridge/mcp/server.h"

#include <stdlib.h>

/* A child that ends the subscription is asked again, but not at once. */
static const uint64_t pause_ms = 1000;

struct watch {
    struct hub *hub; /* its owner */
    struct call call;
    struct slice line;  /* owned: the call's bytes */
    struct timer timer; /* until the child is asked again */
    bool is_refused;    /* the child has no subscriptions */
};

static void add_uri(void *context, struct slice uri_json)
{
    struct buffer *uris = context;
    buffer_add_text(uris, uris->size > 0 ? "," : "");
    buffer_add(uris, uri_json);
}

static void stop(struct watch *watch)
{
    timer_stop(watch->hub->server->world->timers, &watch->timer);
    channel_give_up(&watch->hub->channel, &watch->call);
    memory_free_slice(&watch->line);
}

static bool on_message(struct call *call, const struct slice *parts, size_t count)
{
    struct watch *watch = container_of(call, struct watch, call);
    struct buffer bytes;
    struct buffer text;
    struct message message;
    buffer_init(&bytes, 0);
    buffer_init(&text, 0);
    for (size_t i = 0; i < count; i++) {
        buffer_add(&bytes, parts[i]);
    }
    if (message_scan_whole(&message, buffer_slice(&bytes)) == MESSAGE_FAULT_NONE &&
        !message_is(&message, "notifications/subscriptions/acknowledged")) {
        modern_text_write_notification(&text, &message);
        if (message_scan_whole(&message, buffer_slice(&text)) == MESSAGE_FAULT_NONE) {
            route_notification(watch->hub, &message);
        }
    }
    buffer_release(&bytes);
    buffer_release(&text);
    return true;
}

static void on_pause_over(struct timer *timer)
{
    modern_watch_renew(container_of(timer, struct watch, timer)->hub);
}

static void on_answer(struct call *call, const struct slice *parts, size_t count)
{
    struct watch *watch = container_of(call, struct watch, call);
    (void)parts;
    (void)count;
    watch->is_refused = call->error_code == REPLY_METHOD_NOT_FOUND;
    if (!watch->is_refused && watch->hub->channel.state == CHANNEL_READY) {
        timer_start(watch->hub->server->world->timers, &watch->timer, pause_ms, on_pause_over);
    }
}

static const struct call_events events = {.on_answer = on_answer, .on_message = on_message};

static void ask(struct watch *watch, unsigned list_changes, struct slice uris)
{
    struct message message;
    struct buffer text;
    buffer_init(&text, 0);
    modern_text_write_listen(&text, list_changes, uris);
    watch->line = buffer_take(&text);
    message_scan_again(&message, watch->line);
    watch->call = (struct call){.events = &events,
                                .bytes = message.bytes,
                                .id = message.id,
                                .hub = watch->hub,
                                .is_modern = true,
                                .has_no_timeout = true,
                                .level = SEVERITY_UNSET};
    channel_submit(&watch->hub->channel, &watch->call);
}

void modern_watch_renew(struct hub *hub)
{
    struct watch *watch = hub->translation;
    if (watch == NULL || watch->is_refused || hub->channel.state != CHANNEL_READY) {
        return;
    }
    struct buffer uris;
    unsigned list_changes = hub->channel.handshake.has_list_changes;
    buffer_init(&uris, 0);
    subscriptions_visit_uris(&hub->subscriptions, add_uri, &uris);
    stop(watch);
    if (list_changes != 0 || uris.size > 0) {
        ask(watch, list_changes, buffer_slice(&uris));
    }
    buffer_release(&uris);
}

void modern_watch_start(struct hub *hub)
{
    struct watch *watch = hub->translation;
    if (watch == NULL) {
        watch = memory_new(sizeof(*watch));
        watch->hub = hub;
        hub->translation = watch;
    }
    watch->is_refused = false;
    modern_watch_renew(hub);
}

void modern_watch_forget(struct hub *hub)
{
    struct watch *watch = hub->translation;
    if (watch != NULL) {
        hub->translation = NULL;
        stop(watch);
        free(watch);
    }
}
