/*
 * Log records on standard error: a line of text, or a JSON object, each. They never wait for who reads them.
 */
#ifndef SRC_LOG_H
#define SRC_LOG_H

#include "bridge/base/log.h"

#include <stdbool.h>
#include <stdint.h>

struct log_output {
    struct log log; /* what the parts are given */
    bool is_json;
    uint64_t lost_records; /* not taken by standard error, and not told yet */
    bool is_torn;          /* of the last record only the beginning was taken */
};

void log_output_init(struct log_output *log, enum log_level level, bool is_json);

/* Writes text that is no record, and does not wait either. False when not all of it was taken. */
bool log_write_plain(struct slice text);

#endif
