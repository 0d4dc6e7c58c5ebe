#include "tests/fuzz/fuzz_exchange.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

static size_t header(const struct exchange *exchange, const char *name, struct slice *value)
{
    const struct fuzz_exchange *self = container_of(exchange, struct fuzz_exchange, exchange);
    size_t count = 0;
    struct slice first = {NULL, 0};
    for (size_t i = self->field_count; i > 0; i--) {
        if (strcmp(self->fields[i - 1].name, name) == 0) {
            first = self->fields[i - 1].value;
            count++;
        }
    }
    if (value != NULL) {
        *value = first;
    }
    return count;
}

/* A refusal's body is JSON whatever the request held, and its headers cannot forge others. */
static void respond(struct exchange *exchange, const struct response *response)
{
    struct fuzz_exchange *self = container_of(exchange, struct fuzz_exchange, exchange);
    struct buffer body;
    struct json_oracle oracle;
    buffer_init(&body, 0);
    for (size_t i = 0; i < response->body_count; i++) {
        buffer_add(&body, response->body[i]);
    }
    json_oracle_read(&oracle, buffer_slice(&body));
    FUZZ_REQUIRE(body.size == 0 || (json_oracle_approves(&oracle) && oracle.end == body.size));
    json_oracle_release(&oracle);
    buffer_release(&body);
    for (size_t i = 0; i < response->header_count; i++) {
        struct slice value = response->headers[i].value;
        FUZZ_REQUIRE(value.size == 0 ||
                     (memchr(value.data, '\r', value.size) == NULL && memchr(value.data, '\n', value.size) == NULL));
    }
    self->status = response->status;
    self->answers++;
}

static const struct exchange_operations operations = {.header = header, .respond = respond};

void fuzz_exchange_init(struct fuzz_exchange *exchange, enum exchange_method method)
{
    *exchange = (struct fuzz_exchange){.exchange = {.operations = &operations, .method = method}};
}

void fuzz_exchange_add(struct fuzz_exchange *exchange, const char *name, struct slice value)
{
    FUZZ_REQUIRE(exchange->field_count < FUZZ_EXCHANGE_FIELDS);
    exchange->fields[exchange->field_count++] = (struct header){name, value};
}
