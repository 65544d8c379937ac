/* journal_write.c - append records to a journal. */
#define _GNU_SOURCE
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "outfile.h"
#include "trace_private.h"

enum {
    COPY_BYTES = 1 << 16,
    AHEAD = 1 << 18,   /* bytes of the disk that are set aside at a time, */
    STOP_ROOM = 1 << 9 /* so that even on a full one there is room to say that it is full */
};

/* A record being made.  Once there is no memory, nothing more is put into it. */
struct record {
    unsigned char *bytes;
    size_t n, capacity;
    enum gtr_code rc;
    struct gtr_err *err;
};

struct gtr_journal_writer {
    char *path;
    bool sync;
    bool param_norms;
    size_t n_tensors;
    pthread_mutex_t lock; /* over all that follows: one thread adds rows, another restarts */
    struct record record;
    int fd;         /* -1: there is no file yet */
    uint64_t end;   /* of the last whole record */
    uint64_t aside; /* bytes of the disk that the file has; UINT64_MAX: nobody can tell */
    uint64_t first_row;
    uint64_t *starts; /* [n_rows], of their records */
    size_t n_rows, starts_capacity;
    struct gtr_late late;                  /* grad_state NULL: nothing was told */
    char spare[GTR_JOURNAL_STOP_MOST + 1]; /* "": elements go on */
};

/* --- records in memory ------------------------------------------------------------------------ */

static void put(struct record *r, const void *bytes, size_t n)
{
    if (r->rc == GTR_OK)
        r->rc = gtr_grow(&r->bytes, &r->capacity, r->n + n, 1, r->err);
    if (r->rc != GTR_OK || n == 0)
        return;
    memcpy(r->bytes + r->n, bytes, n);
    r->n += n;
}

static void put_u32(struct record *r, uint32_t value)
{
    put(r, &value, sizeof value);
}

static void put_u64(struct record *r, uint64_t value)
{
    put(r, &value, sizeof value);
}

static void put_text(struct record *r, const char *text)
{
    size_t n = text != NULL ? strlen(text) : 0;

    put_u32(r, text != NULL ? (uint32_t)n : GTR_JOURNAL_NO_TEXT);
    put(r, text, n);
}

static void begin(struct record *r, uint32_t kind, struct gtr_err *err)
{
    r->n = 0;
    r->rc = GTR_OK;
    r->err = err;
    put_u32(r, kind);
    put_u32(r, 0);
}

/* Length and sum, when the rest is there. */
static enum gtr_code finish(const char *path, struct record *r)
{
    uint32_t length = (uint32_t)(r->n - GTR_JOURNAL_BEFORE);

    if (r->rc != GTR_OK)
        return r->rc;
    if (r->n - GTR_JOURNAL_BEFORE > UINT32_MAX)
        return gtr_fail(r->err, GTR_EUSAGE, "%s: a record of %zu bytes is too large", path, r->n);
    memcpy(r->bytes + 4, &length, sizeof length);
    put_u32(r, gtr_crc_bytes(0, r->bytes, r->n));
    return r->rc;
}

static void put_head(struct record *r, const struct gtr_head *head)
{
    const int64_t integers[] = { head->rank, head->world_size, head->total_steps };
    size_t i;

    put(r, integers, sizeof integers);
    for (i = 0; i < GTR_HEAD_STOPPED; i++)
        put_text(r, *gtr_head_text(head, i));
    put_u64(r, head->n_tensors);
    for (i = 0; i < head->n_tensors; i++) {
        const struct gtr_tensor *tensor = &head->tensors[i];

        put_text(r, tensor->name);
        put_text(r, tensor->shape);
        put_text(r, gtr_dtype_name(tensor->dtype));
        put_text(r, tensor->param_group);
        put_u64(r, tensor->numel);
    }
}

/* --- records in the file ---------------------------------------------------------------------- */

static enum gtr_code cannot_write(const struct gtr_journal_writer *w, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", w->path, strerror(errno));
}

/* For the record, and one that says that there is no room for more. */
static enum gtr_code set_aside(struct gtr_journal_writer *w, struct gtr_err *err)
{
    uint64_t need = w->end + w->record.n + STOP_ROOM;

    if (need <= w->aside)
        return GTR_OK;
    if (fallocate(w->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)(need + AHEAD)) == 0)
        w->aside = need + AHEAD;
    else if (errno == EOPNOTSUPP || errno == ENOSYS)
        w->aside = UINT64_MAX;
    else if (errno != EINTR)
        return cannot_write(w, err);
    return GTR_OK;
}

static void put_word(struct record *r, const char *word)
{
    char bytes[GTR_JOURNAL_WORD] = "";

    if (word != NULL)
        memcpy(bytes, word, strnlen(word, sizeof bytes));
    put(r, bytes, sizeof bytes);
}

static enum gtr_code make_known(struct record *r, const struct gtr_late *late, struct gtr_err *err)
{
    begin(r, GTR_JOURNAL_KNOW, err);
    put(r, &late->total_steps, sizeof late->total_steps);
    put_word(r, late->grad_state);
    put_word(r, late->total_steps_from);
    return r->rc;
}

/* The record behind the others. */
static enum gtr_code write_record(struct gtr_journal_writer *w, struct gtr_err *err)
{
    enum gtr_code rc = finish(w->path, &w->record);

    if (rc != GTR_OK)
        return rc;
    if (gtr_write_at(w->fd, w->record.bytes, w->record.n, w->end) < w->record.n ||
        (w->sync && fdatasync(w->fd) != 0)) {
        rc = cannot_write(w, err);
        /* What is left of it is cut off; if that fails, too, readers find it torn. */
        if (ftruncate(w->fd, (off_t)w->end) != 0)
            return rc;
    }
    w->end += rc == GTR_OK ? w->record.n : 0;
    return rc;
}

static enum gtr_code append(struct gtr_journal_writer *w, const struct gtr_row *row,
                            struct gtr_err *err)
{
    struct record *r = &w->record;
    unsigned char step[GTR_STEP_BYTES_MOST];
    const uint64_t start = w->end;
    size_t n = w->n_tensors;
    enum gtr_code rc;

    begin(r, row->step->rest == 0.0 ? GTR_JOURNAL_ROW : GTR_JOURNAL_REST, err);
    put_u64(r, w->first_row + w->n_rows);
    put(r, step, gtr_step_pack(row->step, step));
    put(r, row->sumsq, n * sizeof *row->sumsq);
    put(r, row->maxabs, n * sizeof *row->maxabs);
    put(r, row->nonfinite, n * sizeof *row->nonfinite);
    if (w->param_norms)
        put(r, row->param_sumsq, n * sizeof *row->param_sumsq);
    rc = r->rc;
    if (rc == GTR_OK)
        rc = gtr_grow(&w->starts, &w->starts_capacity, w->n_rows + 1, sizeof *w->starts, err);
    if (rc == GTR_OK)
        rc = set_aside(w, err);
    if (rc == GTR_OK)
        rc = write_record(w, err);
    if (rc == GTR_OK)
        w->starts[w->n_rows++] = start;
    return rc;
}

enum gtr_code gtr_journal_append(struct gtr_journal_writer *w, const struct gtr_row *row,
                                 struct gtr_err *err)
{
    enum gtr_code rc;

    pthread_mutex_lock(&w->lock);
    rc = append(w, row, err);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

enum gtr_code gtr_journal_amend(struct gtr_journal_writer *w, double applied_scale, bool skipped,
                                struct gtr_err *err)
{
    const unsigned char flag = skipped;
    struct record *r = &w->record;
    enum gtr_code rc;

    pthread_mutex_lock(&w->lock);
    begin(r, GTR_JOURNAL_AMEND, err);
    put_u64(r, w->first_row + w->n_rows - 1);
    put(r, &applied_scale, sizeof applied_scale);
    put(r, &flag, 1);
    rc = write_record(w, err);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* A text that says why, which nobody leaves out. */
static enum gtr_code write_why(struct gtr_journal_writer *w, uint32_t kind, const char *why,
                               struct gtr_err *err)
{
    size_t n = strnlen(why, GTR_JOURNAL_STOP_MOST);
    enum gtr_code rc;

    pthread_mutex_lock(&w->lock);
    begin(&w->record, kind, err);
    put(&w->record, n > 0 ? why : "?", n > 0 ? n : 1);
    rc = write_record(w, err);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

enum gtr_code gtr_journal_stop(struct gtr_journal_writer *w, const char *why, struct gtr_err *err)
{
    return write_why(w, GTR_JOURNAL_STOP, why, err);
}

enum gtr_code gtr_journal_spare(struct gtr_journal_writer *w, const char *why, struct gtr_err *err)
{
    snprintf(w->spare, sizeof w->spare, "%s", why); /* of the thread that restarts */
    return write_why(w, GTR_JOURNAL_SPARE, why, err);
}

enum gtr_code gtr_journal_know(struct gtr_journal_writer *w, const struct gtr_late *late,
                               struct gtr_err *err)
{
    enum gtr_code rc;

    pthread_mutex_lock(&w->lock);
    w->late = *late;
    rc = make_known(&w->record, late, err);
    if (rc == GTR_OK)
        rc = write_record(w, err);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

uint64_t gtr_journal_next(struct gtr_journal_writer *w)
{
    uint64_t next;

    pthread_mutex_lock(&w->lock);
    next = w->first_row + w->n_rows;
    pthread_mutex_unlock(&w->lock);
    return next;
}

enum gtr_code gtr_journal_sync(struct gtr_journal_writer *w, struct gtr_err *err)
{
    return fdatasync(w->fd) == 0 ? GTR_OK : cannot_write(w, err);
}

/* --- a new file ------------------------------------------------------------------------------- */

/* The journal that is to take the place of the other. */
struct successor {
    char *path; /* its temporary name */
    int fd;
    uint64_t end;
    size_t kept;     /* the row of the other that it starts with, from its first */
    uint64_t copied; /* bytes of the other that are in it */
    uint64_t shift;  /* where a record is in the other, less where it is in this */
};

static enum gtr_code write_header(struct gtr_journal_writer *w, struct successor *next,
                                  const struct gtr_head *head, uint64_t first_row,
                                  struct gtr_err *err)
{
    struct record header = { 0 };
    enum gtr_code rc;

    begin(&header, GTR_JOURNAL_HEADER, err);
    put_u32(&header, GTR_JOURNAL_VERSION);
    put_u32(&header, w->param_norms);
    put_u64(&header, first_row);
    put_head(&header, head);
    rc = finish(w->path, &header);
    if (rc == GTR_OK && gtr_write_at(next->fd, header.bytes, header.n, 0) < header.n)
        rc = cannot_write(w, err);
    next->end = header.n;
    gtr_free(header.bytes);
    return rc;
}

/* Records of the other file up to `end`. */
static enum gtr_code copy_records(struct gtr_journal_writer *w, struct successor *next,
                                  uint64_t end, struct gtr_err *err)
{
    unsigned char buffer[COPY_BYTES];

    while (next->copied < end) {
        size_t n = end - next->copied < COPY_BYTES ? (size_t)(end - next->copied) : COPY_BYTES;

        if (gtr_read_at(w->fd, buffer, n, next->copied) < n)
            return gtr_fail(err, GTR_EIO, "%s: cannot read: %s", w->path,
                            errno != 0 ? strerror(errno) : "it has been cut off");
        if (gtr_write_at(next->fd, buffer, n, next->end) < n)
            return cannot_write(w, err);
        next->copied += n;
        next->end += n;
    }
    return GTR_OK;
}

/* All that is there now, and to the disk: what takes time, without the lock. */
static enum gtr_code make_successor(struct gtr_journal_writer *w, struct successor *next,
                                    const struct gtr_head *head, uint64_t first_row,
                                    struct gtr_err *err)
{
    uint64_t end;
    enum gtr_code rc;

    next->fd = open(next->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (next->fd < 0)
        return cannot_write(w, err);
    rc = write_header(w, next, head, first_row, err);
    if (rc != GTR_OK)
        return rc;
    pthread_mutex_lock(&w->lock);
    next->kept = (size_t)(first_row - w->first_row);
    next->copied = next->kept < w->n_rows ? w->starts[next->kept] : w->end;
    end = w->end;
    pthread_mutex_unlock(&w->lock);
    next->shift = next->copied - next->end;
    rc = copy_records(w, next, end, err);
    if (rc == GTR_OK && fsync(next->fd) != 0)
        rc = cannot_write(w, err);
    return rc;
}

/* The record in w->record, behind the others of the new one. */
static enum gtr_code write_to(struct gtr_journal_writer *w, struct successor *next,
                              struct gtr_err *err)
{
    enum gtr_code rc = finish(w->path, &w->record);

    if (rc == GTR_OK &&
        gtr_write_at(next->fd, w->record.bytes, w->record.n, next->end) < w->record.n)
        return cannot_write(w, err);
    next->end += w->record.n;
    return rc;
}

/* What was told for good may have stood among the rows that are left out. */
static enum gtr_code repeat(struct gtr_journal_writer *w, struct successor *next,
                            struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (w->late.grad_state != NULL) {
        rc = make_known(&w->record, &w->late, err);
        if (rc == GTR_OK)
            rc = write_to(w, next, err);
    }
    if (rc == GTR_OK && w->spare[0] != '\0') {
        begin(&w->record, GTR_JOURNAL_SPARE, err);
        put(&w->record, w->spare, strlen(w->spare));
        rc = write_to(w, next, err);
    }
    return rc;
}

/* The few records that came meanwhile, and the name. */
static enum gtr_code put_in_place(struct gtr_journal_writer *w, struct successor *next,
                                  struct gtr_err *err)
{
    enum gtr_code rc = copy_records(w, next, w->end, err);
    size_t i;

    if (rc == GTR_OK)
        rc = repeat(w, next, err);
    if (rc == GTR_OK && ((w->sync && fdatasync(next->fd) != 0) || rename(next->path, w->path) != 0))
        rc = cannot_write(w, err);
    if (rc != GTR_OK)
        return rc;
    for (i = next->kept; i < w->n_rows; i++)
        w->starts[i - next->kept] = w->starts[i] - next->shift;
    w->first_row += next->kept;
    w->n_rows -= next->kept;
    w->end = next->end;
    w->aside = 0;
    if (w->fd >= 0)
        close(w->fd);
    w->fd = next->fd;
    next->fd = -1;
    return GTR_OK;
}

enum gtr_code gtr_journal_restart(struct gtr_journal_writer *w, const struct gtr_head *head,
                                  uint64_t first_row, struct gtr_err *err)
{
    struct successor next = { .fd = -1 };
    enum gtr_code rc = gtr_format(&next.path, w->path, err, "%s.tmp", w->path);

    if (rc == GTR_OK)
        rc = make_successor(w, &next, head, first_row, err);
    if (rc == GTR_OK) {
        pthread_mutex_lock(&w->lock);
        rc = put_in_place(w, &next, err);
        pthread_mutex_unlock(&w->lock);
    }
    if (next.fd >= 0) {
        unlink(next.path);
        close(next.fd);
    }
    if (rc == GTR_OK)
        gtr_folder_sync(w->path);
    gtr_free(next.path);
    return rc;
}

enum gtr_code gtr_journal_create(const char *path, const struct gtr_head *head, bool param_norms,
                                 uint64_t first_row, bool sync, struct gtr_journal_writer **out,
                                 struct gtr_err *err)
{
    struct gtr_journal_writer *w = NULL;
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&w, 1, sizeof *w, "journals", err);
    if (rc != GTR_OK)
        return rc;
    w->fd = -1;
    w->sync = sync;
    w->param_norms = param_norms;
    w->n_tensors = head->n_tensors;
    w->first_row = first_row;
    pthread_mutex_init(&w->lock, NULL);
    rc = gtr_format(&w->path, path, err, "%s", path);
    if (rc == GTR_OK)
        rc = gtr_journal_restart(w, head, first_row, err);
    if (rc == GTR_OK) {
        *out = w;
        return rc;
    }
    gtr_journal_close(w);
    return rc;
}

/* What was set aside; if that fails, the file takes a little more of the disk than it needs. */
static void give_back(const struct gtr_journal_writer *w)
{
    if (ftruncate(w->fd, (off_t)w->end) != 0)
        return;
}

void gtr_journal_close(struct gtr_journal_writer *w)
{
    if (w == NULL)
        return;
    if (w->fd >= 0) {
        give_back(w);
        close(w->fd);
    }
    pthread_mutex_destroy(&w->lock);
    gtr_free(w->record.bytes);
    gtr_free(w->starts);
    gtr_free(w->path);
    gtr_free(w);
}
