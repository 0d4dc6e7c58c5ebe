/*
 * A session as its client knows it: its name, what was agreed, what it asked to be told, and what it has been told.
 */
#ifndef TESTS_SIMULATION_CONVERSATION_H
#define TESTS_SIMULATION_CONVERSATION_H

#include "bridge/base/list.h"
#include "tests/simulation/request.h"

enum { CONVERSATION_NAME = 40, CONVERSATION_QUESTIONS = 16, CONVERSATION_BROKEN = 4, BROKEN_REQUESTS = 8 };

struct client;
struct simulation;

/* A stream whose connection broke, and to which the client can come back. */
struct broken_stream {
    char last_id[40]; /* of the last event that was read */
    bool is_listen;
    bool must_work; /* nothing that was missed can have been forgotten, until it is too old */
    uint64_t broken_ms;
    struct request *requests[BROKEN_REQUESTS];
    size_t request_count;
};

struct conversation {
    struct client *client;
    struct list link;       /* among the client's */
    struct request *opener; /* the initialize; NULL before it was sent, over HTTP+SSE */
    bool is_open;           /* initialize was answered */
    bool is_over;           /* ended by the client, or found to have ended */
    bool is_sse;
    char name[CONVERSATION_NAME];
    bool has_own_child;
    bool has_resumption;
    bool has_batches;
    char version[16];
    uint64_t heard_ms;            /* when the client said something last */
    uint64_t previously_heard_ms; /* and before that */

    struct saying *questions[CONVERSATION_QUESTIONS]; /* that were read and wait for an answer */
    uint64_t question_ids[CONVERSATION_QUESTIONS];    /* as the bridge numbers them */
    size_t question_count;
    uint64_t last_answered_id; /* 0 for none */
    uint32_t last_answered;    /* the number of that question */

    uint64_t subscribe_step[REQUEST_URIS];   /* when it was sent last; 0 for never */
    uint64_t unsubscribe_step[REQUEST_URIS]; /* the same */
    bool is_unsure[REQUEST_URIS];            /* the last unsubscribe failed */
    bool is_subscribed[REQUEST_URIS];        /* the last subscribe was granted */
    unsigned level;                          /* as it was granted; REQUEST_LEVELS for none, or when it is not certain */
    uint64_t level_step;                     /* when it was asked for last */

    struct broken_stream broken[CONVERSATION_BROKEN];
    size_t broken_count;
    uint8_t *heard; /* owned: a bit for each saying that was read */
    size_t heard_bytes;
};

struct conversation *conversation_new(struct client *client);
void conversation_free(struct conversation *conversation);

/* Whether it was granted a subscription that it has not given up. */
bool conversation_wants(const struct conversation *conversation, unsigned uri);

/* Whether it may hear of an update that was said in this step. */
bool conversation_may_hear(const struct conversation *conversation, const struct saying *update);

/* A saying was read. False when it was read before. */
bool conversation_hear(struct conversation *conversation, const struct saying *saying);

/* The bridge knows it, as of now. */
bool conversation_is_alive(const struct conversation *conversation);

void conversation_take_question(struct conversation *conversation, struct saying *question, uint64_t id);

/* Nobody can come back to it: what was still waited for is over. */
void conversation_end(struct conversation *conversation);

#endif
