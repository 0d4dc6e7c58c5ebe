/*
 * An exchange that a test plays: the headers and the body that it gives, the answer that it gets. After its end the
 * body's memory is gone, and every call into it fails the test.
 */
#ifndef TESTS_UNIT_BRIDGE_FAKE_EXCHANGE_H
#define TESTS_UNIT_BRIDGE_FAKE_EXCHANGE_H

#include "tests/unit/bridge/fake_world.h"

enum { FAKE_EXCHANGE_HEADERS = 16, FAKE_EXCHANGE_EVENT_ID = 40 };

enum fake_exchange_state {
    FAKE_EXCHANGE_WAITING,   /* nothing was sent */
    FAKE_EXCHANGE_STREAMING, /* an event stream is open */
    FAKE_EXCHANGE_ANSWERED,  /* ended by respond() */
    FAKE_EXCHANGE_CLOSED,    /* ended by close_stream() */
    FAKE_EXCHANGE_GONE,      /* ended by the client */
};

/* A field of the request or of the answer; both are owned. */
struct fake_field {
    char *name;
    char *value;
};

struct fake_exchange {
    struct exchange exchange; /* what the bridge gets */
    struct fake_world *world;
    struct list link; /* in the world's exchanges */
    enum fake_exchange_state state;

    struct fake_field fields[FAKE_EXCHANGE_HEADERS]; /* of the request */
    size_t field_count;
    char *body_block; /* owned until the end, of exactly the body's size */
    size_t queued;    /* what queued() says; set by the test */
    bool is_any_data; /* its events may hold what is no message; set by the test */
    size_t weight;    /* how much `queued` grows with each byte of an event: 0 for a reader that is fast */

    bool is_page; /* its answer is for people or monitors, and no message; set by the test */
    int status;   /* 0 until there is one */
    struct fake_field answer_fields[FAKE_EXCHANGE_HEADERS];
    size_t answer_field_count;
    struct buffer answer;                      /* the body of a whole answer */
    char **events;                             /* owned: the data of each */
    char (*event_ids)[FAKE_EXCHANGE_EVENT_ID]; /* owned: their ids, empty for none */
    size_t event_count;
    size_t openings; /* events that open a stream which can be resumed */
    char opening_id[FAKE_EXCHANGE_EVENT_ID];
    size_t events_read; /* by fake_exchange_take() */
    unsigned comments;
};

/* Lives until the world's end, whatever becomes of the exchange. */
struct fake_exchange *fake_exchange_new(struct fake_world *world, enum exchange_method method);

/* The world frees it. Requires that it has ended. */
void fake_exchange_free(struct fake_exchange *exchange);

void fake_exchange_add_field(struct fake_exchange *exchange, const char *name, const char *value);
void fake_exchange_set_body(struct fake_exchange *exchange, struct slice body);

bool fake_exchange_has_ended(const struct fake_exchange *exchange);

/* The client goes away; nothing when it had its whole answer. */
void fake_exchange_vanish(struct fake_exchange *exchange);

/* A field of the answer, NULL when there is none. */
const char *fake_exchange_answer_field(const struct fake_exchange *exchange, const char *name);

/* The body of a whole answer as text. */
const char *fake_exchange_answer(struct fake_exchange *exchange);

/* The data of the next event that was not yet looked at; NULL when there is none. */
const char *fake_exchange_take(struct fake_exchange *exchange);

/* Requires that it was answered with this status and this body, and nothing else. */
void fake_exchange_expect(struct fake_exchange *exchange, int status, const char *body);

/* Requires that the next event is this one. */
void fake_exchange_expect_event(struct fake_exchange *exchange, const char *data);

/* Requires that nothing was sent yet. */
void fake_exchange_expect_silence(const struct fake_exchange *exchange);

/* Requires an open stream whose events have all been looked at. */
void fake_exchange_expect_open(const struct fake_exchange *exchange);

/* Requires that the stream was closed and its events have all been looked at. */
void fake_exchange_expect_closed(const struct fake_exchange *exchange);

#endif
