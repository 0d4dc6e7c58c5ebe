#include "tests/simulation/child_speech.h"

#include "tests/simulation/modern_server.h"

#include <inttypes.h>
#include <stdio.h>

enum { FORGOTTEN_MS = 60 * 1000 };

static struct simulation *simulation_of(const struct child_actor *child)
{
    return child->actor.simulation;
}

void words_init(struct words *words, const struct child_actor *child, enum saying_kind kind, struct request *request)
{
    struct simulation *simulation = simulation_of(child);
    buffer_init(&words->text, 0);
    words->hole = 0;
    words->saying = sayings_add(&simulation->sayings);
    words->saying->kind = kind;
    words->saying->child = (struct child_actor *)(uintptr_t)child;
    words->saying->process = child->fake->ups;
    words->saying->request = request;
    words->saying->step = simulation->step;
    words->saying->is_modern = child->is_modern;
}

void words_hole(struct words *words)
{
    words->hole = words->text.size;
}

void child_speech_say(struct child_actor *child, struct words *words, struct slice middle)
{
    struct buffer line;
    saying_set(words->saying, buffer_slice(&words->text), words->hole);
    buffer_init(&line, 0);
    buffer_add(&line, words->saying->before);
    buffer_add(&line, middle);
    buffer_add(&line, words->saying->after);
    buffer_release(&words->text);
    simulation_note(simulation_of(child), "child %u says %.*s", child->actor.number, SLICE_PRINT(buffer_slice(&line)));
    fake_child_say_bytes(child->fake, buffer_slice(&line));
    buffer_release(&line);
}

void child_speech_say_plain(struct child_actor *child, const char *line)
{
    simulation_note(simulation_of(child), "child %u says %s", child->actor.number, line);
    fake_child_say(child->fake, line);
}

void child_speech_shake_hands(struct child_actor *child)
{
    struct buffer line;
    if (child->is_modern) {
        modern_server_shake(child);
        return;
    }
    buffer_init(&line, 0);
    buffer_add_format(&line,
                      "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"protocolVersion\":\"%s\",\"capabilities\":"
                      "{\"logging\":{},\"resources\":{\"subscribe\":true},\"tools\":{\"listChanged\":true}},"
                      "\"serverInfo\":{\"name\":\"s\",\"version\":\"1\",\"opener\":%u}}}",
                      child->handshake_id, simulation_of(child)->profile.child_version,
                      child->opener != NULL ? child->opener->number : 0);
    buffer_add(&line, slice_of("", 1));
    child->is_asked_for_handshake = false;
    child->is_ready = true;
    child_speech_say_plain(child, line.data);
    buffer_release(&line);
}

static void act_shake(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    if (child->is_refusing) {
        modern_server_refuse(child);
        return;
    }
    if (!simulation_chance(simulation, simulation->profile.refuse_percent)) {
        child_speech_shake_hands(child);
    } else if (simulation_chance(simulation, 30)) {
        char line[128];
        bool is_error = simulation_chance(simulation, 50);
        snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"%s\":{\"code\":-1,\"message\":\"no\"}}",
                 child->handshake_id, is_error ? "error" : "result");
        child_speech_say_plain(child, line);
    }
}

void child_speech_answer_work(struct child_actor *child, struct child_work *work)
{
    struct simulation *simulation = simulation_of(child);
    struct request *request = work->request;
    struct words words;
    char id[32];
    bool is_text = simulation_chance(simulation, 5);
    snprintf(id, sizeof(id), is_text ? "\"%" PRIu64 "\"" : "%" PRIu64, work->wire_id);
    words_init(&words, child, SAYING_ANSWER, request);
    buffer_add_text(&words.text, simulation_chance(simulation, 20) ? "{ \"id\" :" : "{\"jsonrpc\":\"2.0\",\"id\":");
    words_hole(&words);
    buffer_add_text(&words.text, slice_starts_with(buffer_slice(&words.text), "{ ") ? ",\"jsonrpc\":\"2.0\"," : ",");
    unsigned number = request != NULL ? request->number : 0;
    if (child->is_modern || (request != NULL && request->is_modern) || work->is_tool_list) {
        modern_server_write_answer(child, work, &words);
    } else if (work->will_fail) {
        buffer_add_format(&words.text,
                          "\"error\":{\"code\":-32000,\"message\":\"e\",\"data\":{\"m\":%u,\"secret\":\"R%u\"}}}",
                          words.saying->number, number);
    } else {
        bool is_task = request != NULL && request->kind == REQUEST_CALL &&
                       simulation_chance(simulation, simulation->profile.task_percent);
        buffer_add_text(&words.text, "\"result\":{");
        if (is_task) {
            buffer_add_format(&words.text, "\"task\":{\"taskId\":\"T%u\"},", number);
        }
        buffer_add_format(&words.text, "\"m\":%u,\"secret\":\"R%u\",\"n\":9007199254740993,\"z\":\"\\u0000\\/\"}}",
                          words.saying->number, number);
    }
    bool is_first = !work->is_answered;
    work->is_answered = true;
    if (is_first && request != NULL && request->answer == NULL && request->state != REQUEST_ENDED &&
        !words.saying->is_round && !(work->is_cancelled && (child->is_modern || request->is_modern))) {
        request->answer = words.saying;
    }
    child_speech_say(child, &words, slice_text(id));
}

void child_speech_answer(struct child_actor *child, bool is_again)
{
    struct child_work *work = child_actor_pick_work(child, is_again);
    if (child->is_asked_for_handshake) {
        act_shake(child);
    } else if (work != NULL) {
        child_speech_answer_work(child, work);
    }
}

void child_speech_answer_nobody(struct child_actor *child)
{
    struct child_work work = {.wire_id = 1000000 + simulation_below(simulation_of(child), 10)};
    child_speech_answer_work(child, &work);
}

void child_speech_progress(struct child_actor *child, bool is_for_nobody)
{
    struct simulation *simulation = simulation_of(child);
    const struct child_work *work = child_actor_pick_work(child, false);
    if (work == NULL || work->request == NULL) {
        return;
    }
    struct words words;
    char token[32];
    snprintf(token, sizeof(token), "%" PRIu64, is_for_nobody ? work->wire_id + 777777 : work->wire_id);
    words_init(&words, child, SAYING_PROGRESS, is_for_nobody ? NULL : work->request);
    buffer_add_text(&words.text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{");
    buffer_add_format(&words.text, "\"m\":%u,\"progress\":1e2,\"progressToken\":", words.saying->number);
    words_hole(&words);
    buffer_add_text(&words.text, simulation_chance(simulation, 50) ? ",\"x\":\"\\n\"}}" : "}}");
    child_speech_say(child, &words, slice_text(token));
}

/*
 * What is said about a request that was given up more than a minute ago may be taken for another's: the bridge does not
 * wait longer. So that is not said here.
 */
void child_speech_log(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    const struct child_work *work = child_actor_pick_work(child, false);
    if (work == NULL || work->request == NULL ||
        (work->request->state != REQUEST_OPEN && work->request->left_ms + FORGOTTEN_MS <= simulation_now(simulation))) {
        return;
    }
    struct words words;
    words_init(&words, child, SAYING_LOG, work->request);
    words.saying->argument = (unsigned)simulation_below(simulation, REQUEST_LEVELS);
    buffer_add_format(&words.text,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"m\":%u,\"level\":\"%s\","
                      "\"data\":1.0}}",
                      words.saying->number, request_level_name(words.saying->argument));
    words_hole(&words);
    child_speech_say(child, &words, slice_text(""));
}

/* What a lent child asks, it asks for the one that it works for. */
static struct request *asker_of(const struct child_actor *child)
{
    for (size_t i = 0; i < child->work_count && child->is_lent; i++) {
        if (!child->works[i].is_answered && child->works[i].request != NULL) {
            return child->works[i].request;
        }
    }
    return NULL;
}

void child_speech_ask(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    struct words words;
    if (child->is_lent && asker_of(child) == NULL && fake_child_unread(child->fake) > 0) {
        return; /* It would be taken for a question of the request that it has not read. */
    }
    words_init(&words, child, SAYING_QUESTION, asker_of(child));
    struct saying *question = words.saying;
    question->method = simulation_chance(simulation, 50) ? "sampling/createMessage" : "elicitation/create";
    snprintf(question->child_id, sizeof(question->child_id), child->question_count % 2 ? "%zu" : "\"q%zu\"",
             child->question_count);
    /* Whoever asks and does not read is not heard. */
    question->may_be_lost = child->fake->is_full;
    child_actor_add_question(child, question);
    buffer_add_text(&words.text, "{\"jsonrpc\":\"2.0\",\"id\":");
    words_hole(&words);
    buffer_add_format(&words.text, ",\"method\":\"%s\",\"params\":{\"m\":%u}}", question->method, question->number);
    child_speech_say(child, &words, slice_text(question->child_id));
}

void child_speech_take_back(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    struct saying *question =
        child->question_count > 0 ? child->questions[simulation_below(simulation, child->question_count)] : NULL;
    /* Who has not read everything may have the answer already. */
    if (question == NULL || question->is_answered || child->is_shared || fake_child_unread(child->fake) > 0) {
        return;
    }
    struct words words;
    words_init(&words, child, SAYING_TAKE_BACK, NULL);
    buffer_add_format(&words.text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"m\":%u,",
                      words.saying->number);
    buffer_add_text(&words.text, "\"requestId\":");
    words_hole(&words);
    buffer_add_text(&words.text, "}}");
    question->is_answered = true;
    question->is_taken_back = true;
    child_speech_say(child, &words, slice_text(question->child_id));
}

void child_speech_change_lists(struct child_actor *child)
{
    struct words words;
    words_init(&words, child, SAYING_LIST_CHANGED, NULL);
    buffer_add_format(&words.text,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"m\":%u}}",
                      words.saying->number);
    words_hole(&words);
    child_speech_say(child, &words, slice_text(""));
}

void child_speech_update(struct child_actor *child)
{
    struct words words;
    words_init(&words, child, SAYING_UPDATED, NULL);
    words.saying->argument = (unsigned)simulation_below(simulation_of(child), REQUEST_URIS);
    buffer_add_format(&words.text,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\","
                      "\"params\":{\"uri\":\"u:/%u\",\"m\":%u}}",
                      words.saying->argument, words.saying->number);
    words_hole(&words);
    child_speech_say(child, &words, slice_text(""));
}

void child_speech_tell_task(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    if (simulation->requests.count == 0) {
        return;
    }
    struct words words;
    words_init(&words, child, SAYING_TASK_STATUS, NULL);
    words.saying->argument = 1 + (unsigned)simulation_below(simulation, simulation->requests.count);
    buffer_add_format(&words.text,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tasks/status\","
                      "\"params\":{\"taskId\":\"T%u\",\"m\":%u}}",
                      words.saying->argument, words.saying->number);
    words_hole(&words);
    child_speech_say(child, &words, slice_text(""));
}

void child_speech_say_other(struct child_actor *child)
{
    struct words words;
    words_init(&words, child, SAYING_OTHER, NULL);
    buffer_add_format(&words.text, "{\"method\":\"notifications/x\",\"params\":{\"m\":%u},\"jsonrpc\":\"2.0\"}",
                      words.saying->number);
    words_hole(&words);
    child_speech_say(child, &words, slice_text(""));
}

void child_speech_babble(struct child_actor *child)
{
    static const char *const lines[] = {
        "Server listening on stdio",
        "",
        "{",
        "[]",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"result\":{}}",
        "\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"?\"}}",
        "\xff\xfe",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":999}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"x\"}}"};
    child_speech_say_plain(child, lines[simulation_below(simulation_of(child), sizeof(lines) / sizeof(lines[0]))]);
}
