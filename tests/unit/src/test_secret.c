#include "src/secret.h"

#include "bridge/base/memory.h"
#include "tests/unit/src/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAC_BYTES = 32 };

struct fixture {
    char directory[SCRATCH_PATH];
    char path[SCRATCH_PATH + 8]; /* of a file in it */
    char bytes[SECRET_MAX_BYTES + 16];
    struct secret secret;
    struct error error;
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    scratch_folder(fixture->directory, sizeof(fixture->directory), "secret");
    snprintf(fixture->path, sizeof(fixture->path), "%s/key", fixture->directory);
    for (size_t i = 0; i < sizeof(fixture->bytes); i++) {
        fixture->bytes[i] = (char)('a' + i % 26);
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    assert_int_equal(rmdir(fixture->directory), 0);
    free(fixture);
    return 0;
}

/* Makes the file of the first bytes and a tail, and reads it. */
static int read_file(struct fixture *fixture, size_t size, const char *tail, mode_t mode)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(fixture->bytes, 1, size, file), size);
    assert_int_equal(fwrite(tail, 1, strlen(tail), file), strlen(tail));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(fixture->path, mode), 0);
    fixture->error = (struct error){.exit_status = 0};
    return secret_init(&fixture->secret, fixture->path, &fixture->error);
}

static void expect_error(const struct fixture *fixture, const char *text)
{
    assert_non_null(strstr(fixture->error.text, text));
    assert_non_null(strstr(fixture->error.text, fixture->path));
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Returns the number of bytes. */
static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    }
    return size;
}

/* RFC 4231 4.2 to 4.6: those whose keys are no longer than ours. Zeros behind a key change nothing (RFC 2104 2). */
static void the_mac_is_that_of_rfc_4231(void **state)
{
    static const struct {
        const char *key;
        const char *data;
        const char *mac;
    } cases[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "dddddddddddddddddddddddddddddddddddddddddddddddddd"
         "dddddddddddddddddddddddddddddddddddddddddddddddddd",
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819",
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", "546573742057697468205472756e636174696f6e",
         "a3b6167473100ee06e0c796c2955552b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct secret secret = {.key = {0}};
        uint8_t data[64];
        uint8_t expected[MAC_BYTES];
        uint8_t mac[MAC_BYTES];
        from_hex(cases[i].key, secret.key);
        size_t size = from_hex(cases[i].data, data);
        size_t expected_size = from_hex(cases[i].mac, expected);
        /* In one part, and in three. */
        const struct slice whole = slice_of((const char *)data, size);
        const struct slice parts[] = {slice_of(whole.data, 3), slice_of(NULL, 0), slice_of(whole.data + 3, size - 3)};
        secret_authenticate(&secret, &whole, 1, mac);
        assert_memory_equal(mac, expected, expected_size);
        secret_authenticate(&secret, parts, 3, mac);
        assert_memory_equal(mac, expected, expected_size);
    }
}

/* SHA-256 of what the file holds: replicas of all builds agree. */
static void a_file_makes_the_same_key_each_time(void **state)
{
    struct fixture *fixture = *state;
    uint8_t expected[32];
    from_hex("2070df23e0d957590bc67a03d7a244173059dd2a2ad4a8d5a01a3e6eed013fec", expected);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read_file(fixture, 32, "", 0600), 0);
        assert_memory_equal(fixture->secret.key, expected, sizeof(expected));
    }
}

static void one_line_end_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_file(fixture, 40, "", 0600), 0);
    struct secret first = fixture->secret;
    assert_int_equal(read_file(fixture, 40, "\n", 0600), 0);
    assert_memory_equal(fixture->secret.key, first.key, sizeof(first.key));
    assert_int_equal(read_file(fixture, 40, "\r\n", 0600), 0);
    assert_memory_equal(fixture->secret.key, first.key, sizeof(first.key));
    assert_int_equal(read_file(fixture, 40, "\n\n", 0600), 0);
    assert_memory_not_equal(fixture->secret.key, first.key, sizeof(first.key));
    assert_int_equal(read_file(fixture, 40, " ", 0600), 0);
    assert_memory_not_equal(fixture->secret.key, first.key, sizeof(first.key));
    assert_int_equal(read_file(fixture, 41, "\n", 0600), 0);
    assert_memory_not_equal(fixture->secret.key, first.key, sizeof(first.key));
}

static void a_short_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const size_t sizes[] = {0, 1, 31};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(read_file(fixture, sizes[i], "", 0600), -1);
        expect_error(fixture, "too short");
        assert_int_equal(read_file(fixture, sizes[i], "\r\n", 0600), -1);
        expect_error(fixture, "too short");
    }
    assert_int_equal(read_file(fixture, 32, "\r\n", 0600), 0);
}

static void a_long_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_file(fixture, SECRET_MAX_BYTES, "", 0600), 0);
    assert_int_equal(read_file(fixture, SECRET_MAX_BYTES, "\r\n", 0600), 0);
    assert_int_equal(read_file(fixture, SECRET_MAX_BYTES + 1, "", 0600), -1);
    expect_error(fixture, "too long");
    assert_int_equal(read_file(fixture, SECRET_MAX_BYTES + 1, "\n", 0600), -1);
    expect_error(fixture, "too long");
    assert_int_equal(read_file(fixture, SECRET_MAX_BYTES + 2, "\n", 0600), -1);
    expect_error(fixture, "too long");
    assert_int_equal(read_file(fixture, SECRET_MAX_BYTES + 16, "", 0600), -1);
    expect_error(fixture, "too long");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(secret_init(&fixture->secret, fixture->path, &fixture->error), -1);
    expect_error(fixture, "cannot be read: No such file or directory");
    assert_int_equal(secret_init(&fixture->secret, fixture->directory, &fixture->error), -1);
    assert_non_null(strstr(fixture->error.text, "cannot be read: Is a directory"));
}

static void without_a_file_each_secret_is_another(void **state)
{
    struct fixture *fixture = *state;
    struct secret other;
    static const uint8_t zeros[32];
    assert_int_equal(secret_init(&fixture->secret, NULL, &fixture->error), 0);
    assert_int_equal(secret_init(&other, NULL, &fixture->error), 0);
    assert_memory_not_equal(fixture->secret.key, other.key, sizeof(other.key));
    assert_memory_not_equal(fixture->secret.key, zeros, sizeof(zeros));
    secret_release(&other);
    assert_memory_equal(other.key, zeros, sizeof(zeros));
    secret_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mac_is_that_of_rfc_4231),
        cmocka_unit_test_setup_teardown(a_file_makes_the_same_key_each_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_line_end_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_short_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_file_each_secret_is_another, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
