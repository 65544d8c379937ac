/* segment_verify.c - read all there is of a trace, file by file, and say what is wrong. */
#include "segment_recover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "segment_private.h"

struct verifier {
    struct gtr_remarks remarks;         /* which are counted, */
    const struct gtr_remarks *listener; /* and told on */
    size_t n_faults;
    /* Of the rank under way. */
    struct gtr_head head; /* of its first part that could be read */
    bool has_head;
    bool param_norms; /* of that part */
    uint64_t n_rows;
    bool has_step;
    int64_t last_step;
};

static void count(void *context, const char *path, bool fault, const char *text)
{
    struct verifier *verifier = context;

    verifier->n_faults += fault;
    verifier->listener->say(verifier->listener->context, path, fault, text);
}

/* True if the rows of one file are right; *first_bad is for the remark. */
static enum gtr_code count_bad_rows(const struct gtr_trace *trace, size_t *n_bad, size_t *first_bad,
                                    struct gtr_err *err)
{
    bool *bad = NULL;
    enum gtr_code rc = gtr_alloc_for(&bad, trace->n_steps, sizeof *bad, "rows", err);
    size_t t;

    *n_bad = *first_bad = 0;
    if (rc == GTR_OK)
        rc = gtr_trace_check_rows(trace, bad, err);
    for (t = 0; rc == GTR_OK && t < trace->n_steps; t++)
        if (bad[t] && (*n_bad)++ == 0)
            *first_bad = t;
    gtr_free(bad);
    return rc;
}

/* Does it continue the trace?  The text is NULL, or what is wrong, in `buffer`. */
static const char *fits_on(struct verifier *verifier, const struct gtr_head *head, bool param_norms,
                           uint64_t first_row, const struct gtr_step *first, char *buffer,
                           size_t size)
{
    char what[200];
    const char *differs =
        verifier->has_head ? gtr_head_differs(&verifier->head, head, what, sizeof what) : NULL;

    if (differs != NULL)
        snprintf(buffer, size, "has %s as the parts before it", differs);
    else if (verifier->has_head && param_norms != verifier->param_norms)
        snprintf(buffer, size, "/norm/param_sumsq: only some parts of the trace have it");
    else if (first_row > verifier->n_rows)
        snprintf(buffer, size, "rows %" PRIu64 " to %" PRIu64 " are missing before it",
                 verifier->n_rows, first_row - 1);
    else if (first != NULL && verifier->has_step && first->index <= verifier->last_step)
        snprintf(buffer, size, "starts with step %lld, not after step %lld",
                 (long long)first->index, (long long)verifier->last_step);
    else
        return NULL;
    return buffer;
}

static enum gtr_code remember(struct verifier *verifier, const struct gtr_head *head,
                              bool param_norms, uint64_t end, const struct gtr_step *last,
                              struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (!verifier->has_head) {
        rc = gtr_head_copy(head, &verifier->head, err);
        verifier->param_norms = param_norms;
    }
    verifier->has_head = rc == GTR_OK;
    verifier->n_rows = end;
    if (last != NULL) {
        verifier->has_step = true;
        verifier->last_step = last->index;
    }
    return rc;
}

/* What each tensor's dataset says of itself, even where no capture is listed, and all captures. */
static void check_captures(const struct gtr_trace *trace, struct gtr_err *fault)
{
    struct gtr_captured captured;
    size_t i, c;

    for (i = 0; i < trace->head.n_tensors && fault->code == GTR_OK; i++)
        gtr_trace_captured(trace, i, &captured, fault);
    for (c = 0; c < trace->n_captures && fault->code == GTR_OK; c++)
        gtr_trace_check_capture(trace, c, fault);
}

/* Rows and elements of an open file. */
static enum gtr_code verify_values(struct verifier *verifier, const char *path,
                                   struct gtr_trace *trace, const char *misfit, struct gtr_err *err)
{
    struct gtr_err fault = { 0 };
    size_t n_bad, first_bad;
    enum gtr_code rc = count_bad_rows(trace, &n_bad, &first_bad, err);

    if (rc != GTR_OK)
        return rc;
    check_captures(trace, &fault);
    if (n_bad > 0)
        gtr_say(&verifier->remarks, path, true,
                "%zu of %zu rows are damaged, the first is row %zu (step %lld)", n_bad,
                trace->n_steps, first_bad, (long long)trace->steps[first_bad].index);
    else if (misfit != NULL)
        gtr_say(&verifier->remarks, path, true, "%s", misfit);
    else if (fault.code != GTR_OK)
        gtr_say_error(&verifier->remarks, path, &fault);
    else
        gtr_say(&verifier->remarks, path, false, "%zu rows, %zu with elements, %s", trace->n_steps,
                trace->n_captures, trace->crc != NULL ? "all as written" : "all readable");
    return GTR_OK;
}

/* What is wrong with the place of a segment in the trace; NULL: nothing. */
static const char *misfit_of(struct verifier *verifier, const struct gtr_trace *trace,
                             uint64_t first_row, char *buffer, size_t size)
{
    if (trace->crc == NULL || trace->first_row != (int64_t)first_row)
        return "is not the segment that its name says";
    if (first_row < verifier->n_rows)
        return "has rows that the segment before it has too";
    return fits_on(verifier, &trace->head, trace->holds[GTR_PARAM_SUMSQ], first_row,
                   trace->n_steps > 0 ? &trace->steps[0] : NULL, buffer, size);
}

/* A file of its own, which must be there to be read, or a segment of a folder. */
static enum gtr_code verify_file(struct verifier *verifier, const char *path,
                                 const struct gtr_segment_file *segment, struct gtr_err *err)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err fault = { 0 };
    const char *misfit = NULL;
    char text[300];
    enum gtr_code rc = gtr_trace_open_file(path, false, &trace, &fault);

    if (segment == NULL && (rc == GTR_EIO || rc == GTR_ENOMEM))
        return gtr_fail(err, rc, "%s", fault.text);
    if (rc != GTR_OK) {
        gtr_say_error(&verifier->remarks, path, &fault);
        return GTR_OK;
    }
    if (segment != NULL)
        misfit = misfit_of(verifier, trace, segment->first_row, text, sizeof text);
    rc = verify_values(verifier, path, trace, misfit, err);
    if (rc == GTR_OK && segment != NULL)
        rc = remember(verifier, &trace->head, trace->holds[GTR_PARAM_SUMSQ],
                      segment->first_row + trace->n_steps,
                      trace->n_steps > 0 ? &trace->steps[trace->n_steps - 1] : NULL, err);
    gtr_trace_close(trace);
    return rc;
}

/* A journal as it was before the segments were listed. */
struct early {
    char *path;
    struct gtr_journal *journal; /* NULL: its recorder closed it meanwhile, or */
    struct gtr_err fault;        /* it cannot be read */
};

/* The journals of all ranks.  A recorder may be at work: rows that it moves to a segment meanwhile
 * are then in both, and never in neither; so readers do it, too (segment_open.c). */
static enum gtr_code load_journals(const char *folder, int64_t rank, struct early **early,
                                   size_t *n, struct gtr_err *err)
{
    struct gtr_segment_list list;
    enum gtr_code rc = gtr_segment_list_read(folder, rank, &list, err);
    size_t i;

    if (rc == GTR_OK)
        rc = gtr_alloc_for(early, list.n, sizeof **early, "journals", err);
    for (i = 0; rc == GTR_OK && i < list.n; i++) {
        struct early *next = &(*early)[*n];

        if (list.files[i].kind != GTR_SEGMENT_JOURNAL)
            continue;
        rc = gtr_format(&next->path, folder, err, "%s", list.files[i].path);
        if (rc == GTR_OK)
            gtr_journal_load(next->path, true, &next->journal, &next->fault);
        ++*n;
    }
    gtr_segment_list_free(&list);
    return rc;
}

static void free_journals(struct early *early, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        gtr_free(early[i].path);
        gtr_journal_free(early[i].journal);
    }
    gtr_free(early);
}

static void verify_journal(struct verifier *verifier, const struct early *early)
{
    const struct gtr_journal *journal = early->journal;
    const char *misfit, *path = early->path;
    char text[300];
    size_t from = 0;

    if (early->fault.code != GTR_OK)
        gtr_say_error(&verifier->remarks, path, &early->fault);
    if (journal == NULL)
        return;
    while (from < journal->n_rows && journal->rows[from].number < verifier->n_rows)
        from++;
    misfit = fits_on(verifier, &journal->head, journal->param_norms, journal->first_row,
                     from < journal->n_rows ? &journal->rows[from].step : NULL, text, sizeof text);
    if (journal->n_altered > 0)
        gtr_say(&verifier->remarks, path, true,
                "%zu of its records are damaged, the first at byte %" PRIu64, journal->n_altered,
                journal->altered_at);
    else if (misfit != NULL)
        gtr_say(&verifier->remarks, path, true, "%s", misfit);
    else
        gtr_say(&verifier->remarks, path, false, "%zu rows, %zu of them in no segment%s",
                journal->n_rows, journal->n_rows - from,
                journal->torn ? "; ends within a record, as a killed recorder leaves it" : "");
}

static void start_rank(struct verifier *verifier)
{
    gtr_head_free(&verifier->head);
    verifier->has_head = verifier->has_step = false;
    verifier->n_rows = 0;
}

static enum gtr_code verify_folder(struct verifier *verifier, const char *folder, int64_t rank,
                                   struct gtr_err *err)
{
    struct gtr_segment_list list = { 0 };
    struct early *journals = NULL;
    size_t i, j, n_journals = 0, n_parts = 0;
    enum gtr_code rc = load_journals(folder, rank, &journals, &n_journals, err);

    if (rc == GTR_OK)
        rc = gtr_segment_list_read(folder, rank, &list, err);
    for (i = 0; rc == GTR_OK && i < list.n; i++) {
        const struct gtr_segment_file *file = &list.files[i];

        if (i > 0 && file->rank != list.files[i - 1].rank)
            start_rank(verifier);
        n_parts += file->kind == GTR_SEGMENT_WHOLE || file->kind == GTR_SEGMENT_JOURNAL;
        if (file->kind == GTR_SEGMENT_WHOLE)
            rc = verify_file(verifier, file->path, file, err);
        else if (file->kind == GTR_SEGMENT_LEFT)
            gtr_say(&verifier->remarks, file->path, false,
                    "was never closed: its recorder runs still, or was killed");
        for (j = 0; j < n_journals && file->kind == GTR_SEGMENT_JOURNAL; j++)
            if (strcmp(journals[j].path, file->path) == 0)
                verify_journal(verifier, &journals[j]);
    }
    if (rc == GTR_OK && n_parts == 0)
        rc = gtr_segment_no_step(folder, list.n, err);
    free_journals(journals, n_journals);
    gtr_segment_list_free(&list);
    gtr_head_free(&verifier->head);
    return rc;
}

enum gtr_code gtr_trace_verify(const char *path, const struct gtr_remarks *remarks,
                               size_t *n_faults, struct gtr_err *err)
{
    struct verifier verifier = { .remarks = { count, &verifier }, .listener = remarks };
    char *folder;
    int64_t rank;
    enum gtr_code rc = gtr_segment_split(path, &folder, &rank, err);

    if (rc == GTR_OK && folder != NULL)
        rc = verify_folder(&verifier, folder, rank, err);
    else if (rc == GTR_OK)
        rc = verify_file(&verifier, path, NULL, err);
    gtr_free(folder);
    *n_faults = verifier.n_faults;
    return rc;
}
