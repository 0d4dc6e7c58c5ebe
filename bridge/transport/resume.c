#include "bridge/transport/resume.h"

#include "bridge/transport/refusal.h"

void resume_send(void *context, struct slice id, struct slice data)
{
    struct exchange *exchange = context;
    const struct event event = {.id = id, .data = &data, .data_count = 1};
    exchange->operations->send_event(exchange, &event);
}

static void resume_post(struct exchange *exchange, struct replay_stream *stream, uint64_t number)
{
    exchange->operations->open_stream(exchange, NULL, 0);
    replay_visit(stream, number, resume_send, exchange);
    if (stream->live != NULL) {
        stream->resume(stream->live, exchange);
    } else {
        exchange->operations->close_stream(exchange);
    }
}

/*
 * A GET stream that is not known any more is opened anew, since a GET in a session never fails. For a POST's stream
 * that would only wait for ever: 405 is what all clients take as the end.
 */
void resume_stream(struct listen_owner *owner, struct exchange *exchange, struct session *session, struct slice id)
{
    uint64_t number;
    struct replay_stream *stream = replay_find(&session->replay, id, &number);
    if (stream != NULL && stream == session->listen) {
        listen_stream_resume(owner, exchange, session, number);
    } else if (stream != NULL && !stream->is_listen) {
        resume_post(exchange, stream, number);
    } else if (replay_is_listen_id(id)) {
        listen_stream_open(owner, exchange, session);
    } else {
        refuse(exchange, REFUSAL_EVENT_UNKNOWN, slice_of(NULL, 0), NULL);
    }
}
