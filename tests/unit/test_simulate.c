/* test_simulate.c - synthetic traces: the same from the same, as asked, or refused. */
#define _GNU_SOURCE
#include "digest.h"
#include "simulating.h"

/* --- the same from the same ----------------------------------------------------------------- */

static bool same_bytes(const struct gtr_simulation *a, const struct gtr_simulation *b)
{
    size_t size_a = 0, size_b = 0;
    char *bytes_a, *bytes_b;
    bool same;

    CHECK(gtr_simulation_write(a, scratch_path("a.h5"), true, NULL) == GTR_OK);
    CHECK(gtr_simulation_write(b, scratch_path("b.h5"), true, NULL) == GTR_OK);
    bytes_a = scratch_read(scratch_path("a.h5"), &size_a);
    bytes_b = scratch_read(scratch_path("b.h5"), &size_b);
    same = bytes_a != NULL && bytes_b != NULL && size_a == size_b && size_a > 1000 &&
           memcmp(bytes_a, bytes_b, size_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

static void equal_arguments_give_equal_bytes(void)
{
    const struct gtr_scenario *scenarios;
    size_t n, i;

    scenarios = gtr_scenarios(&n);
    for (i = 0; i < n; i++) {
        struct gtr_simulation a = asked(scenarios[i].name, NULL), b = a;

        CHECK(same_bytes(&a, &b));
        b.seed = 2;
        CHECK(!same_bytes(&a, &b));
    }
}

static uint64_t digest_of(const struct gtr_simulation *simulation)
{
    struct run run = run_of(simulation, "tensor");
    const struct gtr_step *steps = gtr_trace_steps(run.trace);
    size_t n = run.series->n_groups, t, i;
    uint64_t digest = GTR_DIGEST_START;
    float *maxabs = calloc(n, sizeof *maxabs);

    digest = gtr_digest_doubles(digest, run.series->sumsq, n * run.series->n_steps);
    for (t = 0; t < run.series->n_steps; t++) {
        CHECK(gtr_trace_read_rows(run.trace, GTR_MAXABS, t, 1, maxabs, NULL) == GTR_OK);
        digest = gtr_digest_doubles(digest, &steps[t].loss, 1);
        for (i = 0; i < n; i++) {
            double value = (double)maxabs[i];

            digest = gtr_digest_doubles(digest, &value, 1);
        }
    }
    free(maxabs);
    run_close(&run);
    return digest;
}

/* Written down once; gcc -O0 to -O3 and clang must all come to them.  They change if, and only if,
 * the numbers in the traces do. */
static void numbers_are_the_same_everywhere(void)
{
    static const struct {
        const char *scenario;
        uint64_t digest;
    } known[] = {
        { "healthy", UINT64_C(0x79615ec81bb132c3) },
        { "culprit", UINT64_C(0x0900e3d32412b21a) },
        { "partners", UINT64_C(0xcb9b2053ea8befba) },
        { "drift", UINT64_C(0x96664d9aefbbd673) },
        { "regime", UINT64_C(0xd70beb30c9b99521) },
        { "bursts", UINT64_C(0x727a84a951dbb784) },
        { "moe", UINT64_C(0x73144601cb6c24f1) },
        { "correlated", UINT64_C(0x77553ad035455c2a) },
        { "heavy", UINT64_C(0xe1761fd34c735426) },
        { "dominant", UINT64_C(0xaf5891a3fa8b4e45) },
        { "post-clip", UINT64_C(0xc90bca2b020ed748) },
        { "loss-scale", UINT64_C(0xf4ab10085fdb16a7) },
        { "shards", UINT64_C(0x0a0516dbd24832bd) },
        { "nonfinite", UINT64_C(0x79615ec81bb132c3) },
        { "stale", UINT64_C(0xe3158cdec10d368a) },
        { "dead", UINT64_C(0x0b5b04bb02ec8a77) },
    };
    size_t n, i;

    gtr_scenarios(&n);
    CHECK(n == GTR_ARRAY_LEN(known));
    for (i = 0; i < GTR_ARRAY_LEN(known); i++) {
        struct gtr_simulation simulation = asked(known[i].scenario, NULL);
        uint64_t digest;

        simulation.n_steps = 300;
        digest = digest_of(&simulation);
        CHECK(digest == known[i].digest);
        if (digest != known[i].digest)
            printf("    %s: %016llx\n", known[i].scenario, (unsigned long long)digest);
    }
}

/* --- the process ---------------------------------------------------------------------------- */

/* ln of each norm of group j, less the known trend and their mean. */
static double *deviations(const struct run *run, size_t j)
{
    size_t n = run->series->n_steps, t;
    double slope = log(truth_number(run, "drift_factor")) / (double)(n - 1), mean = 0.0;
    double *x = calloc(n, sizeof *x);

    for (t = 0; t < n; t++) {
        x[t] = log(norm(run, j, t)) - slope * (double)t;
        mean += x[t] / (double)n;
    }
    for (t = 0; t < n; t++)
        x[t] -= mean;
    return x;
}

static double product(const double *x, const double *y, size_t n)
{
    double sum = 0.0;
    size_t t;

    for (t = 0; t < n; t++)
        sum += x[t] * y[t] / (double)n;
    return sum;
}

/* x = e + tail s, s = memory s + e: over the variance v of e,
 *
 *     variance        v (1 + tail^2 / (1 - memory^2))
 *     covariance at k v memory^(k-1) (tail + memory tail^2 / (1 - memory^2))
 *
 * 10,000 steps and heavy tails: errors of a few percent. */
static void a_healthy_run_wanders_as_asked(void)
{
    static const struct {
        const char *settings;
        double tail, memory;
    } known[] = { { NULL, 0.1, 0.9 },
                  { "tail=0.9", 0.9, 0.9 },
                  { "tail=0.5,memory=0.5", 0.5, 0.5 },
                  { "tail=0", 0.0, 0.9 },
                  { "surge=0", 0.1, 0.9 } };
    size_t i, j, lag;

    for (i = 0; i < GTR_ARRAY_LEN(known); i++) {
        double k = known[i].tail, m = known[i].memory, all = 1.0 + k * k / (1.0 - m * m);
        struct gtr_simulation simulation = asked("healthy", known[i].settings);
        struct run run;

        simulation.n_steps = 10000;
        run = run_of(&simulation, NULL);
        for (j = 0; j < run.series->n_groups; j++) {
            double *x = deviations(&run, j), variance = product(x, x, 10000);

            CHECK_NEAR(sqrt(variance), 0.2, 0.02);
            for (lag = 1; lag <= 5; lag += 4)
                CHECK_NEAR(product(x, x + lag, 10000 - lag) / variance,
                           pow(m, (double)lag - 1.0) * (k + m * k * k / (1.0 - m * m)) / all, 0.04);
            free(x);
        }
        run_close(&run);
    }
}

/* One group's noise without a tail: a normal deviate plus, at p = 1 step in 10, an exponential one
 * of mean h = 1.8.  By hand: mean p h = 0.18; variance 1 + 2 p h^2 - p^2 h^2 = 1.6156, of which the
 * root is 1.2711; third cumulant 6 p h^3 - 3 (p h) (2 p h^2) + 2 (p h)^3 = 3.1610.  Above 4
 * deviations lie p exp(-(4 * 1.2711 + 0.18) / h + 1 / (2 h^2)) = 0.0063; of a normal deviate's
 * steps 0.00003 do. */
static void surges_are_as_frequent_and_high_as_asked(void)
{
    struct gtr_simulation simulation = asked("healthy", "tail=0,common=0,drift=1");
    size_t n = 100000, n_above = 0, t;
    double *x, third = 0.0;
    struct run run;

    simulation.n_steps = (int64_t)n;
    simulation.n_layers = 1;
    run = run_of(&simulation, NULL);
    x = deviations(&run, 2);
    for (t = 0; t < n; t++) {
        third += pow(x[t] / 0.2, 3.0) / (double)n;
        n_above += x[t] > 4.0 * 0.2;
    }
    CHECK_NEAR(third, 3.1610 / pow(1.6156, 1.5), 0.15);
    CHECK_NEAR((double)n_above / (double)n, 0.0063, 0.001);
    free(x);
    run_close(&run);
}

static double correlation(const char *scenario, const char *settings)
{
    struct gtr_simulation simulation = asked(scenario, settings);
    double *x, *y, result;
    struct run run;

    simulation.n_steps = 10000;
    run = run_of(&simulation, NULL);
    x = deviations(&run, 1);
    y = deviations(&run, 4);
    result = product(x, y, 10000) / sqrt(product(x, x, 10000) * product(y, y, 10000));
    free(x);
    free(y);
    run_close(&run);
    return result;
}

static void groups_are_as_correlated_as_asked(void)
{
    CHECK_NEAR(correlation("correlated", NULL), 0.95, 0.02);
    CHECK_NEAR(correlation("correlated", "common=0"), 0.0, 0.2);
    CHECK_NEAR(correlation("correlated", "common=1"), 1.0, 1e-9);
}

static void largest_elements_fit_the_norms(void)
{
    struct run run = run_named("moe", NULL);
    size_t n = gtr_trace_head(run.trace)->n_tensors, i, n_wrong = 0;
    double *sumsq = calloc(n, sizeof *sumsq);
    float *maxabs = calloc(n, sizeof *maxabs);

    CHECK(gtr_trace_read_rows(run.trace, GTR_SUMSQ, 700, 1, sumsq, NULL) == GTR_OK);
    CHECK(gtr_trace_read_rows(run.trace, GTR_MAXABS, 700, 1, maxabs, NULL) == GTR_OK);
    for (i = 0; i < n; i++) {
        double numel = (double)gtr_trace_head(run.trace)->tensors[i].numel;
        double mean = sqrt(sumsq[i] / numel), most = sqrt(sumsq[i]);

        n_wrong += !((double)maxabs[i] >= mean && (double)maxabs[i] <= most);
    }
    CHECK(n_wrong == 0);
    CHECK(run.series->n_nonfinite == 0);
    free(sumsq);
    free(maxabs);
    run_close(&run);
}

/* --- layouts -------------------------------------------------------------------------------- */

/* The sizes that the models were published with. */
static void layouts_have_the_published_sizes(void)
{
    static const struct {
        const char *name;
        size_t n_tensors;
        uint64_t elements;
    } known[] = {
        { "llama-7b", 291, UINT64_C(6738415616) },
        { "llama-30b", 543, UINT64_C(32528943616) },
        { "moe-8x7b", 995, UINT64_C(46702792704) },
    };
    size_t i, k;

    for (k = 0; k < GTR_ARRAY_LEN(known); k++) {
        const struct gtr_layout *layout = NULL;
        uint64_t elements = 0;
        struct gtr_head head;

        CHECK(gtr_layout_find(known[k].name, &layout, NULL) == GTR_OK);
        CHECK(gtr_head_init(&head, NULL) == GTR_OK);
        CHECK(gtr_layout_add(layout, layout->n_layers, &head, NULL) == GTR_OK);
        for (i = 0; i < head.n_tensors; i++)
            elements += head.tensors[i].numel;
        CHECK(head.n_tensors == known[k].n_tensors);
        CHECK(elements == known[k].elements);
        gtr_head_free(&head);
    }
}

/* --- what is refused ------------------------------------------------------------------------ */

static void refused(const struct gtr_simulation *simulation, const char *part)
{
    struct gtr_err err = { 0 };
    size_t size;
    char *bytes;

    CHECK(gtr_simulation_write(simulation, scratch_path("refused.h5"), false, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, part);
    bytes = scratch_read(scratch_path("refused.h5"), &size);
    CHECK(bytes == NULL);
    free(bytes);
}

static void what_does_not_fit_together_is_refused(void)
{
    struct gtr_simulation simulation = asked("culprit", "spikes=100");

    simulation.n_steps = 100;
    refused(&simulation, "spikes=100: each needs 2 steps");
    simulation = asked("bursts", "burst_steps=100");
    refused(&simulation, "bursts=8: each needs 200 steps");
    simulation = asked("healthy", "idle=0.5");
    refused(&simulation, "layout llama-small has no experts");
    simulation = asked("moe", "idle=0.9,idle_spell=2");
    refused(&simulation, "less than a step would lie between");
    simulation = asked("heavy", "stray=1");
    refused(&simulation, "a trace's meta holds 60000");
    simulation = asked("healthy", NULL);
    simulation.culprit = "q_proj";
    refused(&simulation, "no spikes are planted");
    simulation = asked("culprit", NULL);
    simulation.culprit = "q_prj";
    refused(&simulation, "q_prj: no such group; did you mean q_proj?");
    simulation = asked("healthy", NULL);
    simulation.n_steps = 0;
    refused(&simulation, "0 steps: must be from 1 to 1000000");
    simulation.n_steps = 10;
    simulation.seed = -1;
    refused(&simulation, "seed -1");
}

static void a_run_may_be_one_step_long(void)
{
    const struct gtr_scenario *scenarios;
    size_t n, i;

    scenarios = gtr_scenarios(&n);
    for (i = 0; i < n; i++) {
        struct gtr_simulation simulation =
            asked(scenarios[i].name, "spikes=0,bursts=0,nonfinite=0,stale=0");
        struct run run;

        simulation.n_steps = 1;
        simulation.n_layers = 1;
        run = run_of(&simulation, NULL);
        CHECK(run.series->n_steps == 1 && run.series->total[0] > 0.0);
        run_close(&run);
    }
}

/* All at the ends of their ranges: norms stay finite, and zero only where experts are idle. */
static void extremes_stay_in_range(void)
{
    struct run run = run_named("healthy", "level=1e6,uneven=2,spread=2,drift=1e6,spikes=9,"
                                          "spike_factor=1e6,bursts=9,burst_factor=1e6,change=1e6,"
                                          "change_at=0,stray=0.02,stray_factor=1e6,stray_tail=0.5");
    size_t n = run.series->n_groups * run.series->n_steps, i, n_wrong = 0;

    for (i = 0; i < n; i++)
        n_wrong += !(run.series->sumsq[i] > 0.0 && isfinite(run.series->sumsq[i]));
    CHECK(n_wrong == 0);
    run_close(&run);
}

static void no_memory_leaves_no_file(void)
{
    struct gtr_simulation simulation = asked("moe", "spikes=2,bursts=2,stray=0.01");
    enum gtr_code rc = GTR_ENOMEM;
    size_t n, size;

    simulation.n_steps = 60;
    simulation.n_layers = 1;
    for (n = 1; rc != GTR_OK && n < 5000; n++) {
        struct gtr_err err = { 0 };
        char *bytes;

        gtr_alloc_fail_after(n);
        rc = gtr_simulation_write(&simulation, scratch_path("memory.h5"), false, &err);
        gtr_alloc_fail_after(0);
        if (rc == GTR_OK)
            break;
        CHECK(rc == GTR_ENOMEM && err.text[0] != '\0');
        bytes = scratch_read(scratch_path("memory.h5"), &size);
        CHECK(bytes == NULL);
        free(bytes);
    }
    CHECK(rc == GTR_OK && n > 50);
}

int main(void)
{
    RUN(equal_arguments_give_equal_bytes);
    RUN(numbers_are_the_same_everywhere);
    RUN(a_healthy_run_wanders_as_asked);
    RUN(surges_are_as_frequent_and_high_as_asked);
    RUN(groups_are_as_correlated_as_asked);
    RUN(largest_elements_fit_the_norms);
    RUN(layouts_have_the_published_sizes);
    RUN(what_does_not_fit_together_is_refused);
    RUN(a_run_may_be_one_step_long);
    RUN(extremes_stay_in_range);
    RUN(no_memory_leaves_no_file);
    return check_report();
}
