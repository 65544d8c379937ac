/* segment_place.c - make a folder, lock a rank of it, empty it, name it. */
#define _GNU_SOURCE
#include "segment_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "outfile.h"

enum { TRIES = 1000 };

/* --- the lock --------------------------------------------------------------------------------- */

static enum gtr_code is_locked(int fd, const char *folder, int64_t rank, struct gtr_err *err)
{
    char pid[24] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

    pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
    return gtr_fail(err, GTR_EIO,
                    "%s: rank %" PRId64 " is being recorded by %s%s; give each recorder a folder "
                    "of its own",
                    folder, rank, pid[0] != '\0' ? "process " : "another process", pid);
}

/* The file may have been removed by its last owner between the open and the lock. */
static bool still_there(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

enum gtr_code gtr_segment_lock(const char *folder, int64_t rank, int *lock, struct gtr_err *err)
{
    char *path;
    enum gtr_code rc = gtr_segment_rank_path(folder, rank, "lock", &path, err);
    int fd = -1, tries = 0;

    *lock = -1;
    if (rc != GTR_OK)
        return rc;
    do {
        if (fd >= 0)
            close(fd);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        /* Another rank may just have made the folder, tried it, and removed it again. */
        if (fd < 0 && errno == ENOENT && tries++ < TRIES &&
            (mkdir(folder, 0777) == 0 || errno == EEXIST))
            continue;
        if (fd < 0) {
            rc = gtr_fail(err, GTR_EIO, "%s: cannot write: %s", path, strerror(errno));
            goto out;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            rc = is_locked(fd, folder, rank, err);
            close(fd);
            goto out;
        }
    } while (!still_there(fd, path));
    /* For whoever is refused; not being able to write it is no failure. */
    if (ftruncate(fd, 0) == 0)
        dprintf(fd, "%ld\n", (long)getpid());
    *lock = fd;
out:
    gtr_free(path);
    return rc;
}

void gtr_segment_unlock(const char *folder, int64_t rank, int lock)
{
    char *path;

    if (lock < 0)
        return;
    if (gtr_segment_rank_path(folder, rank, "lock", &path, NULL) == GTR_OK)
        unlink(path);
    gtr_free(path);
    close(lock);
}

/* --- the folder ------------------------------------------------------------------------------- */

static enum gtr_code make_folder(const char *folder, bool *made, struct gtr_err *err)
{
    struct stat status;

    *made = mkdir(folder, 0777) == 0;
    if (*made)
        return GTR_OK;
    if (errno != EEXIST)
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", folder, strerror(errno));
    if (stat(folder, &status) == 0 && !S_ISDIR(status.st_mode))
        return gtr_fail(err, GTR_EIO, "%s: is not a folder; a trace whose name ends in .gtr is one",
                        folder);
    return GTR_OK;
}

static bool holds_steps(const struct gtr_segment_list *list)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        if (list->files[i].kind != GTR_SEGMENT_LOCK &&
            list->files[i].kind != GTR_SEGMENT_JOURNAL_LEFT)
            return true;
    return false;
}

/* Removes what the rank has in the folder, but not the lock. */
static enum gtr_code remove_steps(const struct gtr_segment_list *list, struct gtr_err *err)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        if (list->files[i].kind != GTR_SEGMENT_LOCK && unlink(list->files[i].path) != 0)
            return gtr_fail(err, GTR_EIO, "%s: cannot remove: %s", list->files[i].path,
                            strerror(errno));
    return GTR_OK;
}

/* With the lock held. */
static enum gtr_code empty_folder(const char *folder, int64_t rank, bool force, bool try,
                                  struct gtr_err *err)
{
    struct gtr_segment_list list;
    enum gtr_code rc = gtr_segment_list_read(folder, rank, &list, err);

    if (rc == GTR_OK && !force && holds_steps(&list))
        rc = gtr_fail(err, GTR_EIO,
                      "%s: exists already, with steps of rank %" PRId64
                      "; pass --force (force=True) to replace them",
                      folder, rank);
    else if (rc == GTR_OK && !try)
        rc = remove_steps(&list, err);
    gtr_segment_list_free(&list);
    return rc;
}

enum gtr_code gtr_folder_try(const char *folder, int64_t rank, bool force, struct gtr_err *err)
{
    enum gtr_code rc;
    bool made;
    int lock = -1;

    rc = make_folder(folder, &made, err);
    if (rc == GTR_OK)
        rc = gtr_segment_lock(folder, rank, &lock, err);
    if (rc == GTR_OK)
        rc = empty_folder(folder, rank, force, true, err);
    gtr_segment_unlock(folder, rank, lock);
    if (made)
        rmdir(folder);
    return rc;
}

enum gtr_code gtr_place_take(struct gtr_place *place, const char *folder, int64_t rank, bool whole,
                             bool force, struct gtr_err *err)
{
    bool beside = whole && access(folder, F_OK) != 0;
    enum gtr_code rc;

    *place = (struct gtr_place){ .rank = rank, .lock = -1 };
    rc = gtr_format(&place->folder, folder, err, "%s%s", folder, beside ? ".partial" : "");
    if (rc == GTR_OK && beside)
        rc = gtr_format(&place->name, folder, err, "%s", folder);
    if (rc == GTR_OK)
        rc = make_folder(place->folder, &place->made, err);
    if (rc == GTR_OK)
        rc = gtr_segment_lock(place->folder, rank, &place->lock, err);
    /* One beside its name is nobody's but that of a writer who was killed. */
    if (rc == GTR_OK)
        rc = empty_folder(place->folder, rank, force || beside, false, err);
    if (rc != GTR_OK)
        gtr_place_leave(place);
    return rc;
}

enum gtr_code gtr_place_make_again(const struct gtr_place *place, struct gtr_err *err)
{
    char *around = gtr_strdup(place->folder);
    bool made;

    if (around != NULL && mkdir(dirname(around), 0777) == 0)
        gtr_folder_sync(around);
    gtr_free(around);
    return make_folder(place->folder, &made, err);
}

enum gtr_code gtr_place_clear(const struct gtr_place *place, struct gtr_err *err)
{
    struct gtr_segment_list list;
    enum gtr_code rc = gtr_segment_list_read(place->folder, place->rank, &list, err);

    if (rc == GTR_OK)
        rc = remove_steps(&list, err);
    gtr_segment_list_free(&list);
    return rc;
}

enum gtr_code gtr_place_finish(struct gtr_place *place, struct gtr_err *err)
{
    gtr_segment_unlock(place->folder, place->rank, place->lock);
    place->lock = -1;
    if (place->name == NULL)
        return GTR_OK;
    if (rename(place->folder, place->name) != 0)
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s; it is whole as %s", place->name,
                        strerror(errno), place->folder);
    gtr_folder_sync(place->name);
    return GTR_OK;
}

void gtr_place_leave(struct gtr_place *place)
{
    gtr_segment_unlock(place->folder, place->rank, place->lock);
    if (place->made)
        rmdir(place->folder); /* fails if something is in it */
    gtr_free(place->folder);
    gtr_free(place->name);
    *place = (struct gtr_place){ .lock = -1 };
}
