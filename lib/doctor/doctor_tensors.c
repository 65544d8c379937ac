/* doctor_tensors.c - checks that look at single tensors: two passes over the trace at most. */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "doctor_private.h"

struct pass {
    struct gtr_exam *exam;
    size_t n_tensors;
    double *before;  /* [P] the row before, zeros at first */
    size_t *n_most;  /* [P] steps at which it has more than half of the energy */
    size_t n_shares; /* in exam->values */
};

/* Calls `look` with every row of a matrix of doubles or counts. */
static enum gtr_code each_row(struct pass *pass, enum gtr_norm norm,
                              void (*look)(struct pass *pass, size_t t, const void *row),
                              struct gtr_err *err)
{
    const struct gtr_trace *trace = pass->exam->patient->trace;
    size_t rows = gtr_trace_band_rows(trace, norm), n_steps = gtr_trace_n_steps(trace), band, t;
    uint64_t *values;
    enum gtr_code rc;

    rc = gtr_alloc_for(&values, rows * pass->n_tensors, sizeof *values, "norms", err);
    for (band = 0; rc == GTR_OK && band < gtr_trace_n_bands(trace, norm); band++) {
        rc = gtr_trace_read_band(trace, norm, band, values, err);
        for (t = band * rows; rc == GTR_OK && t < (band + 1) * rows && t < n_steps; t++)
            look(pass, t, values + (t - band * rows) * pass->n_tensors);
    }
    gtr_free(values);
    return rc;
}

static double energy_of(const double *row, size_t n)
{
    double energy = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        energy += row[i];
    return energy;
}

static void look_at_sums(struct pass *pass, size_t t, const void *sums)
{
    struct gtr_tensor_facts *facts = &pass->exam->facts;
    size_t n = pass->n_tensors, i;
    const double *row = sums;
    double energy = energy_of(row, n);

    facts->repeats[t] = energy > 0.0 && memcmp(row, pass->before, n * sizeof *row) == 0 ? 1 : 0;
    for (i = 0; i < n; i++) {
        if (row[i] != 0.0)
            facts->silent[i] = false;
        /* At most one tensor can: ties are nobody's. */
        if (gtr_exam_counts(pass->exam, t) && row[i] > 0.5 * energy)
            pass->n_most[i]++;
    }
    memcpy(pass->before, row, n * sizeof *row);
}

static void look_at_nonfinite(struct pass *pass, size_t t, const void *counts)
{
    struct gtr_tensor_facts *facts = &pass->exam->facts;
    const uint64_t *row = counts;
    size_t i;

    (void)t;
    for (i = 0; i < pass->n_tensors; i++) {
        facts->n_nonfinite[i] += row[i] > 0 ? 1 : 0;
        if (row[i] > 0)
            facts->silent[i] = false;
    }
}

/* The winner's shares. */
static void look_at_dominant(struct pass *pass, size_t t, const void *sums)
{
    struct gtr_exam *exam = pass->exam;
    const double *row = sums;
    double energy = energy_of(row, pass->n_tensors);

    if (gtr_exam_counts(exam, t) && energy > 0.0)
        exam->values[pass->n_shares++] = row[exam->facts.dominant] / energy;
}

static enum gtr_code find_dominant(struct pass *pass, struct gtr_err *err)
{
    struct gtr_exam *exam = pass->exam;
    size_t n_counted = 0, i, t;
    enum gtr_code rc;

    for (t = 0; t < exam->series->n_steps; t++)
        n_counted += gtr_exam_counts(exam, t) ? 1 : 0;
    exam->facts.dominant = pass->n_tensors;
    for (i = 0; i < pass->n_tensors; i++)
        if (2 * pass->n_most[i] > n_counted)
            exam->facts.dominant = i;
    if (exam->facts.dominant == pass->n_tensors)
        return GTR_OK;
    rc = each_row(pass, GTR_SUMSQ, look_at_dominant, err);
    exam->facts.dominant_median = gtr_exam_quantile(exam, pass->n_shares, 0.5);
    return rc;
}

enum gtr_code gtr_exam_tensors(struct gtr_exam *exam, struct gtr_err *err)
{
    const struct gtr_trace *trace = exam->patient->trace;
    struct pass pass = { .exam = exam, .n_tensors = gtr_trace_head(trace)->n_tensors };
    struct gtr_tensor_facts *facts = &exam->facts;
    size_t n = pass.n_tensors;
    enum gtr_code rc;

    rc = gtr_alloc_for(&facts->silent, n, sizeof *facts->silent, "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&facts->n_nonfinite, n, sizeof(uint64_t), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&facts->repeats, exam->series->n_steps, 1, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&pass.before, n, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&pass.n_most, n, sizeof(size_t), "tensors", err);
    if (rc == GTR_OK) {
        memset(facts->silent, true, n * sizeof *facts->silent);
        rc = each_row(&pass, GTR_SUMSQ, look_at_sums, err);
    }
    if (rc == GTR_OK && gtr_trace_has(trace, GTR_NONFINITE) && exam->series->n_nonfinite > 0)
        rc = each_row(&pass, GTR_NONFINITE, look_at_nonfinite, err);
    if (rc == GTR_OK)
        rc = find_dominant(&pass, err);
    gtr_free(pass.before);
    gtr_free(pass.n_most);
    return rc;
}

/* --- checks --------------------------------------------------------------------------------- */

void gtr_check_dominant(struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    size_t i = exam->facts.dominant, k;
    double share = exam->facts.dominant_median, elements = 0.0, part;
    char name[GTR_TELL], percent[GTR_TELL];
    struct gtr_finding *f;

    /* Of two tensors one nearly always has more than half. */
    if (i == head->n_tensors || head->n_tensors < 3 || !(share > gtr_threshold_at(GTR_AT_DOMINANT)))
        return;
    for (k = 0; k < head->n_tensors; k++)
        elements += (double)head->tensors[k].numel;
    part = elements > 0.0 ? (double)head->tensors[i].numel / elements : 0.0;
    if (part > 0.5)
        return;
    f = gtr_exam_found(exam, gtr_severe_from(GTR_AT_DOMINANT_SEVERE, share),
                       exam->patient->groups->of_tensor[i]);
    gtr_finding_say(f, "%s has %s of the energy of the whole gradient at the median step",
                    gtr_tell_name(head->tensors[i].name, name), gtr_tell_share(share, percent));
    if (part > 0.0)
        gtr_finding_say(f, ", and %s of the elements", gtr_tell_share(part, percent));
    gtr_finding_say(f, ".  A limit on the global norm follows this tensor alone.");
    gtr_finding_number(f, "energy_share", share);
    gtr_finding_number(f, "element_share", part);
    gtr_finding_advise(f, "a limit for each group, such as -p group:quantile=0.99");
    gtr_finding_advise(f, "a look at how this tensor is scaled, initialised and trained");
}

void gtr_check_silent(struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    size_t n = 0, first = 0, i;
    char name[GTR_TELL];
    struct gtr_finding *f;

    for (i = head->n_tensors; i-- > 0;) {
        n += exam->facts.silent[i] ? 1 : 0;
        if (exam->facts.silent[i])
            first = i;
    }
    if (n == 0)
        return;
    f = gtr_exam_found(exam, GTR_WARNING, exam->patient->groups->of_tensor[first]);
    gtr_finding_say(f, "%zu of %zu tensors had no gradient at any step: %s", n, head->n_tensors,
                    gtr_tell_name(head->tensors[first].name, name));
    if (n > 1)
        gtr_finding_say(f, " and %zu more", n - 1);
    gtr_finding_say(f, ".");
    gtr_finding_number(f, "tensors", (double)n);
    gtr_finding_advise(f, "freezing them (requires_grad=False) if they are not meant to learn");
    gtr_finding_advise(f, "a look for a detach() or an unused branch if they are");
}

void gtr_check_stale(struct gtr_exam *exam)
{
    size_t n_steps = exam->series->n_steps, n = 0, t;
    struct gtr_finding *f;
    char percent[GTR_TELL];
    double share;

    for (t = 0; t < n_steps; t++) {
        exam->weight[t] = exam->facts.repeats[t] ? 1.0 : 0.0;
        n += exam->facts.repeats[t];
    }
    if (n == 0)
        return;
    share = (double)n / (double)n_steps;
    f = gtr_exam_found(exam, gtr_severe_from(GTR_AT_STALE, share), exam->series->n_groups);
    gtr_finding_say(
        f, "%zu %s (%s) %s the norms of the step before, to the last bit of every tensor.", n,
        n == 1 ? "step" : "steps", gtr_tell_share(share, percent), n == 1 ? "repeats" : "repeat");
    gtr_finding_number(f, "steps", (double)n);
    gtr_finding_number(f, "share", share);
    gtr_finding_worst(f, exam);
    gtr_finding_advise(f, "recording once per optimizer step, after backward and before zero_grad");
    gtr_finding_advise(f, "a look for batches that are repeated, or backward passes left out");
}
