/*
 * How long a connection may stay as it is: one timer, whose length and meaning depend on the state.
 */
#ifndef SRC_HTTP_DEADLINE_H
#define SRC_HTTP_DEADLINE_H

#include "src/http/connection.h"

/* To be called whenever something may have changed; starts, leaves or stops the timer. */
void http_deadline_update(struct http_connection *connection);

#endif
