/*
 * What will run, and where, said in one readable block: at the start, and by --check.
 */
#ifndef SRC_PLAN_H
#define SRC_PLAN_H

#include "bridge/base/log.h"
#include "src/options.h"

#include <stdio.h>

/* Prints the block, `port` being the one in use, to `out`. */
void plan_print(const struct options *options, int port, FILE *out);

/* The same as one log record, for those who read logs by machine. */
void plan_log(const struct options *options, int port, struct log *log);

#endif
