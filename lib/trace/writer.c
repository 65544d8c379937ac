/* writer.c - a trace being written, whatever its form: what is asked of each, and in which order.
 */
#define _POSIX_C_SOURCE 200809L
#include "writer.h"

#include <unistd.h>

void gtr_writer_init(struct gtr_writer *writer, const struct gtr_writer_form *form,
                     const struct gtr_head *head, const struct gtr_writer_options *options)
{
    *writer = (struct gtr_writer){ .form = form,
                                   .owner = getpid(),
                                   .n_tensors = head->n_tensors,
                                   .param_norms = options->param_norms,
                                   .nan_counts = options->nan_counts,
                                   .has_elements = options->elements };
}

static enum gtr_code check_owner(const struct gtr_writer *writer, struct gtr_err *err)
{
    if (writer->owner == getpid())
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE,
                    "this trace is recorded by process %lld, and a process forked from it cannot "
                    "write to it",
                    (long long)writer->owner);
}

/* A failure is told again. */
static enum gtr_code may_write(const struct gtr_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = check_owner(writer, err);

    return rc == GTR_OK ? gtr_err_again(&writer->failure, err) : rc;
}

static enum gtr_code has_failed(struct gtr_writer *writer, const struct gtr_err *failure,
                                struct gtr_err *err)
{
    if (failure->code != GTR_EUSAGE)
        writer->failure = *failure;
    return gtr_err_again(failure, err);
}

static enum gtr_code check_step(const struct gtr_writer *writer, int64_t index, struct gtr_err *err)
{
    if (writer->n_steps > 0 && index <= writer->last_index)
        return gtr_fail(err, GTR_EUSAGE, "step %lld: does not come after step %lld",
                        (long long)index, (long long)writer->last_index);
    if (writer->n_pending > 0 && writer->n_pending < writer->n_tensors)
        return gtr_fail(err, GTR_EUSAGE, "step %lld: elements of %zu tensors, not of all %zu",
                        (long long)index, writer->n_pending, writer->n_tensors);
    return GTR_OK;
}

enum gtr_code gtr_writer_append(struct gtr_writer *writer, const struct gtr_step *step,
                                const double *sumsq, const float *maxabs, const uint64_t *nonfinite,
                                const double *param_sumsq, struct gtr_err *err)
{
    const struct gtr_row row = { step, sumsq, maxabs, nonfinite,
                                 writer->param_norms ? param_sumsq : NULL };
    enum gtr_code rc = may_write(writer, err);
    struct gtr_err failure = { 0 };

    if (rc == GTR_OK)
        rc = check_step(writer, step->index, err);
    if (rc != GTR_OK)
        return rc;
    if (writer->form->append(writer, &row, &failure) != GTR_OK)
        return has_failed(writer, &failure, err);
    writer->nan = NULL;
    writer->n_pending = 0;
    writer->n_steps++;
    writer->last_index = step->index;
    return GTR_OK;
}

enum gtr_code gtr_writer_nan(struct gtr_writer *writer, const uint64_t *nan, struct gtr_err *err)
{
    enum gtr_code rc = may_write(writer, err);

    if (rc == GTR_OK)
        writer->nan = writer->nan_counts ? nan : NULL;
    return rc;
}

enum gtr_code gtr_writer_amend(struct gtr_writer *writer, double applied_scale, bool skipped,
                               struct gtr_err *err)
{
    enum gtr_code rc = may_write(writer, err);
    struct gtr_err failure = { 0 };

    if (rc == GTR_OK && writer->n_steps == 0)
        rc = gtr_fail(err, GTR_EUSAGE, "no step to amend");
    if (rc == GTR_OK && writer->form->amend(writer, applied_scale, skipped, &failure) != GTR_OK)
        rc = has_failed(writer, &failure, err);
    return rc;
}

enum gtr_code gtr_writer_elements(struct gtr_writer *writer, size_t tensor, const void *elements,
                                  struct gtr_err *err)
{
    enum gtr_code rc = may_write(writer, err);
    struct gtr_err failure = { 0 };

    if (rc == GTR_OK && (!writer->has_elements || tensor >= writer->n_tensors))
        rc = gtr_fail(err, GTR_EUSAGE, "tensor %zu: this trace holds no elements of it", tensor);
    if (rc == GTR_OK && writer->form->elements(writer, tensor, elements, &failure) != GTR_OK)
        rc = has_failed(writer, &failure, err);
    writer->n_pending += rc == GTR_OK;
    return rc;
}

enum gtr_code gtr_writer_stopped(struct gtr_writer *writer, const char *why, struct gtr_err *err)
{
    enum gtr_code rc = check_owner(writer, err);

    return rc == GTR_OK ? writer->form->stopped(writer, why, err) : rc;
}

enum gtr_code gtr_writer_know(struct gtr_writer *writer, const struct gtr_late *late,
                              struct gtr_err *err)
{
    enum gtr_code rc = check_owner(writer, err);

    return rc == GTR_OK ? writer->form->know(writer, late, err) : rc;
}

/* Of a forked child, nothing is freed: HDF5 would take it for the end of the file. */
enum gtr_code gtr_writer_close(struct gtr_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = check_owner(writer, err);

    return rc == GTR_OK ? writer->form->close(writer, err) : rc;
}

void gtr_writer_abandon(struct gtr_writer *writer)
{
    if (writer != NULL && check_owner(writer, NULL) == GTR_OK)
        writer->form->abandon(writer);
}

/* --- ahead of the writer ---------------------------------------------------------------------- */

enum gtr_code gtr_writer_secure(struct gtr_writer *writer, const struct gtr_row *row,
                                struct gtr_err *err)
{
    enum gtr_code rc;

    if (writer->form->secure == NULL)
        return GTR_OK;
    rc = writer->form->secure(writer, row, err);
    writer->n_secured += rc == GTR_OK;
    return rc;
}

enum gtr_code gtr_writer_secure_amend(struct gtr_writer *writer, double applied_scale, bool skipped,
                                      struct gtr_err *err)
{
    if (writer->form->secure_amend == NULL)
        return GTR_OK;
    return writer->form->secure_amend(writer, applied_scale, skipped, err);
}

enum gtr_code gtr_writer_secure_know(struct gtr_writer *writer, const struct gtr_late *late,
                                     struct gtr_err *err)
{
    if (writer->form->secure_know == NULL)
        return GTR_OK;
    return writer->form->secure_know(writer, late, err);
}

bool gtr_writer_is_empty(const struct gtr_writer *writer)
{
    return writer->n_steps == 0 && writer->n_secured == 0;
}

enum gtr_code gtr_writer_settle(struct gtr_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = may_write(writer, err);
    struct gtr_err failure = { 0 };

    if (rc == GTR_OK && writer->form->settle != NULL &&
        writer->form->settle(writer, &failure) != GTR_OK)
        rc = has_failed(writer, &failure, err);
    return rc;
}
