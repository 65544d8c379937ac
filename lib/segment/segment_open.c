/* segment_open.c - find the parts of a trace in a folder, and see that they fit together. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "alloc.h"
#include "segment_private.h"

enum { OPEN_MOST = 256, OPEN_LEAST = 4, BAND_BYTES = 1 << 20 };

/* Each takes two descriptors; the process has others to open. */
static size_t how_many_open(void)
{
    struct rlimit limit;
    size_t most = OPEN_MOST;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < most)
        most = (size_t)limit.rlim_cur / 4;
    return most > OPEN_LEAST ? most : OPEN_LEAST;
}

static enum gtr_code check_against(const struct gtr_folder *folder, const struct gtr_head *head,
                                   bool param_norms, const char *path, struct gtr_err *err)
{
    char what[200];
    const char *differs = gtr_head_differs(&folder->trace.head, head, what, sizeof what);

    if (differs != NULL)
        return gtr_fail(err, GTR_EFORMAT, "%s: has %s as the segments before it", path, differs);
    if (param_norms != folder->trace.holds[GTR_PARAM_SUMSQ])
        return gtr_fail(err, GTR_EFORMAT, "%s: /norm/param_sumsq: only some segments have it",
                        path);
    return GTR_OK;
}

static enum gtr_code add_steps(struct gtr_folder *folder, const struct gtr_step *steps, size_t n,
                               const char *path, struct gtr_err *err)
{
    struct gtr_trace *trace = &folder->trace;
    enum gtr_code rc;

    if (n == 0)
        return GTR_OK;
    if (trace->n_steps > 0 && steps[0].index <= trace->steps[trace->n_steps - 1].index)
        return gtr_fail(err, GTR_EFORMAT, "%s: starts with step %lld, not after step %lld", path,
                        (long long)steps[0].index,
                        (long long)trace->steps[trace->n_steps - 1].index);
    rc = gtr_grow(&trace->steps, &folder->steps_capacity, trace->n_steps + n, sizeof *trace->steps,
                  err);
    if (rc != GTR_OK)
        return rc;
    memcpy(trace->steps + trace->n_steps, steps, n * sizeof *steps);
    trace->n_steps += n;
    return GTR_OK;
}

static enum gtr_code add_captures(struct gtr_folder *folder, const struct gtr_trace *file,
                                  size_t first_row, struct gtr_err *err)
{
    struct gtr_trace *trace = &folder->trace;
    enum gtr_code rc =
        gtr_grow(&trace->capture_rows, &folder->captures_capacity,
                 trace->n_captures + file->n_captures, sizeof *trace->capture_rows, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < file->n_captures; i++)
        trace->capture_rows[trace->n_captures++] = (int64_t)first_row + file->capture_rows[i];
    return rc;
}

static enum gtr_code rows_missing(const char *folder, uint64_t from, uint64_t to,
                                  const char *before, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT,
                    "%s: rows %" PRIu64 " to %" PRIu64 " are missing before %s; gradtrace recover "
                    "keeps the rest",
                    folder, from, to, before);
}

/* Does the file hold the rows that its name says, and do they follow those before? */
static enum gtr_code check_place(const struct gtr_folder *folder, const struct gtr_trace *file,
                                 const struct gtr_segment_file *found, struct gtr_err *err)
{
    if (file->crc == NULL || file->first_row != (int64_t)found->first_row)
        return gtr_fail(err, GTR_EFORMAT, "%s: is not the segment that its name says", found->path);
    if (found->first_row > folder->n_rows)
        return rows_missing(folder->trace.path, folder->n_rows, found->first_row - 1, found->path,
                            err);
    if (found->first_row < folder->n_rows)
        return gtr_fail(err, GTR_EFORMAT, "%s: has row %" PRIu64 ", as has the segment before it",
                        found->path, found->first_row);
    return GTR_OK;
}

static enum gtr_code check_segment(struct gtr_folder *folder, const struct gtr_trace *file,
                                   const struct gtr_segment_file *found, struct gtr_err *err)
{
    bool param_norms = file->holds[GTR_PARAM_SUMSQ];
    enum gtr_code rc = check_place(folder, file, found, err);

    if (rc == GTR_OK && folder->n_segments == 0) {
        rc = gtr_head_copy(&file->head, &folder->trace.head, err);
        folder->trace.holds[GTR_PARAM_SUMSQ] = param_norms;
    }
    if (rc == GTR_OK)
        rc = check_against(folder, &file->head, param_norms, found->path, err);
    if (rc == GTR_OK)
        rc = gtr_head_take_late(&folder->trace.head, &file->head, err);
    return rc == GTR_OK ? gtr_trace_check_rows(file, NULL, err) : rc;
}

/* The file stays open if not too many are. */
static enum gtr_code keep_segment(struct gtr_folder *folder, const struct gtr_segment *wanted,
                                  struct gtr_trace *file, const char *path, struct gtr_err *err)
{
    struct gtr_segment segment = *wanted;
    enum gtr_code rc =
        gtr_grow(&folder->segments, &folder->capacity, folder->n_segments + 1, sizeof segment, err);
    int norm;

    if (rc == GTR_OK)
        rc = gtr_format(&segment.path, path, err, "%s", path);
    if (rc != GTR_OK)
        return rc;
    segment.n_rows = file->n_steps;
    segment.n_captures = file->n_captures;
    for (norm = 0; norm < GTR_NORM_COUNT; norm++)
        folder->trace.has[norm] |= file->has[norm];
    folder->n_rows += segment.n_rows;
    if (folder->n_open < folder->most_open) {
        segment.file = file;
        folder->n_open++;
    } else {
        gtr_trace_close(file);
    }
    folder->segments[folder->n_segments++] = segment;
    return GTR_OK;
}

static enum gtr_code add_segment(struct gtr_folder *folder, const struct gtr_segment_file *found,
                                 struct gtr_err *err)
{
    struct gtr_trace *trace = &folder->trace;
    const struct gtr_segment segment = { .first_row = folder->n_rows,
                                         .first_capture = trace->n_captures };
    struct gtr_trace *file = NULL;
    enum gtr_code rc = gtr_trace_open_file(found->path, false, &file, err);
    int64_t n_dropped = rc == GTR_OK ? file->n_dropped : 0;

    if (rc == GTR_OK)
        rc = check_segment(folder, file, found, err);
    if (rc == GTR_OK)
        rc = add_steps(folder, file->steps, file->n_steps, found->path, err);
    if (rc == GTR_OK)
        rc = add_captures(folder, file, segment.first_row, err);
    if (rc == GTR_OK)
        rc = keep_segment(folder, &segment, file, found->path, err);
    /* Each segment has the count so far, so that of the last one is all of it. */
    if (rc == GTR_OK && n_dropped > trace->n_dropped)
        trace->n_dropped = n_dropped;
    if (rc != GTR_OK)
        gtr_trace_close(file);
    return rc;
}

static enum gtr_code add_journal(struct gtr_folder *folder, struct gtr_err *err)
{
    struct gtr_trace *trace = &folder->trace;
    struct gtr_journal *journal = folder->journal;
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (journal == NULL)
        return GTR_OK;
    if (folder->n_segments == 0) {
        rc = gtr_head_copy(&journal->head, &trace->head, err);
        trace->holds[GTR_PARAM_SUMSQ] = journal->param_norms;
    }
    if (rc == GTR_OK)
        rc = check_against(folder, &journal->head, journal->param_norms, journal->path, err);
    if (rc == GTR_OK && journal->first_row > folder->n_rows)
        rc = rows_missing(trace->path, folder->n_rows, journal->first_row - 1, journal->path, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_head_take_late(&trace->head, &journal->head, err);
    if (rc == GTR_OK && journal->head.stopped != NULL)
        rc = gtr_head_set(&trace->head.stopped, journal->head.stopped, err);
    /* A recorder that was killed between closing a segment and starting the next journal leaves
     * rows in both. */
    folder->journal_from = (size_t)(folder->n_rows - journal->first_row);
    for (i = folder->journal_from; rc == GTR_OK && i < journal->n_rows; i++)
        rc = add_steps(folder, &journal->rows[i].step, 1, journal->path, err);
    return rc;
}

/* Is anything but zeros in the rows that only the journal has? */
static bool journal_has(const struct gtr_folder *folder, enum gtr_norm norm)
{
    const struct gtr_journal *journal = folder->journal;
    size_t n = folder->trace.head.n_tensors, r, i;
    const unsigned char *values;

    if (journal == NULL || norm != GTR_NONFINITE)
        return journal != NULL && journal->n_rows > folder->journal_from;
    for (r = folder->journal_from; r < journal->n_rows; r++) {
        values = journal->rows[r].values + n * 12;
        for (i = 0; i < n * 8; i++)
            if (values[i] != 0)
                return true;
    }
    return false;
}

static void find_norms(struct gtr_folder *folder)
{
    struct gtr_trace *trace = &folder->trace;
    size_t rows = BAND_BYTES / (trace->head.n_tensors * sizeof(double)), i;

    for (i = 0; i < GTR_NORM_COUNT; i++) {
        trace->holds[i] = trace->holds[i] || (i != GTR_PARAM_SUMSQ && i != GTR_NAN);
        trace->has[i] = trace->has[i] || (trace->holds[i] && journal_has(folder, (enum gtr_norm)i));
        trace->band_rows[i] = rows > 0 ? rows : 1;
    }
}

/* -1 becomes the only rank; `what` was read from the folder. */
static enum gtr_code choose_rank(const char *folder, const struct gtr_segment_list *list,
                                 int64_t *rank, struct gtr_err *err)
{
    int64_t first = -1, last = -1;
    size_t i;

    for (i = 0; i < list->n; i++)
        if (list->files[i].kind == GTR_SEGMENT_WHOLE ||
            list->files[i].kind == GTR_SEGMENT_JOURNAL) {
            first = first < 0 ? list->files[i].rank : first;
            last = list->files[i].rank;
        }
    if (first < 0)
        return gtr_segment_no_step(folder, list->n, err);
    if (first != last && *rank < 0)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: has ranks %" PRId64 " to %" PRId64 "; name one, as in %s/rank%" PRId64
                        ", or join them by gradtrace merge",
                        folder, first, last, folder, first);
    *rank = *rank < 0 ? first : *rank;
    return GTR_OK;
}

static enum gtr_code read_parts(struct gtr_folder *folder, const char *path, struct gtr_err *err)
{
    struct gtr_segment_list list = { 0 };
    char *journal;
    enum gtr_code rc = gtr_segment_rank_path(path, folder->rank, "journal", &journal, err);
    size_t i;

    /* The journal first: a recorder that closes a segment meanwhile makes rows appear in both, and
     * never in neither. */
    if (rc == GTR_OK)
        rc = gtr_journal_load(journal, false, &folder->journal, err);
    if (rc == GTR_OK)
        rc = gtr_segment_list_read(path, folder->rank, &list, err);
    for (i = 0; rc == GTR_OK && i < list.n; i++) {
        if (list.files[i].kind == GTR_SEGMENT_WHOLE)
            rc = add_segment(folder, &list.files[i], err);
        folder->n_left += list.files[i].kind == GTR_SEGMENT_LEFT;
    }
    if (rc == GTR_OK)
        rc = add_journal(folder, err);
    if (rc == GTR_OK && folder->n_segments == 0 && folder->journal == NULL)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: has no rank %" PRId64, path, folder->rank);
    if (rc == GTR_OK)
        find_norms(folder);
    gtr_segment_list_free(&list);
    gtr_free(journal);
    return rc;
}

enum gtr_code gtr_folder_open(const char *path, const char *where, int64_t rank,
                              struct gtr_trace **out, struct gtr_err *err)
{
    struct gtr_segment_list list;
    struct gtr_folder *folder;
    enum gtr_code rc = gtr_segment_list_read(where, -1, &list, err);

    *out = NULL;
    if (rc == GTR_OK)
        rc = choose_rank(where, &list, &rank, err);
    gtr_segment_list_free(&list);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&folder, 1, sizeof *folder, "folders", err);
    if (rc != GTR_OK)
        return rc;
    folder->trace.form = &gtr_folder_form;
    folder->trace.first_row = -1;
    pthread_mutex_init(&folder->lock, NULL);
    folder->rank = rank;
    folder->most_open = how_many_open();
    rc = gtr_format(&folder->trace.path, path, err, "%s", path);
    if (rc == GTR_OK)
        rc = read_parts(folder, where, err);
    if (rc != GTR_OK) {
        gtr_trace_close(&folder->trace);
        return rc;
    }
    *out = &folder->trace;
    return GTR_OK;
}
