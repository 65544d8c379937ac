/* doctor_lines.c - the lines of an exam: the global norm, one group's, the loss. */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "doctor_private.h"
#include "exact.h"

static enum gtr_code line_open(struct gtr_line *line, size_t n_steps, struct gtr_err *err)
{
    enum gtr_code rc = gtr_alloc_for(&line->x, n_steps, sizeof *line->x, "steps", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&line->row, n_steps, sizeof *line->row, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&line->space, 2 * n_steps, sizeof *line->space, "steps", err);
    return rc;
}

/* Half the logarithm of an energy, so that of a norm. */
static void take_energies(struct gtr_line *line, const struct gtr_exam *exam, const double *sumsq)
{
    size_t t;

    for (line->n = 0, t = 0; t < exam->series->n_steps; t++)
        if (gtr_exam_counts(exam, t) && sumsq[t] > 1e-300) {
            line->x[line->n] = 0.5 * gtr_ln(sumsq[t]);
            line->row[line->n++] = t;
        }
}

void gtr_exam_take_group(struct gtr_exam *exam, size_t group)
{
    take_energies(&exam->group, exam, exam->series->sumsq + group * exam->series->n_steps);
}

static void take_losses(struct gtr_exam *exam)
{
    const struct gtr_step *steps = gtr_trace_steps(exam->patient->trace);
    struct gtr_line *loss = &exam->loss;
    double least = HUGE_VAL;
    size_t t, part;

    exam->loss_counts = true;
    for (t = 0; t < exam->series->n_steps; t++) {
        if (!isfinite(steps[t].loss))
            continue;
        loss->x[loss->n] = steps[t].loss;
        loss->row[loss->n++] = t;
        exam->loss_counts = exam->loss_counts && steps[t].loss >= 0.0;
    }
    exam->loss_counts = exam->loss_counts && loss->n >= 10;
    if (!exam->loss_counts)
        return;
    for (part = 0; part < 10; part++) {
        double median = gtr_line_median(loss, part * loss->n / 10, (part + 1) * loss->n / 10);

        least = median < least ? median : least;
    }
    exam->loss_learnt = gtr_line_median(loss, 0, 4) - least;
}

enum gtr_code gtr_exam_lines(struct gtr_exam *exam, struct gtr_err *err)
{
    size_t n_steps = exam->series->n_steps;
    enum gtr_code rc = line_open(&exam->total, n_steps, err);

    if (rc == GTR_OK)
        rc = line_open(&exam->loss, n_steps, err);
    if (rc == GTR_OK)
        rc = line_open(&exam->group, n_steps, err);
    if (rc != GTR_OK)
        return rc;
    take_energies(&exam->total, exam, exam->series->total_sumsq);
    take_losses(exam);
    return GTR_OK;
}

bool gtr_exam_is_half(const struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    size_t i;

    for (i = 0; i < head->n_tensors; i++)
        if (head->tensors[i].dtype == GTR_F16)
            return true;
    return strstr(head->meta, "fp16") != NULL || strstr(head->meta, "\"float16") != NULL ||
           strstr(head->meta, "torch.float16") != NULL;
}
