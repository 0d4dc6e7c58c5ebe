/*
 * What message_scan() makes of a text, for the tests of messages.
 */
#ifndef TESTS_UNIT_BRIDGE_JSONRPC_SCAN_FIXTURE_H
#define TESTS_UNIT_BRIDGE_JSONRPC_SCAN_FIXTURE_H

#include "bridge/jsonrpc/message.h"

/* The fault of exactly these bytes, read from a block of their size. */
enum message_fault scan_fault(struct slice bytes);

void scan_expect_fault(const char *text, enum message_fault fault);

/* Requires that the text has no fault, and is of this kind. */
void scan_expect_kind(const char *text, enum message_kind kind);

#endif
