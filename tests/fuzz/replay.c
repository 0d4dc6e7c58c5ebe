/*
 * Replays a target's corpus without a fuzzer: one result of TAP a file. A find ends the program, and so the plan, which
 * comes first, is not met.
 */
#include "bridge/base/memory.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static void replay(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    FUZZ_REQUIRE(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = memory_new(size > 0 ? size : 1);
    FUZZ_REQUIRE(fread(data, 1, size, file) == size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_input, alphasort) : -1;
    if (count < 0) {
        fprintf(stderr, "usage: %s CORPUS, a folder of inputs\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        replay(argv[1], entries[i]->d_name);
        printf("ok %d - %s\n", i + 1, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}
