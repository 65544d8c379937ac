/* outfile.c - temporary name, sync, rename; and bytes that are all read or all written. */
#define _GNU_SOURCE
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"

enum { TRIES = 1000, LINKS_MOST = 40 };

static enum gtr_code exists_already(const char *path, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EIO, "%s: exists already; pass --force (force=True) to replace it",
                    path);
}

const char *gtr_outfile_place(const struct gtr_outfile *out)
{
    return out->target != NULL ? out->target : out->path;
}

/* Follows links, also to where nothing is yet: renamed over a link, a file would take its place. */
static enum gtr_code follow_links(struct gtr_outfile *out, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    char to[PATH_MAX];
    int n_links;

    for (n_links = 0; rc == GTR_OK && n_links < LINKS_MOST; n_links++) {
        const char *place = gtr_outfile_place(out), *slash = strrchr(place, '/');
        ssize_t n = readlink(place, to, sizeof to - 1);
        char *next = NULL;

        if (n < 0) /* no link, or nothing */
            return GTR_OK;
        to[n] = '\0';
        if (to[0] == '/' || slash == NULL)
            rc = gtr_format(&next, out->path, err, "%s", to);
        else
            rc = gtr_format(&next, out->path, err, "%.*s/%s", (int)(slash - place), place, to);
        gtr_free(out->target);
        out->target = next;
    }
    return rc != GTR_OK ? rc
                        : gtr_fail(err, GTR_EIO, "%s: leads through too many links", out->path);
}

/* An empty file under a name that nobody has.  It gets the mode that open() gives, unlike one that
 * mkstemp() makes; what that is cannot be asked for without changing it for all threads. */
static enum gtr_code create_beside(struct gtr_outfile *out, struct gtr_err *err)
{
    size_t size = strlen(gtr_outfile_place(out)) + sizeof ".123456";
    enum gtr_code rc = gtr_alloc_for(&out->temporary, size, 1, "bytes", err);
    uint32_t number;
    int fd = -1, tries;

    if (rc != GTR_OK)
        return rc;
    for (tries = 0; fd < 0 && tries < TRIES; tries++) {
        if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number)
            number = (uint32_t)getpid() + (uint32_t)tries;
        snprintf(out->temporary, size, "%s.%06x", gtr_outfile_place(out), number & 0xffffff);
        fd = open(out->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd >= 0) {
        close(fd);
        return GTR_OK;
    }
    rc = gtr_fail(err, GTR_EIO, "%s: cannot write: %s", out->path, strerror(errno));
    gtr_free(out->temporary); /* whoever has it, it is not ours to remove */
    out->temporary = NULL;
    return rc;
}

enum gtr_code gtr_outfile_begin(struct gtr_outfile *out, const char *path, bool force,
                                struct gtr_err *err)
{
    enum gtr_code rc;
    struct stat there;

    *out = (struct gtr_outfile){ .force = force };
    rc = gtr_format(&out->path, path, err, "%s", path);
    if (rc != GTR_OK)
        return rc;
    if (stat(path, &there) == 0) {
        if (S_ISDIR(there.st_mode)) {
            rc = gtr_fail(err, GTR_EIO, "%s: is a folder; name a file in it", path);
            goto out;
        }
        if (!S_ISREG(there.st_mode))
            return GTR_OK;
        if (!force) {
            rc = exists_already(path, err);
            goto out;
        }
    }
    rc = follow_links(out, err);
    if (rc == GTR_OK)
        rc = create_beside(out, err);
out:
    if (rc != GTR_OK)
        gtr_outfile_abandon(out);
    return rc;
}

const char *gtr_outfile_name(const struct gtr_outfile *out)
{
    return out->temporary != NULL ? out->temporary : out->path;
}

static void forget(struct gtr_outfile *out)
{
    gtr_free(out->path);
    gtr_free(out->target);
    gtr_free(out->temporary);
    *out = (struct gtr_outfile){ 0 };
}

void gtr_outfile_abandon(struct gtr_outfile *out)
{
    if (out->temporary != NULL)
        unlink(out->temporary);
    forget(out);
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    int status;

    if (fd < 0)
        return -1;
    status = fsync(fd);
    close(fd);
    return status;
}

void gtr_folder_sync(const char *path)
{
    char *copy = gtr_strdup(path);

    if (copy == NULL)
        return;
    sync_path(dirname(copy), O_RDONLY | O_DIRECTORY);
    gtr_free(copy);
}

/* A rename is durable once the file's bytes and then its folder are on the disk. */
enum gtr_code gtr_outfile_commit(struct gtr_outfile *out, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (out->temporary == NULL) {
        forget(out);
        return GTR_OK;
    }
    if (sync_path(out->temporary, O_RDONLY) != 0) {
        rc = gtr_fail(err, GTR_EIO, "%s: cannot write: %s", out->path, strerror(errno));
        goto out;
    }
    /* Without force, another program's file that appeared meanwhile is kept as well.  File
     * systems that cannot promise it (EINVAL) get a plain rename. */
    if (!out->force && renameat2(AT_FDCWD, out->temporary, AT_FDCWD, gtr_outfile_place(out),
                                 RENAME_NOREPLACE) == 0)
        goto out;
    if (!out->force && errno == EEXIST) {
        rc = exists_already(out->path, err);
        goto out;
    }
    if (rename(out->temporary, gtr_outfile_place(out)) != 0)
        rc = gtr_fail(err, GTR_EIO, "%s: cannot rename to it: %s", out->path, strerror(errno));
out:
    if (rc != GTR_OK) {
        gtr_outfile_abandon(out);
        return rc;
    }
    gtr_folder_sync(gtr_outfile_place(out));
    forget(out);
    return GTR_OK;
}

enum gtr_code gtr_file_close(FILE *f, const char *path, struct gtr_err *err)
{
    int failed = ferror(f);

    errno = 0;
    if (fclose(f) != 0 || failed)
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", path,
                        errno != 0 ? strerror(errno) : "write failed");
    return GTR_OK;
}

size_t gtr_read_at(int fd, void *bytes, size_t n, uint64_t at)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(fd, (char *)bytes + done, n - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        errno = got == 0 ? 0 : errno;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

size_t gtr_write_at(int fd, const void *bytes, size_t n, uint64_t at)
{
    size_t done = 0;

    while (done < n) {
        ssize_t put = pwrite(fd, (const char *)bytes + done, n - done, (off_t)(at + done));

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            break;
        done += (size_t)put;
    }
    return done;
}
