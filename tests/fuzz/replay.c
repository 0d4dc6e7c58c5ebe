/*
 * Replays a target's corpus without a fuzzer, as one test of TAP. A find ends the program, and so the plan, which comes
 * first, is not met; the last name is the input's.
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
    puts("1..1");
    for (int i = 0; i < count; i++) {
        printf("# %s\n", entries[i]->d_name);
        replay(argv[1], entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    printf("%sok 1 - %d inputs of %s\n", count > 0 ? "" : "not ", count, argv[1]);
    return count > 0 ? 0 : 1;
}
