#include "tests/simulation/conversation.h"

#include "bridge/base/memory.h"
#include "tests/simulation/client.h"

#include <stdlib.h>

struct conversation *conversation_new(struct client *client)
{
    struct conversation *conversation = memory_new(sizeof(*conversation));
    conversation->client = client;
    conversation->level = REQUEST_LEVELS;
    list_append(&client->conversations, &conversation->link);
    return conversation;
}

void conversation_free(struct conversation *conversation)
{
    list_remove(&conversation->link);
    free(conversation->heard);
    free(conversation);
}

bool conversation_wants(const struct conversation *conversation, unsigned uri)
{
    return conversation->is_subscribed[uri] && !conversation->is_unsure[uri] &&
           conversation->subscribe_step[uri] > conversation->unsubscribe_step[uri];
}

/* An update that was said before it gave up the subscription may still be on its way. */
bool conversation_may_hear(const struct conversation *conversation, const struct saying *update)
{
    uint64_t asked = conversation->subscribe_step[update->argument];
    uint64_t given_up = conversation->unsubscribe_step[update->argument];
    return asked > 0 && (conversation->is_unsure[update->argument] || given_up < asked || update->step < given_up);
}

bool conversation_hear(struct conversation *conversation, const struct saying *saying)
{
    size_t byte = saying->number / 8;
    unsigned bit = 1u << (saying->number % 8);
    if (byte >= conversation->heard_bytes) {
        size_t size = byte + 64;
        conversation->heard = memory_resize(conversation->heard, size);
        memset(conversation->heard + conversation->heard_bytes, 0, size - conversation->heard_bytes);
        conversation->heard_bytes = size;
    }
    bool is_new = (conversation->heard[byte] & bit) == 0;
    conversation->heard[byte] = (uint8_t)(conversation->heard[byte] | bit);
    return is_new;
}

bool conversation_is_alive(const struct conversation *conversation)
{
    const struct simulation *simulation = conversation->client->actor.simulation;
    if (!conversation->is_open || conversation->is_over) {
        return false;
    }
    return conversation->is_sse ||
           session_table_find(&simulation->server.sessions, slice_text(conversation->name)) != NULL;
}

void conversation_take_question(struct conversation *conversation, struct saying *question, uint64_t id)
{
    question->asked = conversation;
    if (conversation->question_count < CONVERSATION_QUESTIONS) {
        conversation->question_ids[conversation->question_count] = id;
        conversation->questions[conversation->question_count++] = question;
    }
}

void conversation_end(struct conversation *conversation)
{
    struct simulation *simulation = conversation->client->actor.simulation;
    struct requests *requests = &simulation->requests;
    conversation->is_over = true;
    conversation->broken_count = 0;
    for (size_t i = 0; i < requests->count; i++) {
        struct request *request = requests->all[i];
        if (request->conversation == conversation && request->state == REQUEST_LEFT) {
            request_leave(request, REQUEST_ENDED, simulation->step_began_ms);
        }
    }
}
