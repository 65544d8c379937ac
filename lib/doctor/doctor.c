/* doctor.c - the catalogue of checks, and the round of them. */
#include "doctor.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "doctor_private.h"

struct entry {
    struct gtr_check check;
    gtr_check_run *run;
};

/* Those that explain others come first. */
static const struct entry entries[] = {
    { { "sums", "norms do not add up",
        "The factor that the run applied does not fit the recorded norms and its max_grad_norm: "
        "shards that were not added up, a loss scale left in, another constant, or no relation.",
        false },
      gtr_check_sums },
    { { "post-clip", "recorded after clipping",
        "The global norm piles up at its largest value: the run had clipped the gradients before "
        "they were recorded.",
        false },
      gtr_check_post_clip },
    { { "unreduced", "not reduced over ranks",
        "The trace says that there were several ranks and that gradients were not reduced.",
        false },
      gtr_check_unreduced },
    { { "nonfinite", "NaN or infinite gradients",
        "Steps at which some element was NaN or infinite.", false },
      gtr_check_nonfinite },
    { { "loss", "a loss that is no number, or jumps",
        "The loss is infinite or NaN, or stands far above its own last 32.", false },
      gtr_check_loss },
    { { "divergence", "a loss that rises again",
        "The loss of the last tenth is well above that of the best tenth before it.", false },
      gtr_check_divergence },
    { { "first-steps", "first steps too large",
        "In the first tenth the norm rises far above its start and comes down again, or the loss "
        "rises above its start.",
        false },
      gtr_check_start },
    { { "piles-up", "gradients that pile up",
        "The norm changes smoothly and rises: gradients are added to those before them.", false },
      gtr_check_piles },
    { { "loss-scale", "a loss scale that changes",
        "The norms of all groups change by the same power of two at once.", false },
      gtr_check_loss_scale },
    { { "level", "norms that change their level",
        "The norm of the whole gradient or of a group jumps and stays, or is far from what it was "
        "in the last tenth.",
        false },
      gtr_check_level },
    { { "periodic", "norms that repeat a pattern",
        "The norm goes up and down with a period of some steps.", false },
      gtr_check_periodic },
    { { "stale", "the same gradients again",
        "Steps at which every tensor's sum of squares is that of the step before, to the bit.",
        false },
      gtr_check_stale },
    { { "no-gradient", "tensors or steps without a gradient",
        "Tensors whose sums of squares are 0 at every step; steps at which all are 0.", false },
      gtr_check_silent },
    { { "dead-group", "tensors that lost their gradient",
        "A tensor's norm is exactly 0 from some step up to the end of the run, whatever its group "
        "does.",
        false },
      gtr_check_dead },
    { { "vanishing", "gradients that vanish",
        "A tensor's part of the gradient fades to next to nothing, or a matrix has next to nothing "
        "all along.",
        false },
      gtr_check_vanishing },
    { { "dominant-tensor", "one tensor owns the global norm",
        "One tensor has most of the energy, though not most of the elements: a global limit "
        "follows it alone.",
        false },
      gtr_check_dominant },
    { { "spikes", "norms that spike", "A group's norm stands far above its own last 128 norms.",
        false },
      gtr_check_spikes },

    { { "poisoned", "poisoned by NaN or infinity",
        "After a step that was not finite, let through by --nonfinite propagate, the policy's "
        "state is lost, or the scale itself is NaN.",
        true },
      gtr_check_poisoned },
    { { "ema-collapse", "interval shrinks to nothing",
        "The limit follows norms that it has cut itself, and falls while the norms do not.", true },
      gtr_check_collapse },
    { { "stuck-at-cap", "scale stuck at a cap",
        "A cap (max_down, max_up) decides, not the interval.", true },
      gtr_check_cap },
    { { "spike-passes", "a spike is treated like any step",
        "The recorded run is replayed with a norm 100 times as large at a few steps; their scales "
        "are compared with the ordinary ones.",
        true },
      gtr_check_spike_passes },
    { { "always-reached", "limit reached most of the time",
        "Most steps are scaled down by the limit: a hidden factor of the learning rate.", true },
      gtr_check_always },
    { { "cancelled", "constant scales that Adam cancels",
        "Scales change so little that dividing by the root of averaged squares takes them out.",
        true },
      gtr_check_cancelled },
    { { "cold-start", "cold start",
        "An average that starts at 0 holds the limit far too low in the first steps.", true },
      gtr_check_cold },
    { { "empty-interval", "empty interval",
        "The lower end is above the upper one; where small norms are raised, no norm is left "
        "alone.",
        true },
      gtr_check_empty },
    { { "spill-over", "spill-over",
        "A global limit takes from groups that stayed within their past, because others did not: "
        "the spill-over of `gradtrace spill`.",
        true },
      gtr_check_spill },
    { { "raises-much", "raises much or at will",
        "Small gradients are scaled up often, or by large factors.", true },
      gtr_check_raises },
    { { "never-reached", "limit never reached", "The policy changed nothing at any step.", true },
      gtr_check_never },
};

size_t gtr_checks_count(void)
{
    return GTR_ARRAY_LEN(entries);
}

const struct gtr_check *gtr_check_at(size_t check)
{
    return &entries[check].check;
}

static const struct gtr_threshold thresholds[] = {
#define X(NAME, code, value, what, why) { code, value, what, why },
    GTR_DOCTOR_THRESHOLDS(X)
#undef X
};

const struct gtr_threshold *gtr_thresholds(size_t *n_thresholds)
{
    *n_thresholds = GTR_THRESHOLD_COUNT;
    return thresholds;
}

double gtr_threshold_at(enum gtr_threshold_id id)
{
    return thresholds[id].value;
}

const char *gtr_severity_name(enum gtr_severity severity)
{
    static const char *const names[] = { "not made", "note", "warning", "severe" };

    return names[severity];
}

/* --- the round ------------------------------------------------------------------------------ */

static enum gtr_code run_checks(struct gtr_exam *exam, bool of_setting)
{
    const bool *wanted = exam->patient->wanted;

    for (exam->check = 0; exam->rc == GTR_OK && exam->check < GTR_ARRAY_LEN(entries); exam->check++)
        if (entries[exam->check].check.of_setting == of_setting &&
            (wanted == NULL || wanted[exam->check]))
            entries[exam->check].run(exam);
    return exam->rc;
}

static enum gtr_code examine_policy(struct gtr_exam *exam, size_t policy,
                                    const struct gtr_norm_summary *norms, struct gtr_err *err)
{
    struct gtr_decisions *decisions = NULL;
    struct gtr_scaling_report *report = NULL;
    enum gtr_code rc;

    rc = gtr_replay_run(exam->patient->replay, exam->patient->settings[policy], &decisions, err);
    if (rc == GTR_OK)
        rc = gtr_scaling_new(exam->patient->replay, decisions, norms, &report, err);
    if (rc == GTR_OK && decisions->lower == NULL)
        rc = gtr_fail(err, GTR_EUSAGE, "doctor: needs a replay with keep_interval");
    exam->policy = (int64_t)policy;
    exam->decisions = decisions;
    exam->report = report;
    if (rc == GTR_OK)
        rc = run_checks(exam, true);
    exam->decisions = NULL;
    exam->report = NULL;
    gtr_scaling_free(report);
    gtr_decisions_free(decisions);
    return rc;
}

static enum gtr_code examine_policies(struct gtr_exam *exam, struct gtr_err *err)
{
    struct gtr_norm_summary *norms = NULL;
    enum gtr_code rc;
    size_t i;

    rc = gtr_norm_summaries_new(exam->patient->replay, &norms, err);
    for (i = 0; rc == GTR_OK && i < exam->patient->n_policies; i++)
        rc = examine_policy(exam, i, norms, err);
    gtr_free(norms);
    return rc;
}

static enum gtr_code exam_open(struct gtr_exam *exam, const struct gtr_patient *patient,
                               struct gtr_err *err)
{
    struct gtr_baseline_options standard;
    enum gtr_code rc;
    size_t n_steps;

    memset(exam, 0, sizeof *exam);
    exam->patient = patient;
    exam->err = err;
    exam->policy = GTR_OF_THE_RUN;
    exam->series = gtr_replay_series(patient->replay);
    exam->skip = gtr_replay_skip(patient->replay);
    n_steps = exam->series->n_steps;
    gtr_baseline_options_init(&standard);
    rc = gtr_baseline_new(exam->series, exam->skip, &standard, &exam->baseline, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&exam->weight, n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&exam->values, n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&exam->scratch, n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&exam->flags, exam->series->n_groups, sizeof(bool), "groups", err);
    if (rc == GTR_OK)
        rc = gtr_exam_lines(exam, err);
    if (rc == GTR_OK)
        rc = gtr_exam_spikes(exam, err);
    return rc == GTR_OK ? gtr_exam_tensors(exam, err) : rc;
}

static void line_close(struct gtr_line *line)
{
    gtr_free(line->x);
    gtr_free(line->row);
    gtr_free(line->space);
}

static void exam_close(struct gtr_exam *exam)
{
    gtr_baseline_free(exam->baseline);
    gtr_free(exam->facts.n_nonfinite);
    gtr_free(exam->facts.silent);
    gtr_free(exam->facts.repeats);
    gtr_free(exam->facts.silent_from);
    gtr_free(exam->facts.level);
    gtr_free(exam->facts.n_levels);
    gtr_free(exam->facts.bad_at_first);
    line_close(&exam->total);
    line_close(&exam->loss);
    line_close(&exam->group);
    gtr_free(exam->spike);
    gtr_free(exam->rise);
    gtr_free(exam->findings);
    gtr_free(exam->weight);
    gtr_free(exam->values);
    gtr_free(exam->scratch);
    gtr_free(exam->flags);
}

static int compare(const void *x, const void *y)
{
    const struct gtr_finding *a = x, *b = y;

    if (a->policy != b->policy)
        return a->policy < b->policy ? -1 : 1;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    return (a->check > b->check) - (a->check < b->check);
}

enum gtr_code gtr_doctor_run(const struct gtr_patient *patient, struct gtr_finding **findings,
                             size_t *n_findings, struct gtr_err *err)
{
    struct gtr_exam exam;
    enum gtr_code rc;

    *findings = NULL;
    *n_findings = 0;
    rc = exam_open(&exam, patient, err);
    if (rc == GTR_OK)
        rc = run_checks(&exam, false);
    if (rc == GTR_OK)
        rc = examine_policies(&exam, err);
    if (rc == GTR_OK && exam.n_findings > 0)
        qsort(exam.findings, exam.n_findings, sizeof *exam.findings, compare);
    if (rc == GTR_OK) {
        *findings = exam.findings;
        *n_findings = exam.n_findings;
        exam.findings = NULL;
    }
    exam_close(&exam);
    return rc;
}
