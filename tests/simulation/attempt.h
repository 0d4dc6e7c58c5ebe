/*
 * One exchange of a client of the modern era, and the judge of what is sent on it.
 */
#ifndef TESTS_SIMULATION_ATTEMPT_H
#define TESTS_SIMULATION_ATTEMPT_H

#include "tests/simulation/simulation.h"
#include "tests/unit/bridge/fake_exchange.h"

enum { ATTEMPT_QUESTIONS = 16 };

struct modern_client;
struct parked;

enum attempt_purpose {
    ATTEMPT_CALL,    /* to be answered */
    ATTEMPT_LISTEN,  /* subscriptions/listen */
    ATTEMPT_FORGERY, /* to be refused, without harm to the request that it names */
};

struct attempt {
    struct list link; /* among the client's */
    struct modern_client *client;
    struct fake_exchange *exchange; /* the world's */
    struct request *request;
    enum attempt_purpose purpose;
    struct parked *parked; /* owned: that it comes again with; NULL for the first time */
    char id[REQUEST_ID];
    char token[REQUEST_ID];
    bool may_be_unused;   /* it came again, and was not let in at once */
    bool is_header_wrong; /* Mcp-Param-N */
    bool is_slow;
    bool is_answered;
    bool is_acknowledged;
    size_t judged; /* events */
    /* Of a subscription: */
    bool wants_tools;
    bool wants_uri[REQUEST_URIS];
    uint64_t sent_step;
};

/* Judges what was sent since the last look. Frees the attempt when it is over. */
void attempt_look(struct attempt *attempt);
void attempt_cut(struct attempt *attempt);
void attempt_read(struct attempt *attempt);

/* What its client parked, in place of what it came again with. */
void parked_release(struct parked *parked);

#endif
