#include "bridge/era/questions.h"

#include "bridge/base/memory.h"
#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"

#include <stdio.h>
#include <stdlib.h>

struct question {
    struct list link;
    char key[16];
    struct slice child_id; /* owned: as the child wrote it */
    struct slice method;   /* owned */
    struct slice params;   /* owned; absent when it had none */
};

void questions_init(struct questions *questions)
{
    *questions = (struct questions){.count = 0};
    list_init(&questions->open);
}

static void forget(struct questions *questions, struct question *question)
{
    list_remove(&question->link);
    questions->count--;
    memory_free_slice(&question->child_id);
    memory_free_slice(&question->method);
    memory_free_slice(&question->params);
    free(question);
}

bool questions_add(struct questions *questions, const struct message *message)
{
    if (questions->count >= LIMIT_SESSION_CALLBACKS) {
        return false;
    }
    struct question *question = memory_new(sizeof(*question));
    snprintf(question->key, sizeof(question->key), "q%u", ++questions->last_key);
    question->child_id = memory_copy(message->id);
    question->method = memory_copy(message->method);
    if (slice_exists(message->params)) {
        question->params = memory_copy(message->params);
    }
    list_append(&questions->open, &question->link);
    questions->count++;
    return true;
}

void questions_cancel(struct questions *questions, struct slice child_id)
{
    LIST_FOR_EACH(link, &questions->open) {
        struct question *question = container_of(link, struct question, link);
        if (slice_equals(question->child_id, child_id)) {
            forget(questions, question);
        }
    }
}

void questions_write(const struct questions *questions, struct buffer *out)
{
    const char *separator = "";
    buffer_add_text(out, "{");
    LIST_FOR_EACH(link, &questions->open) {
        const struct question *question = container_of(link, const struct question, link);
        buffer_add_format(out, "%s\"%s\":{\"method\":", separator, question->key);
        reply_add_string(out, question->method);
        if (slice_exists(question->params)) {
            buffer_add_text(out, ",\"params\":");
            buffer_add(out, question->params);
        }
        buffer_add_text(out, "}");
        separator = ",";
    }
    buffer_add_text(out, "}");
}

static void send_result(struct channel *channel, struct slice child_id, struct slice result)
{
    struct buffer line;
    buffer_init(&line, 0);
    reply_result(&line, child_id, result);
    struct slice part = buffer_slice(&line);
    channel_send(channel, &part, 1);
    buffer_release(&line);
}

void questions_answer(struct questions *questions, struct slice responses, struct channel *channel)
{
    LIST_FOR_EACH(link, &questions->open) {
        struct question *question = container_of(link, struct question, link);
        struct slice result = members_find(responses, question->key);
        if (slice_exists(result) && result.data[0] == '{') {
            send_result(channel, question->child_id, result);
            forget(questions, question);
        }
    }
}

void questions_refuse_one(struct channel *channel, struct slice child_id, enum reply_code code, const char *why)
{
    struct buffer line;
    buffer_init(&line, 0);
    reply_error(&line, child_id, code, why, slice_of(NULL, 0));
    struct slice part = buffer_slice(&line);
    channel_send(channel, &part, 1);
    buffer_release(&line);
}

void questions_refuse(struct questions *questions, struct channel *channel, const char *why)
{
    LIST_FOR_EACH(link, &questions->open) {
        struct question *question = container_of(link, struct question, link);
        questions_refuse_one(channel, question->child_id, REPLY_TIMEOUT, why);
        forget(questions, question);
    }
}
