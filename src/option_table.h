/*
 * The table of all options: an option exists by having a row in it. For the modules that parse and print them.
 */
#ifndef SRC_OPTION_TABLE_H
#define SRC_OPTION_TABLE_H

#include "src/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_COUNT,
    OPTION_SIZE,
    OPTION_DURATION,
    OPTION_CHOICE,
    OPTION_MODE,
    OPTION_LIST,
    OPTION_SECRET, /* comes from the environment alone, since everybody can read a command line */
};

struct option {
    const char *name;
    enum option_kind kind;
    size_t offset;        /* in struct options */
    const char *argument; /* what --help calls its value; of a choice, the words with commas */
    const char *preset;   /* the default, as it would be written; NULL for none */
    const char *help;
    uint64_t max; /* of a count, or a size; 0 for any size */
    char letter;  /* its short form, or 0 */
};

/* The place of a member, for struct option. */
#define OPTION_AT(member) offsetof(struct options, member)

/* Rows up to one without a name. */
extern const struct option option_table[];

/* The option's variable: --start-timeout is MCP_BRIDGE_START_TIMEOUT. */
void option_variable(const struct option *option, char *name, size_t size);

/* Whether it has one. Options that only make sense when somebody types them are not taken from the environment. */
bool option_has_variable(const struct option *option);

#endif
