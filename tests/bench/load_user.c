/*
 *     opening            INITIALIZE -> INITIALIZED [-> LISTEN]
 *     running            CALL -> CALL -> ...
 *     running, churning  INITIALIZE -> INITIALIZED -> CALL -> END -> INITIALIZE -> ...
 *     ending             END
 */
#include "tests/bench/load_user.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ERRORS = 20 };

static struct user *user_of(struct wire *wire)
{
    return (struct user *)(void *)((char *)wire - offsetof(struct user, wire));
}

static void note_error(struct users *users, const char *what, const char *text, int status)
{
    if (users->error_count++ == 0) {
        snprintf(users->error, sizeof(users->error), "%s: %s (status %d)", what, text, status);
    }
    if (users->error_count >= MAX_ERRORS) {
        users->is_running = false;
    }
}

/* ---- Sending ---- */

static void compose(struct user *user)
{
    const struct message_target *target = &user->users->target;
    const char *session = user->session->name;
    switch (user->step) {
    case USER_INITIALIZE:
        message_initialize(&user->request, target);
        break;
    case USER_INITIALIZED:
        message_initialized(&user->request, target, session);
        break;
    case USER_CALL:
        if (!user->has_call) {
            message_call(&user->call, target, session);
        }
        user->has_call = !user->users->is_churning;
        user->id = ++user->users->last_id;
        message_renumber(&user->call, target, user->id);
        break;
    case USER_END:
        message_end(&user->request, target, session);
        break;
    case USER_LISTEN:
        message_listen(&user->request, target, session);
        break;
    }
}

static void send_step(struct user *user, enum user_step step)
{
    user->step = step;
    compose(user);
    user->users->busy_count++;
    user->sent_ns = meter_now_ns();
    if (step == USER_INITIALIZE) {
        user->life_ns = user->sent_ns;
    }
    wire_send(&user->wire, step == USER_CALL ? &user->call : &user->request, step == USER_LISTEN);
}

/* ---- What comes back ---- */

static void count_unit(struct users *users, uint64_t since_ns)
{
    meter_record(&users->meter, meter_now_ns() - since_ns);
    users->unit_count++;
    if (users->unit_limit > 0 && users->unit_count >= users->unit_limit) {
        users->is_running = false;
    }
}

static const char *check(const struct user *user)
{
    const struct wire *wire = &user->wire;
    struct view body = {wire->body.data, wire->body.size};
    switch (user->step) {
    case USER_INITIALIZE:
        return wire->status == 200 ? NULL : "initialize was refused";
    case USER_INITIALIZED:
        return wire->status == 202 || wire->status == 200 ? NULL : "initialized was refused";
    case USER_CALL:
        return wire->status == 200 ? message_check(body, wire->is_stream, &user->users->target, user->id)
                                   : "the call was refused";
    case USER_END:
        /* Not every peer has DELETE: 405 says so. */
        return wire->status / 100 == 2 || wire->status == 405 ? NULL : "DELETE was refused";
    case USER_LISTEN:
        return "GET was refused";
    }
    return NULL;
}

static void on_opened(struct user *user)
{
    if (user->users->is_churning) {
        send_step(user, USER_CALL);
    } else if (user->listens) {
        send_step(user, USER_LISTEN);
    } else {
        user->users->opened_count++;
        if (user->leaves) {
            wire_close(&user->wire);
        }
    }
}

static void go_on(struct user *user)
{
    struct users *users = user->users;
    switch (user->step) {
    case USER_INITIALIZE:
        memcpy(user->session->name, user->wire.session, sizeof(user->wire.session));
        send_step(user, USER_INITIALIZED);
        break;
    case USER_INITIALIZED:
        on_opened(user);
        break;
    case USER_CALL:
        if (users->is_churning) {
            send_step(user, USER_END);
            break;
        }
        count_unit(users, user->sent_ns);
        if (users->is_running) {
            send_step(user, USER_CALL);
        }
        break;
    case USER_END:
        if (users->is_churning) {
            count_unit(users, user->life_ns);
            if (users->is_running) {
                send_step(user, USER_INITIALIZE);
            }
        }
        break;
    case USER_LISTEN:
        break;
    }
}

static void on_answer(struct wire *wire)
{
    struct user *user = user_of(wire);
    user->users->busy_count--;
    const char *fault = check(user);
    if (fault != NULL) {
        note_error(user->users, "answer", fault, wire->status);
        /* Whatever the step was, the work begins anew. */
        if (user->users->is_running) {
            user_run(user);
        }
        return;
    }
    go_on(user);
}

static void on_listening(struct wire *wire)
{
    struct user *user = user_of(wire);
    user->users->busy_count--;
    user->users->opened_count++;
}

static void on_failed(struct wire *wire, const char *text)
{
    struct user *user = user_of(wire);
    if (wire->keeps_stream && user->step == USER_LISTEN && wire->status == 200) {
        note_error(user->users, "stream", text, wire->status);
        return;
    }
    user->users->busy_count--;
    note_error(user->users, "connection", text, wire->status);
    if (user->users->is_running) {
        user_run(user);
    }
}

const struct wire_events user_wire_events = {
    .on_answer = on_answer,
    .on_listening = on_listening,
    .on_failed = on_failed,
};

/* ---- Life ---- */

void user_init(struct user *user, struct users *users, struct user_session *session)
{
    *user = (struct user){.users = users, .session = session};
    wire_init(&user->wire);
}

void user_open(struct user *user)
{
    send_step(user, USER_INITIALIZE);
}

void user_run(struct user *user)
{
    send_step(user, user->users->is_churning ? USER_INITIALIZE : USER_CALL);
}

void user_end(struct user *user)
{
    send_step(user, USER_END);
}

void user_release(struct user *user)
{
    wire_close(&user->wire);
    text_release(&user->wire.body);
    text_release(&user->request);
    text_release(&user->call);
}
