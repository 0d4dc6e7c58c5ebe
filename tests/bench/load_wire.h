/*
 * One keep-alive connection of the load client: a request goes out, its whole answer comes in.
 */
#ifndef TESTS_BENCH_LOAD_WIRE_H
#define TESTS_BENCH_LOAD_WIRE_H

#include "tests/bench/load_message.h"

#include <llhttp.h>
#include <netinet/in.h>

struct wire;

struct wire_events {
    /* The answer has come; a request may be sent from here. */
    void (*on_answer)(struct wire *wire);
    /* An event stream that the request asked to stay open has begun. */
    void (*on_listening)(struct wire *wire);
    /* The request has no answer, for the reason in `text`; the connection is closed. */
    void (*on_failed)(struct wire *wire, const char *text);
};

struct wire {
    int fd; /* -1 while closed */
    const struct wire_events *events;
    llhttp_t parser;
    const struct text *request; /* borrowed while busy */
    size_t sent;
    bool is_busy;
    bool is_writable_awaited;

    int status;
    bool is_stream;    /* the answer is an event stream */
    bool is_complete;  /* the answer is whole */
    bool keeps_stream; /* the request is a GET */
    int header;        /* which of the fields that matter is being read */
    char type[64];     /* Content-Type */
    size_t type_size;
    char session[MESSAGE_SESSION_BYTES]; /* Mcp-Session-Id, "" for none */
    size_t session_size;
    char name[32]; /* of the field */
    size_t name_size;
    struct text body;
};

/* Connects all wires to this port of 127.0.0.1. */
void wire_setup(int port, const struct wire_events *events);

void wire_init(struct wire *wire);

/* Sends a request, which must stay until its answer; connects first where that is needed. */
void wire_send(struct wire *wire, const struct text *request, bool keeps_stream);

void wire_close(struct wire *wire);

/* Waits for something to happen, at most so long, and lets it happen. */
void wire_turn(int timeout_ms);

/* How often a peer closed a connection that it had not announced to close. */
unsigned wire_reconnects(void);

#endif
