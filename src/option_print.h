/*
 * The table of options, written out for people.
 */
#ifndef SRC_OPTION_PRINT_H
#define SRC_OPTION_PRINT_H

#include <stdio.h>

/* What --help prints. */
void option_print_help(FILE *out);

/* The options' part of the manual page, in roff. */
void option_print_manual(FILE *out);

#endif
