/*
 * logging/setLevel on a child that several sessions share (MCP, Logging): the child hears the most verbose level that
 * any session asked for, and each session gets what its own level lets through.
 */
#ifndef BRIDGE_MCP_LOG_LEVELS_H
#define BRIDGE_MCP_LOG_LEVELS_H

#include "bridge/mcp/hub.h"

/* A client's logging/setLevel. */
void log_levels_submit(struct hub *hub, struct call *call, const struct message *message);

/*
 * A call that wants log messages of its level begins (MCP 2026-07-28, Logging). False when there are none to be had;
 * else its end is to be told.
 */
bool log_levels_add_call(struct hub *hub, enum log_severity level);
void log_levels_remove_call(struct hub *hub, enum log_severity level);

/* Tells the child when what it should be told has changed: a session has ended, the child is new, or reads again. */
void log_levels_update(struct hub *hub);

/*
 * Whether the session wants a notifications/message of this level, a JSON string. A session that never asked wants
 * all.
 */
bool log_levels_pass(const struct session *session, struct slice level);

#endif
