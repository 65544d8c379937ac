/* scratch.h - a folder of its own for each test program, removed at its end. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_folder[64];

static int scratch_remove_one(const char *path, const struct stat *status, int type,
                              struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void scratch_remove(void)
{
    nftw(scratch_folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the scratch folder; four of them are valid at a time. */
static inline const char *scratch_path(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];

    if (scratch_folder[0] == '\0') {
        const char *base = getenv("TMPDIR");

        snprintf(scratch_folder, sizeof scratch_folder, "%.40s/gradtrace.XXXXXX",
                 base != NULL ? base : "/tmp");
        if (mkdtemp(scratch_folder) == NULL)
            abort();
        atexit(scratch_remove);
    }
    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

/* The whole file as a string of *size bytes, to be freed; NULL if it cannot be read. */
static inline char *scratch_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *bytes = NULL;
    long end;

    if (f == NULL)
        return NULL;
    fseek(f, 0, SEEK_END);
    end = ftell(f);
    rewind(f);
    bytes = calloc((size_t)end + 1, 1);
    if (bytes != NULL && fread(bytes, 1, (size_t)end, f) != (size_t)end) {
        free(bytes);
        bytes = NULL;
    }
    *size = (size_t)end;
    fclose(f);
    return bytes;
}

static inline void scratch_write(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
        abort();
}

#endif
