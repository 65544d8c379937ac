/* doctor_tensors.c - checks that look at single tensors: two passes over the trace at most. */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "doctor_private.h"
#include "exact.h"

struct pass {
    struct gtr_exam *exam;
    size_t n_tensors;
    double *before;   /* [P] the row before, zeros at first */
    size_t *n_most;   /* [P] steps at which it has more than half of the energy */
    uint8_t *was_bad; /* [T][P] not finite; NULL if all are finite */
    double level;     /* of gtr_exam_fading_row */
    size_t tensor, row;
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

/* A zero over finite elements; NaN is not 0: a tensor that was not finite had a gradient. */
static bool is_silent(const struct pass *pass, size_t t, size_t tensor, double sum)
{
    return sum == 0.0 &&
           (pass->was_bad == NULL || pass->was_bad[t * pass->n_tensors + tensor] == 0);
}

static void follow_silence(struct pass *pass, size_t t, size_t tensor, double sum)
{
    struct gtr_tensor_facts *facts = &pass->exam->facts;
    size_t n_steps = pass->exam->series->n_steps, from = facts->silent_from[tensor];

    if (is_silent(pass, t, tensor, sum)) {
        facts->silent_from[tensor] = from == n_steps ? t : from;
        return;
    }
    facts->silent[tensor] = false;
    facts->silent_from[tensor] = n_steps;
    if (from < n_steps && t - from > facts->longest_break)
        facts->longest_break = t - from;
}

/* ln of its norm over the global one, into the part of the run that t is in. */
static void add_level(struct pass *pass, size_t t, size_t tensor, double log_ratio)
{
    struct gtr_tensor_facts *facts = &pass->exam->facts;
    size_t part = t * GTR_TENSOR_PARTS / pass->exam->series->n_steps;

    facts->level[tensor * GTR_TENSOR_PARTS + part] += log_ratio;
    facts->n_levels[tensor * GTR_TENSOR_PARTS + part] += 1.0;
}

static void look_at_sums(struct pass *pass, size_t t, const void *sums)
{
    struct gtr_tensor_facts *facts = &pass->exam->facts;
    size_t n = pass->n_tensors, i;
    const double *row = sums;
    double energy = energy_of(row, n), log_energy = energy > 0.0 ? gtr_ln(energy) : 0.0;
    bool counts = gtr_exam_counts(pass->exam, t);

    facts->repeats[t] = energy > 0.0 && memcmp(row, pass->before, n * sizeof *row) == 0 ? 1 : 0;
    for (i = 0; i < n; i++) {
        follow_silence(pass, t, i, row[i]);
        if (counts && row[i] > 0.0)
            add_level(pass, t, i, 0.5 * (gtr_ln(row[i]) - log_energy));
        /* At most one tensor can: ties are nobody's. */
        if (counts && row[i] > 0.5 * energy)
            pass->n_most[i]++;
    }
    memcpy(pass->before, row, n * sizeof *row);
}

static void look_at_nonfinite(struct pass *pass, size_t t, const void *counts)
{
    struct gtr_tensor_facts *facts = &pass->exam->facts;
    const uint64_t *row = counts;
    size_t i;

    for (i = 0; i < pass->n_tensors; i++) {
        facts->n_nonfinite[i] += row[i] > 0 ? 1 : 0;
        pass->was_bad[t * pass->n_tensors + i] = row[i] > 0 ? 1 : 0;
    }
    if (facts->first_bad == pass->exam->series->n_steps && pass->exam->series->nonfinite[t]) {
        facts->first_bad = t;
        memcpy(facts->bad_at_first, pass->was_bad + t * pass->n_tensors, pass->n_tensors);
    }
}

static void look_for_fading(struct pass *pass, size_t t, const void *sums)
{
    const double *row = sums;
    double energy = energy_of(row, pass->n_tensors), sum = row[pass->tensor];

    if (gtr_exam_counts(pass->exam, t) && sum > 0.0 &&
        0.5 * (gtr_ln(sum) - gtr_ln(energy)) > pass->level)
        pass->row = t + 1;
}

enum gtr_code gtr_exam_fading_row(struct gtr_exam *exam, size_t tensor, double level, size_t *row,
                                  struct gtr_err *err)
{
    struct pass pass = { .exam = exam,
                         .n_tensors = gtr_trace_head(exam->patient->trace)->n_tensors,
                         .tensor = tensor,
                         .level = level };
    enum gtr_code rc = each_row(&pass, GTR_SUMSQ, look_for_fading, err);

    *row = pass.row < exam->series->n_steps ? pass.row : exam->series->n_steps - 1;
    return rc;
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

static enum gtr_code facts_open(struct gtr_tensor_facts *facts, size_t n, size_t n_steps,
                                struct gtr_err *err)
{
    enum gtr_code rc = gtr_alloc_for(&facts->silent, n, sizeof *facts->silent, "tensors", err);
    size_t i;

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&facts->silent_from, n, sizeof(size_t), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&facts->n_nonfinite, n, sizeof(uint64_t), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&facts->bad_at_first, n, 1, "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&facts->level, n * GTR_TENSOR_PARTS, sizeof(double), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&facts->n_levels, n * GTR_TENSOR_PARTS, sizeof(double), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&facts->repeats, n_steps, 1, "steps", err);
    for (i = 0; rc == GTR_OK && i < n; i++) {
        facts->silent[i] = true;
        facts->silent_from[i] = n_steps;
    }
    facts->first_bad = n_steps;
    return rc;
}

/* Counts of elements that are not finite, before the sums: those tell silence by them. */
static enum gtr_code look_at_all(struct pass *pass, struct gtr_err *err)
{
    struct gtr_exam *exam = pass->exam;
    size_t n = pass->n_tensors, n_steps = exam->series->n_steps, t;
    enum gtr_code rc = GTR_OK;

    if (exam->series->n_nonfinite > 0) {
        rc = gtr_alloc_for(&pass->was_bad, n_steps * n, 1, "norms", err);
        if (rc == GTR_OK && gtr_trace_has(exam->patient->trace, GTR_NONFINITE))
            rc = each_row(pass, GTR_NONFINITE, look_at_nonfinite, err);
        for (t = 0; exam->facts.first_bad == n_steps && t < n_steps; t++)
            if (exam->series->nonfinite[t])
                exam->facts.first_bad = t;
    }
    if (rc == GTR_OK)
        rc = each_row(pass, GTR_SUMSQ, look_at_sums, err);
    return rc == GTR_OK ? find_dominant(pass, err) : rc;
}

enum gtr_code gtr_exam_tensors(struct gtr_exam *exam, struct gtr_err *err)
{
    struct pass pass = { .exam = exam,
                         .n_tensors = gtr_trace_head(exam->patient->trace)->n_tensors };
    size_t n = pass.n_tensors;
    enum gtr_code rc = facts_open(&exam->facts, n, exam->series->n_steps, err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&pass.before, n, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&pass.n_most, n, sizeof(size_t), "tensors", err);
    if (rc == GTR_OK)
        rc = look_at_all(&pass, err);
    gtr_free(pass.before);
    gtr_free(pass.n_most);
    gtr_free(pass.was_bad);
    return rc;
}

/* --- checks --------------------------------------------------------------------------------- */

/* Is it of the first or the last layer, or called an embedding or a head?  Those have most of the
 * energy in many a healthy run. */
static bool is_at_an_end(const struct gtr_head *head, size_t tensor)
{
    static const char *const words[] = { "embed", "wte", "wpe", "head", "output", "classifier" };
    const char *name = head->tensors[tensor].name;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(words); i++)
        if (strstr(name, words[i]) != NULL)
            return true;
    return tensor < 2 || tensor + 2 >= head->n_tensors;
}

void gtr_check_dominant(struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    size_t i = exam->facts.dominant, k;
    double share = exam->facts.dominant_median, elements = 0.0, part;
    char name[GTR_TELL], percent[GTR_TELL];
    struct gtr_finding *f;
    bool inner;

    /* Of two tensors one nearly always has more than half. */
    if (i == head->n_tensors || head->n_tensors < 3 || !(share > gtr_threshold_at(GTR_AT_DOMINANT)))
        return;
    for (k = 0; k < head->n_tensors; k++)
        elements += (double)head->tensors[k].numel;
    /* One element each is what norms have that come without shapes. */
    part = elements > (double)head->n_tensors ? (double)head->tensors[i].numel / elements : 0.0;
    if (part > 0.5)
        return;
    inner = !is_at_an_end(head, i) && share > gtr_threshold_at(GTR_AT_DOMINANT_INNER);
    f = gtr_exam_found(exam, inner ? GTR_WARNING : GTR_NOTE, exam->patient->groups->of_tensor[i]);
    gtr_finding_say(f, "%s has %s of the energy of the whole gradient at the median step",
                    gtr_tell_name(head->tensors[i].name, name), gtr_tell_share(share, percent));
    if (part > 0.0)
        gtr_finding_say(f, ", and %s of the elements", gtr_tell_share(part, percent));
    gtr_finding_say(f, ".  A limit on the global norm follows this tensor alone.");
    if (!inner && is_at_an_end(head, i))
        gtr_finding_say(f, "  First and last layers often have that in health.");
    gtr_finding_number(f, "energy_share", share);
    gtr_finding_number(f, "element_share", part);
    gtr_finding_advise(f, "a limit for each group, such as -p group:quantile=0.99");
    if (inner)
        gtr_finding_advise(f, "a look at how this tensor is scaled, initialised and trained");
}

/* Steps at which the whole gradient is 0: nothing was learnt from them. */
static void check_empty_steps(struct gtr_exam *exam)
{
    size_t n_steps = exam->series->n_steps, n = 0, t;
    struct gtr_finding *f;
    char percent[GTR_TELL];

    for (t = 0; t < n_steps; t++) {
        bool empty = !exam->series->nonfinite[t] && exam->series->total_sumsq[t] == 0.0;

        exam->weight[t] = empty ? 1.0 : 0.0;
        n += empty ? 1 : 0;
    }
    if (n == 0 || n == n_steps)
        return;
    f = gtr_exam_found(exam, GTR_WARNING, exam->series->n_groups);
    gtr_finding_say(f, "At %zu %s (%s) the whole gradient is exactly 0.", n,
                    n == 1 ? "step" : "steps",
                    gtr_tell_share((double)n / (double)n_steps, percent));
    gtr_finding_number(f, "steps", (double)n);
    gtr_finding_worst(f, exam);
    gtr_finding_advise(f, "a look for batches that are empty or masked throughout, and for "
                          "zero_grad between backward and recording");
}

void gtr_check_silent(struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    size_t n = 0, first = 0, i;
    char name[GTR_TELL];
    struct gtr_finding *f;

    check_empty_steps(exam);
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
