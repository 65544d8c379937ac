/* h5.c - HDF5 files: the lock, the errors, the types. */
#define _GNU_SOURCE
#include "h5_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "h5_pack.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool tries_files;

/* A fork while another thread is in HDF5 would leave the child HDF5's own lock, held by nobody, and
 * the child's exit() takes that lock: so forks wait for the call to end. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void mind_forks(void)
{
    pthread_atfork(before_fork, after_fork, after_fork);
}

void gtr_h5_lock(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, mind_forks);
    pthread_mutex_lock(&lock);
    /* Per thread in a thread-safe HDF5, so said each time: errors are ours to tell. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void gtr_h5_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* The first frame that H5E_WALK_UPWARD visits is the innermost: the real reason. */
static herr_t take_reason(unsigned n, const H5E_error2_t *frame, void *client)
{
    char *reason = client;

    if (n == 0 && frame->desc != NULL)
        snprintf(reason, 160, "%s", frame->desc);
    return 0;
}

enum gtr_code gtr_h5_fail(const struct gtr_h5 *h5, const char *name, const char *what,
                          enum gtr_code code, struct gtr_err *err)
{
    char reason[160] = "";
    const char *colon = name[0] != '\0' ? ": " : "";

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, reason);
    H5Eclear2(H5E_DEFAULT);
    if (h5->disk.error != 0)
        return gtr_fail(err, h5->disk.error == ENOMEM ? GTR_ENOMEM : code, "%s: %s%s%s: %s",
                        h5->path, name, colon, what, strerror(h5->disk.error));
    if (reason[0] != '\0')
        return gtr_fail(err, code, "%s: %s%s%s: %s", h5->path, name, colon, what, reason);
    return gtr_fail(err, code, "%s: %s%s%s", h5->path, name, colon, what);
}

bool gtr_h5_is_justified(const struct gtr_h5 *h5, uint64_t count, uint64_t size)
{
    uint64_t most = h5->file_size > UINT64_MAX / 1100 ? UINT64_MAX : h5->file_size * 1100;

    return size == 0 || count <= most / size;
}

/* What h5py chooses is 1 MiB at most, what gradtrace chooses too; people write up to this. */
enum { FAIR_CHUNK_BYTES = 64 << 20 };

bool gtr_h5_chunk_is_fair(uint64_t chunk_bytes, uint64_t dataset_bytes)
{
    return chunk_bytes <= FAIR_CHUNK_BYTES || chunk_bytes <= dataset_bytes;
}

size_t gtr_h5_type_size(enum gtr_h5_type type)
{
    static const size_t sizes[] = {
        [GTR_H5_F64] = 8, [GTR_H5_F32] = 4, [GTR_H5_F16] = 2, [GTR_H5_I64] = 8, [GTR_H5_U64] = 8,
        [GTR_H5_U16] = 2, [GTR_H5_U8] = 1,  [GTR_H5_U32] = 4, [GTR_H5_TEXT] = 0
    };

    return sizes[type];
}

/* IEEE binary16: HDF5 1.10 has no name for it, so it is cut out of binary32, as h5py does. */
static hid_t half_type(void)
{
    hid_t half = H5Tcopy(H5T_IEEE_F32LE);

    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    return half;
}

hid_t gtr_h5_type_new(enum gtr_h5_type type)
{
    switch (type) {
    case GTR_H5_F64:
        return H5Tcopy(H5T_IEEE_F64LE);
    case GTR_H5_F32:
        return H5Tcopy(H5T_IEEE_F32LE);
    case GTR_H5_F16:
        return half_type();
    case GTR_H5_I64:
        return H5Tcopy(H5T_STD_I64LE);
    case GTR_H5_U64:
        return H5Tcopy(H5T_STD_U64LE);
    case GTR_H5_U16:
        return H5Tcopy(H5T_STD_U16LE);
    case GTR_H5_U8:
        return H5Tcopy(H5T_STD_U8LE);
    case GTR_H5_U32:
        return H5Tcopy(H5T_STD_U32LE);
    case GTR_H5_TEXT:
        break;
    }
    return H5I_INVALID_HID;
}

/* --- files ------------------------------------------------------------------------------------ */

static enum gtr_code h5_new(const char *shown, struct gtr_h5 **h5, struct gtr_err *err)
{
    *h5 = gtr_alloc(1, sizeof **h5);
    if (*h5 != NULL) {
        (*h5)->file = H5I_INVALID_HID;
        (*h5)->fd = -1;
        (*h5)->path = gtr_strdup(shown);
    }
    if (*h5 == NULL || (*h5)->path == NULL) {
        gtr_free(*h5);
        *h5 = NULL;
        return gtr_fail(err, GTR_ENOMEM, "%s: no memory", shown);
    }
    return GTR_OK;
}

/* Opens the descriptor and refuses what is not a file with bytes in it. */
static enum gtr_code open_regular(struct gtr_h5 *h5, struct gtr_err *err)
{
    struct stat status;

    h5->fd = open(h5->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (h5->fd < 0 || fstat(h5->fd, &status) != 0)
        return gtr_fail(err, GTR_EIO, "%s: cannot read: %s", h5->path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return gtr_fail(err, GTR_EFORMAT, "%s: is a folder; name the trace's .h5 file", h5->path);
    if (!S_ISREG(status.st_mode))
        return gtr_fail(err, GTR_EFORMAT, "%s: is not a regular file; name the trace's .h5 file",
                        h5->path);
    h5->file_size = (uint64_t)status.st_size;
    return GTR_OK;
}

static enum gtr_code open_file(struct gtr_h5 *h5, bool tries, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    bool is_hdf5;
    hid_t access;

    gtr_h5_lock();
    is_hdf5 = H5Fis_hdf5(h5->path) > 0;
    H5Eclear2(H5E_DEFAULT);
    gtr_h5_unlock();
    if (!is_hdf5)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: is not an HDF5 file; logs are read by gradtrace import", h5->path);
    if (tries)
        rc = gtr_h5_probe(h5->path, err);
    if (rc != GTR_OK)
        return rc;
    gtr_h5_lock();
    access = gtr_h5_read_access();
    h5->file = H5Fopen(h5->path, H5F_ACC_RDONLY, access);
    if (h5->file < 0)
        rc = gtr_h5_fail(h5, "", "cannot open", GTR_EFORMAT, err);
    H5Pclose(access);
    gtr_h5_unlock();
    return rc;
}

static enum gtr_code open_tried(const char *path, bool tries, struct gtr_h5 **out,
                                struct gtr_err *err)
{
    struct gtr_h5 *h5 = NULL;
    enum gtr_code rc = h5_new(path, &h5, err);

    *out = NULL;
    if (rc == GTR_OK)
        rc = open_regular(h5, err);
    if (rc == GTR_OK)
        rc = open_file(h5, tries, err);
    if (rc != GTR_OK) {
        gtr_h5_close(h5, NULL);
        return rc;
    }
    *out = h5;
    return GTR_OK;
}

void gtr_h5_try_files(bool on)
{
    atomic_store(&tries_files, on);
}

enum gtr_code gtr_h5_open(const char *path, struct gtr_h5 **h5, struct gtr_err *err)
{
    return open_tried(path, atomic_load(&tries_files), h5, err);
}

enum gtr_code gtr_h5_reopen(const char *path, struct gtr_h5 **h5, struct gtr_err *err)
{
    return open_tried(path, false, h5, err);
}

/* Format 1.10: its structure carries checksums, so that a flipped bit is found and not followed,
 * and HDF5 of 2016 and later reads it.  It stores times unless told not to. */
static hid_t create_file(const char *path, struct gtr_h5_disk *disk)
{
    hid_t access = gtr_h5_disk_access(disk), creation = H5Pcreate(H5P_FILE_CREATE);
    hid_t file = H5I_INVALID_HID;

    if (access >= 0 && creation >= 0) {
        H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
        H5Pset_obj_track_times(creation, 0);
        file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    }
    if (access >= 0)
        H5Pclose(access);
    if (creation >= 0)
        H5Pclose(creation);
    return file;
}

enum gtr_code gtr_h5_create(const char *path, const char *shown, struct gtr_h5 **out,
                            struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_h5 *h5 = NULL;

    *out = NULL;
    rc = h5_new(shown, &h5, err);
    if (rc != GTR_OK)
        return rc;
    gtr_h5_lock();
    h5->file = create_file(path, &h5->disk);
    if (h5->file < 0)
        rc = gtr_h5_fail(h5, "", "cannot create", GTR_EIO, err);
    gtr_h5_unlock();
    if (rc != GTR_OK) {
        gtr_h5_close(h5, NULL);
        return rc;
    }
    *out = h5;
    return GTR_OK;
}

enum gtr_code gtr_h5_close(struct gtr_h5 *h5, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (h5 == NULL)
        return GTR_OK;
    gtr_h5_lock();
    h5->disk.error = 0;
    h5->disk.closing = true;
    if (h5->file >= 0 && (H5Fclose(h5->file) < 0 || h5->disk.error != 0))
        rc = gtr_h5_fail(h5, "", "cannot finish writing", GTR_EIO, err);
    gtr_h5_disk_release(&h5->disk);
    gtr_h5_unlock();
    if (h5->fd >= 0)
        close(h5->fd);
    gtr_h5_packer_free(h5->packer);
    gtr_free(h5->path);
    gtr_free(h5);
    return rc;
}

void gtr_h5_go_on(struct gtr_h5 *h5)
{
    h5->disk.error = 0;
}

void gtr_h5_finish(struct gtr_h5 *h5)
{
    gtr_h5_disk_release(&h5->disk);
    h5->disk.error = 0;
}

/* What one link is; H5Lexists wants every part before it to be there. */
static enum gtr_h5_place place_of_link(const struct gtr_h5 *h5, const char *path)
{
    H5L_info_t info;

    if (H5Lexists(h5->file, path, H5P_DEFAULT) <= 0)
        return GTR_H5_NOWHERE;
    return H5Lget_info(h5->file, path, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD
               ? GTR_H5_HERE
               : GTR_H5_ELSEWHERE;
}

enum gtr_h5_place gtr_h5_place(const struct gtr_h5 *h5, const char *name)
{
    enum gtr_h5_place place = GTR_H5_HERE;
    char part[128];
    size_t end = 0;

    while (place == GTR_H5_HERE && name[end] != '\0') {
        end += 1 + strcspn(name + end + 1, "/");
        snprintf(part, sizeof part, "%.*s", (int)end, name);
        place = place_of_link(h5, part);
    }
    return place;
}

bool gtr_h5_is_stored_here(hid_t creation)
{
    return creation >= 0 && H5Pget_layout(creation) != H5D_VIRTUAL &&
           H5Pget_external_count(creation) <= 0;
}

bool gtr_h5_has(const struct gtr_h5 *h5, const char *name)
{
    bool found;

    gtr_h5_lock();
    found = gtr_h5_place(h5, name) != GTR_H5_NOWHERE;
    gtr_h5_unlock();
    return found;
}
