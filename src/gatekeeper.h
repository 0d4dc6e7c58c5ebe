/*
 * What stands at the gate, as the options want it: tokens, CORS, the metadata for those who are refused, and what is
 * served to everybody. The gate itself is bridge/transport/gate.h.
 */
#ifndef SRC_GATEKEEPER_H
#define SRC_GATEKEEPER_H

#include "bridge/base/error.h"
#include "bridge/base/log.h"
#include "bridge/transport/gate.h"
#include "src/http/router.h"
#include "src/http/server.h"
#include "src/http/socket.h"
#include "src/options.h"
#include "src/tokens.h"

enum { GATEKEEPER_PAGES = 16 };

struct gatekeeper;

/* A page of the bridge's own. */
struct gatekeeper_page {
    struct gatekeeper *keeper; /* its owner */
    bool is_open;              /* to callers without a token */
    http_handler_fn handler;
    void *context; /* borrowed */
};

struct gatekeeper {
    const struct options *options; /* borrowed */
    struct http_router *router;    /* borrowed */
    struct gate gate;              /* for everything behind the gate */
    struct gate open_gate;         /* for what is open: health is asked for by numbers that nobody lists */
    struct tokens tokens;
    struct cors cors;
    const char **cors_headers; /* owned; the names in it are the options' */
    struct protected_resource resource;
    struct gatekeeper_page pages[GATEKEEPER_PAGES];
    size_t page_count;
};

/* Reads the files that the options name. -1 with an error; to be released in any case. */
int gatekeeper_init(struct gatekeeper *keeper, const struct options *options, struct http_router *router,
                    struct error *error) __attribute__((warn_unused_result));
void gatekeeper_release(struct gatekeeper *keeper);

/* Which checks there are depends on who can reach the socket. Says so when that is anybody. */
void gatekeeper_open(struct gatekeeper *keeper, enum http_reach reach, struct log *log);

/* Routes a path to a handler that is called for those who may come in: everybody, or who has a token. */
void gatekeeper_add_page(struct gatekeeper *keeper, const char *path, http_handler_fn handler, void *context,
                         bool is_open);

/* Whether there is something to read again: a token file, or a file with metadata. */
bool gatekeeper_has_files(const struct gatekeeper *keeper);

/* Reads these files again, and logs what came of it: one that is wrong changes nothing. */
void gatekeeper_reload(struct gatekeeper *keeper, struct log *log);

/* For http_server_settings, with the gatekeeper as context: what every answer has to say, and whose bodies we take. */
size_t gatekeeper_headers(void *context, const struct exchange *exchange, struct header *headers);
bool gatekeeper_takes_body(void *context, const struct exchange *exchange);

#endif
