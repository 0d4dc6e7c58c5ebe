/*
 * OAuth 2.0 Protected Resource Metadata (RFC 9728): how a client that was told 401 finds the authorization server that
 * gives it a token. We only tell; whether a token is good is decided by the gate, or by a gateway in front.
 */
#ifndef BRIDGE_TRANSPORT_PROTECTED_RESOURCE_H
#define BRIDGE_TRANSPORT_PROTECTED_RESOURCE_H

#include "bridge/base/buffer.h"
#include "bridge/base/error.h"
#include "bridge/port.h"

#include <stdbool.h>

/* Where the metadata of https://host/path stands: https://host + this + /path (RFC 9728 3.1). */
#define PROTECTED_RESOURCE_PATH "/.well-known/oauth-protected-resource"

/* Exactly one of the first two is given. */
struct protected_resource {
    const char *authorization_server; /* its URL, borrowed: the document is made for each request; else NULL */
    struct slice document;            /* owned: served as it is; else absent */
    struct buffer url;                /* of the document, by its own member "resource" */
};

/* The document is made from the request's Host and path, so that it is right behind any name. */
void protected_resource_init(struct protected_resource *resource, const char *authorization_server);

/* Takes a copy of the document. -1 when it is no JSON object with an http or https URL as "resource". */
int protected_resource_init_document(struct protected_resource *resource, struct slice document, struct error *error)
    __attribute__((warn_unused_result));

/* Also of a zeroed one. */
void protected_resource_release(struct protected_resource *resource);

/* Whether the path is that of metadata; then *path becomes the resource's own, which is "" for the whole host. */
bool protected_resource_take_prefix(struct slice *path);

/* Answers a request for the metadata of the resource at `path`, with 200 or, unless GET and HEAD, with 405. */
void protected_resource_answer(const struct protected_resource *resource, struct exchange *exchange, struct slice path);

/*
 * Appends the value of WWW-Authenticate for a 401 to this exchange (RFC 6750 3, RFC 9728 5.1). `resource` may be NULL.
 */
void protected_resource_add_challenge(const struct protected_resource *resource, const struct exchange *exchange,
                                      struct buffer *out);

#endif
