/*
 * The command line and the environment. What is accepted keeps every promise of the table; what is not has an error to
 * read; nothing leaks either way.
 *
 * Input: words, each up to a NUL. A word that begins with "MCP_BRIDGE_" is a variable.
 */
#include "src/options.h"

#include "bridge/base/slice.h"
#include "src/option_value.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

enum { MAX_WORDS = 64 };

struct words {
    char *text; /* owned: all of them */
    char *words[MAX_WORDS + 2];
    int count;
    char *variables[MAX_WORDS];
    size_t variable_count;
};

static void add_word(struct words *words, char *word)
{
    char *equals = strchr(word, '=');
    if (strncmp(word, "MCP_BRIDGE_", 11) == 0 && equals != NULL) {
        *equals = '\0';
        setenv(word, equals + 1, 1);
        words->variables[words->variable_count++] = word;
    } else {
        words->words[words->count++] = word;
    }
}

static void read_words(struct words *words, struct slice bytes)
{
    static char program[] = "mcp-bridge";
    *words = (struct words){.text = malloc(bytes.size + 1), .words = {program}, .count = 1};
    FUZZ_REQUIRE(words->text != NULL);
    if (bytes.size > 0) {
        memcpy(words->text, bytes.data, bytes.size);
    }
    words->text[bytes.size] = '\0';
    char *end = words->text + bytes.size;
    char *next;
    for (char *word = words->text; word < end && words->count + (int)words->variable_count < MAX_WORDS; word = next) {
        next = word + strlen(word) + 1;
        add_word(words, word);
    }
}

static void release_words(struct words *words)
{
    for (size_t i = 0; i < words->variable_count; i++) {
        unsetenv(words->variables[i]);
    }
    free(words->text);
}

static void require_path(const char *path)
{
    FUZZ_REQUIRE(path[0] == '/');
    for (; *path != '\0'; path++) {
        FUZZ_REQUIRE(*path > ' ' && *path < 0x7f && *path != '?' && *path != '#');
    }
}

static void require_list(const struct option_list *list)
{
    FUZZ_REQUIRE((list->values == NULL) == (list->count == 0));
    FUZZ_REQUIRE(list->count == 0 || list->values[list->count] == NULL);
    for (size_t i = 0; i < list->count; i++) {
        FUZZ_REQUIRE(list->values[i][0] != '\0');
    }
}

static void require_promises(const struct options *options)
{
    FUZZ_REQUIRE(options->port <= 65535 && options->host != NULL);
    FUZZ_REQUIRE(options->command != NULL && options->command[0] != NULL);
    FUZZ_REQUIRE(!(options->is_stateful && options->is_stateless));
    const uint64_t ceilings[] = {options->max_body_bytes, options->max_line_bytes, options->max_sessions,
                                 options->max_children,   options->max_in_flight,  options->max_connections};
    for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
        FUZZ_REQUIRE(ceilings[i] > 0);
    }
    require_path(options->path);
    FUZZ_REQUIRE(strcmp(options->path, "/healthz") != 0 && strcmp(options->path, "/readyz") != 0);
    if (!options->no_sse) {
        require_path(options->sse_path);
        require_path(options->message_path);
        FUZZ_REQUIRE(strcmp(options->path, options->sse_path) != 0);
        FUZZ_REQUIRE(strcmp(options->message_path, options->sse_path) != 0);
    }
    require_list(&options->environment);
    require_list(&options->allowed_hosts);
    require_list(&options->allowed_origins);
    for (size_t i = 0; i < options->environment.count; i++) {
        FUZZ_REQUIRE(strchr(options->environment.values[i], '=') > options->environment.values[i]);
    }
    FUZZ_REQUIRE(options->log_level >= 0 && options->log_level <= 3 && options->log_format >= 0);
    FUZZ_REQUIRE(options->log_format <= 1 && options->children >= 0 && options->children <= 2);
    FUZZ_REQUIRE(options_command(options).name.size > 0 || options->command[0][0] == '\0');
}

/* What is read with a unit is what it would be without, times the unit. */
static void check_values(const char *word)
{
    uint64_t value;
    if (option_read_size(word, &value) || option_read_duration(word, &value)) {
        FUZZ_REQUIRE(word[0] >= '0' && word[0] <= '9' && value <= UINT64_MAX / 2);
    }
    if (option_read_count(word, 1000, &value)) {
        FUZZ_REQUIRE(value <= 1000 && strspn(word, "0123456789") == strlen(word));
    }
    FUZZ_REQUIRE(option_distance(word, word) == 0 || strlen(word) > 40);
    FUZZ_REQUIRE(option_distance(word, "port") == option_distance("port", word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct words words;
    struct options options;
    struct error error = {.exit_status = 0};
    read_words(&words, slice_of((const char *)data, size));
    int result = options_parse(&options, words.count, words.words, &error);
    FUZZ_REQUIRE(result == 0 || result == -1);
    if (result != 0) {
        FUZZ_REQUIRE(error.text[0] != '\0' && memchr(error.text, '\0', sizeof(error.text)) != NULL);
    } else if (!options.wants_help && !options.wants_version) {
        require_promises(&options);
    }
    options_release(&options);
    for (int i = 1; i < words.count; i++) {
        check_values(words.words[i]);
    }
    release_words(&words);
    return 0;
}
