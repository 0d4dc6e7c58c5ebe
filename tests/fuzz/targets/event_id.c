/*
 * Last-Event-ID: a history of streams, events and time made from the input, beside a list of everything that was sent;
 * then ids from the input. What is found is what the id says in exactly one spelling, and what follows it is everything
 * that was sent after it, in order, and nothing else.
 *
 * Input: steps of one byte (see play()), a 0xff, then ids, each up to a LF.
 */
#include "bridge/limits.h"
#include "bridge/mcp/replay.h"
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_STREAMS = 8, MAX_EVENTS = 256, SESSION_BYTES = 4096, AGE_MS = 100 };

struct history {
    struct timers timers;
    struct replay_store store;
    struct replay replays[2]; /* two sessions on one store */
    struct {
        struct replay_stream *stream; /* NULL when it is over, for it may be gone */
        struct replay *replay;
        uint32_t number;
        bool is_listen;
        size_t count;
        unsigned char data[MAX_EVENTS]; /* of event i + 1: this byte, this many times */
    } streams[MAX_STREAMS];
    size_t count;
    /* While events are visited. */
    size_t visited_stream;
    uint64_t expected;
};

static void open_stream(struct history *history, uint8_t step)
{
    if (history->count < MAX_STREAMS) {
        struct replay *replay = &history->replays[step & 1];
        struct replay_stream *stream = replay_open(replay, (step & 2) != 0);
        history->streams[history->count].stream = stream;
        history->streams[history->count].replay = replay;
        history->streams[history->count].number = stream->number;
        history->streams[history->count++].is_listen = (step & 2) != 0;
    }
}

static void write_id(char *text, size_t size, const struct history *history, size_t i, uint64_t number)
{
    snprintf(text, size, "%s%" PRIu32 "-%" PRIu64, history->streams[i].is_listen ? "L" : "", history->streams[i].number,
             number);
}

static void add_event(struct history *history, size_t i, uint8_t byte)
{
    char block[255];
    struct event_id id;
    char expected[64];
    memset(block, byte, sizeof(block));
    const struct slice parts[] = {slice_of(block, byte / 2), slice_of(block, byte - byte / 2)};
    history->streams[i].data[history->streams[i].count++] = byte;
    struct slice text = replay_add(history->streams[i].stream, &id, parts, 2);
    write_id(expected, sizeof(expected), history, i, history->streams[i].count);
    FUZZ_REQUIRE(slice_is(text, expected));
}

/* Two bits: open, add, end, wait; the rest: which one, and how much. */
static void play(struct history *history, uint8_t step)
{
    size_t i = (step >> 2) % MAX_STREAMS;
    bool is_open = i < history->count && history->streams[i].stream != NULL;
    switch (step & 3) {
    case 0:
        open_stream(history, step >> 2);
        break;
    case 1:
        if (is_open && history->streams[i].count < MAX_EVENTS) {
            add_event(history, i, (uint8_t)(step * 7));
        }
        break;
    case 2:
        if (is_open) {
            replay_end(history->streams[i].stream);
            history->streams[i].stream = NULL;
        }
        break;
    default:
        timers_run(&history->timers, history->timers.now_ms + (step >> 2));
        break;
    }
}

static void on_event(void *context, struct slice id, struct slice data)
{
    struct history *history = context;
    char expected[64];
    size_t i = history->visited_stream;
    write_id(expected, sizeof(expected), history, i, history->expected);
    FUZZ_REQUIRE(slice_is(id, expected) && history->expected <= history->streams[i].count);
    uint8_t byte = history->streams[i].data[history->expected - 1];
    FUZZ_REQUIRE(data.size == byte);
    for (size_t at = 0; at < data.size; at++) {
        FUZZ_REQUIRE((uint8_t)data.data[at] == byte);
    }
    history->expected++;
}

static void find(struct history *history, const struct replay *replay, struct slice id)
{
    uint64_t number = 0;
    struct replay_stream *stream = replay_find(replay, id, &number);
    FUZZ_REQUIRE(replay_is_listen_id(id) == (id.size > 0 && id.data[0] == 'L'));
    if (stream == NULL) {
        return;
    }
    for (size_t i = 0; i < history->count; i++) {
        char text[64];
        write_id(text, sizeof(text), history, i, number);
        if (history->streams[i].replay == replay && slice_is(id, text)) {
            FUZZ_REQUIRE(history->streams[i].stream == NULL || history->streams[i].stream == stream);
            history->visited_stream = i;
            history->expected = number + 1;
            replay_visit(stream, number, on_event, history);
            FUZZ_REQUIRE(history->expected == history->streams[i].count + 1);
            return;
        }
    }
    FUZZ_REQUIRE(!"an id of a stream of this session, in its one spelling");
}

/* Every id that was ever given, in its own session and in the other. */
static void find_all(struct history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        for (uint64_t number = 0; number <= history->streams[i].count; number++) {
            char text[64];
            write_id(text, sizeof(text), history, i, number);
            find(history, &history->replays[0], slice_text(text));
            find(history, &history->replays[1], slice_text(text));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    struct history history = {.count = 0};
    struct slice id;
    timers_init(&history.timers, 1);
    replay_store_init(&history.store, &history.timers, SESSION_BYTES, AGE_MS);
    replay_init(&history.replays[0], &history.store);
    replay_init(&history.replays[1], &history.store);
    for (uint8_t step; rest.size > 0 && (step = fuzz_take_byte(&rest)) != 0xff;) {
        play(&history, step);
        FUZZ_REQUIRE(history.replays[0].bytes <= SESSION_BYTES && history.replays[1].bytes <= SESSION_BYTES);
        FUZZ_REQUIRE(history.replays[0].bytes + history.replays[1].bytes == history.store.bytes);
    }
    while (rest.size > 0 && slice_split(&rest, '\n', &id)) {
        find(&history, &history.replays[0], id);
        find(&history, &history.replays[1], id);
    }
    find_all(&history);
    replay_release(&history.replays[0]);
    replay_release(&history.replays[1]);
    FUZZ_REQUIRE(history.store.bytes == 0);
    replay_store_release(&history.store);
    timers_release(&history.timers);
    return 0;
}
