/*
 * A JSON-RPC 2.0 message as MCP uses it, found in its bytes by one pass that also proves them valid: RFC 8259, UTF-8,
 * no deeper than LIMIT_JSON_DEPTH, no member that we replace or route by given twice. Nothing is copied or converted;
 * what a peer wrote is what the other peer gets.
 */
#ifndef BRIDGE_JSONRPC_MESSAGE_H
#define BRIDGE_JSONRPC_MESSAGE_H

#include "bridge/base/slice.h"
#include "bridge/limits.h"

#include <stdbool.h>

enum message_kind {
    MESSAGE_REQUEST,      /* a method and an id */
    MESSAGE_NOTIFICATION, /* a method and no id */
    MESSAGE_RESULT,       /* a response with a result */
    MESSAGE_ERROR,        /* a response with an error; its id may be null */
};

/* Why bytes are not a message. message_fault_text() and message_fault_code() tell a client. */
enum message_fault {
    MESSAGE_FAULT_NONE,
    MESSAGE_FAULT_SYNTAX,    /* not a JSON text */
    MESSAGE_FAULT_DEPTH,     /* nested deeper than LIMIT_JSON_DEPTH */
    MESSAGE_FAULT_OBJECT,    /* not a JSON object */
    MESSAGE_FAULT_DUPLICATE, /* a member of the envelope, _meta or its token stands there twice */
    MESSAGE_FAULT_VERSION,   /* "jsonrpc" is not "2.0" */
    MESSAGE_FAULT_ID,        /* the id is not a string or an integer, or is too long */
    MESSAGE_FAULT_METHOD,    /* the method is not a string, or is too long */
    MESSAGE_FAULT_TOKEN,     /* the progress token is not a string or an integer, or is too long */
    MESSAGE_FAULT_PARAMS,    /* the params are neither object nor array */
    MESSAGE_FAULT_SHAPE,     /* neither request, notification nor response */
    MESSAGE_FAULT_BATCH,     /* an array with no message or with more than LIMIT_BATCH_MESSAGES */
    MESSAGE_FAULT_COUNT,
};

/*
 * Spans into the bytes, absent (data NULL) where the message has no such member. Values stand as they are written,
 * strings with their quotes; only `method` is the string's meaning. Do not copy the struct: `method` may point into it.
 */
struct message {
    enum message_kind kind;
    struct slice bytes;  /* the whole object */
    struct slice method; /* decoded */
    struct slice id;
    struct slice params;
    struct slice result;
    struct slice error;

    struct slice meta;                /* params._meta */
    struct slice meta_token;          /* params._meta.progressToken */
    struct slice meta_version;        /* params._meta["io.modelcontextprotocol/protocolVersion"], of the modern era */
    struct slice meta_capabilities;   /* params._meta["io.modelcontextprotocol/clientCapabilities"] */
    struct slice meta_level;          /* params._meta["io.modelcontextprotocol/logLevel"] */
    struct slice meta_subscription;   /* params._meta["io.modelcontextprotocol/subscriptionId"], of notifications */
    struct slice progress_token;      /* params.progressToken, of notifications/progress */
    struct slice request_id;          /* params.requestId, of notifications/cancelled */
    struct slice protocol_version;    /* params.protocolVersion, of initialize */
    struct slice capabilities;        /* params.capabilities, of initialize */
    struct slice uri;                 /* params.uri, of resources/... */
    struct slice level;               /* params.level, of logging/setLevel and notifications/message */
    struct slice task_id;             /* params.taskId, of tasks/... */
    struct slice name;                /* params.name, of tools/call and prompts/get */
    struct slice arguments;           /* params.arguments, of tools/call */
    struct slice input_responses;     /* params.inputResponses, of a request that is sent again with answers */
    struct slice request_state;       /* params.requestState, of the same */
    struct slice result_task_id;      /* result.task.taskId: the answer is a task */
    struct slice result_version;      /* result.protocolVersion, of the answer to initialize */
    struct slice result_type;         /* result.resultType, of the modern era */
    struct slice result_meta;         /* result._meta */
    struct slice result_subscription; /* result._meta["io.modelcontextprotocol/subscriptionId"] */
    struct slice error_code;          /* error.code */

    bool has_line_breaks; /* CR or LF stand between tokens: message_flatten() before it becomes a line */

    struct slice jsonrpc;               /* for message_scan() itself, as the next two */
    struct slice result_task;           /* result.task */
    char method_text[LIMIT_NAME_BYTES]; /* where `method` points when it was written with escapes */
};

/*
 * Reads one message from the front of `bytes`; white space may stand before it. *rest is what follows it. `bytes`
 * must outlive the message.
 */
enum message_fault message_scan(struct message *message, struct slice bytes, struct slice *rest)
    __attribute__((warn_unused_result));

/* As message_scan(), and nothing but white space may follow. */
enum message_fault message_scan_whole(struct message *message, struct slice bytes) __attribute__((warn_unused_result));

/* As message_scan_whole(), for bytes that are certain to be a message: they were one before, or we wrote them. */
void message_scan_again(struct message *message, struct slice bytes);

/* Whether the message, a request or notification, has this method. */
static inline bool message_is(const struct message *message, const char *method)
{
    return slice_is(message->method, method);
}

/* The id that a refusal of the message can name: absent when none was read, or none that is right. */
struct slice message_refused_id(const struct message *message, enum message_fault fault);

/* Replaces every CR and LF by a space. In a valid message they stand between tokens only, so its meaning stays. */
void message_flatten(char *bytes, size_t size);

/* The code of an error response; REPLY_INTERNAL_ERROR's when it has none that is an integer of sane size. */
int message_error_code(const struct message *message);

const char *message_fault_text(enum message_fault fault);

/* The JSON-RPC error code: -32700 for what is not JSON, -32600 for the rest. */
int message_fault_code(enum message_fault fault);

#endif
