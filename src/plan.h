/*
 * What will run, and where, said in one readable block: at the start, and by --check.
 */
#ifndef SRC_PLAN_H
#define SRC_PLAN_H

#include "bridge/base/buffer.h"
#include "bridge/base/log.h"
#include "src/options.h"

/* Appends the block. `address` is where it listens: "127.0.0.1:8000", "unix:/run/mcp.sock". */
void plan_describe(const struct options *options, const char *address, struct buffer *out);

/* What the options say about that, before anything listens. */
void plan_address(const struct options *options, char *text, size_t size);

/* The same as one log record, for those who read logs by machine. */
void plan_log(const struct options *options, const char *address, struct log *log);

#endif
