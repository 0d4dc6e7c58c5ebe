/*
 * What the pages of this folder have in common: they are for GET and HEAD, and nobody may keep them.
 */
#ifndef SRC_MONITOR_PAGE_H
#define SRC_MONITOR_PAGE_H

#include "bridge/port.h"

#include <stdbool.h>

/* False when another method has been refused. */
bool page_check_method(struct exchange *exchange);

/* Ends the exchange. */
void page_respond(struct exchange *exchange, int status, const char *type, struct slice body);

#endif
