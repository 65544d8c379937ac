/* h5_disk.c - the file driver that HDF5 writes traces through.
 *
 * HDF5's own driver (sec2) is the model, and the bytes are the same.  What differs is a failed
 * write while a file is being closed: HDF5 then frees the file but keeps its number, and when the
 * process ends its exit handler closes that number again, which crashes (seen with 1.10.8).  A
 * full disk must not take a training run down with it.  So while closing, this driver remembers the
 * failure, drops what is written after it, and lets HDF5 finish; gtr_h5_close tells it then.
 *
 * It also keeps a little room on the disk, in two parts.  A failure gives back one, for those who
 * go on with less; the other is for what has to be written to complete the file with the steps
 * before.
 */
#define _GNU_SOURCE
#include "h5_private.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include "alloc.h"
#include "outfile.h"

/* Less than 1 MiB of rows wait in memory, and the chunks' index takes some 40 bytes each.  Of a
 * small disk, no more than its share. */
enum { RESERVE_BYTES = 4 << 20, FIRST_SHARE = 16, LAST_SHARE = 4 };

struct disk_file {
    H5FD_t shared; /* first, and filled by HDF5 */
    struct gtr_h5_disk *disk;
    int fd;
    dev_t device;
    ino_t inode;
    haddr_t eoa; /* end of what HDF5 has given out */
    haddr_t eof; /* end of what is in the file */
    pid_t owner; /* who may write */
};

/* A file without a name, which nobody has to remove; where the file system has no such thing, one
 * that loses it at once. */
static int open_nameless(const char *beside)
{
    char *name = gtr_strdup(beside);
    int fd = name != NULL ? open(dirname(name), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600) : -1;

    gtr_free(name);
    if (fd >= 0 || gtr_format(&name, beside, NULL, "%s.room", beside) != GTR_OK)
        return fd;
    fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(name);
    gtr_free(name);
    return fd;
}

/* Not having it is no failure. */
static int reserve(const char *beside, uint64_t part)
{
    uint64_t n = RESERVE_BYTES, share;
    struct statvfs disk;
    int fd = open_nameless(beside);

    if (fd >= 0 && fstatvfs(fd, &disk) == 0) {
        share = (uint64_t)disk.f_bavail * disk.f_frsize / part;
        n = share < n ? share : n;
    }
    if (fd >= 0 && (n == 0 || posix_fallocate(fd, 0, (off_t)n) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd > 0 ? fd : 0;
}

static void release(int *reserve)
{
    if (*reserve > 0)
        close(*reserve);
    *reserve = 0;
}

void gtr_h5_disk_release(struct gtr_h5_disk *disk)
{
    release(&disk->reserve[0]);
    release(&disk->reserve[1]);
}

static herr_t failed(struct disk_file *file)
{
    if (file->disk->error == 0)
        file->disk->error = errno;
    if (file->disk->closing)
        gtr_h5_disk_release(file->disk);
    else
        release(&file->disk->reserve[0]);
    return file->disk->closing ? 0 : -1;
}

static H5FD_t *disk_open(const char *name, unsigned flags, hid_t access, haddr_t maxaddr)
{
    struct gtr_h5_disk *const *disk = H5Pget_driver_info(access);
    struct disk_file *file;
    struct stat status;
    int mode = O_RDWR | O_CLOEXEC, i;

    (void)maxaddr;
    if (disk == NULL)
        return NULL;
    file = gtr_alloc(1, sizeof *file);
    if (file == NULL) {
        (*disk)->error = ENOMEM;
        return NULL;
    }
    mode |= (flags & H5F_ACC_CREAT) != 0 ? O_CREAT : 0;
    mode |= (flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0;
    file->disk = *disk;
    file->fd = open(name, mode, 0666);
    if (file->fd < 0 || fstat(file->fd, &status) != 0) {
        failed(file);
        if (file->fd >= 0)
            close(file->fd);
        gtr_free(file);
        return NULL;
    }
    /* HDF5 first opens what is there, and closes it again if that succeeds: a file that was there
     * comes here twice, and one that was not leaves an error that is none. */
    for (i = 0; i < 2; i++)
        if ((*disk)->reserve[i] <= 0)
            (*disk)->reserve[i] = reserve(name, i == 0 ? FIRST_SHARE : LAST_SHARE);
    (*disk)->error = 0;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->eof = (haddr_t)status.st_size;
    file->owner = getpid();
    return &file->shared;
}

static herr_t disk_close(H5FD_t *shared)
{
    struct disk_file *file = (struct disk_file *)shared;
    herr_t status = close(file->fd) == 0 ? 0 : failed(file);

    gtr_free(file);
    return status;
}

static int disk_compare(const H5FD_t *a, const H5FD_t *b)
{
    const struct disk_file *x = (const struct disk_file *)a, *y = (const struct disk_file *)b;

    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

/* What sec2 says of itself, as far as it matters to a file that nobody else has open. */
static herr_t disk_query(const H5FD_t *shared, unsigned long *flags)
{
    (void)shared;
    if (flags != NULL)
        *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
                 H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
                 H5FD_FEAT_POSIX_COMPAT_HANDLE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t disk_get_eoa(const H5FD_t *shared, H5FD_mem_t type)
{
    (void)type;
    return ((const struct disk_file *)shared)->eoa;
}

static herr_t disk_set_eoa(H5FD_t *shared, H5FD_mem_t type, haddr_t eoa)
{
    (void)type;
    ((struct disk_file *)shared)->eoa = eoa;
    return 0;
}

static haddr_t disk_get_eof(const H5FD_t *shared, H5FD_mem_t type)
{
    (void)type;
    return ((const struct disk_file *)shared)->eof;
}

static herr_t disk_get_handle(H5FD_t *shared, hid_t access, void **handle)
{
    (void)access;
    *handle = &((struct disk_file *)shared)->fd;
    return 0;
}

/* What lies past the end of the file reads as zeros. */
static herr_t disk_read(H5FD_t *shared, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                        void *out)
{
    size_t got = gtr_read_at(((struct disk_file *)shared)->fd, out, size, at);

    (void)type;
    (void)transfer;
    if (got < size && errno != 0)
        return -1;
    memset((char *)out + got, 0, size - got);
    return 0;
}

/* A forked child has the file open too, and its copy of HDF5 would write what it holds when that
 * child exits: over what the parent has written since. */
static bool is_forked(const struct disk_file *file)
{
    return file->owner != getpid();
}

static herr_t disk_write(H5FD_t *shared, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                         const void *bytes)
{
    struct disk_file *file = (struct disk_file *)shared;
    haddr_t end;

    (void)type;
    (void)transfer;
    if ((file->disk->closing && file->disk->error != 0) || is_forked(file))
        return 0;
    end = at + gtr_write_at(file->fd, bytes, size, at);
    file->eof = end > at && end > file->eof ? end : file->eof;
    return end == at + size ? 0 : failed(file);
}

static herr_t disk_truncate(H5FD_t *shared, hid_t transfer, hbool_t closing)
{
    struct disk_file *file = (struct disk_file *)shared;

    (void)transfer;
    (void)closing;
    if (file->eoa == file->eof || (file->disk->closing && file->disk->error != 0) ||
        is_forked(file))
        return 0;
    if (ftruncate(file->fd, (off_t)file->eoa) != 0)
        return failed(file);
    file->eof = file->eoa;
    return 0;
}

/* No locks: the file has a name that only we know. */
static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value = 300, /* from HDF5's range for drivers that it does not know */
#endif
    .name = "gradtrace",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(struct gtr_h5_disk *),
    .open = disk_open,
    .close = disk_close,
    .cmp = disk_compare,
    .query = disk_query,
    .get_eoa = disk_get_eoa,
    .set_eoa = disk_set_eoa,
    .get_eof = disk_get_eof,
    .get_handle = disk_get_handle,
    .read = disk_read,
    .write = disk_write,
    .truncate = disk_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t gtr_h5_disk_access(struct gtr_h5_disk *disk)
{
    static hid_t id = H5I_INVALID_HID;
    hid_t access;

    /* Another user of the library may have called H5close() since. */
    if (id < 0 || H5Iget_type(id) != H5I_VFL)
        id = H5FDregister(&driver);
    access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 && H5Pset_driver(access, id, &disk) < 0) {
        H5Pclose(access);
        return H5I_INVALID_HID;
    }
    return access;
}
