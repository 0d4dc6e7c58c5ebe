/*
 * One request of a client on its way through a child. Its life is the exchange's: it ends with an answer, or when
 * its owner gives it up, and neither ends anything else.
 */
#ifndef BRIDGE_MCP_CALL_H
#define BRIDGE_MCP_CALL_H

#include "bridge/base/buffer.h"
#include "bridge/base/list.h"
#include "bridge/base/map.h"
#include "bridge/base/timer.h"
#include "bridge/jsonrpc/reply.h"
#include "bridge/mcp/log_severity.h"
#include "bridge/mcp/mux.h"

#include <stdbool.h>

struct call;
struct message;
struct channel;
struct hub;
struct session;
struct tool_headers;

/*
 * What the owner of a call hears. The parts follow one another, are one message with the client's own id or progress
 * token, and are valid during the call of the function only.
 */
struct call_events {
    /*
     * In place of on_answer, the child's answer as it wrote it, with the wire id. NULL for owners that pass it on as
     * it is.
     */
    void (*on_response)(struct call *call, const struct message *message);
    /*
     * The answer, the child's or an error of ours. Nothing else comes for this call, and nobody else knows it any
     * more.
     */
    void (*on_answer)(struct call *call, const struct slice *parts, size_t count);
    /*
     * A message that belongs to this call and comes before its answer. False when the client cannot be sent it. NULL
     * for owners whose calls send no line.
     */
    bool (*on_message)(struct call *call, const struct slice *parts, size_t count);
    /* What a call that sends no line waited for is there. Nothing else comes for it. */
    void (*on_ready)(struct call *call);
    /*
     * Whether a tools/call has the headers that its tool wants; the reason in why[size] if not. NULL for owners without
     * headers.
     */
    bool (*check)(struct call *call, const struct message *message, const struct tool_headers *headers, char *why,
                  size_t size);
    /* The child asks something, surely for this call. NULL for owners that cannot answer: the child is refused. */
    void (*on_question)(struct call *call, const struct message *message);
    /* The child takes back a question of the kind. May be NULL with on_question. */
    void (*on_question_cancelled)(struct call *call, const struct message *message);
};

/* What stands between a client's call and the child, where the two speak different eras (bridge/era). */
struct call_shim {
    /* Nobody wants the answer any more: no event comes for the client's call after this. */
    void (*give_up)(struct call_shim *shim);
};

/* What a call wants of the child. */
enum call_wish {
    CALL_SENDS,           /* its line to be delivered, and the answer */
    CALL_WAITS_FOR_CHILD, /* on_ready as soon as the child is ready */
    CALL_WAITS_FOR_ROOM,  /* on_ready as soon as the child is ready and takes more lines */
};

enum call_state {
    CALL_NEW,     /* nobody but its owner knows it */
    CALL_WAITING, /* for the child to start, or to take more lines */
    CALL_RUNNING, /* the child has been handed its line */
    CALL_ENDED,   /* answered, failed or given up */
};

struct call {
    const struct call_events *events;
    enum call_state state;
    enum call_wish wish;

    /* Borrowed from the owner until the end, since a line that was never delivered is written again. */
    struct slice bytes; /* the whole request */
    struct slice id;    /* in bytes, as the client wrote it */
    struct slice token; /* in bytes: the client's progress token, or absent */

    struct hub *hub;         /* whose child it is for */
    struct call_shim *shim;  /* NULL for a call that goes to the child itself */
    bool is_modern;          /* the client is of the modern era */
    bool has_no_timeout;     /* it is meant to stay: subscriptions/listen */
    enum log_severity level; /* of the log messages that it wants; of a modern client */
    bool is_busy;            /* a modern client is told to come again: all children are in use */
    int error_code;          /* of the answer to a modern client; 0 for a result */
    bool is_awaited;         /* a drain waits for its end: a session's, that came before, and whose client is there */
    bool has_handler;        /* the child has the method, and the error is of what handles it there */
    struct session *session; /* NULL for a stateless request */
    struct slice principal;  /* of a stateless request: who sent it, by its token; empty where nobody is told apart */
    struct map_node by_id;   /* in the session's calls */

    struct channel *channel; /* set by channel_submit() */
    struct list link;        /* in the channel's waiting or running calls */
    struct mux_entry entry;
    uint64_t written_end; /* where its line ends in the child's stdin, in bytes since the start */
    struct timer timer;

    /* Set by the server to hear that the child has been handed the line, maybe more than once; NULL otherwise. */
    void (*on_sent)(struct call *call);
    /* Set by the server to see that a result came, before the owner gets it; NULL otherwise. */
    void (*on_result)(struct call *call, const struct message *answer);
    struct slice argument; /* in bytes: what on_sent and on_result need of the request */
    /* Set by the server to give the client another result than the child's: appends it. NULL otherwise. */
    void (*write_result)(struct call *call, struct slice result, struct buffer *out);
};

/* Answer a call that nobody but its owner knows with a message of ours: on_answer comes before they return. */
void call_answer_error(struct call *call, enum reply_code code, const char *text);
void call_answer_result(struct call *call, struct slice result);

/* Answers a modern client that no child can be had now. */
void call_answer_busy(struct call *call, const char *text);

/* Answers with a whole message. */
void call_answer(struct call *call, const struct slice *parts, size_t count);

#endif
