/* trace_write.c - a trace file, version 1, row by row.
 *
 * The file has a temporary name until it is closed, so a trace that has its name is whole.
 */
#define _GNU_SOURCE
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "h5.h"
#include "trace_private.h"
#include "outfile.h"

enum {
    CHUNK_BYTES = 1 << 18, /* of a norm matrix */
    CHUNK_ROWS_MAX = 1024,
    PLAN_MIN = 64, /* fewer planned steps than this say nothing about a good chunk */
    ELEMENT_CHUNK_BYTES = 1 << 20,
    CAPTURES_BYTES =
        1 << 16 /* small tensors: several captures to a chunk, or deflate finds nothing */
};

/* The columns of /step, in the order of struct sheets.step. */
enum { STEP_INDEX, STEP_LOSS, STEP_LR, STEP_TIME, STEP_SCALE, STEP_SKIPPED, STEP_COUNT };

static const struct {
    const char *name;
    enum gtr_h5_type type;
} step_columns[STEP_COUNT] = {
    [STEP_INDEX] = { "/step/index", GTR_H5_I64 },
    [STEP_LOSS] = { "/step/loss", GTR_H5_F64 },
    [STEP_LR] = { "/step/lr", GTR_H5_F64 },
    [STEP_TIME] = { "/step/time", GTR_H5_F64 },
    [STEP_SCALE] = { "/step/applied_scale", GTR_H5_F64 },
    [STEP_SKIPPED] = { "/step/skipped", GTR_H5_U8 },
};

struct gtr_writer {
    struct gtr_outfile file;
    struct gtr_h5 *h5;
    size_t n_tensors;
    size_t n_steps;
    int64_t last_index;
    bool param_norms;
    struct gtr_h5_sheet *step[STEP_COUNT];
    struct gtr_h5_sheet *norm[GTR_NORM_COUNT];
    struct gtr_h5_sheet *capture_rows;
    struct gtr_h5_sheet **elements; /* [P], NULL without elements */
    size_t n_captures;
    size_t n_pending; /* tensors given for the capture under way */
    bool broken;      /* a write failed: sheets may hold parts of a step */
};

static enum gtr_code write_head(struct gtr_writer *writer, const struct gtr_head *head,
                                struct gtr_err *err)
{
    const struct {
        const char *name, *value;
    } texts[] = { { "format", "gradtrace" },          { "producer", head->producer },
                  { "created", head->created },       { "reduction", head->reduction },
                  { "grad_state", head->grad_state }, { "meta", head->meta },
                  { "group_by", head->group_by } };
    const struct {
        const char *name;
        int64_t value;
    } integers[] = { { "format_version", GTR_FORMAT_VERSION },
                     { "rank", head->rank },
                     { "world_size", head->world_size },
                     { "total_steps", head->total_steps } };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(texts); i++)
        if (texts[i].value != NULL)
            rc = gtr_h5_set_text(writer->h5, "/", texts[i].name, texts[i].value, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(integers); i++)
        rc = gtr_h5_set_integer(writer->h5, "/", integers[i].name, integers[i].value, err);
    return rc;
}

/* One text of every tensor: its name, shape, dtype or parameter group. */
static enum gtr_code write_texts(struct gtr_writer *writer, const struct gtr_head *head,
                                 const char *dataset,
                                 const char *(*text_of)(const struct gtr_tensor *),
                                 struct gtr_err *err)
{
    enum gtr_code rc;
    const char **texts;
    size_t i;

    rc = gtr_alloc_for(&texts, head->n_tensors, sizeof *texts, "names", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < head->n_tensors; i++)
        texts[i] = text_of(&head->tensors[i]);
    rc = gtr_h5_write_strings(writer->h5, dataset, texts, head->n_tensors, err);
    gtr_free(texts);
    return rc;
}

static const char *name_of(const struct gtr_tensor *tensor)
{
    return tensor->name;
}

static const char *shape_of(const struct gtr_tensor *tensor)
{
    return tensor->shape;
}

static const char *dtype_of(const struct gtr_tensor *tensor)
{
    return gtr_dtype_name(tensor->dtype);
}

static const char *param_group_of(const struct gtr_tensor *tensor)
{
    return tensor->param_group != NULL ? tensor->param_group : "";
}

static bool has_param_groups(const struct gtr_head *head)
{
    size_t i;

    for (i = 0; i < head->n_tensors; i++)
        if (head->tensors[i].param_group != NULL)
            return true;
    return false;
}

static enum gtr_code write_tensors(struct gtr_writer *writer, const struct gtr_head *head,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n = head->n_tensors, i;
    uint64_t *numel = NULL;

    rc = gtr_alloc_for(&numel, n, sizeof *numel, "sizes", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n; i++)
        numel[i] = head->tensors[i].numel;
    rc = gtr_h5_make_group(writer->h5, "/param", err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_vector(writer->h5, "/param/numel", GTR_H5_U64, numel, n, err);
    if (rc == GTR_OK)
        rc = write_texts(writer, head, "/param/name", name_of, err);
    if (rc == GTR_OK)
        rc = write_texts(writer, head, "/param/shape", shape_of, err);
    if (rc == GTR_OK)
        rc = write_texts(writer, head, "/param/dtype", dtype_of, err);
    if (rc == GTR_OK && has_param_groups(head))
        rc = write_texts(writer, head, "/param/group", param_group_of, err);
    gtr_free(numel);
    return rc;
}

/* Rows to a chunk.  A chunk is stored whole, so if the plan is known it is cut into equal ones:
 * the last is then full as well. */
static size_t rows_of_chunk(size_t row_bytes, int64_t planned)
{
    size_t most = CHUNK_BYTES / row_bytes, n_chunks;

    most = most < 1 ? 1 : most > CHUNK_ROWS_MAX ? CHUNK_ROWS_MAX : most;
    if (planned < PLAN_MIN)
        return most;
    n_chunks = ((size_t)planned + most - 1) / most;
    return ((size_t)planned + n_chunks - 1) / n_chunks;
}

static enum gtr_code make_step_sheets(struct gtr_writer *writer, int64_t planned,
                                      struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .chunk_rows = rows_of_chunk(sizeof(double), planned) };
    enum gtr_code rc;
    size_t i;

    rc = gtr_h5_make_group(writer->h5, "/step", err);
    for (i = 0; rc == GTR_OK && i < STEP_COUNT; i++)
        rc = gtr_h5_sheet_new(writer->h5, step_columns[i].name, step_columns[i].type, &shape,
                              &writer->step[i], err);
    return rc;
}

static enum gtr_code make_norm_sheets(struct gtr_writer *writer, int64_t planned,
                                      struct gtr_err *err)
{
    /* Norms are noise to deflate, counts nearly always zero. */
    static const struct {
        const char *name;
        enum gtr_h5_type type;
        bool counts;
    } norms[GTR_NORM_COUNT] = {
        [GTR_SUMSQ] = { "/norm/sumsq", GTR_H5_F64, false },
        [GTR_MAXABS] = { "/norm/maxabs", GTR_H5_F32, false },
        [GTR_NONFINITE] = { "/norm/nonfinite", GTR_H5_U64, true },
        [GTR_PARAM_SUMSQ] = { "/norm/param_sumsq", GTR_H5_F64, false },
    };
    size_t rows = rows_of_chunk(writer->n_tensors * sizeof(double), planned), i;
    enum gtr_code rc;

    rc = gtr_h5_make_group(writer->h5, "/norm", err);
    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++) {
        const struct gtr_h5_shape shape = { .cols = writer->n_tensors,
                                            .chunk_rows = rows,
                                            .deflate = norms[i].counts,
                                            .sparse = norms[i].counts };

        if (i == GTR_PARAM_SUMSQ && !writer->param_norms)
            continue;
        rc = gtr_h5_sheet_new(writer->h5, norms[i].name, norms[i].type, &shape, &writer->norm[i],
                              err);
    }
    return rc;
}

static enum gtr_code write_sampling(struct gtr_writer *writer, const char *name,
                                    const struct gtr_sample *sampling, struct gtr_err *err)
{
    enum gtr_code rc;

    if (sampling->fraction == 0.0)
        return gtr_h5_set_text(writer->h5, name, "sampling", "full", err);
    rc = gtr_h5_set_text(writer->h5, name, "sampling", "blocks", err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(writer->h5, name, "block", sampling->block, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_real(writer->h5, name, "fraction", sampling->fraction, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(writer->h5, name, "seed", sampling->seed, err);
    return rc;
}

/* /grad/<i> and its attributes. */
static enum gtr_code make_element_sheet(struct gtr_writer *writer, const struct gtr_tensor *tensor,
                                        const struct gtr_sample *sampling, size_t i,
                                        struct gtr_err *err)
{
    size_t size = gtr_dtype_size(tensor->dtype), most = ELEMENT_CHUNK_BYTES / size;
    size_t numel = sampling->fraction == 0.0
                       ? tensor->numel
                       : gtr_sample_numel(sampling, tensor->name, tensor->numel);
    size_t captures = numel < CAPTURES_BYTES / size ? CAPTURES_BYTES / size / numel : 1;
    const struct gtr_h5_shape shape = { .cols = numel,
                                        .chunk_rows = captures < 64 ? captures : 64,
                                        .chunk_cols = numel < most ? numel : most,
                                        .deflate = true };
    enum gtr_code rc;
    char name[32];

    snprintf(name, sizeof name, "/grad/%zu", i);
    rc = gtr_h5_sheet_new(writer->h5, name, gtr_elements_type(tensor->dtype), &shape,
                          &writer->elements[i], err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(writer->h5, name, "name", tensor->name, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(writer->h5, name, "dtype", gtr_dtype_name(tensor->dtype), err);
    if (rc == GTR_OK)
        rc = write_sampling(writer, name, sampling, err);
    return rc;
}

static enum gtr_code make_element_sheets(struct gtr_writer *writer, const struct gtr_head *head,
                                         const struct gtr_sample *sampling, struct gtr_err *err)
{
    const struct gtr_h5_shape rows = { .chunk_rows = CHUNK_ROWS_MAX };
    enum gtr_code rc;
    size_t i;

    rc =
        gtr_alloc_for(&writer->elements, head->n_tensors, sizeof *writer->elements, "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_h5_make_group(writer->h5, "/grad", err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_new(writer->h5, "/grad/step", GTR_H5_I64, &rows, &writer->capture_rows,
                              err);
    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++)
        if (head->tensors[i].numel > 0)
            rc = make_element_sheet(writer, &head->tensors[i], sampling, i, err);
    return rc;
}

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

enum gtr_code gtr_writer_open(const char *path, const struct gtr_head *head,
                              const struct gtr_writer_options *options, struct gtr_writer **out,
                              struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_writer *writer;

    *out = NULL;
    rc = check_head(path, head, &options->sampling, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_alloc_for(&writer, 1, sizeof *writer, "writers", err);
    if (rc != GTR_OK)
        return rc;
    writer->n_tensors = head->n_tensors;
    writer->param_norms = options->param_norms;
    rc = gtr_outfile_begin(&writer->file, path, options->force, err);
    if (rc == GTR_OK)
        rc = gtr_h5_create(gtr_outfile_name(&writer->file), path, &writer->h5, err);
    if (rc == GTR_OK)
        rc = write_head(writer, head, err);
    if (rc == GTR_OK)
        rc = write_tensors(writer, head, err);
    if (rc == GTR_OK)
        rc = make_step_sheets(writer, head->total_steps, err);
    if (rc == GTR_OK)
        rc = make_norm_sheets(writer, head->total_steps, err);
    if (rc == GTR_OK && options->elements)
        rc = make_element_sheets(writer, head, &options->sampling, err);
    if (rc != GTR_OK) {
        gtr_writer_abandon(writer);
        return rc;
    }
    *out = writer;
    return GTR_OK;
}

static enum gtr_code append_step(struct gtr_writer *writer, const struct gtr_step *step,
                                 struct gtr_err *err)
{
    const uint8_t skipped = step->skipped;
    const void *values[STEP_COUNT] = {
        [STEP_INDEX] = &step->index, [STEP_LOSS] = &step->loss,           [STEP_LR] = &step->lr,
        [STEP_TIME] = &step->time,   [STEP_SCALE] = &step->applied_scale, [STEP_SKIPPED] = &skipped
    };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < STEP_COUNT; i++)
        rc = gtr_h5_sheet_append(writer->step[i], values[i], err);
    return rc;
}

enum gtr_code gtr_writer_append(struct gtr_writer *writer, const struct gtr_step *step,
                                const double *sumsq, const float *maxabs, const uint64_t *nonfinite,
                                const double *param_sumsq, struct gtr_err *err)
{
    enum gtr_code rc;

    if (writer->n_steps > 0 && step->index <= writer->last_index)
        return gtr_fail(err, GTR_EUSAGE, "step %lld: does not come after step %lld",
                        (long long)step->index, (long long)writer->last_index);
    if (writer->n_pending > 0 && writer->n_pending < writer->n_tensors)
        return gtr_fail(err, GTR_EUSAGE, "step %lld: elements of %zu tensors, not of all %zu",
                        (long long)step->index, writer->n_pending, writer->n_tensors);
    rc = append_step(writer, step, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_append(writer->norm[GTR_SUMSQ], sumsq, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_append(writer->norm[GTR_MAXABS], maxabs, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_append(writer->norm[GTR_NONFINITE], nonfinite, err);
    if (rc == GTR_OK && writer->param_norms)
        rc = gtr_h5_sheet_append(writer->norm[GTR_PARAM_SUMSQ], param_sumsq, err);
    if (rc == GTR_OK && writer->n_pending > 0) {
        const int64_t row = (int64_t)writer->n_steps;

        rc = gtr_h5_sheet_append(writer->capture_rows, &row, err);
    }
    if (rc != GTR_OK) {
        writer->broken = true;
        return rc;
    }
    writer->n_captures += writer->n_pending > 0;
    writer->n_pending = 0;
    writer->n_steps++;
    writer->last_index = step->index;
    return GTR_OK;
}

enum gtr_code gtr_writer_amend(struct gtr_writer *writer, double applied_scale, bool skipped,
                               struct gtr_err *err)
{
    const uint8_t flag = skipped;

    if (writer->n_steps == 0)
        return gtr_fail(err, GTR_EUSAGE, "no step to amend");
    memcpy(gtr_h5_sheet_last(writer->step[STEP_SCALE]), &applied_scale, sizeof applied_scale);
    memcpy(gtr_h5_sheet_last(writer->step[STEP_SKIPPED]), &flag, sizeof flag);
    return GTR_OK;
}

enum gtr_code gtr_writer_elements(struct gtr_writer *writer, size_t tensor, const void *elements,
                                  struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (writer->elements == NULL || tensor >= writer->n_tensors)
        return gtr_fail(err, GTR_EUSAGE, "tensor %zu: this trace holds no elements of it", tensor);
    if (writer->elements[tensor] != NULL)
        rc = gtr_h5_sheet_append(writer->elements[tensor], elements, err);
    if (rc == GTR_OK)
        writer->n_pending++;
    else
        writer->broken = true;
    return rc;
}

/* Closes all sheets and the file; the first failure is told. */
static enum gtr_code close_all(struct gtr_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK, one;
    size_t i;

    for (i = 0; i < STEP_COUNT; i++) {
        one = gtr_h5_sheet_close(writer->step[i], err);
        rc = rc == GTR_OK ? one : rc;
    }
    for (i = 0; i < GTR_NORM_COUNT; i++) {
        one = gtr_h5_sheet_close(writer->norm[i], err);
        rc = rc == GTR_OK ? one : rc;
    }
    one = gtr_h5_sheet_close(writer->capture_rows, err);
    rc = rc == GTR_OK ? one : rc;
    for (i = 0; writer->elements != NULL && i < writer->n_tensors; i++) {
        one = gtr_h5_sheet_close(writer->elements[i], err);
        rc = rc == GTR_OK ? one : rc;
    }
    one = gtr_h5_close(writer->h5, err);
    gtr_free(writer->elements);
    return rc == GTR_OK ? one : rc;
}

/* Back to the last whole step: what was written of the one after it would make the sheets differ
 * in length. */
static enum gtr_code cut_all(struct gtr_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < STEP_COUNT; i++)
        rc = gtr_h5_sheet_cut(writer->step[i], writer->n_steps, err);
    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++)
        rc = gtr_h5_sheet_cut(writer->norm[i], writer->n_steps, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_cut(writer->capture_rows, writer->n_captures, err);
    for (i = 0; rc == GTR_OK && writer->elements != NULL && i < writer->n_tensors; i++)
        rc = gtr_h5_sheet_cut(writer->elements[i], writer->n_captures, err);
    return rc;
}

enum gtr_code gtr_writer_close(struct gtr_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK, closed;

    if (writer->broken || writer->n_pending > 0)
        rc = cut_all(writer, err);
    closed = close_all(writer, err);
    rc = rc == GTR_OK ? closed : rc;
    if (rc == GTR_OK)
        rc = gtr_outfile_commit(&writer->file, err);
    else
        gtr_outfile_abandon(&writer->file);
    gtr_free(writer);
    return rc;
}

void gtr_writer_abandon(struct gtr_writer *writer)
{
    if (writer == NULL)
        return;
    close_all(writer, NULL);
    gtr_outfile_abandon(&writer->file);
    gtr_free(writer);
}
