/*
 * A listener on a real loop with real loopback sockets, a handler that the test steers, and clients that keep what they
 * receive. The clock stands still until the test moves it; whatever a test waits for has one deadline in real time.
 */
#ifndef TESTS_UNIT_SRC_HTTP_HTTP_FIXTURE_H
#define TESTS_UNIT_SRC_HTTP_HTTP_FIXTURE_H

#include "bridge/base/buffer.h"
#include "src/http/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <uv.h>

#include <cmocka.h>

enum {
    HTTP_FIXTURE_MAX_BODY_BYTES = 1000000,
    HTTP_FIXTURE_MAX_CONNECTIONS = 8,
    HTTP_FIXTURE_HEADER_TIMEOUT_MS = 10000,
    HTTP_FIXTURE_BODY_TIMEOUT_MS = 30000,
    HTTP_FIXTURE_IDLE_TIMEOUT_MS = 75000,
    HTTP_FIXTURE_STALL_TIMEOUT_MS = 30000,
};

/* What the handler of /mcp does. */
enum http_fixture_plan {
    HTTP_FIXTURE_ECHO,   /* answers 200 with "<method> <path>?<query> <body>" at once */
    HTTP_FIXTURE_KEEP,   /* keeps the exchange in `exchange` */
    HTTP_FIXTURE_STREAM, /* opens a stream and keeps the exchange */
};

struct http_fixture {
    uv_loop_t loop;
    struct timers timers;
    struct log log;
    struct buffer log_text; /* warnings and errors */
    bool keeps_debug;       /* and all the rest */
    struct http_router router;
    struct http_listener *listener; /* NULL once it is closed */
    enum http_fixture_plan plan;
    struct exchange *exchange; /* the one that is kept; NULL when there is none */
    size_t handled_count;
    size_t closed_count;         /* calls of on_closed */
    size_t socket_drained_count; /* calls of on_drained */
    bool is_drained;
    bool is_closed;
};

struct http_client {
    int socket;
    struct buffer received;
    bool has_ended; /* the server has closed, or reset */
    int error;      /* errno of a reset */
};

/* For cmocka: a fixture in *state with an open listener; and its end, which requires that nothing is left open. */
int http_fixture_open(void **state);
int http_fixture_close(void **state);

/* One turn: the loop, the timers that are due, and what the client can read. The client may be NULL. */
void http_fixture_turn(struct http_fixture *fixture, struct http_client *client);

/* Turns until the condition holds; fails the test at the deadline. */
#define HTTP_FIXTURE_UNTIL(fixture, client, condition)          \
    do {                                                        \
        uint64_t until_ns = uv_hrtime() + 5000000000u;          \
        while (!(condition)) {                                  \
            http_fixture_turn((fixture), (client));             \
            if (uv_hrtime() > until_ns) {                       \
                fail_msg("waited in vain for: %s", #condition); \
            }                                                   \
        }                                                       \
    } while (0)

/* Turns as often as everything that is under way needs to arrive. */
void http_fixture_settle(struct http_fixture *fixture, struct http_client *client);

/* Moves the clock and runs what is due. */
void http_fixture_advance(struct http_fixture *fixture, uint64_t delay_ms);

void http_client_open(struct http_client *client, const struct http_fixture *fixture);
void http_client_close(struct http_client *client);

/* All of it; the loop is turned while the socket is full. */
void http_client_send(struct http_client *client, struct http_fixture *fixture, const char *text);
void http_client_send_bytes(struct http_client *client, struct http_fixture *fixture, struct slice bytes);

/* Whether what was received contains the text; how often it does. */
bool http_client_has(const struct http_client *client, const char *text);
size_t http_client_count(const struct http_client *client, const char *text);

/* Waits until the text has come. */
void http_client_expect(struct http_client *client, struct http_fixture *fixture, const char *text);

/* Waits until the server has ended the connection. */
void http_client_expect_end(struct http_client *client, struct http_fixture *fixture);

/* Answers the kept exchange with 200 and this body. */
void http_fixture_respond(struct http_fixture *fixture, const char *body);

/* Sends an event with this text on the kept exchange. */
void http_fixture_send_event(struct http_fixture *fixture, const char *text);

#endif
