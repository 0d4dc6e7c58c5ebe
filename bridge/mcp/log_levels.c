#include "bridge/mcp/log_levels.h"

#include <stdio.h>

static enum log_severity most_verbose(const struct hub *hub)
{
    enum log_severity level = SEVERITY_UNSET;
    LIST_FOR_EACH(link, &hub->sessions) {
        const struct session *session = container_of(link, struct session, in_hub);
        if (session->log_level < level) {
            level = session->log_level;
        }
    }
    for (enum log_severity called = SEVERITY_DEBUG; called < level; called++) {
        if (hub->call_levels[called] > 0) {
            return called;
        }
    }
    return level;
}

bool log_levels_add_call(struct hub *hub, enum log_severity level)
{
    if (level == SEVERITY_UNSET || !hub->channel.handshake.has_logging) {
        return false;
    }
    hub->call_levels[level]++;
    log_levels_update(hub);
    return true;
}

void log_levels_remove_call(struct hub *hub, enum log_severity level)
{
    hub->call_levels[level]--;
}

void log_levels_update(struct hub *hub)
{
    enum log_severity level = most_verbose(hub);
    /*
     * There is no message that takes a level back, so the last one stays when nobody wants any. A child that does not
     * read is told when it does: clients may change their minds as often as they like.
     */
    if (level == hub->child_level || level == SEVERITY_UNSET || hub_is_full(hub)) {
        return;
    }
    char text[16];
    int size = snprintf(text, sizeof(text), "\"%s\"", log_severity_name(level));
    hub_tell_child(hub, "logging/setLevel", "level", slice_of(text, (size_t)size));
    hub->child_level = level;
    hub->last_level = hub->channel.mux.last_wire_id;
}

/*
 * What the child has is not certain before it answers, and never when the request is given up. To a new process the
 * line goes once more, behind what that was told by us, and when something else may be wanted.
 */
static void on_level_sent(struct call *call)
{
    struct hub *hub = call->hub;
    hub->child_level = SEVERITY_UNSET;
    hub->last_level = call->entry.wire_id;
    if (most_verbose(hub) != log_severity_read(call->argument)) {
        log_levels_update(hub);
    }
}

/* Answers come in any order, and while this one was on its way another session may have asked for more. */
static void remember_level(struct call *call, const struct message *answer)
{
    (void)answer;
    struct hub *hub = call->hub;
    if (call->entry.wire_id >= hub->last_level) {
        hub->child_level = log_severity_read(call->argument);
        log_levels_update(hub);
    }
}

/* Whether a request is written at once, and so in its order among what we tell the child ourselves. */
static bool is_written_at_once(const struct hub *hub)
{
    return hub->channel.state == CHANNEL_READY && list_is_empty(&hub->channel.waiting) && !hub_is_full(hub);
}

void log_levels_submit(struct hub *hub, struct call *call, const struct message *message)
{
    enum log_severity level = log_severity_read(message->level);
    const struct handshake *handshake = &hub->channel.handshake;
    /* Before the first handshake there are no sessions, and what others ask for the child must not hear. */
    bool has_logging = handshake->has_logging || !slice_exists(handshake->result);
    /* What is not right is for the server to refuse, in its own words. */
    if (!has_logging || level == SEVERITY_UNSET) {
        channel_submit(&hub->channel, call);
        return;
    }
    if (call->session != NULL) {
        call->session->log_level = level;
        enum log_severity wanted = most_verbose(hub);
        if (wanted == level && wanted != hub->child_level && is_written_at_once(hub)) {
            /*
             * The request says what the child is to be told: it goes there itself, so that its answer means it was
             * heard.
             */
            call->argument = message->level;
            call->on_sent = on_level_sent;
            call->on_result = remember_level;
            channel_submit(&hub->channel, call);
            return;
        }
        log_levels_update(hub);
    }
    call_answer_result(call, slice_text("{}"));
}

bool log_levels_pass(const struct session *session, struct slice level)
{
    enum log_severity said = log_severity_read(level);
    return session->log_level == SEVERITY_UNSET || said == SEVERITY_UNSET || said >= session->log_level;
}
