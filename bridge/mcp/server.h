/*
 * One named server: its children, its sessions, and which child serves which session. A session is an entry in a
 * table; most share one child, and a client that may be asked something can have one of its own.
 */
#ifndef BRIDGE_MCP_SERVER_H
#define BRIDGE_MCP_SERVER_H

#include "bridge/base/log_limit.h"
#include "bridge/mcp/children.h"
#include "bridge/mcp/counters.h"
#include "bridge/mcp/hub.h"
#include "bridge/mcp/session_table.h"
#include "bridge/port.h"

/* Who gets a child of its own. */
enum server_children {
    SERVER_CHILDREN_AUTO, /* clients that declare sampling, elicitation or roots: only so a question is surely theirs */
    SERVER_CHILDREN_SHARED,  /* nobody */
    SERVER_CHILDREN_SESSION, /* every session */
};

/* Which eras the server's processes can be spoken to in. One process is spoken to in one era only. */
enum server_era {
    SERVER_ERA_UNKNOWN, /* it takes initialize, as far as is known; nobody has asked for more */
    SERVER_ERA_LEGACY,
    SERVER_ERA_BOTH,
    SERVER_ERA_MODERN,
};

/* Who is served. */
enum server_phase {
    SERVER_SERVING,  /* everybody */
    SERVER_DRAINING, /* sessions: a call that runs may need its client's further requests, and so does its end */
    SERVER_SETTLED,  /* nobody new; what runs may finish */
};

struct server_settings {
    struct channel_settings channel;
    enum server_children children;
    uint64_t session_timeout_ms;  /* 0 is never */
    uint64_t callback_timeout_ms; /* for a client's answer to its server's question; 0 is never */
    size_t replay_bytes;          /* of a session's history of events; 0 keeps none */
    uint64_t replay_age_ms;       /* 0 is no limit */
    size_t max_replay_bytes;      /* of all sessions' histories; 0 is no ceiling */
    size_t max_sessions;
    size_t max_children;             /* the shared one included */
    size_t min_idle_children;        /* started for sessions that may come, and for calls that may be asked something */
    uint64_t child_idle_timeout_ms;  /* of one that is lent, or kept for certain credentials; 0 is never */
    uint64_t shared_idle_timeout_ms; /* of the one that all others share; 0 is never */
    bool has_credentials;            /* callers bring some: no child is started before somebody comes */
    enum server_era era;             /* SERVER_ERA_UNKNOWN: to be found out */
    size_t max_in_flight;            /* calls that wait or run */
    size_t max_session_calls;        /* of one session's, that wait or run; 0 is no ceiling of its own */
    size_t max_session_streams;      /* open event streams of one session; 0 is no ceiling of its own */
    size_t max_stream_queue_bytes;   /* that a stream's reader has not taken yet; 0 is no ceiling */
};

/* What the bridge between the eras does (bridge/era), where a client and a child speak different ones. */
struct server_translator {
    /* As hub_submit(), for a legacy client's request to a child of the modern era. */
    void (*submit)(struct server *server, struct call *call, const struct message *message);
    /* A process of the modern era is ready: its first, or the next one. */
    void (*on_ready)(struct server *server, struct hub *hub);
    /* What the hub's sessions subscribe to has changed. */
    void (*renew)(struct server *server, struct hub *hub);
    /* The hub is about to be freed. */
    void (*forget)(struct server *server, struct hub *hub);
};

struct server {
    struct world *world;
    const struct server_settings *settings; /* borrowed */
    const struct child_command *command;    /* borrowed */
    struct slice name;                      /* borrowed from the command */
    struct hub *shared;                     /* of those without credentials; NULL while there is none */
    struct children children;
    enum server_era era;
    const struct server_translator *translator; /* NULL for none */
    struct session_table sessions;
    struct replay_store replay_store;
    struct server_counters counters;
    struct log_limit drop_log; /* a child can make us drop messages at will */
    size_t call_count;         /* that wait or run */
    size_t stream_count;       /* that are open */
    struct timer close_timer;

    enum server_phase phase;
    size_t awaited_calls; /* of sessions, whose clients wait: a drain begins with those */
    struct timer settle_timer;
    void (*on_settled)(struct server *server); /* NULL until server_drain() */
    void (*on_closed)(struct server *server);  /* NULL until server_close() */
};

/*
 * Starts the shared child at once, unless callers bring credentials. `command` and `settings` must outlive the
 * server.
 */
void server_open(struct server *server, struct world *world, const struct child_command *command,
                 const struct server_settings *settings);

/*
 * SERVER_DRAINING until LIMIT_DRAIN_GRACE_MS after the last of the sessions' calls that run now; then, or at once where
 * none does, SERVER_SETTLED, and `on_settled` is called, maybe before this returns. It is not after server_close().
 * To be called once.
 */
void server_drain(struct server *server, void (*on_settled)(struct server *server));

/* Ends the sessions and the children; every call that runs gets an error. `on_closed` is called once, from the loop. */
void server_close(struct server *server, void (*on_closed)(struct server *server));

/*
 * The hub for a client that sent this initialize: a shared one, or one with a child of its own, to be used by a
 * session or dropped. NULL when there are max_children.
 */
struct hub *server_choose_hub(struct server *server, const struct caller *caller, const struct message *initialize);

/* The hub for a request without a session; NULL when there are max_children. */
struct hub *server_shared_hub(struct server *server, const struct caller *caller);

/* The same for requests of the modern era on a child that speaks it. */
struct hub *server_modern_hub(struct server *server, const struct caller *caller);

/* Whether one more session may be opened: max_sessions. To be asked before a child is started for it. */
bool server_has_session_room(const struct server *server);

/* The client of a hub of its own went before it had a session. */
void server_drop_hub(struct server *server, struct hub *hub);

/* A new session on the hub, which must be ready, for this principal; NULL when there are too many. */
struct session *server_open_session(struct server *server, struct hub *hub, const struct revision *revision,
                                    struct slice principal);

/* The session with this name. NULL when there is none, when it has ended, and when another principal opened it. */
struct session *server_find_session(const struct server *server, struct slice name, struct slice principal);
void server_end_session(struct server *server, struct session *session);

/* Ends the sessions of those who have names, and are not known by them any more. */
void server_end_strangers(struct server *server, caller_is_known_fn is_known, const void *context);

/* Whether so many more calls may be submitted: max_in_flight. */
bool server_has_room(const struct server *server, size_t count);

/* The same for one session: max_session_calls. */
bool server_has_session_call_room(const struct server *server, const struct session *session, size_t count);

/* Whether the session may have another event stream: max_session_streams. It may be NULL: then there is no ceiling. */
bool server_has_stream_room(const struct server *server, const struct session *session);

/* Whether a stream's reader, which has not taken `queued` bytes yet, is too slow: max_stream_queue_bytes. */
bool server_is_slow_reader(const struct server *server, size_t queued);

/* An event stream opens, or is over. `session` is NULL without a session. */
void server_stream_opened(struct server *server, struct session *session);
void server_stream_closed(struct server *server, struct session *session);

/*
 * Takes a client's request, with its hub and session set. Its events may come before this returns. `message` is the
 * call's, and needed during this call only.
 */
void server_submit(struct server *server, struct call *call, const struct message *message);

/*
 * As server_submit(), for a call that somebody else carries to a child: it is counted, and belongs to its session.
 */
void server_admit(struct server *server, struct call *call);

/* The call is over, because on_answer or on_ready came. To be called once for each submitted call. */
void server_finish(struct server *server, struct call *call);

/* A drain does not wait for the call any more: its client has gone, and may come back for the answer, or it is over. */
void server_stop_awaiting(struct server *server, struct call *call);

/* Nobody wants the answer any more: no event comes, and the child is told. In place of server_finish(). */
void server_give_up(struct server *server, struct call *call);

/* For hubs: this one is closing; and it has closed and is about to be freed. */
void server_leave_hub(struct server *server, struct hub *hub);
void server_forget_hub(struct server *server, struct hub *hub);

/*
 * For hubs: a process has refused initialize as a server of the modern era only does. False when the era is fixed
 * otherwise.
 */
bool server_learn_modern_only(struct server *server);

#endif
