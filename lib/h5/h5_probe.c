/* h5_probe.c - let a child process look at a file first.
 *
 * HDF5 trusts what a file says of itself: of 12,000 small files with a few flipped bits, nine
 * crashed release 1.10.8 (reading past the end of attributes, copying -1 bytes out of a heap).
 * No check from outside can foresee that, so before this process opens a file, a child walks all
 * of its structure: every link, attribute, type, shape and chunk index, but no numbers in chunks.
 * If the child dies the file is called damaged, and this process has never touched it.
 * So it is if the child computes without end; waiting for a slow disk is not computing.
 *
 * The price is a fork and a second reading of the small things: about a millisecond.  A fork is
 * nothing that a library may do to a process that trains, so it is done for programs that ask for
 * it.
 */
#define _GNU_SOURCE
#include "h5_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its callback takes H5O_info_t under either name. */
#if H5_VERSION_GE(1, 12, 0)
#define VISIT H5Ovisit3
#else
#define VISIT H5Ovisit2
#endif

enum {
    SECONDS = 60, /* of a processor */
    ATTRIBUTE_MAX = 1 << 24,
    VECTOR_MAX = 1 << 28
};

/* Integers are read as the parent will, converted: a type with impossible bits fails only then. */
static void read_attribute(hid_t attribute, hid_t type, size_t n)
{
    hid_t memory = H5Tget_class(type) == H5T_INTEGER ? H5T_NATIVE_INT64 : type;
    size_t size = H5Tget_size(memory);
    void *values;

    if (n == 0 || size == 0 || size > ATTRIBUTE_MAX || n > ATTRIBUTE_MAX / size ||
        H5Tis_variable_str(type) > 0)
        return;
    values = malloc(n * size);
    if (values != NULL)
        H5Aread(attribute, memory, values);
    free(values);
}

static herr_t walk_attribute(hid_t object, const char *name, const H5A_info_t *info, void *unused)
{
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type, space;
    hssize_t n;

    (void)info;
    (void)unused;
    if (attribute < 0)
        return 0;
    type = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    n = H5Sget_simple_extent_npoints(space);
    if (n > 0)
        read_attribute(attribute, type, (size_t)n);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return 0;
}

/* Compact vectors lie among the structure, and the parent leaves them to HDF5; see h5_table.c. */
static void read_vector(hid_t dataset, hid_t type, size_t n)
{
    size_t size = H5Tget_size(type);
    void *values = NULL;

    if (n > 0 && size > 0 && size <= VECTOR_MAX && n <= VECTOR_MAX / size &&
        H5Tis_variable_str(type) <= 0)
        values = malloc(n * size);
    if (values != NULL)
        H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    free(values);
}

static void walk_dataset(hid_t object)
{
    hid_t space = H5Dget_space(object), type = H5Dget_type(object);
    hid_t creation = H5Dget_create_plist(object);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    hsize_t n_chunks;

    if (gtr_h5_is_stored_here(creation)) /* else the parent refuses it */
        H5Dget_storage_size(object);
    H5Dget_offset(object);
    if (H5Pget_layout(creation) == H5D_CHUNKED)
        H5Dget_num_chunks(object, space, &n_chunks);
    if (H5Pget_layout(creation) == H5D_COMPACT && H5Sget_simple_extent_ndims(space) == 1 && n > 0)
        read_vector(object, type, (size_t)n);
    H5Pclose(creation);
    H5Tclose(type);
    H5Sclose(space);
}

static herr_t walk_object(hid_t file, const char *name, const H5O_info_t *info, void *unused)
{
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);

    (void)unused;
    if (object < 0)
        return 0;
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, walk_attribute, NULL);
    if (info->type == H5O_TYPE_DATASET)
        walk_dataset(object);
    H5Oclose(object);
    return 0;
}

/* In the child.  Errors are the parent's to find and tell; only dying counts. */
static void walk(const char *path)
{
    const struct rlimit limit = { SECONDS, SECONDS + 1 }; /* a signal that says why, then the end */
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    hid_t access = gtr_h5_read_access();
    hid_t file;

    /* What malloc says about a broken heap is no concern of the user's. */
    if (nowhere >= 0)
        dup2(nowhere, STDERR_FILENO);
    signal(SIGXCPU, SIG_DFL);
    setrlimit(RLIMIT_CPU, &limit);
    file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file >= 0) {
        VISIT(file, H5_INDEX_NAME, H5_ITER_NATIVE, walk_object, NULL, H5O_INFO_BASIC);
        H5Fclose(file);
    }
}

enum gtr_code gtr_h5_probe(const char *path, struct gtr_err *err)
{
    int status = 0;
    pid_t child = fork(), ended;

    if (child == 0) {
        walk(path);
        _exit(0);
    }
    if (child < 0)
        return gtr_fail(err, GTR_EIO, "%s: cannot read: no process to look at it first: %s", path,
                        strerror(errno));
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    /* A caller that ignores SIGCHLD leaves no status to look at. */
    if (ended < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return GTR_OK;
    return gtr_fail(err, GTR_EFORMAT, "%s: is damaged: HDF5 does not survive reading it (%s)", path,
                    WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "stopped by a sanitizer");
}
