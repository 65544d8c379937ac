/* sweep_journal.c - what a sweep has finished, safe from being killed.
 *
 *     head   "gradtrace-sweep-1\n", digest of the sweep
 *     block  { first row, rows, CRC-32 of the rows, 0 } and the rows, again and again
 *
 * A block that is cut short or does not match its checksum ends the journal; the sweep goes on from
 * there and overwrites it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "alloc.h"
#include "digest.h"
#include "objectives.h"
#include "outfile.h"
#include "sweep_file.h"

struct head {
    char magic[24];
    uint64_t digest;
};

struct block {
    uint64_t first, count;
    uint64_t crc;
    uint64_t zero;
};

struct gtr_sweep_journal {
    char *path;
    int fd;
    uint64_t n_rows, end; /* where the next block goes */
};

static const char magic[24] = "gradtrace-sweep-1\n";

static uint64_t digest_text(uint64_t digest, const char *text)
{
    const unsigned char end = 0xff; /* "ab", "c" is not "a", "bc" */

    return gtr_digest_bytes(gtr_digest_bytes(digest, text, strlen(text)), &end, 1);
}

static uint64_t digest_of(const struct gtr_sweep_about *about)
{
    char range[80];
    uint64_t digest = GTR_DIGEST_START;

    snprintf(range, sizeof range, "%llu %llu %llu", (unsigned long long)about->n_settings,
             (unsigned long long)about->first, (unsigned long long)about->count);
    digest = digest_text(digest, about->trace);
    digest = digest_text(digest, about->group_by);
    digest = digest_text(digest, about->context);
    digest = digest_text(digest, about->plan);
    return digest_text(digest, range);
}

/* The next bytes of the file; false if there are fewer, or the disk is full. */
static bool take(struct gtr_sweep_journal *journal, void *to, size_t size)
{
    size_t n = gtr_read_at(journal->fd, to, size, journal->end);

    journal->end += n;
    return n == size;
}

static bool put(struct gtr_sweep_journal *journal, const void *from, size_t size)
{
    size_t n = gtr_write_at(journal->fd, from, size, journal->end);

    journal->end += n;
    return n == size;
}

static uint64_t crc_of(const double *rows, size_t n)
{
    return crc32_z(0, (const unsigned char *)rows, n * GTR_OBJECTIVE_COUNT * sizeof *rows);
}

/* Reads whole blocks; afterwards the file ends behind the last of them. */
static size_t read_blocks(struct gtr_sweep_journal *journal, uint64_t most, double *rows)
{
    const size_t row = GTR_OBJECTIVE_COUNT;
    uint64_t end = journal->end;
    size_t done = 0;
    struct block block;

    while (take(journal, &block, sizeof block)) {
        if (block.first != done || block.count == 0 || block.count > most - done ||
            !take(journal, rows + done * row, block.count * row * sizeof *rows) ||
            block.crc != crc_of(rows + done * row, block.count))
            break;
        done += block.count;
        end = journal->end;
    }
    journal->end = end;
    return ftruncate(journal->fd, (off_t)end) == 0 ? done : 0;
}

static enum gtr_code start(struct gtr_sweep_journal *journal, const struct gtr_sweep_about *about,
                           double *rows, size_t *n_done, struct gtr_err *err)
{
    struct head head, ours = { .digest = digest_of(about) };
    struct stat status;

    memcpy(ours.magic, magic, sizeof magic);
    if (fstat(journal->fd, &status) == 0 && status.st_size > 0) {
        if (!take(journal, &head, sizeof head) || memcmp(&head, &ours, sizeof head) != 0)
            return gtr_fail(err, GTR_EIO,
                            "%s: is what another sweep left when it was stopped; finish that one, "
                            "or remove the file",
                            journal->path);
        *n_done = read_blocks(journal, about->count, rows);
        return GTR_OK;
    }
    if (!put(journal, &ours, sizeof ours))
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", journal->path, strerror(errno));
    return GTR_OK;
}

enum gtr_code gtr_sweep_journal_open(const char *path, const struct gtr_sweep_about *about,
                                     struct gtr_sweep_journal **out, double *rows, size_t *n_done,
                                     struct gtr_err *err)
{
    struct gtr_sweep_journal *journal;
    enum gtr_code rc;

    *out = NULL;
    *n_done = 0;
    rc = gtr_alloc_for(&journal, 1, sizeof *journal, "journals", err);
    if (rc != GTR_OK)
        return rc;
    journal->fd = -1;
    rc = gtr_format(&journal->path, path, err, "%s.part", path);
    if (rc != GTR_OK)
        goto out;
    journal->fd = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (journal->fd < 0) {
        rc = gtr_fail(err, GTR_EIO, "%s: cannot write: %s", journal->path, strerror(errno));
        goto out;
    }
    if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0)
        rc = gtr_fail(err, GTR_EIO, "%s: another sweep is writing it", journal->path);
    else
        rc = start(journal, about, rows, n_done, err);
    journal->n_rows = *n_done;
out:
    if (rc != GTR_OK) {
        gtr_sweep_journal_close(journal, false);
        return rc;
    }
    *out = journal;
    return GTR_OK;
}

enum gtr_code gtr_sweep_journal_append(struct gtr_sweep_journal *journal, const double *rows,
                                       size_t n, struct gtr_err *err)
{
    const struct block block = { .first = journal->n_rows, .count = n, .crc = crc_of(rows, n) };

    if (!put(journal, &block, sizeof block) ||
        !put(journal, rows, n * GTR_OBJECTIVE_COUNT * sizeof *rows))
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", journal->path, strerror(errno));
    journal->n_rows += n;
    return GTR_OK;
}

void gtr_sweep_journal_close(struct gtr_sweep_journal *journal, bool finished)
{
    if (journal == NULL)
        return;
    if (journal->fd >= 0) {
        close(journal->fd);
        if (finished)
            unlink(journal->path);
    }
    gtr_free(journal->path);
    gtr_free(journal);
}
