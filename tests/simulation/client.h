/*
 * What all clients have in common: their connections, their sessions, and the things that any client may do. How a
 * message is posted, and how a session is begun and ended, is each kind's own.
 */
#ifndef TESTS_SIMULATION_CLIENT_H
#define TESTS_SIMULATION_CLIENT_H

#include "tests/simulation/conversation.h"
#include "tests/simulation/simulation.h"
#include "tests/simulation/visit.h"

struct client_kind {
    struct actor_kind actor; /* the first member: a client's kind of actor is its kind of client */
    /* Posts a body: one or more messages. The visit, with its requests, is the client's; NULL when there is no way. */
    struct visit *(*post)(struct client *client, struct slice body, struct request *const *requests, size_t count);
    /* Begins a session, or the next step of that. */
    void (*begin)(struct client *client);
    /* Ends it, as clients should. */
    void (*end)(struct client *client);
    bool has_get_streams;
};

struct client {
    struct actor actor;
    const struct client_kind *kind;
    struct list visits;
    struct list conversations;         /* all that it ever had; owned */
    struct conversation *conversation; /* the present one; NULL for none */
    struct request *opening;           /* the initialize that is under way; NULL for none */
    unsigned credential;               /* what it shows, the same all its life; 0 for none */
    unsigned principal;                /* who it is, by its token; 0 for nobody */
    bool is_lost;                      /* it is sending what names no session */
    bool is_in_batch;                  /* it is writing one */
    unsigned last_id;
};

struct client *client_new(struct simulation *simulation, const struct client_kind *kind, unsigned number);
void client_free(struct actor *actor);

struct conversation *client_conversation(struct actor *actor);

/* ---- For the kinds of clients ---- */

struct request *client_new_request(struct client *client, enum request_kind kind, unsigned argument);
/* What every exchange of the client's bears. */
void client_add_fields(const struct client *client, struct fake_exchange *exchange);
struct visit *client_post_request(struct client *client, struct request *request);
void client_post_text(struct client *client, const char *text);
struct request *client_new_initialize(struct client *client);

void client_look(struct actor *actor);
bool client_settle(struct actor *actor);
void client_check_calm(struct actor *actor);
void client_leave(struct actor *actor);

/* Appends the answer to a question, under this id. */
void client_write_answer(struct buffer *out, uint32_t question, const char *id);

/* ---- For the judge ---- */

void client_take_handshake(const struct visit *visit, struct request *request, const struct message *message);
void client_take_endpoint(struct visit *visit, struct slice data);
void client_lose_stream(struct visit *visit);

#endif
