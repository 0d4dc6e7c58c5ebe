/*
 * The Mcp-Param-* headers of a tools/call: do they say what its arguments say (MCP 2026-07-28, Streamable HTTP,
 * "Server Behavior for Custom Headers")?
 */
#ifndef BRIDGE_TRANSPORT_PARAM_HEADERS_H
#define BRIDGE_TRANSPORT_PARAM_HEADERS_H

#include "bridge/jsonrpc/message.h"
#include "bridge/mcp/tool_headers.h"
#include "bridge/port.h"

/*
 * Checks a tools/call against what is known of its tool; one that is not known passes. False with the reason, a clause
 * for REFUSAL_HEADER, in why[size].
 */
bool param_headers_check(const struct tool_headers *headers, const struct exchange *exchange,
                         const struct message *message, char *why, size_t size) __attribute__((warn_unused_result));

#endif
