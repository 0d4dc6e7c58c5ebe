/*
 * Runs simulations, in as many processes as asked for. What it prints is TAP. A seed that fails is printed with what
 * happened last, and `--seed N --trace` shows all of it.
 */
#include "tests/simulation/simulation.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

struct plan {
    uint64_t first;
    uint64_t count;
    unsigned jobs;
    bool is_shown;
};

/* What one process has done; shared with the one that started it. */
struct work {
    uint64_t seeds;
    uint64_t steps;
};

static struct simulation *current;
static uint64_t first_seed;
static uint64_t seed_stride;
static uint64_t last_seed;
static bool is_shown;
static struct work *work;

static void tell_failure(void)
{
    if (current != NULL) {
        fprintf(stderr, "# seed %" PRIu64 " failed at step %" PRIu64 ", the last events were:\n", current->seed,
                current->step);
        trace_print(&current->trace);
        fprintf(stderr, "# again: simulation --seed %" PRIu64 " --trace\n", current->seed);
        current = NULL;
    }
}

/* An assertion in the bridge itself. */
static void on_abort(int number)
{
    tell_failure();
    signal(number, SIG_DFL);
    raise(number);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void run_seeds(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed <= last_seed; seed += seed_stride) {
        current = simulation_new(seed, is_shown);
        simulation_run(current);
        work->steps += current->step;
        work->seeds++;
        simulation_free(current);
        current = NULL;
    }
}

/* Every seed of one process. The tests' own assertions need cmocka around them; its words come only with a failure. */
static int run_process(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_seeds)};
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(tell_failure);
    }
    int failed = cmocka_run_group_tests_name("simulation", tests, NULL, NULL);
    tell_failure();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Starts a process for each job; their output is kept back until it is known whether it matters. */
static pid_t start_job(FILE *output)
{
    fflush(stdout);
    pid_t process = fork();
    if (process == 0) {
        dup2(fileno(output), STDOUT_FILENO);
        dup2(fileno(output), STDERR_FILENO);
        int status = run_process();
        fflush(stdout);
        if (status != EXIT_SUCCESS) {
            _exit(status); /* What the run had is left as it was, and no leak. */
        }
        exit(status);
    }
    return process;
}

static void show(FILE *output)
{
    char line[4096];
    rewind(output);
    while (fgets(line, sizeof(line), output) != NULL) {
        printf("%s%s", line[0] == '#' ? "" : "# ", line);
    }
}

static int run_jobs(const struct plan *plan)
{
    enum { MOST_JOBS = 64 };
    pid_t processes[MOST_JOBS];
    FILE *outputs[MOST_JOBS];
    unsigned jobs = plan->jobs < MOST_JOBS ? plan->jobs : MOST_JOBS;
    struct work *works =
        mmap(NULL, sizeof(struct work) * MOST_JOBS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (works == MAP_FAILED) {
        perror("simulation");
        return EXIT_FAILURE;
    }
    seed_stride = jobs;
    last_seed = plan->first + plan->count - 1;
    for (unsigned i = 0; i < jobs; i++) {
        first_seed = plan->first + i;
        work = &works[i];
        outputs[i] = tmpfile();
        processes[i] = outputs[i] != NULL ? start_job(outputs[i]) : -1;
    }
    int failed = 0;
    printf("1..%u\n", jobs);
    for (unsigned i = 0; i < jobs; i++) {
        int status = -1;
        bool is_good = processes[i] > 0 && waitpid(processes[i], &status, 0) == processes[i] && status == 0;
        printf("%sok %u - %" PRIu64 " seeds from %" PRIu64 ", every %u., %" PRIu64 " steps: every invariant holds\n",
               is_good ? "" : "not ", i + 1, works[i].seeds, plan->first + i, jobs, works[i].steps);
        if (!is_good && outputs[i] != NULL) {
            show(outputs[i]);
        }
        failed += !is_good;
    }
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static uint64_t read_number(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || text[0] == '-') {
        fprintf(stderr, "simulation: not a number: %s\n", text);
        exit(2);
    }
    return number;
}

static void usage(FILE *out)
{
    fprintf(out, "usage: simulation [--seed N [--trace]] | [--seeds COUNT] [--first N] [--jobs N]\n");
}

/* What was freed is spoilt, and what is new is not zero by chance: who uses either is seen without sanitizers, too. */
static void spoil_memory(void)
{
#ifdef M_PERTURB
    mallopt(M_PERTURB, 0xa5);
#endif
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"seeds", required_argument, NULL, 'c'},
                                            {"first", required_argument, NULL, 'f'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"trace", no_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct plan plan = {.first = 1, .count = 1000, .jobs = 1};
    spoil_memory();
    bool is_single = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            plan.first = read_number(optarg);
            is_single = true;
            break;
        case 'c':
            plan.count = read_number(optarg);
            break;
        case 'f':
            plan.first = read_number(optarg);
            break;
        case 'j':
            plan.jobs = (unsigned)read_number(optarg);
            break;
        case 't':
            is_shown = true;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (plan.count == 0 || plan.jobs == 0) {
        usage(stderr);
        return 2;
    }
    if (is_single) {
        struct work alone = {0};
        work = &alone;
        first_seed = last_seed = plan.first;
        seed_stride = 1;
        return run_process();
    }
    return run_jobs(&plan);
}
