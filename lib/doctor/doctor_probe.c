/* doctor_probe.c - checks of what a policy does to spikes: to one that is put in, and to whom else
 * those of the run do harm. */
#include <math.h>

#include "alloc.h"
#include "doctor_private.h"
#include "exact.h"
#include "spill.h"

/* --- a spike that is treated like any step ---------------------------------------------------- */

enum { PROBES = 3, SPILL_STEPS = 3 /* fewer are an accident, and a note */ };

struct probe {
    size_t row[PROBES];
    double *scale; /* [PROBES][G] of the spike */
};

/* The run up to `row`, where every norm is 100 times as large. */
static enum gtr_code probe_row(const struct gtr_exam *exam, size_t row, double *scale)
{
    struct gtr_replay_options options = { .size = sizeof options };
    const struct gtr_replay *whole = exam->patient->replay;
    struct gtr_decisions *decisions = NULL;
    struct gtr_series *series = NULL;
    struct gtr_replay *replay = NULL;
    enum gtr_code rc;
    size_t j;

    options.total_steps = gtr_replay_total_steps(whole) > 0 ? gtr_replay_total_steps(whole) : -1;
    options.n_threads = gtr_replay_n_threads(whole);
    options.device.kind = GTR_DEVICE_CPU;
    rc = gtr_series_window(exam->series, 0, row + 1, &series, exam->err);
    if (rc != GTR_OK)
        return rc;
    for (j = 0; j < series->n_groups; j++)
        series->sumsq[j * (row + 1) + row] *= 1e4;
    series->total_sumsq[row] *= 1e4;
    series->total[row] *= 100.0;
    rc = gtr_replay_new(series, &options, &replay, exam->err);
    if (rc == GTR_OK)
        rc = gtr_replay_run(replay, exam->patient->settings[exam->policy], &decisions, exam->err);
    for (j = 0; rc == GTR_OK && j < series->n_groups; j++)
        scale[j] = decisions->scale[j * (row + 1) + row];
    gtr_decisions_free(decisions);
    gtr_replay_free(replay);
    gtr_series_free(series);
    return rc;
}

/* Middle of three. */
static double middle(double a, double b, double c)
{
    double low = a < b ? a : b, high = a < b ? b : a;

    return c < low ? low : c > high ? high : c;
}

/* The run's own spikes in the flagged groups, and the median of their scales. */
static size_t own_spikes(struct gtr_exam *exam, double *scale)
{
    size_t n_steps = exam->series->n_steps, n = 0, j, t;

    for (t = 0; t < n_steps; t++) {
        double highest = 0.0;

        exam->weight[t] = 0.0;
        for (j = 0; j < exam->series->n_groups; j++) {
            double at = exam->spike[j * n_steps + t], s = exam->decisions->scale[j * n_steps + t];

            if (!exam->flags[j] || !(at > highest) || isnan(s))
                continue;
            n += highest > 0.0 ? 0 : 1;
            highest = at;
            exam->values[n - 1] = s;
            exam->weight[t] = at;
        }
    }
    *scale = gtr_exam_quantile(exam, n, 0.5);
    return n;
}

static void tell_probe(struct gtr_exam *exam, size_t worst, double ordinary, double spike)
{
    struct gtr_finding *f = gtr_exam_found(exam, GTR_SEVERE, worst);
    char names[GTR_TELL];
    double own;
    size_t n;

    gtr_finding_say(f,
                    "In %s a norm 100 times as large, put in at %d steps, is scaled by %.3g; the "
                    "ordinary norms of these steps by %.3g.  So %.3g times the ordinary gradient "
                    "gets through.",
                    gtr_tell_lanes(exam, names), PROBES, spike, ordinary, 100.0 * spike / ordinary);
    n = own_spikes(exam, &own);
    if (n > 0)
        gtr_finding_say(f, "  The run's own spikes (%zu steps) get %.3g at the median.", n, own);
    gtr_finding_number(f, "scale_of_spike", spike);
    gtr_finding_number(f, "scale_of_ordinary", ordinary);
    if (n > 0)
        gtr_finding_worst(f, exam);
    if (exam->report->group[worst].n_capped > 0)
        gtr_finding_advise(f, "max_down=0: a floor under the scale protects the spike");
    else
        gtr_finding_advise(f, "a larger beta, or form=code: the spike raises its own limit");
}

static void judge_probes(struct gtr_exam *exam, const struct probe *probe)
{
    size_t n_groups = exam->series->n_groups, n_steps = exam->series->n_steps, worst = n_groups, j;
    double most = 0.0, ordinary = 1.0, spike = 1.0;

    for (j = 0; j < n_groups; j++) {
        const double *scale = exam->decisions->scale + j * n_steps;
        double s =
            middle(probe->scale[j], probe->scale[n_groups + j], probe->scale[2 * n_groups + j]);
        double o = middle(scale[probe->row[0]], scale[probe->row[1]], scale[probe->row[2]]);

        exam->flags[j] = gtr_exam_has_lane(exam, j) && s >= gtr_threshold_at(GTR_AT_SPIKE_HELD) * o;
        if (!exam->flags[j] || s / o <= most)
            continue;
        most = s / o;
        worst = j;
        ordinary = o;
        spike = s;
    }
    if (worst < n_groups)
        tell_probe(exam, worst, ordinary, spike);
}

void gtr_check_spike_passes(struct gtr_exam *exam)
{
    size_t n_steps = exam->series->n_steps, n_groups = exam->series->n_groups, k;
    struct probe probe = { .scale = NULL };

    /* The others have a limit that no spike moves, and no floor. */
    if (exam->decisions->policy != GTR_AGGC || gtr_exam_told(exam, "poisoned"))
        return;
    for (k = 0; k < PROBES; k++) {
        size_t t = (k + 1) * n_steps / (PROBES + 1);

        while (t < n_steps && !gtr_exam_counts(exam, t))
            t++;
        if (t == n_steps)
            return;
        probe.row[k] = t;
    }
    exam->rc = gtr_alloc_for(&probe.scale, PROBES * n_groups, sizeof(double), "groups", exam->err);
    for (k = 0; exam->rc == GTR_OK && k < PROBES; k++)
        exam->rc = probe_row(exam, probe.row[k], probe.scale + k * n_groups);
    if (exam->rc == GTR_OK)
        judge_probes(exam, &probe);
    gtr_free(probe.scale);
}

/* --- spill-over ------------------------------------------------------------------------------- */

static void tell_spill(struct gtr_exam *exam, const struct gtr_spill *spill, size_t n_hard)
{
    double *blamed = spill->blamed;
    size_t culprit = 0, j;
    char percent[GTR_TELL], of_blame[GTR_TELL], name[GTR_TELL];
    struct gtr_finding *f;

    for (j = 1; j < spill->n_groups; j++)
        if (blamed[j] > blamed[culprit])
            culprit = j;
    f = gtr_exam_found(exam,
                       spill->spill_share >= gtr_threshold_at(GTR_AT_SPILL_SEVERE) && n_hard >= 10
                           ? GTR_SEVERE
                       : n_hard >= SPILL_STEPS ? GTR_WARNING
                                               : GTR_NOTE,
                       culprit);
    gtr_finding_say(f,
                    "%s of all that clipping takes is taken from groups that stayed within their "
                    "past, because another did not; %s has %s of the blame.  At %zu %s they kept "
                    "less than half of what they would have kept.",
                    gtr_tell_share(spill->spill_share, percent),
                    gtr_tell_name(exam->series->names[culprit], name),
                    gtr_tell_share(blamed[culprit] / spill->excess_sum, of_blame), n_hard,
                    n_hard == 1 ? "step" : "steps");
    gtr_finding_number(f, "spill_share", spill->spill_share);
    gtr_finding_number(f, "culprit_share", blamed[culprit] / spill->excess_sum);
    gtr_finding_number(f, "hard_steps", (double)n_hard);
    gtr_finding_worst(f, exam);
    gtr_finding_advise(f, "a limit for each group: -p group:quantile=0.99, or aggc");
    gtr_finding_advise(f, "`gradtrace spill TRACE --max-norm %.4g`: who pays, step by step",
                       spill->max_norm);
}

void gtr_check_spill(struct gtr_exam *exam)
{
    struct gtr_spill_options options = { .method = GTR_BLAME_SHAPLEY };
    struct gtr_spill *spill = NULL;
    double hard_sum = 0.0; /* of hard steps alone: noise spills little at many steps */
    size_t n_hard = 0, t;

    if (exam->decisions->policy != GTR_GLOBAL || exam->series->n_groups < 2)
        return;
    options.max_norm = exam->decisions->params[0].global.max_norm;
    options.n_threads = gtr_replay_n_threads(exam->patient->replay);
    if (!(options.max_norm >= 1e-150 && options.max_norm <= 1e150))
        return;
    exam->rc = gtr_spill_new(exam->patient->replay, exam->baseline, &options, &spill, exam->err);
    if (exam->rc != GTR_OK)
        return;
    for (t = 0; t < exam->series->n_steps; t++) {
        bool hard = spill->spilled[t] >= gtr_ln(gtr_threshold_at(GTR_AT_SPILL_HALF));

        exam->weight[t] = hard ? spill->spilled[t] : 0.0;
        n_hard += hard ? 1 : 0;
        hard_sum += exam->weight[t];
    }
    if (n_hard > 0 && hard_sum >= gtr_threshold_at(GTR_AT_SPILL) * spill->attenuation_sum)
        tell_spill(exam, spill, n_hard);
    gtr_spill_free(spill);
}
