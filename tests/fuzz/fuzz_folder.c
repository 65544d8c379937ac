/* fuzz_folder.c - any bytes as the files of a folder of segments, under any names.
 *
 *     input    files, one behind the other
 *     file     u8 1: its journal records get checksums that fit | u8 n | n bytes of name
 *              | u32 m | m bytes, or what is left
 *
 * The property: the folder is opened and read, or refused with a reason that names it; what verify
 * finds whole opens; what recover and merge write is a whole trace, with the rows that they told.
 * The checksums are mended for the fuzzer's sake, which would never find one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc.h"
#include "reading.h"

enum { MOST_FILES = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the folder ------------------------------------------------------------------------------- */

static size_t take(const uint8_t **data, size_t *size, void *out, size_t n)
{
    n = n < *size ? n : *size;
    memcpy(out, *data, n);
    *data += n;
    *size -= n;
    return n;
}

/* As many records as there are; see journal.h. */
static void mend(uint8_t *bytes, size_t size)
{
    while (size >= 12) {
        uint32_t n, sum;

        memcpy(&n, bytes + 4, sizeof n);
        if (n > size - 12)
            return;
        sum = gtr_crc_bytes(0, bytes, 8 + (size_t)n);
        memcpy(bytes + 8 + n, &sum, sizeof sum);
        bytes += 12 + (size_t)n;
        size -= 12 + (size_t)n;
    }
}

static void write_file(int folder, const char *name, const uint8_t *bytes, size_t size)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) /* "." and the like */
        return;
    must(write(fd, bytes, size) == (ssize_t)size);
    close(fd);
}

/* False at the end of the input. */
static int add_file(int folder, const uint8_t **data, size_t *size)
{
    uint8_t start[2] = { 0 }, *bytes;
    char name[256];
    uint32_t n = 0;
    size_t length, i;

    if (take(data, size, start, sizeof start) < sizeof start)
        return 0;
    length = take(data, size, name, start[1]);
    name[length] = '\0';
    for (i = 0; i < length; i++)
        if (name[i] == '\0' || name[i] == '/')
            name[i] = '_';
    take(data, size, &n, sizeof n);
    bytes = malloc(*size + 1);
    must(bytes != NULL);
    length = take(data, size, bytes, n);
    if (start[0] & 1)
        mend(bytes, length);
    write_file(folder, name, bytes, length);
    free(bytes);
    return 1;
}

static void remove_all(int folder, const char *path)
{
    DIR *entries = fdopendir(folder);
    struct dirent *entry;

    must(entries != NULL);
    rewinddir(entries);
    while ((entry = readdir(entries)) != NULL)
        unlinkat(folder, entry->d_name, 0);
    closedir(entries);
    must(rmdir(path) == 0);
}

/* --- what is asked of it ---------------------------------------------------------------------- */

static void say(void *context, const char *path, bool fault, const char *text)
{
    (void)fault;
    must(text[0] != '\0' && strstr(path, context) == path);
}

/* Rows of a trace that must be whole. */
static size_t rows_of_whole(const char *path)
{
    struct gtr_remarks remarks = { say, (void *)(uintptr_t)path };
    struct gtr_trace *trace = NULL;
    size_t n_faults = 1, n;

    must(gtr_trace_verify(path, &remarks, &n_faults, NULL) == GTR_OK && n_faults == 0);
    must(gtr_trace_open(path, &trace, NULL) == GTR_OK);
    n = gtr_trace_n_steps(trace);
    read_trace(trace);
    gtr_trace_close(trace);
    return n;
}

/* Returns the rows, or -1. */
static long open_and_read(const char *path, const char *folder)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };
    long n;

    if (gtr_trace_open(path, &trace, &err) != GTR_OK) {
        must(err.code != GTR_OK && strstr(err.text, folder) != NULL);
        return -1;
    }
    n = (long)gtr_trace_n_steps(trace);
    read_trace(trace);
    gtr_trace_close(trace);
    return n;
}

/* The rank or ranks at `path` in one trace; returns its rows, or -1. */
static long merge(const char *path, enum gtr_join join, const char *folder, const char *output)
{
    const struct gtr_merge_options options = { .join = join, .force = true };
    struct gtr_remarks remarks = { say, (void *)(uintptr_t)folder };
    struct gtr_merged merged;
    struct gtr_err err = { 0 };

    if (gtr_trace_merge(&path, 1, output, &options, &remarks, &merged, &err) != GTR_OK) {
        must(err.text[0] != '\0');
        return -1;
    }
    must(rows_of_whole(output) == merged.n_rows);
    return (long)merged.n_rows;
}

/* Ranks that are the same have rows that can be added, and what can be added has a mean. */
static void ask_folder(const char *folder, const char *output)
{
    long same = merge(folder, GTR_JOIN_SAME, folder, output);
    long sum = merge(folder, GTR_JOIN_SUM, folder, output);

    must(same < 0 || same == sum);
    must(merge(folder, GTR_JOIN_MEAN, folder, output) == sum);
}

static void ask_all(const char *folder)
{
    struct gtr_remarks remarks = { say, (void *)(uintptr_t)folder };
    struct gtr_err err = { 0 };
    size_t n_faults;

    open_and_read(folder, folder);
    if (gtr_trace_verify(folder, &remarks, &n_faults, &err) != GTR_OK)
        must(strstr(err.text, folder) != NULL);
}

static void ask_rank(const char *path, const char *folder, const char *output)
{
    struct gtr_remarks remarks = { say, (void *)(uintptr_t)folder };
    struct gtr_recovered recovered;
    struct gtr_err verifying = { 0 }, recovering = { 0 };
    size_t n_faults;
    long n = open_and_read(path, folder), packed;

    if (gtr_trace_verify(path, &remarks, &n_faults, &verifying) != GTR_OK)
        must(strstr(verifying.text, folder) != NULL);
    else
        must(n >= 0 || n_faults > 0);
    if (gtr_trace_recover(path, output, true, &remarks, &recovered, &recovering) == GTR_OK)
        must(rows_of_whole(output) == recovered.n_rows && (long)recovered.n_rows >= n);
    else
        must(recovering.text[0] != '\0');
    packed = merge(path, GTR_JOIN_NONE, folder, output);
    must(packed < 0 || packed == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char shared[] = "/dev/shm/fuzz_folder.XXXXXX", plain[] = "/tmp/fuzz_folder.XXXXXX";
    char *path = mkdtemp(shared), output[64], rank[64];
    int folder, i;

    gtr_trace_try_files(true); /* crashes of HDF5 itself are known */
    if (path == NULL)
        path = mkdtemp(plain);
    must(path != NULL);
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(folder >= 0);
    for (i = 0; i < MOST_FILES && add_file(folder, &data, &size); i++)
        ;
    snprintf(output, sizeof output, "%s.out.h5", path);
    snprintf(rank, sizeof rank, "%s/rank0", path);
    ask_rank(rank, path, output);
    ask_all(path);
    ask_folder(path, output);
    unlink(output);
    remove_all(folder, path);
    return 0;
}
