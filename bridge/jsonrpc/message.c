/*
 * One loop over the bytes, no recursion. For each open container it keeps a level: object or array, which of the few
 * containers that we look into it is (its region), and at which place in struct message its own span goes.
 *
 *     {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":1}}}
 *     ^ region ROOT                                          ^ region PARAMS     ^ region META
 *
 * A member of a region that stands in the table `places` has its value's span recorded. Everything else is only
 * proved to be JSON.
 */
#include "bridge/jsonrpc/message.h"

#include "bridge/jsonrpc/json.h"
#include "bridge/jsonrpc/reply.h"

#include <assert.h>
#include <stdint.h>

enum region {
    REGION_NONE,
    REGION_ROOT,
    REGION_PARAMS,
    REGION_META,
    REGION_RESULT,
    REGION_RESULT_META,
    REGION_TASK,
    REGION_ERROR,
    REGION_COUNT,
};

struct place {
    struct slice key;
    size_t offset;      /* of its slice in struct message */
    enum region inside; /* what its value is, when that is an object */
    bool is_single;     /* a message that has it twice is refused */
};

#define PLACE(key, member, inside) {SLICE_LITERAL(key), offsetof(struct message, member), inside, false}
#define SINGLE(key, member, inside) {SLICE_LITERAL(key), offsetof(struct message, member), inside, true}

enum { MOST_PLACES = 12 };

/* By the region that the member stands in; a row of fewer ends with a place that has no key. */
static const struct place places[REGION_COUNT][MOST_PLACES] = {
    [REGION_ROOT] =
        {
            SINGLE("jsonrpc", jsonrpc, REGION_NONE),
            SINGLE("id", id, REGION_NONE),
            SINGLE("method", method, REGION_NONE),
            SINGLE("params", params, REGION_PARAMS),
            SINGLE("result", result, REGION_RESULT),
            SINGLE("error", error, REGION_ERROR),
        },
    [REGION_PARAMS] =
        {
            SINGLE("_meta", meta, REGION_META),
            PLACE("progressToken", progress_token, REGION_NONE),
            PLACE("requestId", request_id, REGION_NONE),
            PLACE("protocolVersion", protocol_version, REGION_NONE),
            PLACE("capabilities", capabilities, REGION_NONE),
            PLACE("uri", uri, REGION_NONE),
            PLACE("level", level, REGION_NONE),
            PLACE("taskId", task_id, REGION_NONE),
            PLACE("name", name, REGION_NONE),
            PLACE("arguments", arguments, REGION_NONE),
            PLACE("inputResponses", input_responses, REGION_NONE),
            PLACE("requestState", request_state, REGION_NONE),
        },
    [REGION_META] =
        {
            SINGLE("progressToken", meta_token, REGION_NONE),
            SINGLE("io.modelcontextprotocol/protocolVersion", meta_version, REGION_NONE),
            SINGLE("io.modelcontextprotocol/clientCapabilities", meta_capabilities, REGION_NONE),
            PLACE("io.modelcontextprotocol/logLevel", meta_level, REGION_NONE),
            PLACE("io.modelcontextprotocol/subscriptionId", meta_subscription, REGION_NONE),
        },
    [REGION_RESULT] =
        {
            PLACE("protocolVersion", result_version, REGION_NONE),
            PLACE("task", result_task, REGION_TASK),
            PLACE("resultType", result_type, REGION_NONE),
            PLACE("_meta", result_meta, REGION_RESULT_META),
        },
    [REGION_TASK] =
        {
            PLACE("taskId", result_task_id, REGION_NONE),
        },
    [REGION_RESULT_META] =
        {
            PLACE("io.modelcontextprotocol/subscriptionId", result_subscription, REGION_NONE),
        },
    [REGION_ERROR] =
        {
            PLACE("code", error_code, REGION_NONE),
        },
};

struct level {
    const char *start;
    const struct place *place; /* where the container's own span goes, or NULL */
    uint8_t region;
    bool is_object;
};

struct scan {
    struct message *message;
    const char *at;
    const char *end;
    const struct place *place; /* of the value that comes next, or NULL */
    unsigned depth;
    struct level levels[LIMIT_JSON_DEPTH];
};

static void skip_some_space(struct scan *scan)
{
    while (scan->at < scan->end) {
        char c = *scan->at;
        if (c == '\n' || c == '\r') {
            scan->message->has_line_breaks = true;
        } else if (c != ' ' && c != '\t') {
            return;
        }
        scan->at++;
    }
}

/* Most messages are written without any. */
static inline void skip_space(struct scan *scan)
{
    if (scan->at < scan->end && (unsigned char)*scan->at <= ' ') {
        skip_some_space(scan);
    }
}

static struct slice *slice_at(struct message *message, const struct place *place)
{
    return (struct slice *)(void *)((char *)message + place->offset);
}

static enum message_fault record(struct scan *scan, const struct place *place, const char *start)
{
    if (place == NULL) {
        return MESSAGE_FAULT_NONE;
    }
    struct slice *slice = slice_at(scan->message, place);
    /*
     * What we replace must not stand there a second time, where the child could read it unreplaced. The rest is the
     * author's business, and the last one counts, as for nearly every parser.
     */
    if (slice_exists(*slice) && place->is_single) {
        return MESSAGE_FAULT_DUPLICATE;
    }
    *slice = slice_of(start, (size_t)(scan->at - start));
    return MESSAGE_FAULT_NONE;
}

/* The first byte tells most of one size apart. */
static bool is_key(struct slice key, struct slice wanted)
{
    return key.size == wanted.size && key.data[0] == wanted.data[0] && memcmp(key.data, wanted.data, key.size) == 0;
}

static const struct place *find_place(enum region region, struct slice key, bool has_escapes)
{
    const struct place *row = places[region];
    for (size_t i = 0; i < MOST_PLACES && row[i].key.data != NULL; i++) {
        if (has_escapes ? json_string_means(key, row[i].key.data) : is_key(key, row[i].key)) {
            return &row[i];
        }
    }
    return NULL;
}

/* A container that stands there a second time counts, and with it what is in it: forget what was in the first. */
static void forget_inside(struct message *message, const struct place *place)
{
    if (place == NULL || place->is_single || place->inside == REGION_NONE || !slice_exists(*slice_at(message, place))) {
        return;
    }
    const struct place *row = places[place->inside];
    for (size_t i = 0; i < MOST_PLACES && row[i].key.data != NULL; i++) {
        *slice_at(message, &row[i]) = slice_of(NULL, 0);
    }
}

/* A member's key and its colon; the place of the value that follows is remembered. */
static enum message_fault scan_key(struct scan *scan)
{
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != '"') {
        return MESSAGE_FAULT_SYNTAX;
    }
    bool has_escapes;
    const char *start = scan->at + 1;
    const char *behind = json_end_of_string(scan->at, scan->end, &has_escapes);
    if (behind == NULL) {
        return MESSAGE_FAULT_SYNTAX;
    }
    scan->at = behind;
    scan->place =
        find_place(scan->levels[scan->depth - 1].region, slice_of(start, (size_t)(behind - 1 - start)), has_escapes);
    forget_inside(scan->message, scan->place);
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != ':') {
        return MESSAGE_FAULT_SYNTAX;
    }
    scan->at++;
    return MESSAGE_FAULT_NONE;
}

static enum message_fault scan_scalar(struct scan *scan)
{
    const char *start = scan->at;
    bool has_escapes;
    switch (*start) {
    case '"':
        scan->at = json_end_of_string(start, scan->end, &has_escapes);
        break;
    case 't':
    case 'f':
    case 'n':
        scan->at = json_end_of_literal(start, scan->end);
        break;
    default:
        scan->at = json_end_of_number(start, scan->end);
        break;
    }
    if (scan->at == NULL) {
        return MESSAGE_FAULT_SYNTAX;
    }
    return record(scan, scan->place, start);
}

static enum region region_inside(const struct scan *scan)
{
    return scan->depth == 0 ? REGION_ROOT : scan->place != NULL ? scan->place->inside : REGION_NONE;
}

static bool is_closer(const struct level *level, char c)
{
    return c == (level->is_object ? '}' : ']');
}

/* The bracket that closes the innermost container. */
static enum message_fault close_container(struct scan *scan)
{
    struct level *level = &scan->levels[--scan->depth];
    scan->at++;
    return record(scan, level->place, level->start);
}

/* An opening bracket, and the first key of an object. *is_closed tells that the container was empty. */
static enum message_fault open_container(struct scan *scan, bool *is_closed)
{
    if (scan->depth == LIMIT_JSON_DEPTH) {
        return MESSAGE_FAULT_DEPTH;
    }
    struct level *level = &scan->levels[scan->depth];
    *level = (struct level){.start = scan->at, .place = scan->place, .is_object = *scan->at == '{'};
    level->region = (uint8_t)(level->is_object ? region_inside(scan) : REGION_NONE);
    scan->depth++;
    scan->at++;
    skip_space(scan);
    *is_closed = scan->at < scan->end && is_closer(level, *scan->at);
    if (*is_closed) {
        return close_container(scan);
    }
    scan->place = NULL;
    return level->is_object ? scan_key(scan) : MESSAGE_FAULT_NONE;
}

/* A value up to its end, or up to the first value inside it. */
static enum message_fault scan_value(struct scan *scan, bool *is_complete)
{
    skip_space(scan);
    if (scan->at == scan->end) {
        return MESSAGE_FAULT_SYNTAX;
    }
    if (*scan->at == '{' || *scan->at == '[') {
        return open_container(scan, is_complete);
    }
    *is_complete = true;
    return scan_scalar(scan);
}

/* After a value: closes what ends here, up to the comma before the next value or to the end of the message. */
static enum message_fault scan_after_value(struct scan *scan)
{
    enum message_fault fault = MESSAGE_FAULT_NONE;
    while (fault == MESSAGE_FAULT_NONE && scan->depth > 0) {
        struct level *level = &scan->levels[scan->depth - 1];
        skip_space(scan);
        if (scan->at == scan->end) {
            return MESSAGE_FAULT_SYNTAX;
        }
        if (*scan->at == ',') {
            scan->at++;
            scan->place = NULL;
            return level->is_object ? scan_key(scan) : MESSAGE_FAULT_NONE;
        }
        fault = is_closer(level, *scan->at) ? close_container(scan) : MESSAGE_FAULT_SYNTAX;
    }
    return fault;
}

static enum message_fault scan_object(struct scan *scan)
{
    enum message_fault fault;
    do {
        bool is_complete = false;
        fault = scan_value(scan, &is_complete);
        if (fault == MESSAGE_FAULT_NONE && is_complete) {
            fault = scan_after_value(scan);
        }
    } while (fault == MESSAGE_FAULT_NONE && scan->depth > 0);
    return fault;
}

/* MCP, Base Protocol: an id is a string or an integer, and never null. The same holds for progress tokens. */
static bool is_string_or_integer(struct slice value)
{
    if (value.size == 0 || value.size > LIMIT_ID_BYTES) {
        return false;
    }
    if (value.data[0] == '"') {
        return true;
    }
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (!((c >= '0' && c <= '9') || (c == '-' && i == 0))) {
            return false;
        }
    }
    return true;
}

static enum message_fault decode_method(struct message *message)
{
    struct slice inside = json_string_inside(message->method);
    if (!slice_exists(inside) || inside.size > LIMIT_NAME_BYTES) {
        return MESSAGE_FAULT_METHOD;
    }
    message->method = inside;
    if (inside.size > 0 && memchr(inside.data, '\\', inside.size) != NULL) {
        struct buffer text;
        buffer_init(&text, 0);
        json_string_decode(inside, &text);
        memcpy(message->method_text, buffer_slice(&text).data, text.size);
        message->method = slice_of(message->method_text, text.size);
        buffer_release(&text);
    }
    return MESSAGE_FAULT_NONE;
}

static enum message_fault check_request(struct message *message)
{
    if (slice_exists(message->result) || slice_exists(message->error)) {
        return MESSAGE_FAULT_SHAPE;
    }
    message->kind = slice_exists(message->id) ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
    if (message->kind == MESSAGE_REQUEST && !is_string_or_integer(message->id)) {
        return MESSAGE_FAULT_ID;
    }
    if (slice_exists(message->params) && message->params.data[0] != '{' && message->params.data[0] != '[') {
        return MESSAGE_FAULT_PARAMS;
    }
    if ((slice_exists(message->meta_token) && !is_string_or_integer(message->meta_token)) ||
        (slice_exists(message->progress_token) && message->progress_token.size > LIMIT_ID_BYTES)) {
        return MESSAGE_FAULT_TOKEN;
    }
    return decode_method(message);
}

static enum message_fault check_response(struct message *message)
{
    bool has_result = slice_exists(message->result);
    if (has_result == slice_exists(message->error)) {
        return MESSAGE_FAULT_SHAPE;
    }
    message->kind = has_result ? MESSAGE_RESULT : MESSAGE_ERROR;
    /* JSON-RPC 2.0, 5: an error whose request could not be read has the id null; 2025-11-25 lets it be left out. */
    bool is_unknown = !slice_exists(message->id) || slice_is(message->id, "null");
    bool is_right = is_unknown ? !has_result : is_string_or_integer(message->id);
    return is_right ? MESSAGE_FAULT_NONE : MESSAGE_FAULT_ID;
}

static enum message_fault check_envelope(struct message *message)
{
    if (!json_string_means(json_string_inside(message->jsonrpc), "2.0")) {
        return MESSAGE_FAULT_VERSION;
    }
    return slice_exists(message->method) ? check_request(message) : check_response(message);
}

enum message_fault message_scan(struct message *message, struct slice bytes, struct slice *rest)
{
    /* Not an initializer: the levels, most of the struct, need none. */
    struct scan scan;
    scan.message = message;
    scan.place = NULL;
    scan.depth = 0;
    memset(message, 0, offsetof(struct message, method_text));
    bytes = slice_exists(bytes) ? json_skip_space(bytes) : slice_of("", 0);
    *rest = bytes;
    scan.at = bytes.data;
    scan.end = bytes.data + bytes.size;
    bool is_object = bytes.size > 0 && bytes.data[0] == '{';
    enum message_fault fault = scan_object(&scan);
    if (fault != MESSAGE_FAULT_NONE) {
        return fault;
    }
    message->bytes = slice_of(bytes.data, (size_t)(scan.at - bytes.data));
    *rest = slice_of(scan.at, (size_t)(scan.end - scan.at));
    return is_object ? check_envelope(message) : MESSAGE_FAULT_OBJECT;
}

enum message_fault message_scan_whole(struct message *message, struct slice bytes)
{
    struct slice rest;
    enum message_fault fault = message_scan(message, bytes, &rest);
    bool is_syntactic =
        fault == MESSAGE_FAULT_SYNTAX || fault == MESSAGE_FAULT_DEPTH || fault == MESSAGE_FAULT_DUPLICATE;
    if (!is_syntactic && json_skip_space(rest).size > 0) {
        return MESSAGE_FAULT_SYNTAX;
    }
    return fault;
}

void message_scan_again(struct message *message, struct slice bytes)
{
    enum message_fault fault = message_scan_whole(message, bytes);
    assert(fault == MESSAGE_FAULT_NONE);
    (void)fault;
}

struct slice message_refused_id(const struct message *message, enum message_fault fault)
{
    bool was_read = fault == MESSAGE_FAULT_VERSION || fault == MESSAGE_FAULT_METHOD || fault == MESSAGE_FAULT_TOKEN ||
                    fault == MESSAGE_FAULT_PARAMS || fault == MESSAGE_FAULT_SHAPE;
    return was_read && is_string_or_integer(message->id) ? message->id : slice_of(NULL, 0);
}

void message_flatten(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            bytes[i] = ' ';
        }
    }
}

static const char *const fault_texts[MESSAGE_FAULT_COUNT] = {
    [MESSAGE_FAULT_NONE] = "no fault",
    [MESSAGE_FAULT_SYNTAX] = "Parse error: Invalid JSON",
    [MESSAGE_FAULT_DEPTH] = "Parse error: JSON nested too deeply",
    [MESSAGE_FAULT_OBJECT] = "Invalid Request: a message must be a JSON object",
    [MESSAGE_FAULT_DUPLICATE] =
        "Invalid Request: a member of the envelope, _meta or its progressToken appears more than once",
    [MESSAGE_FAULT_VERSION] = "Invalid Request: \"jsonrpc\" must be \"2.0\"",
    [MESSAGE_FAULT_ID] = "Invalid Request: the id must be a string or an integer of at most 1024 bytes",
    [MESSAGE_FAULT_METHOD] = "Invalid Request: the method must be a string of at most 256 bytes",
    [MESSAGE_FAULT_TOKEN] = "Invalid Request: the progress token must be a string or an integer of at most 1024 bytes",
    [MESSAGE_FAULT_PARAMS] = "Invalid Request: params must be an object",
    [MESSAGE_FAULT_SHAPE] = "Invalid Request: neither a request, a notification nor a response",
    [MESSAGE_FAULT_BATCH] = "Invalid Request: a batch must hold between 1 and 100 messages",
};

int message_error_code(const struct message *message)
{
    struct slice digits = message->error_code;
    bool is_negative = digits.size > 0 && digits.data[0] == '-';
    if (is_negative) {
        digits = slice_of(digits.data + 1, digits.size - 1);
    }
    uint64_t code;
    if (!json_parse_id(digits, &code) || code > INT32_MAX) {
        return REPLY_INTERNAL_ERROR;
    }
    return is_negative ? -(int)code : (int)code;
}

const char *message_fault_text(enum message_fault fault)
{
    return fault_texts[fault];
}

int message_fault_code(enum message_fault fault)
{
    bool is_json = fault != MESSAGE_FAULT_SYNTAX && fault != MESSAGE_FAULT_DEPTH;
    return is_json ? REPLY_INVALID_REQUEST : REPLY_PARSE_ERROR;
}
