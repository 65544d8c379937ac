/* journal_write.c - append records to a journal. */
#define _GNU_SOURCE
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "journal_records.h"
#include "outfile.h"

struct gtr_journal_writer {
    char *path;
    int fd;
    bool sync;
    bool param_norms;
    size_t n_tensors;
    uint64_t end; /* of the last whole record */
    unsigned char *record;
    size_t n, capacity; /* bytes of it */
};

/* --- records in memory ------------------------------------------------------------------------ */

static enum gtr_code put(struct gtr_journal_writer *w, const void *bytes, size_t n,
                         struct gtr_err *err)
{
    enum gtr_code rc = gtr_grow(&w->record, &w->capacity, w->n + n, 1, err);

    if (rc == GTR_OK && n > 0)
        memcpy(w->record + w->n, bytes, n);
    if (rc == GTR_OK)
        w->n += n;
    return rc;
}

static enum gtr_code put_u32(struct gtr_journal_writer *w, uint32_t value, struct gtr_err *err)
{
    return put(w, &value, sizeof value, err);
}

static enum gtr_code put_u64(struct gtr_journal_writer *w, uint64_t value, struct gtr_err *err)
{
    return put(w, &value, sizeof value, err);
}

static enum gtr_code put_text(struct gtr_journal_writer *w, const char *text, struct gtr_err *err)
{
    size_t n = text != NULL ? strlen(text) : 0;
    enum gtr_code rc = put_u32(w, text != NULL ? (uint32_t)n : GTR_JOURNAL_NO_TEXT, err);

    return rc == GTR_OK ? put(w, text, n, err) : rc;
}

/* Its length is filled in when it is whole. */
static enum gtr_code begin(struct gtr_journal_writer *w, uint32_t kind, struct gtr_err *err)
{
    enum gtr_code rc;

    w->n = 0;
    rc = put_u32(w, kind, err);
    return rc == GTR_OK ? put_u32(w, 0, err) : rc;
}

static enum gtr_code put_head(struct gtr_journal_writer *w, const struct gtr_head *head,
                              struct gtr_err *err)
{
    const char *texts[] = { head->producer,   head->created, head->reduction,
                            head->grad_state, head->meta,    head->group_by };
    const int64_t integers[] = { head->rank, head->world_size, head->total_steps };
    enum gtr_code rc = put(w, integers, sizeof integers, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(texts); i++)
        rc = put_text(w, texts[i], err);
    if (rc == GTR_OK)
        rc = put_u64(w, head->n_tensors, err);
    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        const struct gtr_tensor *tensor = &head->tensors[i];

        rc = put_text(w, tensor->name, err);
        if (rc == GTR_OK)
            rc = put_text(w, tensor->shape, err);
        if (rc == GTR_OK)
            rc = put_text(w, gtr_dtype_name(tensor->dtype), err);
        if (rc == GTR_OK)
            rc = put_text(w, tensor->param_group, err);
        if (rc == GTR_OK)
            rc = put_u64(w, tensor->numel, err);
    }
    return rc;
}

/* --- records in the file ---------------------------------------------------------------------- */

static enum gtr_code cannot_write(const struct gtr_journal_writer *w, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", w->path, strerror(errno));
}

static enum gtr_code write_all(struct gtr_journal_writer *w, struct gtr_err *err)
{
    size_t done = 0;

    while (done < w->n) {
        ssize_t n = pwrite(w->fd, w->record + done, w->n - done, (off_t)(w->end + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot_write(w, err);
        done += (size_t)n;
    }
    return w->sync && fdatasync(w->fd) != 0 ? cannot_write(w, err) : GTR_OK;
}

static enum gtr_code write_record(struct gtr_journal_writer *w, struct gtr_err *err)
{
    uint32_t length = (uint32_t)(w->n - GTR_JOURNAL_BEFORE);
    enum gtr_code rc;

    if (w->n - GTR_JOURNAL_BEFORE > UINT32_MAX)
        return gtr_fail(err, GTR_EUSAGE, "%s: a record of %zu bytes is too large", w->path, w->n);
    memcpy(w->record + 4, &length, sizeof length);
    rc = put_u32(w, gtr_crc_bytes(0, w->record, w->n), err);
    if (rc == GTR_OK)
        rc = write_all(w, err);
    if (rc == GTR_OK)
        w->end += w->n;
    /* What is left of the record is cut off; if that fails too, readers find it torn. */
    else if (ftruncate(w->fd, (off_t)w->end) != 0)
        return rc;
    return rc;
}

static enum gtr_code write_header(struct gtr_journal_writer *w, const struct gtr_head *head,
                                  uint64_t first_row, struct gtr_err *err)
{
    enum gtr_code rc = begin(w, GTR_JOURNAL_HEADER, err);

    if (rc == GTR_OK)
        rc = put_u32(w, GTR_JOURNAL_VERSION, err);
    if (rc == GTR_OK)
        rc = put_u32(w, w->param_norms, err);
    if (rc == GTR_OK)
        rc = put_u64(w, first_row, err);
    if (rc == GTR_OK)
        rc = put_head(w, head, err);
    return rc == GTR_OK ? write_record(w, err) : rc;
}

enum gtr_code gtr_journal_create(const char *path, const struct gtr_head *head, bool param_norms,
                                 uint64_t first_row, bool sync, struct gtr_journal_writer **out,
                                 struct gtr_err *err)
{
    struct gtr_journal_writer *w = NULL;
    enum gtr_code rc;
    char *temporary = NULL;

    *out = NULL;
    rc = gtr_alloc_for(&w, 1, sizeof *w, "journals", err);
    if (rc != GTR_OK)
        return rc;
    *w = (struct gtr_journal_writer){
        .fd = -1, .sync = sync, .param_norms = param_norms, .n_tensors = head->n_tensors
    };
    w->path = gtr_strdup(path);
    rc = gtr_alloc_for(&temporary, strlen(path) + sizeof ".tmp", 1, "bytes", err);
    if (rc == GTR_OK && w->path == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "%s: no memory", path);
    if (rc != GTR_OK)
        goto out;
    snprintf(temporary, strlen(path) + sizeof ".tmp", "%s.tmp", path);
    w->fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        rc = cannot_write(w, err);
        goto out;
    }
    rc = write_header(w, head, first_row, err);
    if (rc == GTR_OK && (fsync(w->fd) != 0 || rename(temporary, path) != 0))
        rc = cannot_write(w, err);
    if (rc == GTR_OK)
        gtr_folder_sync(path);
out:
    if (rc != GTR_OK) {
        if (w->fd >= 0)
            unlink(temporary);
        gtr_journal_close(w);
        w = NULL;
    }
    gtr_free(temporary);
    *out = w;
    return rc;
}

enum gtr_code gtr_journal_append(struct gtr_journal_writer *w, uint64_t number,
                                 const struct gtr_row *row, struct gtr_err *err)
{
    unsigned char step[GTR_STEP_BYTES];
    enum gtr_code rc = begin(w, GTR_JOURNAL_ROW, err);
    size_t n = w->n_tensors;

    gtr_step_pack(row->step, step);
    if (rc == GTR_OK)
        rc = put_u64(w, number, err);
    if (rc == GTR_OK)
        rc = put(w, step, sizeof step, err);
    if (rc == GTR_OK)
        rc = put(w, row->sumsq, n * sizeof *row->sumsq, err);
    if (rc == GTR_OK)
        rc = put(w, row->maxabs, n * sizeof *row->maxabs, err);
    if (rc == GTR_OK)
        rc = put(w, row->nonfinite, n * sizeof *row->nonfinite, err);
    if (rc == GTR_OK && w->param_norms)
        rc = put(w, row->param_sumsq, n * sizeof *row->param_sumsq, err);
    return rc == GTR_OK ? write_record(w, err) : rc;
}

enum gtr_code gtr_journal_amend(struct gtr_journal_writer *w, uint64_t number, double applied_scale,
                                bool skipped, struct gtr_err *err)
{
    const unsigned char flag = skipped;
    enum gtr_code rc = begin(w, GTR_JOURNAL_AMEND, err);

    if (rc == GTR_OK)
        rc = put_u64(w, number, err);
    if (rc == GTR_OK)
        rc = put(w, &applied_scale, sizeof applied_scale, err);
    if (rc == GTR_OK)
        rc = put(w, &flag, 1, err);
    return rc == GTR_OK ? write_record(w, err) : rc;
}

enum gtr_code gtr_journal_sync(struct gtr_journal_writer *w, struct gtr_err *err)
{
    return fdatasync(w->fd) == 0 ? GTR_OK : cannot_write(w, err);
}

void gtr_journal_close(struct gtr_journal_writer *w)
{
    if (w == NULL)
        return;
    if (w->fd >= 0)
        close(w->fd);
    gtr_free(w->record);
    gtr_free(w->path);
    gtr_free(w);
}
