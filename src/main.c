#include "src/child/command.h"
#include "src/child/guardian.h"
#include "src/child/launcher.h"
#include "src/daemon.h"
#include "src/options.h"
#include "src/plan.h"
#include "src/secret.h"
#include "src/version.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int fail(const struct error *error)
{
    fprintf(stderr, "mcp-bridge: %s\n", error->text);
    return error->exit_status != 0 ? error->exit_status : 1;
}

/* The answers that need no server: --help and --version. */
static int inform(const struct options *options)
{
    if (options->wants_help) {
        options_print_help(stdout);
    } else {
        printf("mcp-bridge %s\n", MCP_BRIDGE_VERSION);
    }
    return 0;
}

/* Says what would run. */
static int check(const struct options *options, struct error *error)
{
    char address[512];
    struct secret secret;
    if (secret_init(&secret, options->state_key_file, error) != 0) {
        return fail(error);
    }
    secret_release(&secret);
    if (daemon_check(options, error) != 0) {
        return fail(error);
    }
    plan_address(options, address, sizeof(address));
    plan_print(options, address, stdout);
    return 0;
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
    struct error error = {.exit_status = 0};
    struct options options;
    int status = options_parse(&options, argc, argv, &error) == 0 ? run(&options, &error) : (fail(&error), 2);
    options_release(&options);
    return status;
}
