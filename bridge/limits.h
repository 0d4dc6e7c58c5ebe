/*
 * Every ceiling that is not an option, with its reason. What a peer controls is measured against one of these, or
 * against an option, before memory is given to it.
 */
#ifndef BRIDGE_LIMITS_H
#define BRIDGE_LIMITS_H

enum {
    /* JSON nesting. Real messages stay below 20; parsers behind us recurse and fail near 1000. */
    LIMIT_JSON_DEPTH = 128,
    /* An id or a progress token, as it is written. SDKs count; some send UUIDs; nobody needs a page. */
    LIMIT_ID_BYTES = 1024,
    /* Messages in one batch (the TypeScript SDK's own ceiling). */
    LIMIT_BATCH_MESSAGES = 100,
    /* Params of a request that is sent again, up to which it does not matter how they are written. */
    LIMIT_DIGEST_BYTES = 1 << 20,
    /* A method's name, or another short string that we compare. */
    LIMIT_NAME_BYTES = 256,
    /* The URI of a resource subscription, which we keep. */
    LIMIT_URI_BYTES = 8192,
    /* Resource subscriptions of one session. */
    LIMIT_SESSION_SUBSCRIPTIONS = 1024,
    /*
     * How long, in ms, sessions are still served after the last answer that a drain waited for: the Python SDK lists
     * the tools when it has the answer, and its session ends with a request.
     */
    LIMIT_DRAIN_GRACE_MS = 1000,
    /* How long a client should wait before it comes back to a stream, in ms: the `retry` field. */
    LIMIT_RETRY_MS = 1000,
    /* Tasks of one child whose owner is known: the oldest is forgotten when there are more. */
    LIMIT_TASKS = 10000,
    /* The same of one session. */
    LIMIT_SESSION_TASKS = 1000,
    /* Questions of a child's to one client that wait for their answers. */
    LIMIT_SESSION_CALLBACKS = 64,
    /* Answers to calls whose clients are expected to come again: the oldest call is forgotten when there are more. */
    LIMIT_LATE_BYTES = 64 << 20,
    /* What waits for a session's GET stream to open: the oldest goes when there is more. */
    LIMIT_SESSION_QUEUE_BYTES = 256 << 10,
    LIMIT_SESSION_QUEUE_MESSAGES = 64,
    /* A client's initialize, which is looked into, and kept for a child of its own. */
    LIMIT_INITIALIZE_BYTES = 256 << 10,
    /* The result of a child's handshake, kept for every later initialize. */
    LIMIT_HANDSHAKE_BYTES = 1 << 20,
    /*
     * Requests given up on that a child may still be working at: remembered, so that what it says meanwhile is not
     * misread.
     */
    LIMIT_ABANDONED_CALLS = 1024,

    /* Headers that one tool's arguments are repeated in: requests have no more of all kinds. */
    LIMIT_TOOL_HEADERS = 64,
    /* A tool's name, where we keep it. */
    LIMIT_TOOL_NAME_BYTES = 1024,
    /* A tool's input schema that declares headers, which is parsed. Longer ones are not looked into. */
    LIMIT_TOOL_SCHEMA_BYTES = 256 << 10,
    /* What is kept of a child's tools: their names and headers. A thousand tools need about 100 KiB. */
    LIMIT_TOOL_INDEX_BYTES = 1 << 20,
    /* Pages of a child's list of tools. */
    LIMIT_TOOL_PAGES = 100,
    /* The cursor of a page. */
    LIMIT_CURSOR_BYTES = 64 << 10,
    /* How long a list of tools may take, in ms, before calls go on without it. */
    LIMIT_TOOL_LIST_MS = 10000,
    /* How long, in ms, a list that lacked a tool, or could not be had, is not asked for again. */
    LIMIT_TOOL_LIST_PAUSE_MS = 10000,

    /* A line of a child's stderr in the log; longer ones are cut into several. */
    LIMIT_STDERR_LINE_BYTES = 8192,

    /* Bearer tokens: each request is compared with all of them. */
    LIMIT_TOKENS = 1024,
    LIMIT_TOKEN_FILE_BYTES = 1 << 20,
    /* The metadata of the protected resource. Real ones stay below 4 KiB. */
    LIMIT_METADATA_BYTES = 64 << 10,

    /* HTTP, as most servers have it. */
    LIMIT_HTTP_TARGET_BYTES = 8192,
    LIMIT_HTTP_HEADER_BYTES = 32 << 10,
    LIMIT_HTTP_HEADER_COUNT = 100,
    /*
     * Bodies of all requests that are being read or answered, in bytes; one that is alone may have --max-body. Without
     * it, --max-connections clients could make us hold --max-body each.
     */
    LIMIT_HTTP_BODIES_BYTES = 256 << 20,
    /*
     * Answers and events that all clients have not taken yet; past it the one with the most is cut, unless it is the
     * only one. An answer may have --max-line, and a client that asks for many and reads none would be given them all.
     */
    LIMIT_HTTP_QUEUED_BYTES = 256 << 20,
    /* Bytes of requests that a client sends ahead of the answer to the one before (pipelining). */
    LIMIT_HTTP_PIPELINE_BYTES = 64 << 10,
};

#endif
