#include "tests/unit/src/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void write_template(char *path, size_t size, const char *name)
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] == '\0' ||
        (size_t)snprintf(path, size, "%s/mcp-bridge-%s-XXXXXX", parent, name) >= size) {
        assert_true((size_t)snprintf(path, size, P_tmpdir "/mcp-bridge-%s-XXXXXX", name) < size);
    }
}

void scratch_folder(char *path, size_t size, const char *name)
{
    write_template(path, size, name);
    assert_non_null(mkdtemp(path));
}

int scratch_file(char *path, size_t size, const char *name)
{
    write_template(path, size, name);
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    return descriptor;
}
