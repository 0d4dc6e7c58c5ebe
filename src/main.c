#include "src/child/command.h"
#include "src/child/guardian.h"
#include "src/child/launcher.h"
#include "src/daemon.h"
#include "src/log.h"
#include "src/option_print.h"
#include "src/options.h"
#include "src/plan.h"
#include "src/secret.h"
#include "src/version.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Nobody may be reading that either, and then we end all the same. */
static int fail(const struct error *error)
{
    struct buffer text;
    buffer_init(&text, 0);
    buffer_add_format(&text, "mcp-bridge: %s\n", error->text);
    (void)log_write_plain(buffer_slice(&text));
    buffer_release(&text);
    return error->exit_status != 0 ? error->exit_status : 1;
}

/* What standard output got, it must have taken: 1 when it has not. */
static int flush_output(void)
{
    struct error error = {.exit_status = 0};
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return 0;
    }
    error_set(&error, "standard output did not take everything");
    return fail(&error);
}

/* The answers that need no server: --help and --version. */
static int inform(const struct options *options)
{
    if (options->wants_help) {
        option_print_help(stdout);
    } else {
        printf("mcp-bridge %s\n", MCP_BRIDGE_VERSION);
    }
    return flush_output();
}

/* Says what would run. */
static int check(const struct options *options, struct error *error)
{
    char address[512];
    struct secret secret;
    struct buffer text;
    if (secret_init(&secret, options->state_key_file, error) != 0) {
        return fail(error);
    }
    secret_release(&secret);
    if (daemon_check(options, error) != 0) {
        return fail(error);
    }
    buffer_init(&text, 0);
    plan_address(options, address, sizeof(address));
    plan_describe(options, address, &text);
    fwrite(buffer_slice(&text).data, 1, text.size, stdout);
    buffer_release(&text);
    return flush_output();
}

static int serve(const struct options *options, struct error *error)
{
    struct guardian guardian;
    if (guardian_start(&guardian, error) != 0) {
        return fail(error);
    }
    int result = daemon_run(options, &guardian, error);
    guardian_stop(&guardian);
    return result == 0 ? 0 : fail(error);
}

static int run(const struct options *options, struct error *error)
{
    if (options->wants_help || options->wants_version) {
        return inform(options);
    }
    struct child_command command = options_command(options);
    if (child_command_check(&command, error) != 0) {
        return fail(error);
    }
    if (options->is_check) {
        return check(options, error);
    }
    return serve(options, error);
}

/* A file that took the place of a closed standard stream would get our log, or a child's output. */
static void open_standard_streams(void)
{
    int descriptor;
    do {
        descriptor = open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    close(descriptor);
}

int main(int argc, char **argv)
{
    if (launcher_is_meant(argc, argv)) {
        return launcher_main(argc, argv);
    }
    open_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log file that may not grow any more is no reason to die */
    struct error error = {.exit_status = 0};
    struct options options;
    int status = options_parse(&options, argc, argv, &error) == 0 ? run(&options, &error) : (fail(&error), 2);
    options_release(&options);
    return status;
}
