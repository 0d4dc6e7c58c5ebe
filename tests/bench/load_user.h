/*
 * One user of the load client: a connection and what it does on it, step by step.
 */
#ifndef TESTS_BENCH_LOAD_USER_H
#define TESTS_BENCH_LOAD_USER_H

#include "tests/bench/load_meter.h"
#include "tests/bench/load_wire.h"

/* What a user's request is. In its work it goes from one to the next; see load_user.c. */
enum user_step { USER_INITIALIZE, USER_INITIALIZED, USER_CALL, USER_END, USER_LISTEN };

struct user_session {
    char name[MESSAGE_SESSION_BYTES]; /* "" for none */
};

/* What all users have in common. */
struct users {
    struct message_target target;
    struct meter meter;
    bool is_churning;    /* a session for each call, and the unit that is counted is the session's life */
    bool is_running;     /* calls follow one another */
    size_t busy_count;   /* users with a request under way */
    size_t opened_count; /* sessions and streams that have been opened */
    size_t unit_count;   /* calls or sessions' lives, in and out of the measured window */
    size_t unit_limit;   /* after so many, is_running ends; 0 for never */
    unsigned error_count;
    char error[256]; /* the first */
    uint32_t last_id;
};

struct user {
    struct wire wire;
    struct users *users;
    struct user_session *session; /* borrowed; several users may share one */
    enum user_step step;
    bool listens;  /* opens a stream when its session is there */
    bool leaves;   /* closes its connection when its session is there */
    bool has_call; /* `request` holds a call in `session` already */
    uint32_t id;
    uint64_t sent_ns;
    uint64_t life_ns; /* when the session's life began */
    struct text request;
    struct text call;
};

extern const struct wire_events user_wire_events;

void user_init(struct user *user, struct users *users, struct user_session *session);

/* Opens its session, and its stream when it listens; users->opened_count grows when that is done. */
void user_open(struct user *user);

/* Begins to call, again and again while users->is_running. */
void user_run(struct user *user);

/* Ends its session. */
void user_end(struct user *user);

void user_release(struct user *user);

#endif
