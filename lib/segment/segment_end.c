/* segment_end.c - the end of a folder: it is completed, or becomes the file that it stood for.
 *
 *     NAME.gtr       the open segment gets its name; the journal goes, unless it has what no
 *                    segment has
 *     NAME.h5.gtr    the file inside gets all rows that the journal has, and then the name NAME.h5.
 *                    If it cannot be completed, a file of the rows of the journal does
 *
 * What fails here loses nothing that the journal has: it stays, and the error says where it is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "outfile.h"
#include "segment_write_private.h"

static enum gtr_code path_of(const struct segments *segments, const char *end, char **path,
                             struct gtr_err *err)
{
    return gtr_segment_rank_path(segments->place.folder, segments->head.rank, end, path, err);
}

static bool is_there(const struct segments *segments, const char *end)
{
    char *path;
    bool found = path_of(segments, end, &path, NULL) == GTR_OK && access(path, F_OK) == 0;

    gtr_free(path);
    return found;
}

/* Somebody has removed the folder while it was written: the journal is written to a new one. */
static enum gtr_code make_again(struct segments *segments, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (is_there(segments, "journal"))
        return rc;
    rc = gtr_place_make_again(&segments->place, err);
    return rc == GTR_OK
               ? gtr_journal_restart(segments->journal, &segments->head, segments->n_closed, err)
               : rc;
}

/* --- rows that only the journal has ----------------------------------------------------------- */

static enum gtr_code append_from(const struct gtr_journal *journal, size_t r,
                                 struct gtr_writer *writer, struct gtr_rows *values,
                                 struct gtr_err *err)
{
    enum gtr_norm norm;

    for (norm = 0; norm < GTR_NAN; norm++)
        gtr_journal_values(journal, r, norm, gtr_rows_of(values, norm));
    return gtr_writer_append(writer, &journal->rows[r].step, values->sumsq, values->maxabs,
                             values->nonfinite, values->param_sumsq, err);
}

/* As far as there is room; what is missing then is told by those who count. */
static void catch_up(struct segments *segments)
{
    struct gtr_journal *journal = NULL;
    struct gtr_rows values = { 0 };
    char *path;
    enum gtr_code rc = path_of(segments, "journal", &path, NULL);

    if (rc == GTR_OK)
        rc = gtr_file_writer_go_on(segments->open, NULL, NULL);
    if (rc == GTR_OK)
        rc = gtr_journal_load(path, false, &journal, NULL);
    if (rc == GTR_OK && journal != NULL)
        rc = gtr_rows_new(&values, 1, journal->head.n_tensors, NULL);
    while (rc == GTR_OK && journal != NULL) {
        uint64_t row = segments->first_row + segments->open->n_steps - journal->first_row;

        if (row >= journal->n_rows)
            break;
        rc = append_from(journal, (size_t)row, segments->open, &values, NULL);
    }
    gtr_rows_free(&values);
    gtr_journal_free(journal);
    gtr_free(path);
}

/* --- a folder that stays one ------------------------------------------------------------------ */

static void remove_journal(struct segments *segments)
{
    char *path;

    if (path_of(segments, "journal", &path, NULL) == GTR_OK && unlink(path) == 0)
        gtr_folder_sync(path);
    gtr_free(path);
}

/* The journal stays if it has what no segment has: rows, where a write has failed, or what became
 * known after the last one was closed. */
static enum gtr_code end_folder(struct segments *segments, uint64_t n_known, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    bool told;

    if (segments->open != NULL)
        rc = gtr_segments_close(segments, err);
    told = segments->told || segments->late.grad_state == NULL;
    if (rc == GTR_OK && segments->n_closed == n_known && told && !segments->stopped &&
        segments->writer.spared.code == GTR_OK)
        remove_journal(segments);
    return rc;
}

/* --- a file ----------------------------------------------------------------------------------- */

/* The file that is whole inside the folder gets its name.  It keeps the other until then. */
static enum gtr_code give_name(struct segments *segments, struct gtr_err *err)
{
    struct gtr_outfile out;
    char *inside;
    enum gtr_code rc = path_of(segments, "h5", &inside, err);

    if (rc == GTR_OK)
        rc = gtr_outfile_begin(&out, segments->file, segments->options.force, err);
    if (rc == GTR_OK) {
        unlink(out.temporary);
        if (link(inside, out.temporary) != 0 && rename(inside, out.temporary) != 0) {
            rc = gtr_fail(err, GTR_EIO, "%s: cannot write: %s", segments->file, strerror(errno));
            gtr_outfile_abandon(&out);
        } else {
            rc = gtr_outfile_commit(&out, err);
        }
    }
    gtr_free(inside);
    return rc;
}

static void hear_nothing(void *context, const char *path, bool fault, const char *text)
{
    (void)context;
    (void)path;
    (void)fault;
    (void)text;
}

/* A file of the norms alone, of all rows that the journal has. */
static enum gtr_code make_of_journal(struct segments *segments, uint64_t *n_kept,
                                     struct gtr_err *err)
{
    const struct gtr_remarks silence = { hear_nothing, NULL };
    struct gtr_recovered recovered;
    char *rank = NULL;
    enum gtr_code rc = make_again(segments, err);

    if (rc == GTR_OK)
        rc = gtr_format(&rank, segments->file, err, "%s/rank%" PRId64, segments->place.folder,
                        segments->head.rank);
    if (rc == GTR_OK)
        rc = gtr_trace_recover(rank, segments->file, segments->options.force, &silence, &recovered,
                               err);
    if (rc == GTR_OK)
        *n_kept = recovered.n_rows;
    gtr_free(rank);
    return rc;
}

static enum gtr_code elements_are_lost(struct segments *segments, const struct gtr_err *why,
                                       struct gtr_err *err)
{
    return gtr_fail(err, why->code, "%s: has the norms of all steps, but no elements: %.200s",
                    segments->file, why->text);
}

static enum gtr_code end_file(struct segments *segments, uint64_t n_known, uint64_t *n_kept,
                              struct gtr_err *err)
{
    bool had_elements = segments->has_elements;
    struct gtr_err failure = { 0 }, again = { 0 };
    uint64_t n_written = segments->open != NULL ? segments->open->n_steps : 0;
    enum gtr_code rc;

    rc = segments->open != NULL ? gtr_segments_close(segments, &failure)
                                : gtr_err_again(&segments->writer.failure, &failure);
    if (rc == GTR_OK && n_written > 0)
        rc = give_name(segments, &failure);
    if (rc == GTR_OK && n_written > 0) {
        *n_kept = n_written;
        if (n_written == n_known)
            return GTR_OK;
        return gtr_fail(err, GTR_EIO,
                        "%s: has %" PRIu64 " of %" PRIu64 " steps; the norms of all "
                        "are in %s",
                        segments->file, n_written, n_known, segments->place.folder);
    }
    if (is_there(segments, "h5")) /* whole, but for its name */
        return gtr_fail(err, failure.code, "%.250s; the trace is %s/rank%" PRId64 ".h5",
                        failure.text, segments->place.folder, segments->head.rank);
    if (make_of_journal(segments, n_kept, &again) != GTR_OK)
        return gtr_fail(err, again.code, "%.150s; its %" PRIu64 " steps are in %s", again.text,
                        n_known, segments->place.folder);
    if (had_elements)
        return elements_are_lost(segments, &failure, err);
    return GTR_OK;
}

/* --- all of it -------------------------------------------------------------------------------- */

enum gtr_code gtr_segments_end(struct segments *segments, uint64_t *n_kept, struct gtr_err *err)
{
    const uint64_t n_known = gtr_journal_next(segments->journal);
    struct gtr_err failure = { 0 };
    enum gtr_code rc = GTR_OK;

    /* A trace without steps is a segment without rows, as a file would be. */
    if (n_known == 0 && segments->writer.failure.code == GTR_OK)
        rc = gtr_segments_open(segments, err);
    if (rc != GTR_OK)
        return rc;
    if (segments->open != NULL && segments->writer.ahead &&
        segments->first_row + segments->open->n_steps < n_known)
        catch_up(segments);
    if (segments->file != NULL) {
        rc = end_file(segments, n_known, n_kept, err);
        if (rc == GTR_OK)
            return gtr_place_clear(&segments->place, err);
        if (*n_kept == n_known && !is_there(segments, "h5"))
            gtr_place_clear(&segments->place, NULL);
        return rc;
    }
    rc = end_folder(segments, n_known, &failure);
    *n_kept = n_known;
    if (!segments->writer.ahead || segments->n_closed == n_known || is_there(segments, "journal"))
        return gtr_err_again(&failure, err);
    rc = make_again(segments, &failure);
    *n_kept = rc == GTR_OK ? n_known - segments->n_closed : 0;
    if (rc != GTR_OK)
        return gtr_err_again(&failure, err);
    return segments->n_closed == 0
               ? GTR_OK
               : gtr_fail(err, GTR_EIO,
                          "%s: was removed while it was recorded; the last %" PRIu64 " of %" PRIu64
                          " steps are left",
                          segments->place.folder, *n_kept, n_known);
}

/* --- a file whose recorder was killed --------------------------------------------------------- */

enum gtr_code gtr_single_folder(const char *path, bool force, char **folder, struct gtr_err *err)
{
    struct gtr_outfile out;
    enum gtr_code rc = gtr_outfile_begin(&out, path, force, err);

    *folder = NULL;
    if (rc == GTR_OK && out.temporary != NULL)
        rc = gtr_format(folder, path, err, "%s.gtr", gtr_outfile_place(&out));
    gtr_outfile_abandon(&out);
    return rc;
}

enum gtr_code gtr_trace_save(const char *path, bool force, const struct gtr_remarks *remarks,
                             struct gtr_recovered *recovered, struct gtr_err *err)
{
    char *folder = NULL;
    struct gtr_segment_list list = { 0 };
    struct gtr_place place = { .lock = -1 };
    enum gtr_code rc = gtr_single_folder(path, force, &folder, err);

    *recovered = (struct gtr_recovered){ 0 };
    if (rc == GTR_OK && (folder == NULL || access(folder, F_OK) != 0))
        rc = gtr_fail(err, GTR_EIO, "%s: there is nothing to save: no %s", path,
                      folder != NULL ? folder : "folder");
    if (rc == GTR_OK)
        rc = gtr_segment_list_read(folder, -1, &list, err);
    if (rc == GTR_OK && list.n > 0)
        place.rank = list.files[0].rank;
    if (rc == GTR_OK)
        rc = gtr_segment_lock(folder, place.rank, &place.lock, err);
    if (rc == GTR_OK)
        rc = gtr_trace_recover(folder, path, force, remarks, recovered, err);
    place.folder = folder;
    place.made = true;
    if (rc == GTR_OK)
        rc = gtr_place_clear(&place, err);
    gtr_segment_list_free(&list);
    gtr_place_leave(&place);
    return rc;
}
