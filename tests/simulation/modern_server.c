#include "tests/simulation/modern_server.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/members.h"
#include "bridge/jsonrpc/message.h"
#include "tests/simulation/conversation.h"
#include "tests/simulation/modern_text.h"

#include <inttypes.h>
#include <stdio.h>

static struct simulation *simulation_of(const struct child_actor *child)
{
    return child->actor.simulation;
}

static bool contains(struct slice text, const char *part)
{
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* ---- What it reads ---- */

static void begin_handshake(struct child_actor *child, const struct message *message)
{
    simulation_require(simulation_of(child), !child->is_asked_for_handshake && !child->is_ready && !child->is_probed,
                       "a second handshake: %.*s", SLICE_PRINT(message->bytes));
    simulation_require(simulation_of(child), json_parse_id(message->id, &child->handshake_id),
                       "a wire id that is no number");
}

static void check_relayed(const struct child_actor *child, const struct request *request, const struct message *message)
{
    struct buffer expected;
    char id[32];
    simulation_require(simulation_of(child),
                       !slice_exists(message->request_state) || contains(message->request_state, "\"S"),
                       "a state that no child has made: %.*s", SLICE_PRINT(message->bytes));
    snprintf(id, sizeof(id), "%.*s", SLICE_PRINT(message->id));
    buffer_init(&expected, 0);
    modern_text_write(request, &expected, id, request->token[0] != '\0' ? id : "");
    simulation_require(simulation_of(child), slice_equals(buffer_slice(&expected), message->bytes),
                       "request %u reached a child changed: %.*s", request->number, SLICE_PRINT(message->bytes));
    buffer_release(&expected);
}

/* The answers of a legacy client, each under the key of its question. */
static void check_responses(const struct child_actor *child, const struct request *request,
                            const struct message *message)
{
    struct slice responses = message->input_responses;
    struct member member;
    unsigned count = 0;
    char expected[64];
    while (members_next(&responses, &member)) {
        uint32_t number = said_number(member.value, "\"q\":");
        snprintf(expected, sizeof(expected), "{\"q\":%u,\"n\":1e400}", number);
        simulation_require(
            simulation_of(child),
            number > 0 && said_number(slice_of(member.key.data - 1, member.key.size + 1), "\"k") == number &&
                slice_is(member.value, expected) && simulation_of(child)->sayings.all[number - 1]->request == request,
            "request %u came again with %.*s", request->number, SLICE_PRINT(member.value));
        count++;
    }
    snprintf(expected, sizeof(expected), "\"S%u\"", request->round_state);
    simulation_require(simulation_of(child),
                       count == request->round_questions &&
                           (request->round_state == 0 || slice_is(message->request_state, expected)),
                       "request %u came again without all answers: %.*s", request->number, SLICE_PRINT(message->bytes));
}

/* Whether a legacy client's request says what its session agreed on; the client may not have read yet that it has. */
static bool has_agreed_on(const struct request *request, struct slice capabilities)
{
    static const char *const all[] = {"{}", "{\"sampling\":{},\"roots\":{}}"};
    const struct conversation *conversation = request->conversation;
    if (conversation != NULL && conversation->opener == NULL) {
        return slice_is(capabilities, all[0]) || slice_is(capabilities, all[1]);
    }
    return slice_is(capabilities, all[conversation != NULL && conversation->opener->has_callbacks]);
}

/* What its session agreed on stands in every request of a legacy client's. */
static void check_wrapped(const struct child_actor *child, const struct request *request, const struct message *message)
{
    char secret[32];
    simulation_require(simulation_of(child),
                       request->kind == REQUEST_CALL && slice_is(message->meta_version, "\"2026-07-28\"") &&
                           has_agreed_on(request, message->meta_capabilities) &&
                           contains(message->params, "\"name\":\"t\",\"arguments\":{\"n\":9007199254740993,\"z\":"
                                                     "\"\\u0000\\/\",\"e\":1e400},\"secret\":\"R"),
                       "request %u reached a child of the modern era as %.*s", request->number,
                       SLICE_PRINT(message->bytes));
    snprintf(secret, sizeof(secret), "\"R%u\"", request->number);
    simulation_require(simulation_of(child),
                       contains(message->params, secret) &&
                           slice_is(message->meta_token, "") == (request->token[0] == '\0'),
                       "request %u lost something: %.*s", request->number, SLICE_PRINT(message->bytes));
    check_responses(child, request, message);
}

static void read_wishes(struct child_work *work, const struct message *message)
{
    struct slice wishes = members_find(message->params, "notifications");
    struct slice uris = members_find(wishes, "resourceSubscriptions");
    struct slice uri;
    work->is_listen = true;
    work->wants_tools = slice_is(members_find(wishes, "toolsListChanged"), "true");
    while (elements_next(&uris, &uri)) {
        unsigned number = said_number(uri, "/");
        work->wants_uri[number] |= number < REQUEST_URIS && slice_exists(json_string_inside(uri));
    }
}

static void read_request(struct child_actor *child, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    struct request *request = requests_find(&simulation->requests, message->bytes);
    struct child_work work = {.request = request};
    simulation_require(simulation, json_parse_id(message->id, &work.wire_id), "a wire id that is no number");
    simulation_require(simulation, child->is_ready, "a request before the handshake: %.*s",
                       SLICE_PRINT(message->bytes));
    for (size_t i = 0; i < child->work_count && request != NULL; i++) {
        simulation_require(simulation,
                           child->works[i].request != request || child->works[i].is_answered ||
                               child->works[i].is_cancelled,
                           "request %u reached a child twice", request->number);
    }
    simulation_require(simulation, slice_is(message->meta_version, "\"2026-07-28\""),
                       "a request of the legacy era: %.*s", SLICE_PRINT(message->bytes));
    if (request != NULL && request->is_modern) {
        check_relayed(child, request, message);
    } else if (request != NULL) {
        check_wrapped(child, request, message);
    } else {
        simulation_require(simulation, message_is(message, "tools/list") || message_is(message, "subscriptions/listen"),
                           "nobody asked %.*s", SLICE_PRINT(message->bytes));
        work.is_tool_list = message_is(message, "tools/list");
    }
    if (request != NULL) {
        simulation_require(simulation, request->credential == child->credential,
                           "request %u was given to a child with the credential %u", request->number,
                           child->credential);
        request->reads++;
    }
    if (message_is(message, "subscriptions/listen")) {
        read_wishes(&work, message);
    }
    work.will_fail = simulation_chance(simulation, simulation->profile.error_percent);
    (void)child_actor_add_work(child, &work);
}

/* The bridge's own requests are nobody's. */
static bool read_cancelled(struct child_actor *child, const struct message *message)
{
    uint64_t wire_id = 0;
    struct child_work *work =
        json_parse_id(message->request_id, &wire_id) ? child_actor_find_work(child, wire_id) : NULL;
    if (work == NULL || (work->request != NULL && !work->is_listen)) {
        return false;
    }
    work->is_cancelled = true;
    return true;
}

static bool read_modern(struct child_actor *child, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    switch (message->kind) {
    case MESSAGE_REQUEST:
        simulation_require(simulation, !message_is(message, "initialize"), "initialize after server/discover");
        read_request(child, message);
        return true;
    case MESSAGE_NOTIFICATION:
        simulation_require(simulation, message_is(message, "notifications/cancelled"),
                           "a child of the modern era was told %.*s", SLICE_PRINT(message->bytes));
        return read_cancelled(child, message);
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        simulation_fail(simulation, "a child of the modern era was answered %.*s", SLICE_PRINT(message->bytes));
    }
    return false;
}

bool modern_server_reads(struct child_actor *child, const struct message *message)
{
    struct simulation *simulation = simulation_of(child);
    enum profile_server server = simulation->profile.server;
    if (child->is_modern) {
        return read_modern(child, message);
    }
    if (message_is(message, "server/discover") && requests_find(&simulation->requests, message->bytes) == NULL) {
        begin_handshake(child, message);
        child->is_probed = server == PROFILE_SERVER_LEGACY;
        child->is_modern = child->is_asked_for_handshake = !child->is_probed;
        return true;
    }
    simulation_require(simulation, !contains(message->bytes, MODERN_KEY), "a child of the legacy era was told %.*s",
                       SLICE_PRINT(message->bytes));
    simulation_require(simulation, !child->is_probed, "a process of the wrong era goes on: %.*s",
                       SLICE_PRINT(message->bytes));
    if (message_is(message, "initialize") && server == PROFILE_SERVER_MODERN) {
        begin_handshake(child, message);
        child->is_refusing = child->is_asked_for_handshake = true;
        return true;
    }
    return message_is(message, "notifications/cancelled") && read_cancelled(child, message);
}

/* ---- What it says ---- */

void modern_server_shake(struct child_actor *child)
{
    char line[512];
    snprintf(line, sizeof(line),
             "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"resultType\":\"complete\",\"supportedVersions\":"
             "[\"2026-07-28\"],\"capabilities\":{\"logging\":{},\"resources\":{\"subscribe\":true},\"tools\":"
             "{\"listChanged\":true}},\"ttlMs\":0,\"cacheScope\":\"public\",\"_meta\":{\"" MODERN_KEY
             "serverInfo\":{\"name\":\"s\",\"version\":\"1\"}}}}",
             child->handshake_id);
    child->is_asked_for_handshake = false;
    child->is_ready = true;
    child_speech_say_plain(child, line);
}

void modern_server_refuse(struct child_actor *child)
{
    static const char *const errors[] = {
        "{\"code\":-32022,\"message\":\"Unsupported protocol version\",\"data\":{\"supported\":[\"2026-07-28\"]}}",
        "{\"code\":-32601,\"message\":\"Method not found\"}"};
    char line[256];
    snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"error\":%s}", child->handshake_id,
             errors[simulation_below(child->actor.simulation, 2)]);
    child->is_asked_for_handshake = child->is_refusing = false;
    child->handshake_id = 0;
    child->is_probed = true; /* nothing else is to be said to this process */
    child_speech_say_plain(child, line);
}

static void write_error(struct words *words, unsigned number)
{
    buffer_add_format(&words->text,
                      "\"error\":{\"code\":-32000,\"message\":\"e\",\"data\":{\"m\":%u,\"secret\":\"R%u\"}}}",
                      words->saying->number, number);
}

static void write_tools(const struct child_actor *child, struct words *words)
{
    buffer_add_format(&words->text, "\"result\":{%s\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\"",
                      child->is_modern ? "\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"," : "");
    buffer_add_format(&words->text, "%s}}]}}",
                      simulation_of(child)->profile.has_param_headers
                          ? ",\"properties\":{\"n\":{\"type\":\"integer\",\"x-mcp-header\":\"N\"}}"
                          : "");
}

/* ---- Questions ---- */

static bool may_ask(const struct child_actor *child, const struct request *request)
{
    struct simulation *simulation = simulation_of(child);
    bool is_asking = !request->is_modern || strcmp(request->method, "tools/call") == 0 ||
                     strcmp(request->method, "prompts/get") == 0 || strcmp(request->method, "resources/read") == 0;
    return child->is_modern && is_asking && simulation->phase == SIMULATION_STORM &&
           (!request->is_modern || strcmp(request->capabilities, "{}") != 0) &&
           simulation_chance(simulation, simulation->profile.round_percent);
}

static const char *choose_method(const struct child_actor *child, const struct request *request)
{
    const char *capabilities = request->is_modern ? request->capabilities : "sampling";
    if (strstr(capabilities, "sampling") == NULL) {
        return "elicitation/create";
    }
    bool is_sampling = strstr(capabilities, "elicitation") == NULL || simulation_chance(simulation_of(child), 50);
    return is_sampling ? "sampling/createMessage" : "elicitation/create";
}

static void add_question(struct child_actor *child, struct request *request, struct buffer *out)
{
    struct simulation *simulation = simulation_of(child);
    struct saying *question = sayings_add(&simulation->sayings);
    struct buffer text;
    question->kind = SAYING_QUESTION;
    question->child = child;
    question->process = child->fake->ups;
    question->request = request;
    question->step = simulation->step;
    question->is_modern = true;
    question->method = choose_method(child, request);
    buffer_init(&text, 0);
    buffer_add_format(&text, "{\"jsonrpc\":\"2.0\",\"id\":,\"method\":\"%s\",\"params\":{\"m\":%u}}", question->method,
                      question->number);
    saying_set(question, buffer_slice(&text), strlen("{\"jsonrpc\":\"2.0\",\"id\":"));
    buffer_release(&text);
    buffer_add_format(out, "\"k%u\":{\"method\":\"%s\",\"params\":{\"m\":%u}}", question->number, question->method,
                      question->number);
}

static void write_round(struct child_actor *child, struct request *request, struct words *words)
{
    struct simulation *simulation = simulation_of(child);
    size_t count = simulation_below(simulation, 3);
    bool has_state = count == 0 || simulation_chance(simulation, 70);
    words->saying->is_round = true;
    request->was_asked = true;
    request->round_questions = (unsigned)count;
    request->round_state = has_state ? words->saying->number : 0;
    buffer_add_format(&words->text, "\"result\":{\"m\":%u,\"resultType\":\"input_required\"", words->saying->number);
    for (size_t i = 0; i < count; i++) {
        buffer_add_text(&words->text, i == 0 ? ",\"inputRequests\":{" : ",");
        add_question(child, request, &words->text);
    }
    buffer_add_text(&words->text, count > 0 ? "}" : "");
    if (has_state) {
        buffer_add_format(&words->text, ",\"requestState\":\"S%u\"", words->saying->number);
    }
    buffer_add_text(&words->text, "}}");
}

static void write_result(const struct child_actor *child, const struct request *request, struct words *words)
{
    struct simulation *simulation = simulation_of(child);
    bool is_misshapen = request != NULL && simulation_chance(simulation, simulation->profile.shape_percent);
    /* A legacy server may say resultType of its own accord; a modern one must, to a modern client. */
    bool is_array = is_misshapen && (!child->is_modern || !request->is_modern || simulation_chance(simulation, 50));
    unsigned number = request != NULL ? request->number : 0;
    words->saying->is_misshapen = is_misshapen;
    if (is_array) {
        buffer_add_format(&words->text, "\"result\":[{\"m\":%u,\"secret\":\"R%u\"}]}", words->saying->number, number);
        return;
    }
    buffer_add_format(&words->text, "\"result\":{%s\"m\":%u,\"secret\":\"R%u\",\"n\":9007199254740993%s}}",
                      child->is_modern && !is_misshapen ? "\"resultType\":\"complete\"," : "", words->saying->number,
                      number, simulation_chance(simulation, 30) ? ",\"_meta\":{\"k\":1e2}" : "");
}

void modern_server_write_answer(struct child_actor *child, const struct child_work *work, struct words *words)
{
    struct request *request = work->request;
    if (work->will_fail) {
        write_error(words, request != NULL ? request->number : 0);
    } else if (work->is_tool_list) {
        write_tools(child, words);
    } else if (request != NULL && !work->is_answered && may_ask(child, request)) {
        write_round(child, request, words);
    } else {
        write_result(child, request, words);
    }
}

/* ---- Subscriptions ---- */

static struct child_work *pick_listen(const struct child_actor *child)
{
    struct child_work *picked = NULL;
    size_t seen = 0;
    for (size_t i = 0; i < child->work_count; i++) {
        const struct child_work *work = &child->works[i];
        if (work->is_listen && !work->is_answered && !work->is_cancelled &&
            simulation_below(simulation_of(child), ++seen) == 0) {
            picked = &child->works[i];
        }
    }
    return picked;
}

static void acknowledge(struct child_actor *child, struct child_work *work)
{
    char line[256];
    work->is_acknowledged = true;
    snprintf(line, sizeof(line),
             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{\"_meta\":{"
             "\"" MODERN_KEY "subscriptionId\":%" PRIu64 "},\"notifications\":{}}}",
             work->wire_id);
    child_speech_say_plain(child, line);
}

static void say_change(struct child_actor *child, const struct child_work *work, enum saying_kind kind, unsigned uri)
{
    struct words words;
    char id[32];
    words_init(&words, child, kind, work->request);
    words.saying->argument = uri;
    if (kind == SAYING_UPDATED) {
        buffer_add_format(&words.text,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":"
                          "\"u:/%u\",\"m\":%u",
                          uri, words.saying->number);
    } else {
        buffer_add_format(&words.text,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"m\":%u",
                          words.saying->number);
    }
    buffer_add_text(&words.text, ",\"_meta\":{\"" MODERN_KEY "subscriptionId\":");
    words_hole(&words);
    buffer_add_text(&words.text, "}}}");
    snprintf(id, sizeof(id), "%" PRIu64, work->wire_id);
    child_speech_say(child, &words, slice_text(id));
}

static void act_change(struct child_actor *child, enum saying_kind kind)
{
    struct child_work *work = pick_listen(child);
    unsigned uri = (unsigned)simulation_below(simulation_of(child), REQUEST_URIS);
    if (work == NULL) {
        return;
    }
    if (!work->is_acknowledged) {
        acknowledge(child, work);
    } else if (kind == SAYING_UPDATED ? work->wants_uri[uri] : work->wants_tools) {
        say_change(child, work, kind, uri);
    }
}

/* The child ends a subscription, in one way or the other. */
static void act_end(struct child_actor *child)
{
    struct simulation *simulation = simulation_of(child);
    struct child_work *work = pick_listen(child);
    char line[256];
    if (work == NULL || simulation->phase != SIMULATION_STORM) {
        return;
    }
    if (!work->is_acknowledged) {
        acknowledge(child, work);
    }
    work->is_answered = true;
    if (simulation_chance(simulation, 50)) {
        snprintf(line, sizeof(line),
                 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%" PRIu64 "}}",
                 work->wire_id);
    } else {
        snprintf(line, sizeof(line),
                 "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64
                 ",\"result\":{\"resultType\":\"complete\",\"_meta\":{\"" MODERN_KEY "subscriptionId\":%" PRIu64 "}}}",
                 work->wire_id, work->wire_id);
    }
    child_speech_say_plain(child, line);
}

/* ---- Its life ---- */

static bool answer_probe(struct child_actor *child, const char *kind)
{
    char line[160];
    if (!child->is_probed || child->handshake_id == 0) {
        return false;
    }
    snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"%s\":{\"code\":-32601,\"message\":\"?\"}}",
             child->handshake_id, kind);
    child->handshake_id = 0;
    child_speech_say_plain(child, line);
    return true;
}

/* Silence, an error, a result of no kind, or its end. */
static void act_probed(struct child_actor *child)
{
    unsigned mood = simulation_of(child)->profile.probe_mood;
    if (mood == 3) {
        child_actor_crash(child);
    } else if (mood > 0) {
        (void)answer_probe(child, mood == 1 ? "error" : "result");
    }
}

bool modern_server_settles(struct child_actor *child)
{
    bool is_busy = answer_probe(child, "error");
    for (size_t i = 0; i < child->work_count; i++) {
        struct child_work *work = &child->works[i];
        if (work->is_listen && !work->is_acknowledged && !work->is_answered && !work->is_cancelled) {
            acknowledge(child, work);
            is_busy = true;
        }
    }
    return is_busy;
}

bool modern_server_acts(struct child_actor *child, enum child_act act)
{
    if (child->is_probed && act == CHILD_ANSWERS) {
        act_probed(child);
        return true;
    }
    if (!child->is_modern) {
        /* Before it knows in which era it is spoken to, it says nothing. */
        return !child->is_ready && simulation_of(child)->profile.server != PROFILE_SERVER_LEGACY &&
               (act == CHILD_CHANGES_LISTS || act == CHILD_UPDATES || act == CHILD_SAYS_OTHER ||
                act == CHILD_TELLS_TASK || act == CHILD_PINGS);
    }
    switch (act) {
    case CHILD_CHANGES_LISTS:
        act_change(child, SAYING_LIST_CHANGED);
        return true;
    case CHILD_UPDATES:
        act_change(child, SAYING_UPDATED);
        return true;
    case CHILD_TAKES_BACK:
        act_end(child);
        return true;
    case CHILD_ASKS:
        child_speech_say_plain(child, "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"sampling/createMessage\"}");
        return true;
    case CHILD_PINGS:
    case CHILD_SAYS_OTHER:
    case CHILD_TELLS_TASK:
        return true;
    case CHILD_READS:
    case CHILD_ANSWERS:
    case CHILD_ANSWERS_AGAIN:
    case CHILD_ANSWERS_NOBODY:
    case CHILD_PROGRESSES:
    case CHILD_PROGRESSES_FOR_NOBODY:
    case CHILD_LOGS:
    case CHILD_BABBLES:
    case CHILD_FILLS:
    case CHILD_DRAINS:
    case CHILD_CRASHES:
    case CHILD_ACT_COUNT:
        return false;
    }
    return false;
}
