/*
 * The rules for a request's head that the parser leaves to us: Host, the form of the target, the framing of the body,
 * Expect.
 */
#ifndef SRC_HTTP_HEAD_CHECK_H
#define SRC_HTTP_HEAD_CHECK_H

#include "src/http/refusal.h"
#include "src/http/request.h"

/* Why the head is not acceptable, or NONE: then path, query and expects_continue are set. All fields must be there. */
enum http_refusal http_head_check(struct http_request *request);

#endif
