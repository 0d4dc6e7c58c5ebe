/*
 * Makes the manual page: copies standard input, and puts the options' list where a line says @OPTIONS@. A tool of the
 * build, not a part of the program.
 */
#include "src/option_print.h"

#include <string.h>

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (strcmp(line, "@OPTIONS@\n") == 0) {
            option_print_manual(stdout);
        } else {
            fputs(line, stdout);
        }
    }
    return ferror(stdin) || fflush(stdout) != 0 ? 1 : 0;
}
