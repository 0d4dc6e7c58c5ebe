#include "src/tokens.h"

#include "bridge/base/buffer.h"
#include "bridge/base/memory.h"
#include "bridge/limits.h"
#include "src/file.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_DIGEST_BYTES = 32,
    /* Of the digest, in the name of a token that has none: enough that two are never the same. */
    TOKEN_NAME_BYTES = 6,
    TOKEN_NAME_MAX = 64,
};

struct token {
    unsigned char digest[TOKEN_DIGEST_BYTES];
    size_t line;
    char name[TOKEN_NAME_MAX + 1];
};

static void make_digest(unsigned char digest[TOKEN_DIGEST_BYTES], struct slice token)
{
    crypto_generichash(digest, TOKEN_DIGEST_BYTES, (const unsigned char *)token.data, token.size, NULL, 0);
}

/* Looks at every token, whichever fits, and chooses without a branch. */
static bool find(const struct token_list *list, struct slice token, struct slice *principal)
{
    const struct tokens *tokens = container_of(list, const struct tokens, list);
    unsigned char digest[TOKEN_DIGEST_BYTES];
    size_t found = 0; /* the place behind it */
    make_digest(digest, token);
    for (size_t i = 0; i < tokens->count; i++) {
        size_t is_equal = (size_t)sodium_memcmp(digest, tokens->items[i].digest, TOKEN_DIGEST_BYTES) + 1;
        found |= (0 - is_equal) & (i + 1);
    }
    if (found > 0) {
        *principal = slice_text(tokens->items[found - 1].name);
    }
    return found > 0;
}

/* A name is no secret. */
static bool has(const struct token_list *list, struct slice principal)
{
    const struct tokens *tokens = container_of(list, const struct tokens, list);
    for (size_t i = 0; i < tokens->count; i++) {
        if (slice_is(principal, tokens->items[i].name)) {
            return true;
        }
    }
    return false;
}

void tokens_init(struct tokens *tokens)
{
    *tokens = (struct tokens){.list = {.find = find, .has = has}};
}

void tokens_release(struct tokens *tokens)
{
    free(tokens->items);
    tokens_init(tokens);
}

/* ---- Reading ---- */

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 6750 2.1, b64token: what can stand in an Authorization header. */
static bool is_token(struct slice text)
{
    while (text.size > 1 && text.data[text.size - 1] == '=') {
        text.size--;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (!is_letter_or_digit(text.data[i]) && (text.data[i] == '\0' || strchr("-._~+/", text.data[i]) == NULL)) {
            return false;
        }
    }
    return text.size > 0;
}

static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_letter_or_digit(text.data[i]) && (text.data[i] == '\0' || strchr("-._@+/", text.data[i]) == NULL)) {
            return false;
        }
    }
    return text.size > 0 && text.size <= TOKEN_NAME_MAX;
}

/* A name that stays the same from start to start, and from which nobody can get the token. */
static void make_name(struct token *token)
{
    char hex[2 * TOKEN_NAME_BYTES + 1];
    sodium_bin2hex(hex, sizeof(hex), token->digest, TOKEN_NAME_BYTES);
    snprintf(token->name, sizeof(token->name), "token-%s", hex);
}

/* "NAME:TOKEN" or "TOKEN", which has no colon. Returns what is wrong with it, or NULL. */
static const char *read_line(struct token *token, struct slice line)
{
    struct slice name = slice_of(NULL, 0);
    const char *colon = memchr(line.data, ':', line.size);
    if (colon != NULL) {
        name = slice_of(line.data, (size_t)(colon - line.data));
        line = slice_of(colon + 1, line.size - name.size - 1);
    }
    if (slice_exists(name) && !is_name(name)) {
        return "a name has up to 64 letters, digits and -._@+/";
    }
    if (!is_token(line)) {
        return "a token has letters, digits and -._~+/, with = at its end only (RFC 6750 2.1)";
    }
    make_digest(token->digest, line);
    make_name(token);
    if (slice_exists(name)) {
        memcpy(token->name, name.data, name.size);
        token->name[name.size] = '\0';
    }
    return NULL;
}

static const struct token *find_twin(const struct tokens *tokens, const struct token *token)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (sodium_memcmp(token->digest, tokens->items[i].digest, TOKEN_DIGEST_BYTES) == 0) {
            return &tokens->items[i];
        }
    }
    return NULL;
}

static int add(struct tokens *tokens, const char *source, const struct token *token, struct error *error)
{
    const struct token *twin = find_twin(tokens, token);
    if (twin != NULL) {
        return error_set(error, "%s, line %zu: this token was given already, as the one of %s", source, token->line,
                         twin->name);
    }
    if (tokens->count == LIMIT_TOKENS) {
        return error_set(error, "%s, line %zu: there can be %d tokens, no more", source, token->line, LIMIT_TOKENS);
    }
    tokens->items = memory_resize(tokens->items, (tokens->count + 1) * sizeof(*tokens->items));
    tokens->items[tokens->count++] = *token;
    return 0;
}

/* Without white space at its ends, also that of files from other systems. */
static struct slice trim(struct slice line)
{
    line = slice_trim(line);
    if (line.size > 0 && line.data[line.size - 1] == '\r') {
        line.size--;
    }
    return slice_trim(line);
}

int tokens_add(struct tokens *tokens, const char *source, struct slice text, struct error *error)
{
    size_t before = tokens->count;
    size_t number = 0;
    struct slice line;
    while (slice_split(&text, '\n', &line)) {
        line = trim(line);
        number++;
        if (line.size == 0 || line.data[0] == '#') {
            continue;
        }
        struct token token = {.line = number};
        const char *fault = read_line(&token, line);
        if (fault != NULL) {
            return error_set(error, "%s, line %zu: %s", source, number, fault);
        }
        if (add(tokens, source, &token, error) != 0) {
            return -1;
        }
    }
    return tokens->count > before
               ? 0
               : error_set(error, "%s holds no token, so nobody could come in: a line is TOKEN or NAME:TOKEN", source);
}

static int add_file(struct tokens *tokens, const char *file, struct error *error)
{
    struct buffer text;
    buffer_init(&text, LIMIT_TOKEN_FILE_BYTES);
    int result = file_read(file, &text, error);
    if (result == 0) {
        result = tokens_add(tokens, file, buffer_slice(&text), error);
    }
    if (text.data != NULL) {
        sodium_memzero(text.data, text.capacity);
    }
    buffer_release(&text);
    return result;
}

int tokens_load(struct tokens *tokens, const char *file, const char *from_environment, struct error *error)
{
    struct tokens fresh;
    tokens_init(&fresh);
    int result = sodium_init() < 0 ? error_set(error, "libsodium cannot be used on this system") : 0;
    if (result == 0 && from_environment != NULL) {
        result = tokens_add(&fresh, "MCP_BRIDGE_AUTH_TOKEN", slice_text(from_environment), error);
    }
    if (result == 0 && file != NULL) {
        result = add_file(&fresh, file, error);
    }
    if (result == 0) {
        tokens_release(tokens);
        *tokens = fresh;
    } else {
        tokens_release(&fresh);
    }
    return result;
}
