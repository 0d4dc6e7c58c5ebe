/*
 * What a child of a simulation says: answers, early, late or to nobody, what it says without being asked, and what is
 * no message at all. Every saying is entered in the ledger, for the judge.
 */
#ifndef TESTS_SIMULATION_CHILD_SPEECH_H
#define TESTS_SIMULATION_CHILD_SPEECH_H

#include "tests/simulation/child_actor.h"

/* What a child is about to say. */
struct words {
    struct buffer text; /* without what stands in the hole */
    size_t hole;
    struct saying *saying;
};

/* Begins a saying: what is written before the hole follows. */
void words_init(struct words *words, const struct child_actor *child, enum saying_kind kind, struct request *request);
void words_hole(struct words *words);
void child_speech_say(struct child_actor *child, struct words *words, struct slice middle);
void child_speech_say_plain(struct child_actor *child, const char *line);

/* It answers the handshake that it was asked for. */
void child_speech_shake_hands(struct child_actor *child);

/* The first answer while somebody wants one is the answer; any other must reach nobody. */
void child_speech_answer_work(struct child_actor *child, struct child_work *work);

/* ---- Acts: each says one thing, if there is anything to say ---- */

/* To a request that it has not answered, or once more to one that it has. The handshake comes first. */
void child_speech_answer(struct child_actor *child, bool is_again);
void child_speech_answer_nobody(struct child_actor *child);
void child_speech_progress(struct child_actor *child, bool is_for_nobody);
void child_speech_log(struct child_actor *child);
void child_speech_ask(struct child_actor *child);
void child_speech_take_back(struct child_actor *child);
void child_speech_change_lists(struct child_actor *child);
void child_speech_update(struct child_actor *child);
void child_speech_tell_task(struct child_actor *child);
void child_speech_say_other(struct child_actor *child);
void child_speech_babble(struct child_actor *child);

#endif
