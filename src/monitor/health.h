/*
 * /healthz: the process lives. /readyz: the server behind it has shaken hands and does not fail again and again.
 */
#ifndef SRC_MONITOR_HEALTH_H
#define SRC_MONITOR_HEALTH_H

#include "bridge/base/buffer.h"
#include "bridge/port.h"

#include <stdbool.h>

/*
 * What is asked about a server. Answers belong to the one who is asked, and are valid until something else is called.
 */
struct health_subject {
    void *context;
    /* Whether requests go through; *state and *reason are filled for people, the reason "" when there is none. */
    bool (*is_ready)(void *context, struct slice *name, const char **state, const char **reason);
};

struct cJSON;

/* What is known of it as an object of strings, owned by the caller. *is_ready may be NULL. */
struct cJSON *health_describe(const struct health_subject *subject, bool *is_ready);

/* Handlers for the router; the context of the second is a struct health_subject. */
void health_handle_live(void *context, struct exchange *exchange);
void health_handle_ready(void *context, struct exchange *exchange);

#endif
