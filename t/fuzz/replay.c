
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Runs a fuzz target over the files of its command line, for compilers that
 * come without a fuzzer.
 */


#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>


/* bytes, far above any input of the corpora */
#define REPLAY_MAX  (1 << 24)


/* a target need not have it */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *name);


int
main(int argc, char **argv)
{
    int  i;

    if (argc < 2) {
        fprintf(stderr, "no inputs\n");
        return 2;
    }

    if (LLVMFuzzerInitialize != NULL
        && LLVMFuzzerInitialize(&argc, &argv) != 0)
    {
        return 1;
    }

    for (i = 1; i < argc; i++) {
        if (replay(argv[i]) != 0) {
            return 1;
        }
    }

    printf("%d inputs\n", argc - 1);

    return 0;
}


/* the buffer is as long as the input: a sanitizer sees what is read after */

static int
replay(const char *name)
{
    FILE         *f;
    size_t        size;
    uint8_t      *data;
    struct stat   st;

    /* what a crash is found by */

    printf("%s\n", name);
    fflush(stdout);

    if (stat(name, &st) != 0 || st.st_size > REPLAY_MAX) {
        fprintf(stderr, "%s: no such input, or too long\n", name);
        return -1;
    }

    size = (size_t) st.st_size;

    data = malloc(size ? size : 1);
    if (data == NULL) {
        return -1;
    }

    f = fopen(name, "rb");
    if (f == NULL) {
        free(data);
        return -1;
    }

    if (fread(data, 1, size, f) != size) {
        fprintf(stderr, "%s: cannot be read\n", name);
        fclose(f);
        free(data);
        return -1;
    }

    fclose(f);

    (void) LLVMFuzzerTestOneInput(data, size);

    free(data);

    return 0;
}
