#include "bridge/transport/refusal.h"

#include "bridge/jsonrpc/reply.h"

static const struct refusal_row {
    int status;
    enum reply_code code;
    const char *text;
    const char *header; /* an extra header, or NULL */
    const char *value;
} table[REFUSAL_COUNT] = {
    [REFUSAL_HOST] = {403, REPLY_REFUSED, "Invalid Host header (--allow-host accepts a name)", NULL, NULL},
    [REFUSAL_ORIGIN] = {403, REPLY_REFUSED, "Invalid Origin header (--allow-origin accepts one)", NULL, NULL},
    /* One answer for no token and for a wrong one: it tells nobody how near he is. */
    [REFUSAL_TOKEN] = {401, REPLY_REFUSED, "Unauthorized: a valid bearer token is required", NULL, NULL},
    [REFUSAL_METHOD] = {405, REPLY_REFUSED, "Method not allowed.", "Allow", "GET, POST, DELETE"},
    [REFUSAL_METHOD_STATELESS] = {405, REPLY_REFUSED, "Method not allowed. GET and DELETE are for sessions only.",
                                  "Allow", "POST"},
    [REFUSAL_METHOD_STREAM] = {405, REPLY_REFUSED, "Method not allowed.", "Allow", "GET"},
    [REFUSAL_METHOD_READ] = {405, REPLY_REFUSED, "Method not allowed.", "Allow", "GET, HEAD"},
    [REFUSAL_PATH] = {404, REPLY_REFUSED,
                      "Not Found: nothing is served at this path; MCP is served at /mcp, unless --path says otherwise",
                      NULL, NULL},
    [REFUSAL_NOT_INITIALIZED] = {400, REPLY_REFUSED, "Bad Request: Server not initialized", NULL, NULL},
    [REFUSAL_INITIALIZED] = {400, REPLY_INVALID_REQUEST, "Invalid Request: Server already initialized", NULL, NULL},
    [REFUSAL_CREDENTIAL_TWICE] = {400, REPLY_REFUSED, "Bad Request: a header with credentials appears more than once",
                                  NULL, NULL},
    [REFUSAL_ACCEPT] = {406, REPLY_REFUSED, "Not Acceptable: Client must accept application/json or text/event-stream",
                        NULL, NULL},
    [REFUSAL_ACCEPT_STREAM] =
        {406, REPLY_REFUSED,
         "Not Acceptable: Client must accept text/event-stream (an endpoint for MCP clients, not for browsers)", NULL,
         NULL},
    [REFUSAL_CONTENT_TYPE] = {415, REPLY_REFUSED, "Unsupported Media Type: Content-Type must be application/json", NULL,
                              NULL},
    /* RFC 9110 15.5.16: the field says what would have been taken. */
    [REFUSAL_CONTENT_ENCODING] =
        {415, REPLY_REFUSED, "Unsupported Media Type: Content-Encoding must be identity: a body cannot be compressed",
         "Accept-Encoding", "identity"},
    [REFUSAL_INITIALIZE_SIZE] = {413, REPLY_INVALID_REQUEST, "Payload Too Large: an initialize may have 256 KiB", NULL,
                                 NULL},
    [REFUSAL_BATCH] = {400, REPLY_INVALID_REQUEST,
                       "Invalid Request: batches were removed from the protocol in revision 2025-06-18", NULL, NULL},
    [REFUSAL_BATCH_INITIALIZE] = {400, REPLY_INVALID_REQUEST, "Invalid Request: initialize must not be part of a batch",
                                  NULL, NULL},
    [REFUSAL_SESSION_TWICE] = {400, REPLY_REFUSED, "Bad Request: the Mcp-Session-Id header appears more than once",
                               NULL, NULL},
    [REFUSAL_SESSION_MISSING] = {400, REPLY_REFUSED, "Bad Request: Mcp-Session-Id header is required", NULL, NULL},
    [REFUSAL_SESSION_UNKNOWN] = {404, REPLY_SESSION_NOT_FOUND, "Session not found", NULL, NULL},
    [REFUSAL_SESSION_CEILING] = {503, REPLY_INTERNAL_ERROR, "Too many open sessions (--max-sessions)", "Retry-After",
                                 "10"},
    [REFUSAL_CHILD_CEILING] = {503, REPLY_INTERNAL_ERROR, "Too many children of the server run (--max-children)",
                               "Retry-After", "10"},
    [REFUSAL_CALL_CEILING] = {503, REPLY_INTERNAL_ERROR, "Too many requests in flight (--max-in-flight)", "Retry-After",
                              "1"},
    /* Any status but 200 would end every other call of the older Python SDK's sessions. */
    [REFUSAL_CALL_CEILING_IN_SESSION] = {200, REPLY_INTERNAL_ERROR, "Too many requests in flight (--max-in-flight)",
                                         "Retry-After", "1"},
    [REFUSAL_SESSION_CALL_CEILING] = {200, REPLY_INTERNAL_ERROR,
                                      "Too many requests in flight in this session (--max-in-flight-per-session)",
                                      "Retry-After", "1"},
    [REFUSAL_SESSION_STREAM_CEILING] = {200, REPLY_INTERNAL_ERROR,
                                        "Too many event streams are open in this session (--max-streams-per-session)",
                                        "Retry-After", "1"},
    [REFUSAL_EVENT_UNKNOWN] = {405, REPLY_REFUSED, "The stream of this Last-Event-ID is not kept any more", "Allow",
                               "POST, DELETE"},
    [REFUSAL_VERSION] = {400, REPLY_REFUSED, "Bad Request: Unsupported protocol version", NULL, NULL},
    /* Both answers make clients of two eras fall back to initialize (MCP 2026-07-28, Versioning, "Compatibility"). */
    [REFUSAL_MODERN_DISCOVER] = {404, REPLY_METHOD_NOT_FOUND, "Method not found", NULL, NULL},
    [REFUSAL_MODERN] = {400, REPLY_UNSUPPORTED_VERSION, "Unsupported protocol version", NULL, NULL},
    [REFUSAL_ENVELOPE] = {400, REPLY_INVALID_PARAMS, "Invalid _meta envelope", NULL, NULL},
    [REFUSAL_HEADER] = {400, REPLY_HEADER_MISMATCH, "Bad Request: the request headers and body disagree", NULL, NULL},
    [REFUSAL_DRAINING] = {503, REPLY_INTERNAL_ERROR, "The bridge is shutting down", "Retry-After", "5"},
};

/* What a label is made of: short, and never changed. */
static const char *const names[REFUSAL_COUNTERS] = {
    [REFUSAL_HOST] = "host",
    [REFUSAL_ORIGIN] = "origin",
    [REFUSAL_TOKEN] = "token",
    [REFUSAL_METHOD_READ] = "method_read",
    [REFUSAL_PATH] = "path",
    [REFUSAL_ENVELOPE] = "envelope",
    [REFUSAL_HEADER] = "header",
    [REFUSAL_METHOD] = "method",
    [REFUSAL_METHOD_STATELESS] = "method_stateless",
    [REFUSAL_METHOD_STREAM] = "method_stream",
    [REFUSAL_NOT_INITIALIZED] = "not_initialized",
    [REFUSAL_INITIALIZED] = "initialized",
    [REFUSAL_CREDENTIAL_TWICE] = "credential_twice",
    [REFUSAL_ACCEPT] = "accept",
    [REFUSAL_ACCEPT_STREAM] = "accept_stream",
    [REFUSAL_CONTENT_TYPE] = "content_type",
    [REFUSAL_CONTENT_ENCODING] = "content_encoding",
    [REFUSAL_INITIALIZE_SIZE] = "initialize_size",
    [REFUSAL_BATCH] = "batch",
    [REFUSAL_BATCH_INITIALIZE] = "batch_initialize",
    [REFUSAL_SESSION_TWICE] = "session_twice",
    [REFUSAL_SESSION_MISSING] = "session_missing",
    [REFUSAL_SESSION_UNKNOWN] = "session_unknown",
    [REFUSAL_SESSION_CEILING] = "max_sessions",
    [REFUSAL_CHILD_CEILING] = "max_children",
    [REFUSAL_CALL_CEILING] = "max_in_flight",
    [REFUSAL_CALL_CEILING_IN_SESSION] = "max_in_flight_in_session",
    [REFUSAL_SESSION_CALL_CEILING] = "max_in_flight_per_session",
    [REFUSAL_SESSION_STREAM_CEILING] = "max_streams_per_session",
    [REFUSAL_EVENT_UNKNOWN] = "event_unknown",
    [REFUSAL_VERSION] = "version",
    [REFUSAL_MODERN_DISCOVER] = "modern_discover",
    [REFUSAL_MODERN] = "modern",
    [REFUSAL_DRAINING] = "draining",
    [REFUSAL_COUNT] = "message",
};

static uint64_t counts[REFUSAL_COUNTERS];

uint64_t refusal_counter(size_t index, const char **name)
{
    *name = names[index];
    return counts[index];
}

static const struct header json_type = {"Content-Type", SLICE_LITERAL("application/json")};

void respond_empty(struct exchange *exchange, int status, const struct header *headers, size_t header_count)
{
    const struct response response = {.status = status, .headers = headers, .header_count = header_count};
    exchange->operations->respond(exchange, &response);
}

void respond_busy(struct exchange *exchange, const struct slice *parts, size_t count)
{
    const struct refusal_row *row = &table[REFUSAL_CHILD_CEILING];
    const struct header headers[] = {json_type, {row->header, slice_text(row->value)}};
    const struct response response = {
        .status = row->status, .headers = headers, .header_count = 2, .body = parts, .body_count = count};
    exchange->operations->respond(exchange, &response);
}

void respond_json(struct exchange *exchange, int status, const struct slice *parts, size_t count)
{
    const struct response response = {
        .status = status, .headers = &json_type, .header_count = 1, .body = parts, .body_count = count};
    exchange->operations->respond(exchange, &response);
}

/* Sends the error with its status; the header's name is NULL for none. The reason is for the log. */
static void send_error(struct exchange *exchange, const struct refusal_row *row, struct slice error,
                       struct header header, const char *reason)
{
    const struct header headers[] = {json_type, header};
    const struct response response = {.status = row->status,
                                      .headers = headers,
                                      .header_count = header.name != NULL ? 2 : 1,
                                      .body = &error,
                                      .body_count = 1,
                                      .reason = reason};
    exchange->operations->respond(exchange, &response);
}

/* Takes the text, and the error's data as JSON or absent. */
static void respond_error(struct exchange *exchange, const struct refusal_row *row, struct slice id, const char *text,
                          struct slice data)
{
    struct buffer body;
    buffer_init(&body, 0);
    reply_error(&body, id, row->code, text, data);
    struct header header = {row->header, slice_text(row->value != NULL ? row->value : "")};
    send_error(exchange, row, buffer_slice(&body), header, text);
    buffer_release(&body);
}

void refuse_stranger(struct exchange *exchange, struct slice challenge)
{
    counts[REFUSAL_TOKEN]++;
    const struct refusal_row *row = &table[REFUSAL_TOKEN];
    struct buffer body;
    buffer_init(&body, 0);
    reply_error(&body, slice_of(NULL, 0), row->code, row->text, slice_of(NULL, 0));
    send_error(exchange, row, buffer_slice(&body), (struct header){"WWW-Authenticate", challenge}, row->text);
    buffer_release(&body);
}

/* What a client sent, shown to it again: only visible ASCII, since it may be anything. */
static void add_visible(struct buffer *text, const char *detail)
{
    for (; *detail != '\0'; detail++) {
        char c = *detail >= ' ' && *detail < 0x7f ? *detail : '?';
        buffer_add(text, slice_of(&c, 1));
    }
}

void refuse(struct exchange *exchange, enum refusal refusal, struct slice id, const char *detail)
{
    const struct refusal_row *row = &table[refusal];
    counts[refusal]++;
    struct buffer text;
    buffer_init(&text, 0);
    buffer_add_text(&text, row->text);
    if (detail != NULL) {
        buffer_add_text(&text, ": ");
        add_visible(&text, detail);
    }
    buffer_add(&text, slice_of("", 1));
    respond_error(exchange, row, id, buffer_slice(&text).data, slice_of(NULL, 0));
    buffer_release(&text);
}

void refusal_write(struct buffer *out, enum refusal refusal, struct slice id)
{
    counts[refusal]++;
    reply_error(out, id, table[refusal].code, table[refusal].text, slice_of(NULL, 0));
}

/* MCP 2026-07-28, Error Codes: the data of UnsupportedProtocolVersion lets the client choose. */
void refuse_revision(struct exchange *exchange, struct slice id, struct slice requested, enum revision_era supported)
{
    const struct refusal_row *row = &table[REFUSAL_MODERN];
    counts[REFUSAL_MODERN]++;
    struct buffer data;
    buffer_init(&data, 0);
    buffer_add_text(&data, "{\"supported\":");
    revision_add_json_list(&data, supported);
    buffer_add_text(&data, ",\"requested\":");
    buffer_add(&data, requested);
    buffer_add_text(&data, "}");
    respond_error(exchange, row, id, row->text, buffer_slice(&data));
    buffer_release(&data);
}

void refuse_fault(struct exchange *exchange, struct slice id, int code, const char *text)
{
    counts[REFUSAL_COUNT]++;
    const struct refusal_row row = {.status = 400, .code = (enum reply_code)code};
    respond_error(exchange, &row, id, text, slice_of(NULL, 0));
}
