/*
 * The values of Mcp-Name and Mcp-Param-*: plain ASCII, or the base64 of UTF-8 between "=?base64?" and "?="
 * (MCP 2026-07-28, Streamable HTTP, "Value Encoding").
 */
#ifndef BRIDGE_TRANSPORT_HEADER_VALUE_H
#define BRIDGE_TRANSPORT_HEADER_VALUE_H

#include "bridge/base/buffer.h"
#include "bridge/base/slice.h"

#include <stdbool.h>

/*
 * Appends what a header's value (trimmed) stands for. False, with nothing appended, when it holds characters that a
 * header must not, or base64 that is not right to the last bit, or not of UTF-8.
 */
bool header_value_decode(struct slice value, struct buffer *text) __attribute__((warn_unused_result));

/* Whether `text` is what a JSON string (with its quotes) means. False when `json` is no string. */
bool header_value_is_string(struct slice text, struct slice json);

#endif
