#include "src/option_print.h"

#include "src/option_table.h"

static void print_usage(FILE *out, const struct option *option)
{
    char usage[96];
    char name[64];
    option_variable(option, name, sizeof(name));
    if (option->kind == OPTION_SECRET) {
        snprintf(usage, sizeof(usage), "%s=%s", name, option->argument);
    } else {
        snprintf(usage, sizeof(usage), "--%s%s%s", option->name, option->argument != NULL ? " " : "",
                 option->argument != NULL ? option->argument : "");
    }
    fprintf(out, "  %c%c%s%-34s %s", option->letter != 0 ? '-' : ' ', option->letter != 0 ? option->letter : ' ',
            option->letter != 0 ? ", " : "  ", usage, option->help);
    if (option->preset != NULL) {
        fprintf(out, " [%s]", option->preset);
    }
    fputc('\n', out);
}

void option_print_help(FILE *out)
{
    fputs("Usage: mcp-bridge [OPTION...] -- COMMAND [ARGUMENT...]\n\n"
          "Runs COMMAND, a stdio MCP server, and serves it over Streamable HTTP.\n\n",
          out);
    for (const struct option *option = option_table; option->name != NULL; option++) {
        print_usage(out, option);
    }
    fputs("\nTimes take ms, s, min, h, d; sizes take KiB, MiB, GiB.\n"
          "Each option but the repeatable ones, --version and --help can be given in the environment as well:\n"
          "--port is MCP_BRIDGE_PORT, --start-timeout is MCP_BRIDGE_START_TIMEOUT. The command line is stronger.\n\n"
          "  mcp-bridge -- npx -y @modelcontextprotocol/server-everything\n"
          "  mcp-bridge --port 9000 --stateless --env TZ=UTC -- uvx mcp-server-time\n",
          out);
}

static void print_entry(FILE *out, const struct option *option)
{
    char name[64];
    option_variable(option, name, sizeof(name));
    fputs(".TP\n", out);
    if (option->letter != 0) {
        fprintf(out, ".BR \\-%c \", \" ", option->letter);
    } else {
        fputs(".BR ", out);
    }
    if (option->kind == OPTION_SECRET) {
        fprintf(out, "%s =", name);
    } else {
        fprintf(out, "\\-\\-%s", option->name);
    }
    if (option->argument != NULL) {
        fprintf(out, " \"%s\\fI%s\\fR\"", option->kind == OPTION_SECRET ? "" : " ", option->argument);
    }
    fprintf(out, "\n%s.", option->help);
    if (option->preset != NULL) {
        fprintf(out, " Default: %s.", option->preset);
    }
    if (option_has_variable(option) && option->kind != OPTION_SECRET) {
        fprintf(out, "\n.br\nEnvironment: %s", name);
    }
    fputc('\n', out);
}

void option_print_manual(FILE *out)
{
    for (const struct option *option = option_table; option->name != NULL; option++) {
        print_entry(out, option);
    }
}
