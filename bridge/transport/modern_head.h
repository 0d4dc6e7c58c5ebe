/*
 * Is a message of the modern era, and is the head of its request right? Body first, as the reference implementation
 * has it (MCP 2026-07-28, Streamable HTTP, "Request Metadata" and "Server Validation").
 */
#ifndef BRIDGE_TRANSPORT_MODERN_HEAD_H
#define BRIDGE_TRANSPORT_MODERN_HEAD_H

#include "bridge/jsonrpc/message.h"
#include "bridge/port.h"

enum modern_kind {
    MODERN_NOT,          /* of the legacy era */
    MODERN_REQUEST,      /* its _meta and its standard headers are right, and its revision is one of ours */
    MODERN_NOTIFICATION, /* of the modern era, and its headers are not wrong */
    MODERN_REFUSED,      /* the exchange has been answered, and must not be touched */
};

/* Tells what the one message of a POST is. The Mcp-Param-* headers are not looked at. */
enum modern_kind modern_head_classify(struct exchange *exchange, const struct message *message);

/* Whether MCP-Protocol-Version names a revision of the modern era, known to us or not. */
bool modern_head_is_named(const struct exchange *exchange);

#endif
