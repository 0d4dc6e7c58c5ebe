/*
 * An exchange in the hands of a client, and the judge of everything that is sent on it: whose it is, whether it may
 * come here, whether it is word for word what was said, and whether it came only once.
 */
#ifndef TESTS_SIMULATION_VISIT_H
#define TESTS_SIMULATION_VISIT_H

#include "tests/simulation/conversation.h"
#include "tests/simulation/simulation.h"
#include "tests/unit/bridge/fake_exchange.h"

enum visit_kind {
    VISIT_POST,     /* requests: the answers come here */
    VISIT_RESUME,   /* a GET that goes on with the stream of such a POST */
    VISIT_LISTEN,   /* the GET stream of a session */
    VISIT_SSE,      /* the stream of HTTP+SSE */
    VISIT_SSE_POST, /* a message of HTTP+SSE: the answer comes on the stream */
    VISIT_OTHER,    /* what is answered with a status only */
};

struct visit {
    struct list link; /* among the client's */
    struct client *client;
    struct conversation *conversation; /* NULL for none */
    enum visit_kind kind;
    struct fake_exchange *exchange; /* the world's */
    struct request *requests[BROKEN_REQUESTS];
    size_t request_count;
    bool is_lost; /* it names no session that there is */
    bool is_batch;
    bool is_slow;
    bool was_slow;  /* once at least */
    bool must_work; /* coming back cannot be refused */
    size_t judged;  /* events */
    size_t read;    /* events that the client has taken */
    bool has_read_opening;
    char last_id[40];     /* of the last event that the client has read; empty for none */
    char previous_id[40]; /* of the last event that was sent */
};

struct visit *visit_new(struct client *client, struct conversation *conversation, enum visit_kind kind,
                        struct fake_exchange *exchange);

/* Judges what was sent since the last look. Frees the visit when it is over. */
void visit_look(struct visit *visit);

/* The client takes what waits on a slow connection. */
void visit_read(struct visit *visit);

/* The client cuts the connection. */
void visit_cut(struct visit *visit);

bool visit_is_open(const struct visit *visit);

/* Whether events wait for its client to read them. */
bool visit_has_unread(const struct visit *visit);

/* Whether its client could come back to it. */
bool visit_has_history(const struct visit *visit);

void visit_free(struct visit *visit);

#endif
