/*
 * What a seed makes of a run before it starts: the settings of the bridge, who takes part, and how likely everybody is
 * to do what. Each fault is off in some runs and frequent in others, so that few seeds suffice to see many mixtures.
 */
#ifndef TESTS_SIMULATION_PROFILE_H
#define TESTS_SIMULATION_PROFILE_H

#include "bridge/mcp/server.h"
#include "bridge/transport/legacy_sse.h"
#include "bridge/transport/streamable.h"

enum child_act {
    CHILD_READS,
    CHILD_ANSWERS,
    CHILD_ANSWERS_AGAIN,
    CHILD_ANSWERS_NOBODY, /* an id that was never asked */
    CHILD_PROGRESSES,
    CHILD_PROGRESSES_FOR_NOBODY,
    CHILD_LOGS,
    CHILD_ASKS,
    CHILD_TAKES_BACK, /* a question */
    CHILD_PINGS,
    CHILD_CHANGES_LISTS,
    CHILD_UPDATES, /* a resource */
    CHILD_TELLS_TASK,
    CHILD_SAYS_OTHER,
    CHILD_BABBLES, /* what is no message */
    CHILD_FILLS,   /* its input is full */
    CHILD_DRAINS,
    CHILD_CRASHES,
    CHILD_ACT_COUNT,
};

enum client_act {
    CLIENT_CALLS,
    CLIENT_BATCHES,
    CLIENT_SUBSCRIBES,
    CLIENT_UNSUBSCRIBES,
    CLIENT_SETS_LEVEL,
    CLIENT_ASKS_FOR_TASK,
    CLIENT_LISTENS,
    CLIENT_CANCELS,
    CLIENT_CUTS, /* one of its connections */
    CLIENT_COMES_BACK,
    CLIENT_READS, /* what waits on a slow connection */
    CLIENT_ANSWERS,
    CLIENT_ANSWERS_AGAIN,
    CLIENT_ANSWERS_NOBODY,
    CLIENT_NOTIFIES,
    CLIENT_STEALS,  /* the name of another's session */
    CLIENT_BABBLES, /* what is no message, or names no session */
    CLIENT_ENDS,    /* its session */
    CLIENT_FORGETS, /* its session's name */
    CLIENT_ACT_COUNT,
};

enum modern_act {
    MODERN_CALLS,
    MODERN_DISCOVERS,
    MODERN_LISTENS,
    MODERN_ANSWERS,  /* what it was asked */
    MODERN_REPLAYS,  /* a state that it has used */
    MODERN_MISTAKES, /* one request's state for another's */
    MODERN_STEALS,   /* another's state */
    MODERN_CUTS,
    MODERN_ACT_COUNT,
};

/* What the children can be spoken to in. */
enum profile_server {
    PROFILE_SERVER_LEGACY,
    PROFILE_SERVER_BOTH,   /* each process in the era of its first message */
    PROFILE_SERVER_MODERN, /* initialize is refused */
};

enum { PROFILE_NAME = 32 };

struct profile {
    struct child_command command;
    struct server_settings settings;
    struct streamable_settings endpoint;
    struct legacy_sse_settings sse;
    bool has_credentials;      /* clients bring some, and children are kept apart by them */
    const char *child_version; /* the revision that the children speak */

    bool has_eras; /* there are clients or children of the modern era */
    enum profile_server server;
    unsigned modern_clients;
    unsigned round_percent; /* of the answers of modern children: are questions */
    unsigned shape_percent; /* of the answers: are none of the modern era */
    unsigned probe_mood;    /* what a legacy child does when it is asked what it is */
    bool has_param_headers; /* a tool wants an argument in a header */
    bool has_tokens;        /* clients show who they are */

    unsigned steps;
    unsigned stateless_clients;
    unsigned session_clients;
    unsigned sse_clients;
    unsigned callback_percent; /* of the initializes: declare capabilities for call-backs */
    unsigned slow_percent;     /* of the connections: are not read at once */
    unsigned time_percent;     /* of the steps: the clock moves */
    uint64_t time_ms;          /* by so much at most, mostly */
    unsigned refuse_percent;   /* of the handshakes: go wrong */
    unsigned error_percent;    /* of the answers: are errors */
    unsigned task_percent;     /* of the answers: are tasks */
    unsigned child_percent;    /* of the acts: are children's */
    bool has_calm;             /* the end comes after a calm, not in the storm */
    bool has_drain;            /* it is announced */
    unsigned child_acts[CHILD_ACT_COUNT];
    unsigned client_acts[CLIENT_ACT_COUNT];
    unsigned modern_acts[MODERN_ACT_COUNT];
};

void profile_init(struct profile *profile, uint64_t *random_state);

#endif
