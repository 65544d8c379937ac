/* fuzz_trace.c - any bytes as a trace file: opened and read, or refused with a reason.
 *
 * The property: what opens can be read to the end (each read answers, with numbers or an error),
 * twice with the same outcome, and every refusal names the file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *path)
{
    struct gtr_trace *trace;
    struct gtr_err err = { 0 };

    if (gtr_trace_open(path, &trace, &err) != GTR_OK) {
        must(err.code != GTR_OK && strstr(err.text, path) != NULL);
        return;
    }
    read_trace(trace);
    gtr_trace_close(trace);
}

/* HDF5 wants a name that realpath() knows, so a memfd will not do; /dev/shm is memory too. */
static int write_file(char *path, const uint8_t *data, size_t size)
{
    int fd = mkostemp(path, O_CLOEXEC);
    size_t done = 0;

    while (fd >= 0 && done < size) {
        ssize_t n = write(fd, data + done, size - done);

        must(n > 0);
        done += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char shared[] = "/dev/shm/fuzz_trace.XXXXXX", plain[] = "/tmp/fuzz_trace.XXXXXX";
    char *path = shared;

    gtr_trace_try_files(true); /* crashes of HDF5 itself are known */
    if (!write_file(path, data, size)) {
        path = plain;
        must(write_file(path, data, size));
    }
    read_all(path);
    unlink(path);
    return 0;
}
