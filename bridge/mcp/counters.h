/*
 * What went by since the start, of one server. Each is a plain number that whoever sees the event adds to.
 */
#ifndef BRIDGE_MCP_COUNTERS_H
#define BRIDGE_MCP_COUNTERS_H

#include <stdint.h>

struct server_counters {
    uint64_t calls;     /* requests taken from clients, but for initialize */
    uint64_t answers;   /* results of the child's */
    uint64_t errors;    /* errors of the child's */
    uint64_t failures;  /* calls that ended because the child was not there */
    uint64_t timeouts;  /* calls that took too long, or waited too long for the child */
    uint64_t cancelled; /* by their clients, with a notification */
    uint64_t given_up;  /* because their clients were gone */

    uint64_t sessions; /* opened */
    uint64_t sessions_ended;
    uint64_t sessions_expired; /* of those: idle for too long */

    uint64_t dropped;            /* messages of the child's that belong to nobody */
    uint64_t notifications_lost; /* of clients': the child did not read */
    uint64_t child_starts;
    uint64_t child_crashes; /* ends that nobody asked for, and starts that failed */
    uint64_t restarts;      /* handshakes after the first of a child */

    uint64_t callbacks; /* questions of a child's to its client */
    uint64_t callbacks_answered;
    uint64_t callbacks_failed; /* answered with an error of ours: nobody there, no answer in time */

    uint64_t slow_streams;      /* closed because their readers were too slow */
    uint64_t messages_withheld; /* from a POST's stream whose reader is slow */
    uint64_t streams_held_back; /* not opened for want of room in the session */
};

#endif
