#include "bridge/mcp/introduction.h"

#include "bridge/base/buffer.h"
#include "bridge/jsonrpc/rewrite.h"

#include <assert.h>

static void send_our_handshake(struct channel *channel, struct slice wire_id)
{
    struct buffer line;
    buffer_init(&line, 0);
    if (channel->is_modern) {
        handshake_write_discover(&line, wire_id, channel->world->version);
    } else {
        handshake_write_initialize(&line, wire_id, channel->world->version);
    }
    struct slice part = buffer_slice(&line);
    channel->child->operations->write(channel->child, &part, 1);
    buffer_release(&line);
}

static void send_clients_initialize(struct channel *channel, struct slice wire_id)
{
    struct message message;
    enum message_fault fault = message_scan_whole(&message, channel->initialize);
    assert(fault == MESSAGE_FAULT_NONE);
    (void)fault;
    struct rewrite line;
    const struct replacement replacement = {message.id, wire_id};
    rewrite_splice(&line, message.bytes, &replacement, 1);
    channel->child->operations->write(channel->child, line.parts, line.count);
}

void introduction_send(struct channel *channel, struct slice wire_id)
{
    if (slice_exists(channel->initialize)) {
        send_clients_initialize(channel, wire_id);
    } else {
        send_our_handshake(channel, wire_id);
    }
}

void introduction_confirm(struct channel *channel)
{
    struct buffer line;
    buffer_init(&line, 0);
    handshake_write_initialized(&line);
    struct slice part = buffer_slice(&line);
    channel_send(channel, &part, 1);
    buffer_release(&line);
}
