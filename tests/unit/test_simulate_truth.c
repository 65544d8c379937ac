/* test_simulate_truth.c - synthetic traces: what the truth says is there, and nothing else is.
 *
 * All scenarios of a layout draw the same run from a seed, so what was planted is checked against
 * `healthy`, norm by norm.
 */
#define _GNU_SOURCE
#include "simulating.h"

static size_t group_named(const struct run *run, const char *name)
{
    size_t j;

    for (j = 0; j < run->groups->n_groups; j++)
        if (strcmp(run->groups->names[j], name) == 0)
            return j;
    return SIZE_MAX;
}

static struct json_object *truth_list(const struct run *run, const char *key)
{
    struct json_object *list = NULL;

    CHECK(json_object_object_get_ex(run->truth, key, &list));
    return list;
}

static size_t length_of(struct json_object *list)
{
    return list != NULL ? json_object_array_length(list) : 0;
}

static double item_number(struct json_object *list, size_t i, const char *key)
{
    return json_object_get_double(json_object_object_get(json_object_array_get_idx(list, i), key));
}

static const char *item_text(struct json_object *list, size_t i, const char *key)
{
    return json_object_get_string(json_object_object_get(json_object_array_get_idx(list, i), key));
}

/* --- what was planted ----------------------------------------------------------------------- */

/* Every norm of `planted` over that of `healthy`, compared with `wanted` [G][T]. */
static void check_ratios(const struct run *planted, const struct run *healthy, const double *wanted)
{
    size_t n_steps = healthy->series->n_steps, n_wrong = 0, j, t;

    CHECK(planted->series->n_steps == n_steps);
    for (j = 0; j < healthy->series->n_groups; j++)
        for (t = 0; t < n_steps; t++)
            n_wrong += fabs(norm(planted, j, t) / norm(healthy, j, t) / wanted[j * n_steps + t] -
                            1.0) > 1e-12;
    CHECK(n_wrong == 0);
}

/* A shock of `factor` to group j at step t, and what it leaves on those after it. */
static void shock(double *wanted, size_t n_steps, size_t j, size_t t, double factor)
{
    double left = 0.1 * log(factor);

    wanted[j * n_steps + t] *= factor;
    for (t++; t < n_steps; t++, left *= 0.9)
        wanted[j * n_steps + t] *= exp(left);
}

/* [G][T] ones. */
static double *ones(const struct run *run)
{
    size_t n = run->series->n_groups * run->series->n_steps, i;
    double *ratios = calloc(n, sizeof *ratios);

    for (i = 0; i < n; i++)
        ratios[i] = 1.0;
    return ratios;
}

static int compare_doubles(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double median_norm(const struct run *run, size_t j)
{
    size_t n = run->series->n_steps, t;
    double *norms = calloc(n, sizeof *norms), median;

    for (t = 0; t < n; t++)
        norms[t] = norm(run, j, t);
    qsort(norms, n, sizeof *norms, compare_doubles);
    median = norms[n / 2];
    free(norms);
    return median;
}

static void spikes_are_where_the_truth_says(void)
{
    struct run healthy = run_named("healthy", NULL), culprit = run_named("culprit", NULL);
    struct json_object *spikes = truth_list(&culprit, "spikes"), *name = NULL;
    double *wanted = ones(&healthy), before = -1.0;
    size_t i;

    CHECK(json_object_object_get_ex(culprit.truth, "culprit", &name));
    CHECK(length_of(spikes) == 12);
    for (i = 0; i < length_of(spikes); i++) {
        size_t t = (size_t)item_number(spikes, i, "step");
        size_t j = group_named(&culprit, item_text(spikes, i, "group"));

        CHECK_TEXT(item_text(spikes, i, "group"), json_object_get_string(name));
        CHECK_BITS(item_number(spikes, i, "factor"), 20.0);
        CHECK(t >= 150 && (double)t > before + 1.0);
        before = (double)t;
        shock(wanted, healthy.series->n_steps, j, t, 20.0);
        /* noise, and half of the drift */
        CHECK(norm(&culprit, j, t) / median_norm(&culprit, j) > 20.0 * 0.45 * 0.8);
        CHECK(norm(&culprit, j, t) / median_norm(&culprit, j) < 20.0 / (0.45 * 0.8));
    }
    check_ratios(&culprit, &healthy, wanted);
    free(wanted);
    run_close(&healthy);
    run_close(&culprit);
}

static void the_culprit_can_be_chosen(void)
{
    struct gtr_simulation simulation = asked("culprit", "spikes=1,spike_factor=1000");
    struct json_object *spikes;
    struct run run;

    simulation.culprit = "k_proj";
    run = run_of(&simulation, NULL);
    spikes = truth_list(&run, "spikes");
    CHECK(length_of(spikes) == 1);
    CHECK_TEXT(item_text(spikes, 0, "group"), "k_proj");
    CHECK(norm(&run, group_named(&run, "k_proj"), (size_t)item_number(spikes, 0, "step")) >
          300.0 * median_norm(&run, group_named(&run, "k_proj")));
    run_close(&run);
}

/* The others have 7 / 10 of the spike's logarithm, at its step and on its tail. */
static void partners_rise_with_the_culprit(void)
{
    struct run healthy = run_named("healthy", NULL), partners = run_named("partners", NULL);
    struct json_object *spikes = truth_list(&partners, "spikes");
    double *wanted = ones(&healthy);
    size_t i, j;

    CHECK_BITS(truth_number(&partners, "partners"), 0.7);
    CHECK(length_of(spikes) == 12);
    for (i = 0; i < length_of(spikes); i++)
        for (j = 0; j < healthy.series->n_groups; j++)
            shock(wanted, healthy.series->n_steps, j, (size_t)item_number(spikes, i, "step"),
                  j == group_named(&partners, item_text(spikes, i, "group")) ? 20.0
                                                                             : pow(20.0, 0.7));
    check_ratios(&partners, &healthy, wanted);
    free(wanted);
    run_close(&healthy);
    run_close(&partners);
}

static void strays_are_where_the_truth_says(void)
{
    struct run healthy = run_named("healthy", NULL), heavy = run_named("heavy", NULL);
    struct json_object *strays = truth_list(&heavy, "strays");
    double *wanted = ones(&healthy), most = 0.0;
    size_t n_cells = healthy.series->n_groups * healthy.series->n_steps, i;

    for (i = 0; i < length_of(strays); i++) {
        size_t t = (size_t)item_number(strays, i, "step");
        size_t j = group_named(&heavy, item_text(strays, i, "group"));
        double factor = item_number(strays, i, "factor");

        CHECK(factor >= 3.0);
        most = fmax(most, factor);
        shock(wanted, healthy.series->n_steps, j, t, factor);
    }
    CHECK_NEAR((double)length_of(strays) / (double)n_cells, 0.005, 0.0025);
    CHECK(most > 12.0); /* of 75 or so, a Pareto tail of 2 leaves one in 16 above four times 3 */
    check_ratios(&heavy, &healthy, wanted);
    free(wanted);
    run_close(&healthy);
    run_close(&heavy);
}

static void a_drift_is_exponential(void)
{
    struct run flat = run_named("drift", "drift=1"), drift = run_named("drift", NULL);
    double *wanted = ones(&flat);
    size_t n = flat.series->n_steps, i;

    CHECK_BITS(truth_number(&drift, "drift_factor"), 0.1);
    for (i = 0; i < flat.series->n_groups * n; i++)
        wanted[i] = pow(0.1, (double)(i % n) / (double)(n - 1));
    check_ratios(&drift, &flat, wanted);
    free(wanted);
    run_close(&flat);
    run_close(&drift);
}

static void a_regime_changes_at_its_step(void)
{
    struct run healthy = run_named("healthy", NULL), regime = run_named("regime", NULL);
    double *wanted = ones(&healthy);
    size_t n = healthy.series->n_steps, i;

    CHECK_BITS(truth_number(&regime, "change_step"), 750.0);
    CHECK_BITS(truth_number(&regime, "change_factor"), 4.0);
    for (i = 0; i < healthy.series->n_groups * n; i++)
        wanted[i] = i % n < 750 ? 1.0 : 4.0;
    check_ratios(&regime, &healthy, wanted);
    free(wanted);
    run_close(&healthy);
    run_close(&regime);
}

static void bursts_lift_every_group(void)
{
    struct run healthy = run_named("healthy", NULL), bursts = run_named("bursts", NULL);
    struct json_object *list = truth_list(&bursts, "bursts");
    double *wanted = ones(&healthy);
    size_t n = healthy.series->n_steps, i, j, t;

    CHECK(length_of(list) == 8);
    for (i = 0; i < length_of(list); i++) {
        size_t first = (size_t)item_number(list, i, "first");
        size_t last = (size_t)item_number(list, i, "last");

        CHECK(last == first + 5 && last < n);
        for (j = 0; j < healthy.series->n_groups; j++)
            for (t = first; t <= last && t < n; t++)
                wanted[j * n + t] *= 5.0;
    }
    check_ratios(&bursts, &healthy, wanted);
    free(wanted);
    run_close(&healthy);
    run_close(&bursts);
}

/* --- experts -------------------------------------------------------------------------------- */

static bool is_in_spells(struct json_object *spells, size_t t)
{
    size_t i;

    for (i = 0; i < length_of(spells); i++) {
        struct json_object *spell = json_object_array_get_idx(spells, i);

        if (t >= (size_t)json_object_get_int64(json_object_array_get_idx(spell, 0)) &&
            t <= (size_t)json_object_get_int64(json_object_array_get_idx(spell, 1)))
            return true;
    }
    return false;
}

static void experts_are_idle_where_the_truth_says(void)
{
    struct gtr_simulation simulation = asked("moe", NULL);
    struct run run = run_of(&simulation, "tensor");
    struct json_object *idle = truth_list(&run, "idle"), *spells;
    size_t n = run.series->n_steps, j, t, n_idle = 0, n_tensors = 0, n_wrong = 0;

    CHECK(json_object_object_length(idle) == 32);
    for (j = 0; j < run.series->n_groups; j++) {
        const char *at = strstr(run.groups->names[j], ".experts.");
        char expert[120] = "";

        spells = NULL;
        if (at != NULL) {
            snprintf(expert, sizeof expert, "%.*s", (int)(at - run.groups->names[j]) + 10,
                     run.groups->names[j]);
            CHECK(json_object_object_get_ex(idle, expert, &spells));
            n_tensors++;
        }
        for (t = 0; t < n; t++) {
            bool should = at != NULL && is_in_spells(spells, t);

            n_idle += should;
            n_wrong += should != (run.series->sumsq[j * n + t] == 0.0);
        }
    }
    CHECK(n_wrong == 0 && n_tensors == 96);
    CHECK_NEAR((double)n_idle / (double)(n_tensors * n), 0.2, 0.05);
    run_close(&run);
}

int main(void)
{
    RUN(spikes_are_where_the_truth_says);
    RUN(the_culprit_can_be_chosen);
    RUN(partners_rise_with_the_culprit);
    RUN(strays_are_where_the_truth_says);
    RUN(a_drift_is_exponential);
    RUN(a_regime_changes_at_its_step);
    RUN(bursts_lift_every_group);
    RUN(experts_are_idle_where_the_truth_says);
    return check_report();
}
