#include "bridge/mcp/log_levels.h"

#include <stdio.h>

static void find_most_verbose(struct map_node *node, void *context)
{
    enum session_log_level *level = context;
    const struct session *session = container_of(node, struct session, by_name);
    if (session->log_level < *level) {
        *level = session->log_level;
    }
}

static enum session_log_level most_verbose(const struct server *server)
{
    enum session_log_level level = SESSION_LOG_UNSET;
    map_visit(&server->sessions.sessions, find_most_verbose, &level);
    return level;
}

void log_levels_update(struct server *server)
{
    enum session_log_level level = most_verbose(server);
    /* There is no message that takes a level back, so the last one stays when nobody wants any. */
    if (level == server->child_level || level == SESSION_LOG_UNSET) {
        return;
    }
    server->child_level = level;
    char text[16];
    int size = snprintf(text, sizeof(text), "\"%s\"", session_log_level_name(level));
    server_tell_child(server, "logging/setLevel", "level", slice_of(text, (size_t)size));
}

void log_levels_submit(struct server *server, struct call *call, const struct message *message)
{
    enum session_log_level level = session_log_level_read(message->level);
    /* What is not right is for the server to refuse, in its own words. */
    if (!server->channel.handshake.has_logging || level == SESSION_LOG_UNSET) {
        channel_submit(&server->channel, call);
        return;
    }
    if (call->session != NULL) {
        call->session->log_level = level;
        enum session_log_level wanted = most_verbose(server);
        if (wanted == level && wanted != server->child_level) {
            /*
             * The request says what the child is to be told: it goes there itself, so that its answer means it was
             * heard.
             */
            server->child_level = level;
            channel_submit(&server->channel, call);
            return;
        }
        log_levels_update(server);
    }
    call_answer_result(call, slice_text("{}"));
}

bool log_levels_pass(const struct session *session, struct slice level)
{
    enum session_log_level said = session_log_level_read(level);
    return session->log_level == SESSION_LOG_UNSET || said == SESSION_LOG_UNSET || said >= session->log_level;
}
