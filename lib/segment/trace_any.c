/* trace_any.c - a trace by its path: a file, or a folder of segments.
 *
 * Here a path becomes one of the two.  From then on a trace, or its writer, does by its form what
 * it is asked for.
 */
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "options.h"
#include "outfile.h"
#include "segment_private.h"
#include "writer.h"

/* What is there in the place of a file that is not: it is being recorded, or its recorder was
 * killed. */
static enum gtr_code is_in_folder(const char *path, struct gtr_err *err)
{
    char *folder = NULL;
    enum gtr_code rc = gtr_format(&folder, path, NULL, "%s.gtr", path);

    if (rc == GTR_OK && access(path, F_OK) != 0 && access(folder, F_OK) == 0)
        rc = gtr_fail(err, GTR_EIO,
                      "%s: is not there yet: it is being recorded, or its recorder was killed; "
                      "its steps are in %s",
                      path, folder);
    gtr_free(folder);
    return rc;
}

/* A segment that is named itself is checked as the folder that it belongs to would be. */
static enum gtr_code open_checked(const char *path, struct gtr_trace **trace, struct gtr_err *err)
{
    enum gtr_code rc = gtr_trace_open_file(path, false, trace, err);

    if (rc == GTR_OK && (*trace)->first_row >= 0) {
        rc = gtr_trace_check_rows(*trace, NULL, err);
        if (rc != GTR_OK) {
            gtr_trace_close(*trace);
            *trace = NULL;
        }
    }
    return rc;
}

enum gtr_code gtr_trace_open(const char *path, struct gtr_trace **trace, struct gtr_err *err)
{
    char *folder;
    int64_t rank;
    enum gtr_code rc = gtr_segment_split(path, &folder, &rank, err);

    *trace = NULL;
    if (rc == GTR_OK && folder != NULL)
        rc = gtr_folder_open(path, folder, rank, trace, err);
    else if (rc == GTR_OK)
        rc = is_in_folder(path, err);
    if (rc == GTR_OK && folder == NULL)
        rc = open_checked(path, trace, err);
    gtr_free(folder);
    return rc;
}

/* What no trace can be made of. */
static enum gtr_code check_head(const char *path, const struct gtr_head *head,
                                const struct gtr_sample *sampling, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && sampling->fraction != 0.0 && i < head->n_tensors; i++)
        rc = gtr_sample_check(sampling, head->tensors[i].numel, err);
    if (rc != GTR_OK)
        return rc;
    if (head->n_tensors == 0)
        return gtr_fail(err, GTR_EUSAGE, "%s: a trace needs at least one tensor", path);
    if (strlen(head->meta) > GTR_META_MAX)
        return gtr_fail(err, GTR_EUSAGE, "%s: meta has %zu bytes, at most %d fit", path,
                        strlen(head->meta), GTR_META_MAX);
    return GTR_OK;
}

void(gtr_writer_options_init)(struct gtr_writer_options *options, size_t size)
{
    gtr_options_init(options, size, &(struct gtr_writer_options){ .size = sizeof *options });
}

enum gtr_code gtr_writer_open(const char *path, const struct gtr_head *head,
                              const struct gtr_writer_options *asked, struct gtr_writer **writer,
                              struct gtr_err *err)
{
    struct gtr_writer_options options;
    char *folder = NULL;
    enum gtr_code rc;

    *writer = NULL;
    gtr_writer_options_init(&options);
    rc = gtr_options_take(&options, asked, "gtr_writer_options", err);
    if (rc == GTR_OK)
        rc = check_head(path, head, &options.sampling, err);
    if (rc != GTR_OK)
        return rc;
    if (gtr_segment_is_folder_name(path))
        return gtr_folder_writer_open(path, head, &options, writer, err);
    if (options.survives)
        rc = gtr_single_folder(path, options.force, &folder, err);
    if (rc == GTR_OK)
        rc = folder != NULL
                 ? gtr_single_writer_open(folder, path, head, &options, writer, err)
                 : gtr_file_writer_open(path, head, &options, GTR_FILE_ALONE, writer, err);
    gtr_free(folder);
    return rc;
}

enum gtr_code gtr_writer_try(const char *path, int64_t rank, bool force, struct gtr_err *err)
{
    char *folder = NULL;
    enum gtr_code rc;

    if (gtr_segment_is_folder_name(path))
        return gtr_folder_try(path, rank, force, err);
    rc = gtr_single_folder(path, force, &folder, err);
    if (rc == GTR_OK && folder != NULL)
        rc = gtr_folder_try(folder, rank, force, err);
    gtr_free(folder);
    return rc;
}
