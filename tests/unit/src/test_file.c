#include "src/file.h"

#include "tests/unit/src/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char path[SCRATCH_PATH];
    int descriptor;
    struct buffer text;
    struct error error;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.path = ""};
    fixture.descriptor = scratch_file(fixture.path, sizeof(fixture.path), "file");
    buffer_init(&fixture.text, 10000);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    buffer_release(&fixture->text);
    close(fixture->descriptor);
    return unlink(fixture->path);
}

static void fill(const struct fixture *fixture, size_t size)
{
    assert_int_equal(ftruncate(fixture->descriptor, (off_t)size), 0);
}

static void a_file_is_read_up_to_the_ceiling(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture, 10000);
    assert_int_equal(file_read(fixture->path, &fixture->text, &fixture->error), 0);
    assert_int_equal(fixture->text.size, 10000);
    buffer_clear(&fixture->text, 0);
    fill(fixture, 10001);
    assert_int_equal(file_read(fixture->path, &fixture->text, &fixture->error), -1);
    assert_non_null(strstr(fixture->error.text, fixture->path));
}

static void a_file_that_everybody_can_read_or_change_is_exposed(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        mode_t mode;
        bool is_exposed;
    } cases[] = {{0400, false}, {0600, false}, {0640, false}, {0660, false}, {0644, true}, {0604, true}, {0602, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(fchmod(fixture->descriptor, cases[i].mode), 0);
        assert_true(file_is_exposed(fixture->path) == cases[i].is_exposed);
    }
    assert_false(file_is_exposed("/no/such/file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_up_to_the_ceiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_everybody_can_read_or_change_is_exposed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
