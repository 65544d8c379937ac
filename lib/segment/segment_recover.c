/* segment_recover.c - copy what is right of a damaged trace.
 *
 * Sources of rows are the segments, the journal, and segments that were never closed but open all
 * the same.  Each row is taken from the first of them that has it right; its elements from the
 * first that has these right.
 */
#include "segment_recover.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "merge.h"
#include "merge_private.h"
#include "segment_private.h"

/* One of the two is set. */
struct source {
    struct gtr_trace *file;
    struct gtr_journal *journal;
    uint64_t first_row;
    bool left; /* a segment that was never closed: what it says of the whole is old */
};

/* A row that is right, and where it is. */
struct good {
    uint64_t number;
    size_t source, at;
};

struct recovery {
    const struct gtr_remarks *remarks;
    const char *path;
    struct source *sources;
    size_t n_sources, source_capacity;
    struct good *rows;
    size_t n_rows, row_capacity;
    uint64_t end; /* rows are known to have been up to here */
    struct gtr_writer *writer;
    struct gtr_writer_options options;
    uint64_t n_dropped;     /* captures, by the recorder */
    struct gtr_rows values; /* of one row */
    struct gtr_recovered *found;
};

/* --- sources ---------------------------------------------------------------------------------- */

static struct gtr_head *head_of(const struct source *source)
{
    return source->file != NULL ? &source->file->head : &source->journal->head;
}

static bool has_param_norms(const struct source *source)
{
    return source->file != NULL ? source->file->holds[GTR_PARAM_SUMSQ]
                                : source->journal->param_norms;
}

/* Takes the source, or frees it if it is not of this trace. */
static enum gtr_code add_source(struct recovery *recovery, struct source *source, const char *path,
                                struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    char what[200];
    const char *differs = NULL;

    if (recovery->n_sources > 0) {
        differs =
            gtr_head_differs(head_of(&recovery->sources[0]), head_of(source), what, sizeof what);
        if (differs == NULL && has_param_norms(source) != has_param_norms(&recovery->sources[0]))
            differs = "other norms";
    }
    if (differs != NULL)
        gtr_say(recovery->remarks, path, true, "is left out: it has %s as the parts before it",
                differs);
    else
        rc = gtr_grow(&recovery->sources, &recovery->source_capacity, recovery->n_sources + 1,
                      sizeof *source, err);
    if (differs != NULL || rc != GTR_OK) {
        gtr_trace_close(source->file);
        gtr_journal_free(source->journal);
        return rc;
    }
    recovery->sources[recovery->n_sources++] = *source;
    return GTR_OK;
}

static enum gtr_code add_row(struct recovery *recovery, uint64_t number, size_t at,
                             struct gtr_err *err)
{
    const struct good row = { number, recovery->n_sources - 1, at };
    enum gtr_code rc =
        gtr_grow(&recovery->rows, &recovery->row_capacity, recovery->n_rows + 1, sizeof row, err);

    if (rc == GTR_OK)
        recovery->rows[recovery->n_rows++] = row;
    return rc;
}

/* Rows that are right of the file that was added last. */
static enum gtr_code add_file_rows(struct recovery *recovery, const char *path, struct gtr_err *err)
{
    const struct source *source = &recovery->sources[recovery->n_sources - 1];
    size_t n = source->file->n_steps, n_bad = 0, t;
    bool *bad = NULL;
    enum gtr_code rc = gtr_alloc_for(&bad, n, sizeof *bad, "rows", err);

    if (rc == GTR_OK)
        rc = gtr_trace_check_rows(source->file, bad, err);
    for (t = 0; rc == GTR_OK && t < n; t++) {
        n_bad += bad[t];
        if (!bad[t])
            rc = add_row(recovery, source->first_row + t, t, err);
    }
    gtr_free(bad);
    if (n_bad > 0)
        gtr_say(recovery->remarks, path, true, "%zu of %zu rows are damaged", n_bad, n);
    if (source->first_row + n > recovery->end)
        recovery->end = source->first_row + n;
    return rc;
}

/* A segment that was never closed has rows only if they carry checksums. */
static enum gtr_code add_file(struct recovery *recovery, const struct gtr_segment_file *found,
                              struct gtr_err *err)
{
    bool left = found->kind == GTR_SEGMENT_LEFT;
    struct source source = { .first_row = found->first_row, .left = left };
    struct gtr_err fault = { 0 };
    size_t before = recovery->n_sources;
    enum gtr_code rc = gtr_trace_open_file(found->path, false, &source.file, &fault);

    if (rc == GTR_ENOMEM)
        return gtr_fail(err, rc, "%s", fault.text);
    if (rc != GTR_OK && left)
        gtr_say(recovery->remarks, found->path, false,
                "was never closed, and holds nothing that can be read");
    else if (rc != GTR_OK)
        gtr_say_error(recovery->remarks, found->path, &fault);
    if (rc != GTR_OK)
        return GTR_OK;
    if (source.file->crc == NULL || source.file->first_row != (int64_t)found->first_row) {
        gtr_say(recovery->remarks, found->path, true,
                "is left out: it is not the segment that its name says");
        gtr_trace_close(source.file);
        return GTR_OK;
    }
    rc = add_source(recovery, &source, found->path, err);
    if (rc == GTR_OK && recovery->n_sources > before)
        rc = add_file_rows(recovery, found->path, err);
    return rc;
}

static enum gtr_code add_journal(struct recovery *recovery, const char *path, struct gtr_err *err)
{
    struct source source = { 0 };
    struct gtr_journal *journal;
    struct gtr_err fault = { 0 };
    size_t before = recovery->n_sources, i;
    enum gtr_code rc = gtr_journal_load(path, true, &journal, &fault);

    if (rc == GTR_ENOMEM)
        return gtr_fail(err, rc, "%s", fault.text);
    if (rc != GTR_OK)
        gtr_say_error(recovery->remarks, path, &fault);
    if (rc != GTR_OK || journal == NULL)
        return GTR_OK;
    source.journal = journal;
    source.first_row = journal->first_row;
    if (journal->n_altered > 0)
        gtr_say(recovery->remarks, path, true,
                "%zu of its records are damaged, the first at byte %" PRIu64, journal->n_altered,
                journal->altered_at);
    rc = add_source(recovery, &source, path, err);
    if (recovery->n_sources == before)
        return rc;
    for (i = 0; rc == GTR_OK && i < journal->n_rows; i++)
        rc = add_row(recovery, journal->rows[i].number, i, err);
    if (journal->n_rows > 0 && journal->rows[journal->n_rows - 1].number >= recovery->end)
        recovery->end = journal->rows[journal->n_rows - 1].number + 1;
    return rc;
}

/* Segments, then the journal, then what was left: in the order in which they are believed. */
static enum gtr_code add_folder(struct recovery *recovery, const char *folder, int64_t rank,
                                struct gtr_err *err)
{
    static const enum gtr_segment_kind order[] = { GTR_SEGMENT_WHOLE, GTR_SEGMENT_JOURNAL,
                                                   GTR_SEGMENT_LEFT };
    struct gtr_segment_list list;
    enum gtr_code rc = gtr_segment_list_read(folder, rank, &list, err);
    size_t pass, i;

    if (rc == GTR_OK && list.n > 0 && list.files[0].rank != list.files[list.n - 1].rank)
        rc = gtr_fail(err, GTR_EUSAGE, "%s: has several ranks; name one, as in %s/rank%" PRId64,
                      folder, folder, list.files[0].rank);
    for (pass = 0; pass < GTR_ARRAY_LEN(order); pass++)
        for (i = 0; rc == GTR_OK && i < list.n; i++)
            if (list.files[i].kind == order[pass])
                rc = order[pass] == GTR_SEGMENT_JOURNAL
                         ? add_journal(recovery, list.files[i].path, err)
                         : add_file(recovery, &list.files[i], err);
    gtr_segment_list_free(&list);
    return rc;
}

static enum gtr_code add_single(struct recovery *recovery, const char *path, struct gtr_err *err)
{
    struct source source = { 0 };
    enum gtr_code rc = gtr_trace_open_file(path, false, &source.file, err);

    if (rc == GTR_OK)
        rc = add_source(recovery, &source, path, err);
    return rc == GTR_OK ? add_file_rows(recovery, path, err) : rc;
}

/* --- copying ---------------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const struct good *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->source > y->source) - (x->source < y->source);
}

static enum gtr_code read_row(struct recovery *recovery, const struct good *row,
                              struct gtr_step *step, struct gtr_err *err)
{
    const struct source *source = &recovery->sources[row->source];
    enum gtr_norm norm;

    *step =
        source->file != NULL ? source->file->steps[row->at] : source->journal->rows[row->at].step;
    if (source->file != NULL)
        return gtr_trace_read_all(source->file, row->at, 1, &recovery->values, err);
    for (norm = 0; norm < GTR_NAN; norm++)
        gtr_journal_values(source->journal, row->at, norm, gtr_rows_of(&recovery->values, norm));
    return GTR_OK;
}

/* The capture of a row in a file, or n_captures. */
static size_t capture_of(const struct gtr_trace *file, size_t row)
{
    size_t c = 0;

    while (c < file->n_captures && file->capture_rows[c] != (int64_t)row)
        c++;
    return c;
}

/* Elements of the row from the first of its `n` places that has them right. */
static enum gtr_code copy_elements(struct recovery *recovery, const struct good *row, size_t n,
                                   struct gtr_err *err)
{
    struct gtr_err fault = { 0 };
    bool captured = false;
    size_t i;

    for (i = 0; recovery->options.elements && i < n; i++) {
        struct gtr_trace *file = recovery->sources[row[i].source].file;
        struct gtr_writer_options options = recovery->options;
        size_t capture = file != NULL ? capture_of(file, row[i].at) : 0;

        if (file == NULL || capture == file->n_captures)
            continue;
        captured = true;
        if (gtr_copy_sampling(file, &options, &fault) != GTR_OK || !options.elements ||
            memcmp(&options.sampling, &recovery->options.sampling, sizeof options.sampling) != 0 ||
            gtr_trace_check_capture(file, capture, &fault) != GTR_OK)
            continue;
        recovery->found->n_captures++;
        return gtr_copy_capture(file, capture, recovery->writer, err);
    }
    if (captured) {
        recovery->found->n_lost_captures++;
        gtr_say(recovery->remarks, recovery->path, true, "elements of row %" PRIu64 " are lost: %s",
                row[0].number, fault.code != GTR_OK ? fault.text : "they differ from the others'");
    }
    return GTR_OK;
}

static void tell_lost(struct recovery *recovery, uint64_t from, uint64_t to)
{
    if (from >= to)
        return;
    recovery->found->n_lost_rows += (size_t)(to - from);
    if (to - from == 1)
        gtr_say(recovery->remarks, recovery->path, true, "row %" PRIu64 " is lost", from);
    else
        gtr_say(recovery->remarks, recovery->path, true, "rows %" PRIu64 " to %" PRIu64 " are lost",
                from, to - 1);
}

static enum gtr_code copy_rows(struct recovery *recovery, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    uint64_t next = 0;
    size_t i, n;
    struct gtr_step step;

    for (i = 0; rc == GTR_OK && i < recovery->n_rows; i += n) {
        const struct good *row = &recovery->rows[i];

        for (n = 1; i + n < recovery->n_rows && row[n].number == row->number;)
            n++;
        tell_lost(recovery, next, row->number);
        next = row->number + 1;
        rc = read_row(recovery, row, &step, err);
        if (rc == GTR_OK)
            rc = copy_elements(recovery, row, n, err);
        if (rc == GTR_OK)
            rc = gtr_writer_append(recovery->writer, &step, recovery->values.sumsq,
                                   recovery->values.maxabs, recovery->values.nonfinite,
                                   recovery->values.param_sumsq, err);
        recovery->found->n_rows += rc == GTR_OK;
    }
    if (rc == GTR_OK)
        tell_lost(recovery, next, recovery->end);
    return rc;
}

/* Elements are kept as the first part that has some keeps them. */
static enum gtr_code choose_options(struct recovery *recovery, struct gtr_err *err)
{
    size_t i, most = head_of(&recovery->sources[0])->n_tensors;
    enum gtr_code rc = GTR_OK;

    recovery->options.checksums = true;
    recovery->options.param_norms = has_param_norms(&recovery->sources[0]);
    for (i = 0; i < recovery->n_sources && !recovery->options.elements; i++)
        if (recovery->sources[i].file != NULL &&
            gtr_copy_sampling(recovery->sources[i].file, &recovery->options, NULL) != GTR_OK)
            recovery->options.elements = false;
    for (i = 0; i < recovery->n_sources; i++) /* each has the count so far */
        if (recovery->sources[i].file != NULL &&
            gtr_trace_n_dropped(recovery->sources[i].file) > recovery->n_dropped)
            recovery->n_dropped = gtr_trace_n_dropped(recovery->sources[i].file);
    recovery->options.dropped_captures = &recovery->n_dropped;
    for (i = 1; rc == GTR_OK && i < recovery->n_sources; i++) {
        struct gtr_head *head = head_of(&recovery->sources[0]);
        const struct gtr_head *later = head_of(&recovery->sources[i]);

        if (!recovery->sources[i].left)
            rc = gtr_head_take_late(head, later, err);
        if (rc == GTR_OK && later->stopped != NULL)
            rc = gtr_head_set(&head->stopped, later->stopped, err);
    }
    return rc == GTR_OK ? gtr_rows_new(&recovery->values, 1, most, err) : rc;
}

static void recovery_end(struct recovery *recovery)
{
    size_t i;

    gtr_writer_abandon(recovery->writer);
    for (i = 0; i < recovery->n_sources; i++) {
        gtr_trace_close(recovery->sources[i].file);
        gtr_journal_free(recovery->sources[i].journal);
    }
    gtr_rows_free(&recovery->values);
    gtr_free(recovery->sources);
    gtr_free(recovery->rows);
}

enum gtr_code gtr_trace_recover(const char *path, const char *output, bool force,
                                const struct gtr_remarks *remarks, struct gtr_recovered *recovered,
                                struct gtr_err *err)
{
    struct recovery recovery = {
        .remarks = remarks,
        .path = path,
        .options = { .size = sizeof recovery.options, .force = force, .whole = true },
        .found = recovered
    };
    char *folder;
    int64_t rank;
    enum gtr_code rc;

    *recovered = (struct gtr_recovered){ 0 };
    rc = gtr_segment_split(path, &folder, &rank, err);
    if (rc == GTR_OK && gtr_merge_same_place(path, output))
        rc = gtr_fail(err, GTR_EUSAGE, "%s: is what is recovered; name another output", output);
    if (rc == GTR_OK)
        rc = folder != NULL ? add_folder(&recovery, folder, rank, err)
                            : add_single(&recovery, path, err);
    if (rc == GTR_OK && recovery.n_sources == 0)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: holds nothing of a trace that can be read", path);
    if (rc == GTR_OK)
        rc = choose_options(&recovery, err);
    if (rc == GTR_OK)
        rc = gtr_writer_open(output, head_of(&recovery.sources[0]), &recovery.options,
                             &recovery.writer, err);
    if (recovery.n_rows > 0)
        qsort(recovery.rows, recovery.n_rows, sizeof *recovery.rows, compare_rows);
    if (rc == GTR_OK)
        rc = copy_rows(&recovery, err);
    if (rc == GTR_OK) {
        rc = gtr_writer_close(recovery.writer, err);
        recovery.writer = NULL;
    }
    recovery_end(&recovery);
    gtr_free(folder);
    return rc;
}
