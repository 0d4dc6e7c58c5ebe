#include "tests/simulation/child_actor.h"

#include "bridge/base/memory.h"
#include "tests/simulation/child_hearing.h"
#include "tests/simulation/child_speech.h"
#include "tests/simulation/client.h"
#include "tests/simulation/modern_server.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BACKOFF_MS = 100 };

static struct child_actor *from(struct actor *actor)
{
    return container_of(actor, struct child_actor, actor);
}

static struct simulation *simulation_of(const struct child_actor *child)
{
    return child->actor.simulation;
}

bool child_actor_is_well(const struct child_actor *child)
{
    return child->fake->state == FAKE_CHILD_UP && !child->fake->is_closing &&
           child->fake->restarts == child->restarts_seen;
}

/* ---- What it has heard and asked ---- */

struct child_work *child_actor_find_work(const struct child_actor *child, uint64_t wire_id)
{
    for (size_t i = 0; i < child->work_count; i++) {
        if (child->works[i].wire_id == wire_id) {
            return &child->works[i];
        }
    }
    return NULL;
}

struct child_work *child_actor_add_work(struct child_actor *child, const struct child_work *work)
{
    if (child->work_count % 16 == 0) {
        child->works = memory_resize(child->works, (child->work_count + 16) * sizeof(child->works[0]));
    }
    child->works[child->work_count] = *work;
    return &child->works[child->work_count++];
}

struct child_work *child_actor_pick_work(const struct child_actor *child, bool is_answered)
{
    struct child_work *picked = NULL;
    size_t seen = 0;
    for (size_t i = 0; i < child->work_count; i++) {
        if (child->works[i].is_answered == is_answered && !child->works[i].is_listen &&
            simulation_below(simulation_of(child), ++seen) == 0) {
            picked = &child->works[i];
        }
    }
    return picked;
}

void child_actor_add_question(struct child_actor *child, struct saying *question)
{
    if (child->question_count % 16 == 0) {
        child->questions = memory_resize(child->questions, (child->question_count + 16) * sizeof(child->questions[0]));
    }
    child->questions[child->question_count++] = question;
}

/* ---- Its life ---- */

static void forget_process(struct child_actor *child)
{
    free(child->works);
    free(child->questions);
    child->works = NULL;
    child->questions = NULL;
    child->work_count = 0;
    child->question_count = 0;
    child->is_asked_for_handshake = false;
    child->is_ready = false;
    child->is_modern = child->is_probed = child->is_refusing = false;
    memset(child->is_subscribed, 0, sizeof(child->is_subscribed));
    child->level = REQUEST_LEVELS;
}

static void go_down(struct child_actor *child, uint64_t delivered)
{
    struct simulation *simulation = simulation_of(child);
    bool has_settled = child->fake->settles > child->settles_before;
    child->failures = has_settled ? 0 : child->failures + 1;
    child->settles_before = child->fake->settles;
    child->restarts_seen = child->fake->restarts;
    child->up_at_ms = simulation_now(simulation) + BACKOFF_MS;
    forget_process(child);
    simulation_note(simulation, "child %u ends, %" PRIu64 " of %" PRIu64 " bytes delivered, %u failures",
                    child->actor.number, delivered, child->fake->written, child->failures);
    fake_child_down(child->fake, "exited with status 3", delivered, child->failures);
}

/* What it has read was delivered; what it has not, maybe. */
void child_actor_crash(struct child_actor *child)
{
    const struct fake_child *fake = child->fake;
    uint64_t read = fake->lines_read > 0 ? fake->lines[fake->lines_read - 1].written_end : 0;
    uint64_t unread = fake->written - read;
    go_down(child, read + simulation_below(simulation_of(child), unread + 1));
}

static void start(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    if (simulation_now(simulation) < child->up_at_ms) {
        return;
    }
    if (simulation->phase == SIMULATION_STORM &&
        simulation_chance(simulation, simulation->profile.refuse_percent / 3)) {
        go_down(child, 0);
        return;
    }
    forget_process(child);
    simulation_note(simulation, "child %u starts", child->actor.number);
    child->up_step = simulation->step;
    fake_child_up(child->fake);
}

/* By now every question that was heard has an answer, if only that nobody could be asked. */
static void finish(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    if (child->fake->state == FAKE_CHILD_UP && child->fake->restarts == child->restarts_seen) {
        child_hearing_read_all(child);
        for (size_t i = 0; i < child->question_count; i++) {
            /* A child that is lent may be ended with the server before it is told that nobody answers. */
            bool may_be_open = child->is_lent && simulation->phase == SIMULATION_END;
            simulation_require(simulation,
                               child->questions[i]->is_answered || child->questions[i]->may_be_lost || may_be_open,
                               "question %u was never answered", child->questions[i]->number);
        }
    }
    forget_process(child);
    simulation_note(simulation, "child %u is finished", child->actor.number);
    fake_child_finish(child->fake);
}

static void act_when_up(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    enum child_act act = (enum child_act)simulation_pick(simulation, simulation->profile.child_acts, CHILD_ACT_COUNT);
    if (modern_server_acts(child, act)) {
        return;
    }
    switch (act) {
    case CHILD_READS:
        child_hearing_read_some(child);
        break;
    case CHILD_ANSWERS:
        child_speech_answer(child, false);
        break;
    case CHILD_ANSWERS_AGAIN:
        child_speech_answer(child, true);
        break;
    case CHILD_ANSWERS_NOBODY:
        child_speech_answer_nobody(child);
        break;
    case CHILD_PROGRESSES:
        child_speech_progress(child, false);
        break;
    case CHILD_PROGRESSES_FOR_NOBODY:
        child_speech_progress(child, true);
        break;
    case CHILD_LOGS:
        child_speech_log(child);
        break;
    case CHILD_ASKS:
        /* Before it knows in which era it is spoken to, it asks nothing. */
        if (!child->fake->is_closing && (child->is_ready || !simulation->profile.has_eras)) {
            child_speech_ask(child);
        }
        break;
    case CHILD_TAKES_BACK:
        child_speech_take_back(child);
        break;
    case CHILD_PINGS:
        child_speech_say_plain(child, "{\"jsonrpc\":\"2.0\",\"id\":\"ping\",\"method\":\"ping\"}");
        break;
    case CHILD_CHANGES_LISTS:
        child_speech_change_lists(child);
        break;
    case CHILD_UPDATES:
        child_speech_update(child);
        break;
    case CHILD_TELLS_TASK:
        child_speech_tell_task(child);
        break;
    case CHILD_SAYS_OTHER:
        child_speech_say_other(child);
        break;
    case CHILD_BABBLES:
        child_speech_babble(child);
        break;
    case CHILD_FILLS:
        child->fake->is_full = true;
        break;
    case CHILD_DRAINS:
        fake_child_drain(child->fake);
        break;
    case CHILD_CRASHES:
        child_actor_crash(child);
        break;
    case CHILD_ACT_COUNT:
        break;
    }
}

static void act(struct actor *actor)
{
    struct child_actor *child = from(actor);
    struct simulation *simulation = simulation_of(child);
    bool must_end = child->fake->restarts > child->restarts_seen;
    if (child->fake->state == FAKE_CHILD_CLOSED) {
        return;
    }
    if (child->fake->is_closing && simulation_chance(simulation, 40)) {
        finish(child);
    } else if (child->fake->state == FAKE_CHILD_UP && must_end && simulation_chance(simulation, 50)) {
        child_actor_crash(child);
    } else if (child->fake->state == FAKE_CHILD_UP) {
        act_when_up(child);
    } else if (!child->fake->is_closing) {
        start(child);
    }
}

static bool settle_up(struct child_actor *child)
{
    bool is_busy = child->fake->is_full || fake_child_unread(child->fake) > 0;
    if (child->fake->is_full) {
        fake_child_drain(child->fake);
    }
    child_hearing_read_all(child);
    if (modern_server_settles(child)) {
        return true;
    }
    if (child->is_refusing) {
        modern_server_refuse(child);
        return true;
    }
    if (child->is_asked_for_handshake) {
        child_speech_shake_hands(child);
        return true;
    }
    for (size_t i = 0; i < child->work_count; i++) {
        if (!child->works[i].is_answered && !child->works[i].is_cancelled && !child->works[i].is_listen) {
            child_speech_answer_work(child, &child->works[i]);
            is_busy = true;
        }
    }
    return is_busy;
}

static bool settle(struct actor *actor)
{
    struct child_actor *child = from(actor);
    if (child->fake->state == FAKE_CHILD_CLOSED) {
        return false;
    }
    if (child->fake->is_closing) {
        finish(child);
    } else if (child->fake->state == FAKE_CHILD_DOWN) {
        start(child);
    } else if (child->fake->restarts > child->restarts_seen) {
        child_actor_crash(child);
    } else {
        return settle_up(child);
    }
    return true;
}

/* What its sessions want to be told it tells. */
static void check_wishes(const struct child_actor *child, const struct conversation *conversation)
{
    struct simulation *simulation = simulation_of(child);
    for (unsigned uri = 0; uri < REQUEST_URIS; uri++) {
        simulation_require(simulation, !conversation_wants(conversation, uri) || child->is_subscribed[uri],
                           "session %u is subscribed to %u and its child is not", conversation->opener->number, uri);
    }
    simulation_require(simulation, conversation->level == REQUEST_LEVELS || child->level <= conversation->level,
                       "session %u set the level %u and its child has %u", conversation->opener->number,
                       conversation->level, child->level);
}

static void check_calm(struct actor *actor)
{
    const struct child_actor *child = from(actor);
    if (!child_actor_is_well(child) || !child->is_ready || child->is_modern) {
        return;
    }
    LIST_FOR_EACH(link, &simulation_of(child)->clients) {
        const struct conversation *conversation = client_conversation(container_of(link, struct actor, link));
        if (conversation != NULL && conversation_is_alive(conversation) &&
            (conversation->has_own_child ? conversation->opener == child->opener
                                         : child->is_shared && conversation->opener->credential == child->credential)) {
            check_wishes(child, conversation);
        }
    }
}

static void look(struct actor *actor)
{
    (void)actor;
}

static void leave(struct actor *actor)
{
    (void)actor;
}

static void free_child(struct actor *actor)
{
    struct child_actor *child = from(actor);
    forget_process(child);
    free(child);
}

const struct actor_kind child_actor_kind = {
    .name = "child",
    .act = act,
    .look = look,
    .settle = settle,
    .check_calm = check_calm,
    .leave = leave,
    .free = free_child,
};

struct child_actor *child_actor_new(struct simulation *simulation, struct fake_child *fake, unsigned number)
{
    struct child_actor *child = memory_new(sizeof(*child));
    child->actor = (struct actor){.kind = &child_actor_kind, .simulation = simulation, .number = number};
    child->fake = fake;
    child->level = REQUEST_LEVELS;
    for (const char *const *at = fake->command->environment; at != NULL && *at != NULL; at++) {
        child->credential = said_number(slice_text(*at), "KEY=k");
    }
    return child;
}
