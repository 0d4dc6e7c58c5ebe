#include "src/http/server.h"

#include "bridge/base/memory.h"

#include <assert.h>
#include <stdio.h>

/* Requests kept for those to come. */
enum { SERVER_SPARE_REQUESTS = 64 };

void http_server_init(struct http_server *server)
{
    list_init(&server->connections);
    list_init(&server->spare_requests);
    server->spare_request_count = 0;
    buffer_init(&server->scratch, 0);
    server->date = (struct http_date){.second = 0};
    server->body_bytes = 0;
    server->queued_bytes = 0;
    log_limit_init(&server->refusal_log, server->log, server->timers, slice_text("http"), "about refused requests");
}

void http_server_release(struct http_server *server)
{
    assert(list_is_empty(&server->connections));
    assert(server->body_bytes == 0);
    assert(server->queued_bytes == 0);
    for (struct list *link; (link = list_take_first(&server->spare_requests)) != NULL;) {
        http_request_free(container_of(link, struct http_request, link));
    }
    buffer_release(&server->scratch);
    log_limit_release(&server->refusal_log);
}

struct http_request *http_server_take_request(struct http_server *server)
{
    struct list *link = list_take_first(&server->spare_requests);
    if (link == NULL) {
        return http_request_new();
    }
    server->spare_request_count--;
    return container_of(link, struct http_request, link);
}

void http_server_give_back(struct http_server *server, struct http_request *request)
{
    if (server->spare_request_count >= SERVER_SPARE_REQUESTS) {
        http_request_free(request);
        return;
    }
    http_request_clear(request);
    /* In front, so that the one whose memory is still in the cache is taken next. */
    list_append(server->spare_requests.next, &request->link);
    server->spare_request_count++;
}

void http_server_format_error(const struct http_server *server, struct buffer *body, int status, const char *text)
{
    char line[256];
    snprintf(line, sizeof(line), "%s: %s", http_response_phrase(status), text);
    if (server->settings.format_error != NULL) {
        server->settings.format_error(body, status, line);
    } else {
        buffer_add_format(body, "{\"error\":\"%s\"}", line);
    }
}
