#include "src/http/socket.h"

#include "tests/unit/src/scratch.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct error error;
static char folder[SCRATCH_SOCKET_PATH];

static int set_up(void **state)
{
    (void)state;
    scratch_folder(folder, sizeof(folder), "socket");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when something was left in it */
}

static struct http_address read_address(const char *text, int port)
{
    struct http_address address = {.descriptor = 0};
    assert_int_equal(http_address_read(&address, text, port, &error), 0);
    return address;
}

static struct http_address in_folder(const char *name)
{
    char text[128];
    snprintf(text, sizeof(text), "unix:%s/%s", folder, name);
    return read_address(text, 0);
}

static const char *path_of(const struct http_address *address)
{
    return ((const struct sockaddr_un *)&address->name)->sun_path;
}

static void addresses_are_read_and_printed(void **state)
{
    static const struct {
        const char *text;
        const char *printed;
        enum http_reach reach;
    } addresses[] = {
        {"127.0.0.1", "127.0.0.1:8000", HTTP_REACH_LOOPBACK},
        {"127.9.8.7", "127.9.8.7:8000", HTTP_REACH_LOOPBACK},
        {"localhost", "127.0.0.1:8000", HTTP_REACH_LOOPBACK},
        {"::1", "[::1]:8000", HTTP_REACH_LOOPBACK},
        {"[::1]", "[::1]:8000", HTTP_REACH_LOOPBACK},
        {"::ffff:127.0.0.1", "[::ffff:127.0.0.1]:8000", HTTP_REACH_LOOPBACK},
        {"0.0.0.0", "0.0.0.0:8000", HTTP_REACH_NETWORK},
        {"128.0.0.1", "128.0.0.1:8000", HTTP_REACH_NETWORK},
        {"192.168.1.2", "192.168.1.2:8000", HTTP_REACH_NETWORK},
        {"::", "[::]:8000", HTTP_REACH_NETWORK},
        {"::2", "[::2]:8000", HTTP_REACH_NETWORK},
        {"::ffff:10.0.0.1", "[::ffff:10.0.0.1]:8000", HTTP_REACH_NETWORK},
        {"unix:/run/x.sock", "unix:/run/x.sock", HTTP_REACH_UNIX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        char text[128];
        struct http_address address = read_address(addresses[i].text, 8000);
        http_address_print(&address, text, sizeof(text));
        assert_string_equal(text, addresses[i].printed);
        assert_int_equal(http_address_reach(&address), addresses[i].reach);
        assert_int_equal(http_address_port(&address), addresses[i].reach == HTTP_REACH_UNIX ? 0 : 8000);
    }
}

static void what_is_no_address_is_an_error_with_its_name(void **state)
{
    static const char *const texts[] = {"example.com", "", "127.0.0.256", "[::1", "unix:"};
    struct http_address address = {.descriptor = 0};
    char path[256] = "unix:/";
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(http_address_read(&address, texts[i], 1, &error), -1);
        assert_non_null(strstr(error.text, texts[i]));
    }
    memset(path + 6, 'x', 200);
    assert_int_equal(http_address_read(&address, path, 0, &error), -1);
    assert_non_null(strstr(error.text, "the path must have from 1 to "));
}

/* A socket at the path; listening or, as after a crash, only bound. */
static int leave(const struct http_address *address, bool is_listening)
{
    int left = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(left, (const struct sockaddr *)&address->name, sizeof(struct sockaddr_un)), 0);
    if (is_listening) {
        assert_int_equal(listen(left, 0), 0);
    }
    return left;
}

static void a_socket_that_nobody_serves_is_removed(void **state)
{
    struct http_address address = in_folder("s");
    struct stat status;
    (void)state;
    assert_int_equal(http_address_clear(&address, &error), 0);
    close(leave(&address, true));
    assert_int_equal(lstat(path_of(&address), &status), 0);
    assert_int_equal(http_address_clear(&address, &error), 0);
    assert_int_equal(lstat(path_of(&address), &status), -1);
}

static void a_socket_that_somebody_serves_stays_even_if_he_is_busy(void **state)
{
    struct http_address address = in_folder("s");
    struct stat status;
    (void)state;
    int server = leave(&address, true);
    for (int i = 0; i < 4; i++) { /* its queue of connections is full long before the last */
        assert_int_equal(http_address_clear(&address, &error), -1);
        assert_non_null(strstr(error.text, "already in use"));
    }
    assert_int_equal(lstat(path_of(&address), &status), 0);
    close(server);
    unlink(path_of(&address));
}

static void what_is_no_socket_stays(void **state)
{
    struct http_address file = in_folder("file");
    struct http_address link = in_folder("link");
    struct http_address target = in_folder("target");
    (void)state;
    fclose(fopen(path_of(&file), "w"));
    close(leave(&target, false));
    assert_int_equal(symlink(path_of(&target), path_of(&link)), 0);
    assert_int_equal(http_address_clear(&file, &error), -1);
    assert_non_null(strstr(error.text, "no socket"));
    assert_int_equal(http_address_clear(&link, &error), -1);
    assert_int_equal(unlink(path_of(&file)), 0);
    assert_int_equal(unlink(path_of(&link)), 0);
    assert_int_equal(unlink(path_of(&target)), 0);
}

static void a_bound_path_has_its_mode_at_once_and_is_gone_when_closed(void **state)
{
    uv_loop_t loop;
    union http_socket socket;
    struct stat status;
    struct http_address address = in_folder("s");
    (void)state;
    address.mode = 0620;
    assert_int_equal(uv_loop_init(&loop), 0);
    mode_t before = umask(022);
    assert_int_equal(http_socket_bind(&loop, &socket, &address), 0);
    assert_int_equal(umask(before), 022);
    assert_int_equal(lstat(path_of(&address), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0620);
    uv_close(&socket.handle, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(lstat(path_of(&address), &status), -1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void only_a_socket_that_listens_can_be_inherited(void **state)
{
    int ends[2];
    char text[128];
    char wanted[128];
    struct http_address address = in_folder("s");
    struct http_address inherited = {.descriptor = 0};
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(http_address_inherit(&inherited, ends[0], &error), -1);
    assert_int_equal(http_address_inherit(&inherited, 9999, &error), -1);
    assert_string_equal(error.text, "file descriptor 9999 is no socket that listens for streams");
    int bound = leave(&address, false);
    assert_int_equal(http_address_inherit(&inherited, bound, &error), -1);
    assert_int_equal(listen(bound, 1), 0);
    assert_int_equal(http_address_inherit(&inherited, bound, &error), 0);
    assert_int_equal(inherited.descriptor, bound);
    assert_int_equal(http_address_reach(&inherited), HTTP_REACH_UNIX);
    http_address_print(&inherited, text, sizeof(text));
    snprintf(wanted, sizeof(wanted), "unix:%s/s", folder);
    assert_string_equal(text, wanted);
    close(ends[0]);
    close(ends[1]);
    close(bound);
    unlink(path_of(&address));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(addresses_are_read_and_printed),
        TEST(what_is_no_address_is_an_error_with_its_name),
        TEST(a_socket_that_nobody_serves_is_removed),
        TEST(a_socket_that_somebody_serves_stays_even_if_he_is_busy),
        TEST(what_is_no_socket_stays),
        TEST(a_bound_path_has_its_mode_at_once_and_is_gone_when_closed),
        TEST(only_a_socket_that_listens_can_be_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
