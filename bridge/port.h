/*
 * What the bridge needs from the world: a child to write lines to, an exchange to answer, a clock with timers,
 * randomness, a secret, a log, who may come in. bridge/ includes no header of an event loop, a socket, a signal or a
 * clock; all of that comes through the function pointers below. src/ implements them on libuv; the tests implement
 * them in memory.
 */
#ifndef BRIDGE_PORT_H
#define BRIDGE_PORT_H

#include "bridge/base/log.h"
#include "bridge/base/slice.h"
#include "bridge/base/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- The exchange: one HTTP request and its answer (RFC 9110 3) ---- */

enum exchange_method {
    EXCHANGE_GET,
    EXCHANGE_HEAD,
    EXCHANGE_POST,
    EXCHANGE_DELETE,
    EXCHANGE_OPTIONS,
    EXCHANGE_OTHER, /* a method that HTTP has and we have no use for: PUT, PATCH, ... */
};

struct header {
    const char *name;
    struct slice value;
};

/* A whole answer. Content-Length, Date and the framing headers are the implementer's business. */
struct response {
    int status;
    const struct header *headers; /* borrowed during the call */
    size_t header_count;
    const struct slice *body; /* parts that follow one another; copied or written before the call returns */
    size_t body_count;
    const char *reason; /* why the request is refused, for the log, without any of its payload; NULL when it is not */
};

/* One event of a text/event-stream (WHATWG HTML 9.2). Its data must hold no CR or LF. */
struct event {
    const char *name;         /* NULL stands for "message" */
    struct slice id;          /* absent for none */
    const struct slice *data; /* parts that follow one another */
    size_t data_count;
    int retry_ms; /* the `retry` field; 0 for none */
};

struct exchange;

struct exchange_operations {
    /* How many fields `name` (lower case) the request has, and the first one's value (trimmed; absent when 0). */
    size_t (*header)(const struct exchange *exchange, const char *name, struct slice *value);

    /* Sends the whole answer and ends the exchange: the exchange must not be touched afterwards. */
    void (*respond)(struct exchange *exchange, const struct response *response);

    /* Starts an answer of status 200 and type text/event-stream; its head goes out at once. */
    void (*open_stream)(struct exchange *exchange, const struct header *headers, size_t header_count);

    /* Only between open_stream and close_stream. What the socket does not take at once is queued: see `queued`. */
    void (*send_event)(struct exchange *exchange, const struct event *event);
    void (*send_comment)(struct exchange *exchange, const char *text);

    /* Ends the stream after what is queued, and with it the exchange, which must not be touched afterwards. */
    void (*close_stream)(struct exchange *exchange);

    /* Bytes of the answer that the socket has not taken yet. */
    size_t (*queued)(const struct exchange *exchange);
};

/* Made by the HTTP side for each request, and owned by it until respond(), close_stream() or on_closed(). */
struct exchange {
    const struct exchange_operations *operations;
    enum exchange_method method;
    struct slice path;  /* of the target, without the query */
    struct slice query; /* absent when the target has none */
    struct slice body;  /* the whole body, valid as long as the exchange */

    /* For the log: set by the one who handles the exchange as far as they are known, and valid until its end. */
    struct slice topic;   /* what is asked for */
    struct slice session; /* whose it is: a secret, of which only the beginning is shown */

    /* To be set by the one who handles the exchange, before it returns to the HTTP side without having answered. */
    void *handler;
    /*
     * The client is gone and the answer cannot be sent: the exchange is dead when this returns. Never called after the
     * end.
     */
    void (*on_closed)(struct exchange *exchange);
    /* `queued` fell to nothing after it had been more than that. May be NULL. */
    void (*on_drained)(struct exchange *exchange);
};

/* ---- Who may come in ---- */

/* The bearer tokens that open the door (RFC 6750). NULL in place of a list: there is no door. */
struct token_list {
    /*
     * Whether the token is on the list; then *principal names its holder, until the handler returns. Takes the same
     * time wherever on the list the token stands, and however near to one it comes.
     */
    bool (*find)(const struct token_list *list, struct slice token, struct slice *principal);
    /* Whether this principal holds a token of the list: who did once may do so no more. */
    bool (*has)(const struct token_list *list, struct slice principal);
};

/* ---- The child: a process that reads lines and writes lines ---- */

/* What to run. Strings are borrowed and must outlive the child. */
struct child_command {
    struct slice name;              /* the server's, for logs */
    char *const *argv;              /* NULL-terminated; executed without a shell, argv[0] looked up in PATH */
    const char *const *environment; /* "NAME=value", NULL-terminated: added to ours, stronger than it; may be NULL */
    const char *directory;          /* NULL for ours */
};

/* How a process ended, or why it could not be started. */
struct child_end {
    const char *text; /* a clause for people: "exited with status 3", "was killed by signal 9 (SIGKILL)"; borrowed */
    /* how many of all bytes handed to write() its pipe took: lines that end beyond it were never delivered */
    uint64_t written_bytes;
    uint64_t retry_ms;          /* when the next start is planned, from now; UINT64_MAX when none is */
    unsigned failures_in_a_row; /* starts that never became settled(), this one included; 0 after a settled one */
};

/* What a child tells its owner. `owner` is what was given to child_open(). */
struct child_events {
    /* A new process runs. Everything before it is forgotten: written bytes count from 0 again. */
    void (*on_up)(void *owner);
    /* One line of its output, without CR LF. The bytes may be changed, and are valid during the call only. */
    void (*on_line)(void *owner, char *line, size_t size);
    /* The stdin queue fell below its low mark, after write() had reported it full. */
    void (*on_drained)(void *owner);
    /* The process has exited *and* its output has ended; or it could not be started. Every on_line came before. */
    void (*on_down)(void *owner, const struct child_end *end);
    /* After close(): nothing comes any more and the child is freed. */
    void (*on_closed)(void *owner);
};

struct child;

struct child_operations {
    /*
     * Queues one line, given in parts, and a line end behind it; copies what the pipe does not take. Only while up.
     * Returns the number of bytes handed over since on_up, this line included (to compare with written_bytes).
     */
    uint64_t (*write)(struct child *child, const struct slice *parts, size_t count);
    /* The queue is above its high mark: hold back what can wait until on_drained. */
    bool (*is_full)(const struct child *child);
    /* The handshake succeeded: the next start after an end comes without back-off. */
    void (*settled)(struct child *child);
    /* Ends this process by the stop ladder; on_down comes, and then a new start with back-off. `why` is logged. */
    void (*restart)(struct child *child, const char *why);
    /*
     * Ends it for good: stdin closed, SIGTERM, SIGKILL, each after its grace. on_down comes if it was up, then
     * on_closed.
     */
    void (*close)(struct child *child);
};

/* Made by world->child_open. It starts a process at once, and another after each end, with back-off, until close(). */
struct child {
    const struct child_operations *operations;
};

/* ---- The world ---- */

struct world;

/* What is the same for every part of the bridge. One for the program's life. */
struct world {
    struct timers *timers; /* the clock, too: timers_now() */
    struct log *log;
    const char *version; /* the program's, as it introduces itself to a server */
    /* Fills with bytes from the system's random source; never fails. */
    void (*random)(struct world *world, void *bytes, size_t size);
    /*
     * HMAC-SHA-256 (RFC 2104) of the parts, one behind the other, under a secret of the world's. Nothing marks where a
     * part ends. Worlds with the same secret agree.
     */
    void (*authenticate)(struct world *world, const struct slice *parts, size_t count, uint8_t mac[32]);
    /*
     * A child that runs `command`. `owner` goes to every event; the events come from the loop, never from within this
     * call.
     */
    struct child *(*child_open)(struct world *world, const struct child_command *command,
                                const struct child_events *events, void *owner);
};

#endif
