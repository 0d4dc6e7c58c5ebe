/*
 * The running program: builds the parts and connects them, owns the loop and the signals, and takes everything down
 * again in order.
 */
#ifndef SRC_DAEMON_H
#define SRC_DAEMON_H

#include "bridge/base/error.h"
#include "src/child/guardian.h"
#include "src/options.h"

/* Whether the address and the files that the options name are right. -1 with an error. */
int daemon_check(const struct options *options, struct error *error) __attribute__((warn_unused_result));

/*
 * Serves until SIGTERM or SIGINT, then drains: no new requests, running ones up to --drain-timeout, the child by the
 * stop ladder. A second signal ends the program at once, with 128 and the signal's number. Returns 0 after an orderly
 * end, or -1 when it could not start.
 */
int daemon_run(const struct options *options, struct guardian *guardian, struct error *error);

#endif
