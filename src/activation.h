/*
 * Socket activation: a supervisor such as systemd opens the socket, and starts us with it (sd_listen_fds(3)).
 */
#ifndef SRC_ACTIVATION_H
#define SRC_ACTIVATION_H

#include "bridge/base/error.h"

/*
 * The descriptor that was handed to us, 0 when none was. Takes the variables out of the environment, which children
 * get. -1 with an error when there are several: we listen on one.
 */
int activation_take(struct error *error) __attribute__((warn_unused_result));

#endif
