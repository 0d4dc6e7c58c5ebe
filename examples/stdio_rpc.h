/* JSON-RPC over stdio: whole lines in, messages out. All that an example server needs besides its own tools.
 *
 * stdin is read as it comes, so that the caller may wait with poll() and do other work between two lines.
 */
#ifndef EXAMPLES_STDIO_RPC_H
#define EXAMPLES_STDIO_RPC_H

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RPC_LINE_MAX_BYTES = 1 << 20 }; /* a longer line is refused, not stored */

enum rpc_error_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
};

/* Writes the message as one line and frees it. */
static inline void rpc_send(cJSON *message)
{
    char *line = cJSON_PrintUnformatted(message);

    if (line != NULL) {
        fputs(line, stdout);
        fputc('\n', stdout);
        fflush(stdout);
    }
    cJSON_free(line);
    cJSON_Delete(message);
}

static inline cJSON *rpc_new_message(void)
{
    cJSON *message = cJSON_CreateObject();

    cJSON_AddStringToObject(message, "jsonrpc", "2.0");
    return message;
}

/* id: NULL where it could not be read. Takes the result. */
static inline void rpc_reply(const cJSON *id, cJSON *result)
{
    cJSON *message = rpc_new_message();

    cJSON_AddItemToObject(message, "id", cJSON_Duplicate(id, true));
    cJSON_AddItemToObject(message, "result", result);
    rpc_send(message);
}

static inline void rpc_reply_error(const cJSON *id, enum rpc_error_code code, const char *text)
{
    cJSON *message = rpc_new_message();
    cJSON *error = cJSON_CreateObject();

    cJSON_AddItemToObject(message, "id", id != NULL ? cJSON_Duplicate(id, true) : cJSON_CreateNull());
    cJSON_AddNumberToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", text);
    cJSON_AddItemToObject(message, "error", error);
    rpc_send(message);
}

/* Takes the params. */
static inline void rpc_notify(const char *method, cJSON *params)
{
    cJSON *message = rpc_new_message();

    cJSON_AddStringToObject(message, "method", method);
    cJSON_AddItemToObject(message, "params", params);
    rpc_send(message);
}

/* Called with each line, without its line feed. */
typedef void rpc_line_fn(const char *line, size_t length);

struct rpc_input {
    char bytes[RPC_LINE_MAX_BYTES];
    size_t used;
    bool is_skipping; /* the rest of a line that was too long */
};

/* Hands on every whole line, and keeps the rest for later. */
static inline void rpc_take_lines(struct rpc_input *input, rpc_line_fn *on_line)
{
    char *start = input->bytes;
    char *end = input->bytes + input->used;
    char *newline;

    while ((newline = memchr(start, '\n', (size_t)(end - start))) != NULL) {
        if (!input->is_skipping) {
            on_line(start, (size_t)(newline - start));
        }
        input->is_skipping = false;
        start = newline + 1;
    }
    input->used = (size_t)(end - start);
    memmove(input->bytes, start, input->used);
    if (input->used == sizeof(input->bytes)) {
        if (!input->is_skipping) {
            rpc_reply_error(NULL, RPC_PARSE_ERROR, "The line is too long");
        }
        input->is_skipping = true;
        input->used = 0;
    }
}

/* Reads once from stdin. Returns false at its end. */
static inline bool rpc_read(struct rpc_input *input, rpc_line_fn *on_line)
{
    ssize_t count = read(STDIN_FILENO, input->bytes + input->used, sizeof(input->bytes) - input->used);

    if (count < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    input->used += (size_t)count;
    rpc_take_lines(input, on_line);
    return count > 0;
}

#endif
