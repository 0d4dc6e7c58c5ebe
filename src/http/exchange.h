/*
 * The answering side of a connection: bridge/port.h's exchange, and the answers that HTTP gives itself.
 */
#ifndef SRC_HTTP_EXCHANGE_H
#define SRC_HTTP_EXCHANGE_H

#include "src/http/connection.h"
#include "src/http/refusal.h"

/* The head is there, and the body is not: drops what comes of it when nobody wants it. */
void http_exchange_screen(struct http_connection *connection);

/* Hands the connection's request, which is whole, to the handler of its path. */
void http_exchange_start(struct http_connection *connection);

/* Answers a request that was not handed over; the connection ends with it. */
void http_exchange_refuse(struct http_connection *connection, enum http_refusal refusal);

/* At debug: that the exchange has ended, with this status, or 0 when the client went before the answer's end. */
void http_exchange_log(const struct http_connection *connection, int status);

#endif
